import FoundationEssentials
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// What a declaration says of the image besides its stages.
@Suite("Declared images")
struct DeclaredImageTests {
  /// Nothing of it runs a command, so it can be made for any platform.
  private struct ManyPlatforms: ContainerImage {
    var platforms: [Platform] {
      [Platform(architecture: "amd64"), Platform(architecture: "arm64")]
    }
    var annotations: [String: String] { ["org.example.team": "tools", "org.example.kind": "data"] }
    var sourceDateEpoch: Int? { 1_700_000_000 }

    func image() -> Stage {
      Stage(from: .scratch) {
        Copy(content: "content", to: "/file")
      }
    }
  }

  private struct Index: Decodable {
    struct Entry: Decodable {
      var digest: String
      var mediaType: String
      var platform: [String: String]?
    }

    var manifests: [Entry]
    var annotations: [String: String]?
  }

  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  private func build(_ arguments: [String]) async throws {
    let arguments =
      arguments + ["--progress", "quiet", "--state-dir", "\(directory.path.pushing("store"))"]
    try await Declaration.$current.withValue(ManyPlatforms.declaration) {
      let command = try BuildCommand.parse(arguments)
      try await command.run()
    }
  }

  private func document<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
    let bytes = try FileContent.read(directory.path.pushing("out").pushing(FilePath(name)))
    return try JSONDecoder().decode(type, from: Data(bytes))
  }

  private func blob(_ digest: String) -> String {
    "blobs/" + digest.replacing(":", with: "/")
  }

  @Test("platforms and annotations of a declaration reach the image")
  func platformsAndAnnotations() async throws {
    let out = directory.path.pushing("out")
    try await build([
      "-o", "type=oci,tar=false,dest=\(out)", "--annotation", "org.example.kind=code",
    ])
    let top = try document(Index.self, "index.json")
    let entry = try #require(top.manifests.first)
    #expect(entry.mediaType == MediaType.ociIndex)
    let index = try document(Index.self, blob(entry.digest))
    #expect(index.manifests.map { $0.platform?["architecture"] } == ["amd64", "arm64"])
    for manifest in index.manifests {
      struct Manifest: Decodable { var annotations: [String: String]? }
      let found = try document(Manifest.self, blob(manifest.digest))
      #expect(
        found.annotations?["org.example.team"] == "tools"
          && found.annotations?["org.example.kind"] == "code",
        "what the command line says comes last: \(found)")
    }
  }

  @Test("the command line's platforms replace the declared ones")
  func replacedPlatforms() async throws {
    let out = directory.path.pushing("out")
    try await build(["-o", "type=oci,tar=false,dest=\(out)", "--platform", "linux/riscv64"])
    let entry = try #require(try document(Index.self, "index.json").manifests.first)
    #expect(entry.mediaType == MediaType.ociManifest)
    struct Manifest: Decodable {
      struct Part: Decodable { var digest: String }
      var config: Part
    }
    struct Config: Decodable { var architecture: String }
    let manifest = try document(Manifest.self, blob(entry.digest))
    #expect(
      try document(Config.self, blob(manifest.config.digest)).architecture == "riscv64")
  }
}
