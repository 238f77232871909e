import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("The lock file")
struct LockFileTests {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  private func digest(_ byte: UInt8) -> Digest {
    Digest(bytes: [UInt8](repeating: byte, count: 32))
  }

  @Test("it is text that a person can read, and comes back whole")
  func text() throws {
    let path = directory.path.appending("Image.lock")
    var lock = LockFile()
    lock.images["docker.io/library/x:1"] = ["linux/amd64": digest(0xAB)]
    lock.commits["https://example.org/x.git#main"] = String(repeating: "c", count: 40)
    try lock.write(to: path)
    #expect(
      String(decoding: try FileContent.read(path), as: UTF8.self) == """
        {
          "commits" : {
            "https://example.org/x.git#main" : "cccccccccccccccccccccccccccccccccccccccc"
          },
          "images" : {
            "docker.io/library/x:1" : {
              "linux/amd64" : "sha256:abababababababababababababababababababababababababababababababab"
            }
          },
          "version" : 1
        }

        """)
    #expect(try LockFile.read(path) == lock)
    #expect(try LockFile.read(directory.path.appending("absent")) == nil)
  }

  @Test("what was edited wrongly, or is newer, is refused by name")
  func refusals() throws {
    let newer = try directory.write("newer", #"{"version":2}"#)
    var error = #expect(throws: Diagnostic.self) { try LockFile.read(newer) }
    #expect(error?.message == "the lock file '\(newer)' has version 2; this program reads 1")
    let wrong = try directory.write(
      "wrong", #"{"version":1,"images":{"x":{"linux/amd64":"sha256:12"}}}"#)
    error = #expect(throws: Diagnostic.self) { try LockFile.read(wrong) }
    #expect(
      error?.message
        == "the lock file '\(wrong)' is malformed: 'sha256:12' is not a sha256 digest")
  }

  @Test("changes are told a line each, new, gone and other")
  func changes() {
    var old = LockFile()
    old.images = ["a": ["linux/amd64": digest(1), "linux/arm64": digest(2)], "b": [:]]
    old.downloads = ["https://x/y": digest(3)]
    var new = old
    new.images = ["a": ["linux/amd64": digest(4), "linux/arm64": digest(2)]]
    new.downloads = [:]
    new.commits = ["g": String(repeating: "5", count: 40)]
    #expect(
      new.changes(from: old) == [
        "  a  linux/amd64  sha256:010101010101 → sha256:040404040404",
        "- https://x/y  sha256:030303030303", "+ g  555555555555",
      ])
    #expect(old.changes(from: old) == [])
  }

  @Test("a password in an address stays out of the file (threat 22)")
  func passwords() throws {
    #expect(
      LockFile.key(of: .file(url: "https://me:secret@x.org/f", checksum: nil))
        == "https://x.org/f")
  }

  // MARK: - Resolving

  private func resolver(
    _ content: LockFile?, isStrict: Bool = false, fixture: ImageFixture
  ) throws -> LockedResolver {
    let source = try ImageSource.detect("out.tar", relativeTo: fixture.directory.path)
    let catalog = ContextCatalog(
      ["base": .image(try #require(source)), "tree": .directory(directory.path)])
    return LockedResolver(
      contexts: catalog,
      lock: SourceLock(path: "Image.lock", content: content, isStrict: isStrict))
  }

  private func problem(_ resolver: LockedResolver, _ reference: String) async -> String {
    do {
      _ = try await resolver.resolve(reference, platform: ImageFixture.platform, at: nil)
      return "nothing"
    } catch let error as Diagnostic {
      return error.message
    } catch {
      return "\(error)"
    }
  }

  @Test("a base that is another than the pinned one is refused, an unpinned one only if so asked")
  func enforcement() async throws {
    let fixture = try ImageFixture()
    try fixture.write("type=oci,dest=\(fixture.path("out.tar"))")
    let image = try fixture.read("out.tar")
    var lock = LockFile()
    let name = "docker.io/library/base:latest"
    #expect(await problem(try resolver(nil, fixture: fixture), "base") == "nothing")
    #expect(await problem(try resolver(lock, fixture: fixture), "base") == "nothing")
    #expect(
      await problem(try resolver(lock, isStrict: true, fixture: fixture), "base")
        == "'\(name)' is not pinned in 'Image.lock'")
    lock.images[name] = ["linux/amd64": image.digest]
    let strict = try resolver(lock, isStrict: true, fixture: fixture)
    #expect(await problem(strict, "base") == "nothing")
    lock.images[name] = ["linux/amd64": digest(1)]
    #expect(
      await problem(try resolver(lock, fixture: fixture), "base")
        == "'base' is not the image that 'Image.lock' pins")
  }

  @Test("what is found is kept for an update, by platform")
  func recording() async throws {
    let fixture = try ImageFixture()
    try fixture.write("type=oci,dest=\(fixture.path("out.tar"))")
    let resolver = try resolver(nil, fixture: fixture)
    _ = try await resolver.resolve("base", platform: ImageFixture.platform, at: nil)
    #expect(
      resolver.images == [
        "docker.io/library/base:latest": ["linux/amd64": try fixture.read("out.tar").digest]
      ])
  }
}
