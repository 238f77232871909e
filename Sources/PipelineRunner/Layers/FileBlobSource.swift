import Glibc
import SystemPackage

/// A blob that is a file of its own.
struct FileBlobSource: BlobSource {
  var file: FilePath

  func open(_ descriptor: Descriptor) throws -> any BlobReader {
    try FileBlobReader(file)
  }
}

/// A blob that lies in a file.
final class FileBlobReader: BlobReader {
  private let descriptor: OwnedDescriptor
  private let path: FilePath

  init(_ path: FilePath) throws(SystemError) {
    let raw = path.withPlatformString { Glibc.open($0, O_RDONLY | O_CLOEXEC) }
    guard raw >= 0 else { throw SystemError("open", path: path.bytes) }
    descriptor = OwnedDescriptor(owning: raw)
    self.path = path
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Glibc.read(descriptor.raw, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      guard errno == EINTR else { throw SystemError("read", path: path.bytes) }
    }
  }
}
