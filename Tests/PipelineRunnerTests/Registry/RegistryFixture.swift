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
    logins: String? = nil, mirrors: [String: [WebAddress]] = [:], plainHosts: Set<String> = []
  ) throws {
    directory = try TemporaryDirectory()
    waits = Waits()
    store = try Store(at: directory.path.appending("state"))
    if let logins { try directory.write("config.json", logins) }
    let waits = waits
    var retries = RetryPolicy()
    retries.wait = { waits.note($0) }
    client = RegistryClient(
      options: RegistryOptions(
        plainHosts: plainHosts, mirrors: mirrors,
        certificates: CertificateDirectories(directories: [directory.path.appending("certs.d")]),
        credentials: RegistryCredentials(file: directory.path.appending("config.json")),
        retries: retries))
    images = RegistryImages(client: client, store: store)
  }

  func resolve(_ reference: String, _ platform: String = "linux/amd64") throws -> ResolvedImage {
    try images.resolve(RegistryReference(reference), platform: Platform(parsing: platform))
  }

  /// The bytes of an image's layers.
  func layers(of image: ResolvedImage) throws -> [[UInt8]] {
    try image.layers.map { layer in
      guard let descriptor = layer.descriptor else { return [] }
      return try Self.content(of: layer.blobs.open(descriptor))
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
