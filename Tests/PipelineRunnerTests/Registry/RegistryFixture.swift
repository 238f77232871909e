import PipelineDSL
import Synchronization
import SystemPackage

@testable import PipelineRunner

/// A client with a store of its own that sees nothing of the machine's configuration.
struct RegistryFixture {
  let directory: TemporaryDirectory
  let store: Store
  let client: RegistryClient
  let images: RegistryImages
  /// The waits that the client wanted, none of which took place.
  let waits: Waits

  final class Waits: Sendable {
    private let all = Mutex<[Double]>([])
    var seconds: [Double] { all.withLock { $0 } }
    func note(_ seconds: Double) { all.withLock { $0.append(seconds) } }
  }

  init(
    logins: String? = nil, mirrors: [String: [WebAddress]] = [:], plainHosts: Set<String> = [],
    chunkSize: Int64 = 256 << 20, patience: TransferPatience = TransferPatience(),
    daemonFile: DockerDaemonFile = DockerDaemonFile(candidates: []),
    prepare: (TemporaryDirectory) throws -> Void = { _ in }
  ) throws {
    directory = try TemporaryDirectory()
    waits = Waits()
    store = try Store(at: directory.path.appending("state"))
    if let logins { try directory.write("config.json", logins) }
    try prepare(directory)
    let waits = waits
    var retries = RetryPolicy()
    retries.wait = { waits.note($0) }
    client = RegistryClient(
      options: RegistryOptions(
        plainHosts: plainHosts, mirrors: mirrors,
        certificates: CertificateDirectories(directories: [directory.path.appending("certs.d")]),
        credentials: RegistryCredentials(file: directory.path.appending("config.json")),
        daemonFile: daemonFile, retries: retries, patience: patience, chunkSize: chunkSize))
    images = RegistryImages(client: client, store: store)
  }

  func resolve(_ reference: String, _ platform: String = "linux/amd64") throws -> ResolvedImage {
    try images.resolve(RegistryReference(reference), platform: Platform(parsing: platform))
  }

  /// The bytes of an image's layers.
  func layers(of image: ResolvedImage) throws -> [[UInt8]] {
    try image.layers.map { try Self.content(of: $0.blobs.open($0.descriptor)) }
  }

  /// Pushes an image whose layers lie in files.
  func push(
    _ image: FakeImage, to name: String, origins: [Digest: String] = [:]
  ) async throws {
    let reference = try RegistryReference(name)
    let push = try RegistryPush(reference, client: client)
    let folder = directory.path
    let blobs = try image.layers.map { layer in
      let digest = SHA256Hasher.digest(of: layer)
      let file = folder.appending(digest.hex)
      try FileContent.write(file, layer)
      return RegistryPush.Blob(
        descriptor: Descriptor(
          mediaType: MediaType.ociLayer, digest: digest, size: Int64(layer.count)),
        origin: origins[digest]
      ) { file }
    }
    try await push.push(
      blobs: blobs,
      documents: [
        .init(descriptor: image.configDescriptor, bytes: image.config),
        .init(descriptor: image.descriptor(nil), bytes: image.manifest),
      ], scratch: folder, tag: reference.tag ?? "latest")
  }

  /// The text of the diagnostic that the body ends with; empty where it ends well.
  func asyncFailure(_ body: () async throws -> Void) async -> String {
    do {
      try await body()
      return ""
    } catch let error as Diagnostic {
      return "\(error.message)\(error.help.map { "\nhelp: \($0)" } ?? "")"
    } catch {
      return "\(error)"
    }
  }

  static func content(of reader: any BlobReader) throws -> [UInt8] {
    var content: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 10_000)
    while true {
      let count = try piece.withUnsafeMutableBytes { try reader.read(into: $0) }
      if count == 0 { return content }
      content += piece[..<count]
    }
  }

  /// The text of the diagnostic that the body ends with; empty where it ends well.
  func failure(_ body: () throws -> Void) -> String {
    do {
      try body()
      return ""
    } catch let error as Diagnostic {
      return "\(error.message)\(error.help.map { "\nhelp: \($0)" } ?? "")"
    } catch {
      return "\(error)"
    }
  }
}
