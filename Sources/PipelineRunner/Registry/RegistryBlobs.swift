import Glibc
import PipelineDSL
import SystemPackage

/// The layers of an image in a registry.
///
/// What is read to its end is kept in the store under its digest: an export or a push needs the
/// same bytes again, and recompressing a layer gives others.
struct RegistryBlobs: BlobSource {
  /// Where to look, mirrors first.
  var repositories: [RegistryRepository]
  /// The image, for errors.
  var subject: String
  var store: Store

  func open(_ descriptor: Descriptor) throws -> any BlobReader {
    guard descriptor.size >= 0 else {
      throw Diagnostic("a layer of \(subject) is said to have \(descriptor.size) bytes")
    }
    if store.hasBlob(descriptor) {
      return try FileSlice(opening: store.blob(descriptor.digest)).reader()
    }
    let reader = try RegistryBlobReader(descriptor, of: repositories, subject)
    return try KeptBlobReader(reader, descriptor, in: store)
  }
}

/// Passes a blob through and leaves a copy in the store once its digest is known to be right.
private final class KeptBlobReader: BlobReader {
  private let source: any BlobReader
  private let digest: Digest
  private let store: Store
  private let workspace: Workspace
  private let file: FilePath
  private let hasher = SHA256Hasher()
  private var output: CInt

  init(_ source: any BlobReader, _ descriptor: Descriptor, in store: Store) throws {
    self.source = source
    self.store = store
    digest = descriptor.digest
    workspace = try store.makeWorkspace(below: .empty)
    file = workspace.path.appending("blob")
    output = file.withPlatformString { Glibc.open($0, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644) }
  }

  deinit {
    if output >= 0 { close(output) }
    store.remove(workspace)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = try source.read(into: buffer)
    guard output >= 0 else { return count }
    guard count > 0 else {
      close(output)
      output = -1
      if hasher.finalize() == digest { try store.adoptBlob(file, as: digest) }
      return 0
    }
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    hasher.update(bytes)
    var written = 0
    while written < count {
      let step = write(output, bytes.baseAddress.map { $0 + written }, count - written)
      if step < 0 {
        if errno == EINTR { continue }
        // The copy is for later; who reads gets the bytes all the same.
        close(output)
        output = -1
        return count
      }
      written += step
    }
    return count
  }
}
