import PipelineDSL
import Testing

@testable import PipelineRunner

@Suite("Git sources of ADD (C14)")
struct GitSourceTests {
  private func source(
    _ text: String, checksum: String? = nil, keepsGitDirectory: Bool? = nil
  ) throws -> GitSource? {
    try GitSource(text, checksum: checksum, keepsGitDirectory: keepsGitDirectory)
  }

  private func problem(_ text: String, checksum: String? = nil) -> String? {
    do {
      _ = try source(text, checksum: checksum)
      return nil
    } catch {
      return (error as? Diagnostic)?.message
    }
  }

  @Test("an address, its reference and its subdirectory")
  func parts() throws {
    let plain = try #require(try source("https://example.org/app.git"))
    #expect(plain.remote == "https://example.org/app.git")
    #expect(plain.reference == nil)
    #expect(plain.subdirectory.isEmpty)
    let whole = try #require(try source("git@example.org:team/app#v1.2:docs/en"))
    #expect(whole.remote == "git@example.org:team/app")
    #expect(whole.reference == "v1.2")
    #expect(whole.subdirectory == "docs/en")
    let query = try #require(
      try source("https://example.org/app.git?branch=main&subdir=src&keep-git-dir=true"))
    #expect(query.reference == "refs/heads/main")
    #expect(query.subdirectory == "src")
    #expect(query.keepsGitDirectory)
  }

  @Test(
    "what is no repository",
    arguments: [
      "https://example.org/app.tar.gz", "http://example.org/", "./app.git", "app.git", "git@host",
    ])
  func others(text: String) throws {
    #expect(try source(text) == nil)
  }

  @Test("what git would take for an option is refused (36)")
  func hostile() {
    #expect(
      problem("https://example.org/a.git#--upload-pack=x")
        == "'--upload-pack=x' is no git reference")
    #expect(
      problem("https://example.org/a.git?ref=x#y")
        == "the git source has two values for its ref: 'y' and 'x'")
    #expect(problem("https://example.org/a.git", checksum: "ABC") == "'ABC' is no commit")
  }

  @Test("credentials of an address are in no text for people (22)")
  func passwords() {
    #expect(
      RemoteSource.withoutPassword("https://jo:secret@example.org/a.git of git@host:x")
        == "https://example.org/a.git of git@host:x")
    #expect(
      RemoteSource.file(url: "https://t@example.org/f", checksum: nil).title
        == "fetch https://example.org/f")
  }

  @Test(
    "a download is named after its address (C13)",
    arguments: [
      ("https://example.org/a/b.txt?x=/y#z", "b.txt"), ("https://example.org/", "__unnamed__"),
      ("https://example.org", "__unnamed__"), ("https://example.org/a%20b", "a b"),
      ("https://example.org/..%2Fx", "x"), ("https://example.org/a/..", "__unnamed__"),
      ("https://example.org/a%2F..", "__unnamed__"),
    ])
  func names(url: String, name: String) {
    #expect(RemoteSource.fileName(of: url) == name)
  }
}
