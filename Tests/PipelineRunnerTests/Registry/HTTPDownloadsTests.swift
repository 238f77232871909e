import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite struct HTTPDownloadsTests {
  private func downloads(_ fixture: RegistryFixture) -> HTTPDownloads {
    HTTPDownloads(client: fixture.client.http, retries: fixture.client.options.retries)
  }

  @Test("a download has mode 0600 and the server's time, and is not sent again unchanged (C13)")
  func download() async throws {
    let fixture = try RegistryFixture()
    let content = Array("content".utf8)
    let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    let server = try LoopbackServer { request in
      if request.headers["if-none-match"] == "\"1\"" { return .init(status: 304) }
      return .init(headers: [("ETag", "\"1\""), ("Last-Modified", date)], body: content)
    }
    let file = fixture.directory.path.appending("file")
    let url = "http://\(server.host)/a/file"
    let answer = try #require(
      try await downloads(fixture).get(url, unless: Validators(), into: file))
    #expect(answer.digest == SHA256Hasher.digest(of: content))
    #expect(answer.validators == Validators(entityTag: "\"1\"", lastModified: date))
    #expect(try FileContent.read(file) == content)
    var status = stat()
    _ = file.withPlatformString { lstat($0, &status) }
    #expect(status.st_mode & 0o7777 == 0o600)
    #expect(status.st_mtim.tv_sec == 784_111_777)
    let again = try await downloads(fixture).get(url, unless: answer.validators, into: file)
    #expect(again == nil)
  }

  @Test("a login in the address goes to its origin only, and into no message")
  func login() async throws {
    let fixture = try RegistryFixture()
    let other = try LoopbackServer { _ in .init(status: 404) }
    let server = try LoopbackServer { _ in
      .init(status: 302, headers: [("Location", "http://\(other.host)/x")])
    }
    let file = fixture.directory.path.appending("file")
    let text = await fixture.asyncFailure {
      _ = try await downloads(fixture).get(
        "http://jo:s%20t@\(server.host)/a", unless: Validators(), into: file)
    }
    #expect(
      text == "'http://\(server.host)/a' cannot be fetched: the server answered with status 404")
    #expect(
      server.requests[0].headers["authorization"]
        == "Basic \(Data("jo:s t".utf8).base64EncodedString())")
    #expect(other.requests[0].headers["authorization"] == nil)
  }

  @Test("a redirect from https to http is followed as BuildKit does, without the login (27)")
  func downgrade() async throws {
    let fixture = try RegistryFixture()
    let authority = try TestAuthority()
    let content = Array("content".utf8)
    let plain = try LoopbackServer { _ in .init(body: content) }
    let secure = try TLSRedirect(authority, to: "http://\(plain.host)/x")
    try authority.install(for: secure.host, in: fixture.directory, withClient: false)
    let file = fixture.directory.path.appending("file")
    let answer = try #require(
      try await downloads(fixture).get(
        "https://jo:secret@\(secure.host)/a", unless: Validators(), into: file))
    #expect(answer.digest == SHA256Hasher.digest(of: content))
    #expect(plain.requests.map(\.path) == ["/x"])
    #expect(plain.requests[0].headers["authorization"] == nil)
  }

  @Test("a transfer that breaks starts again")
  func breaks() async throws {
    let fixture = try RegistryFixture()
    let content = FakeImage.noise(100_000, seed: 41)
    let server = try LoopbackServer { [content] request in
      .init(body: content, cutsAfter: request.target == "/once" ? nil : 50)
    }
    let file = fixture.directory.path.appending("file")
    _ = try await downloads(fixture).get(
      "http://\(server.host)/once", unless: Validators(), into: file)
    #expect(try FileContent.read(file) == content)
    let text = await fixture.asyncFailure {
      _ = try await downloads(fixture).get(
        "http://\(server.host)/never", unless: Validators(), into: file)
    }
    #expect(text.hasPrefix("'http://\(server.host)/never' cannot be fetched: "))
    #expect(fixture.waits.seconds == [0.25, 0.5, 1, 2])
  }

  @Test(
    "dates are read as HTTP writes them",
    arguments: [
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
      ("Thu, 41 Jan 1970 00:00:00 GMT", nil), ("yesterday", nil),
    ] as [(String, Int?)])
  func dates(text: String, seconds: Int?) {
    #expect(HTTPDate.seconds(text) == seconds)
  }
}
