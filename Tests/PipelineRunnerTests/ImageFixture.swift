import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

@testable import PipelineRunner

/// An image of one layer with one file, in a store, ready to be written.
struct ImageFixture {
  let directory: TemporaryDirectory
  let store: Store
  let image: BuiltImage

  static let platform = Platform(architecture: "amd64")

  init(content: String = "hello\n", command: String = "/bin/true") throws {
    directory = try TemporaryDirectory()
    store = try Store(at: directory.path.appending("store"))
    let layer = try Self.makeTar(directory.path.appending("layer.tar"), content)
    let digest = SHA256Hasher.digest(of: try FileContent.read(layer))
    let size = Int64(try FileContent.read(layer).count)
    try store.adoptBlob(layer, as: digest)
    var execution = ImageConfiguration.Execution()
    execution.command = [command]
    let configuration = ImageConfiguration(
      created: "2026-01-02T03:04:05Z", author: nil, architecture: "amd64", variant: nil,
      os: "linux", osVersion: nil, config: execution, rootfs: .init(diffIDs: [digest]),
      history: [
        .init(
          created: "2026-01-02T03:04:05Z", createdBy: "COPY x / # buildkit", author: nil,
          comment: "buildkit.dockerfile.v0", emptyLayer: nil)
      ])
    image = BuiltImage(
      platform: Self.platform, layerIDs: [LayerID(digest)],
      configuration: try CanonicalJSON.encode(configuration), created: "2026-01-02T03:04:05Z",
      layers: [
        PackedLayer(
          descriptor: Descriptor(mediaType: MediaType.ociLayer, digest: digest, size: size),
          diffID: digest)
      ])
  }

  /// A tar with one file in one directory.
  static func makeTar(_ path: FilePath, _ content: String) throws -> FilePath {
    let raw = path.withPlatformString { open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) }
    let file = OwnedDescriptor(owning: raw)
    let tar = ImageTarWriter(file.raw)
    try tar.addDirectory("opt")
    try tar.addFile("opt/file", Array(content.utf8))
    try tar.finish()
    return path
  }

  func path(_ name: String) -> FilePath { directory.path.appending(name) }

  /// Writes the image as `-o` says.
  func write(_ output: String, tags: [String] = []) throws {
    let output = try OutputSpecification(parsing: output)
    try output.write(
      ImageBundle([image], types: output.mediaTypes, annotations: output.annotations),
      names: output.names(tags: tags), created: image.created, store: store)
  }

  /// The image read back from a path or an `oci-layout://`.
  func read(_ text: String) throws -> ResolvedImage {
    guard let source = try ImageSource.detect(text, relativeTo: directory.path) else {
      throw Diagnostic("'\(text)' is no image")
    }
    return try source.resolve(platform: Self.platform)
  }

  /// What is wrong with an image, as its message and help.
  func problem(_ text: String) throws -> String {
    do {
      _ = try read(text)
      return "nothing"
    } catch let error as Diagnostic {
      let text = error.message + (error.help.map { " / \($0)" } ?? "")
      return text.split(separator: directory.path.string).joined(separator: "DIR")
    }
  }

  /// Runs a program of the machine; it has to succeed.
  @discardableResult
  static func tool(_ arguments: String...) throws -> String {
    let output = try ChildProcess.run(arguments)
    guard output.status == 0 else {
      throw Diagnostic("\(arguments.joined(separator: " ")) ended with \(output.status)")
    }
    return output.text
  }

  /// The bytes of a resolved image's layer.
  static func content(of layer: BaseLayer) throws -> [UInt8] {
    let reader = try layer.blobs.open(layer.descriptor)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1000)
    while true {
      let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
    }
  }
}
