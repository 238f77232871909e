import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// `login` and `logout` as commands, against docker-registry.
@Suite("Logging in and out")
struct LoginCommandTests {
  let site: CommandSite
  let registry: DockerRegistry

  init() throws {
    site = try CommandSite()
    registry = try DockerRegistry(.login)
  }

  private func logIn(
    _ password: String = "secret", user: String = "jo", to host: String? = nil
  ) async throws -> ChildProcess.Output {
    try await site.run(
      arguments: ["login", "-u", user, "--password-stdin", host ?? registry.host],
      input: password + "\n")
  }

  private static let auth = Data("jo:secret".utf8).base64EncodedString()

  @Test("a login is tried, kept for its owner alone, used, and forgotten")
  func roundTrip() async throws {
    let host = registry.host
    let output = try await logIn()
    try #require(output.status == 0, Comment(rawValue: output.errors))
    #expect(
      output.text
        == "logged in to \(host); '\(site.logins)' keeps the login, unencrypted and for you alone\n"
    )
    #expect(site.logins.status.map { $0.st_mode & 0o777 } == 0o600)
    let folder = site.logins.removingLastComponent()
    #expect(folder.status.map { $0.st_mode & 0o777 } == 0o700)
    try site.writeRoot()
    try await site.build("FROM scratch\nCOPY root /\n", "-t", "\(host)/team/app:1", "--push")
    let skopeo = try await site.tool([
      "skopeo", "inspect", "--raw", "--tls-verify=false", "--authfile", site.logins.string,
      "docker://\(host)/team/app:1",
    ])
    #expect(skopeo.contains(MediaType.ociManifest))
    let out = try await site.run(arguments: ["logout", host])
    #expect(out.status == 0)
    #expect(out.text == "logged out of \(host)\n")
    #expect(try site.content(site.logins) == "{\n  \"auths\" : {\n\n  }\n}\n")
    try site.directory.write("context/Dockerfile", "FROM \(host)/team/app:1\n")
    let refused = try await site.run(
      arguments: ["build", "--no-cache", site.context.string],
      environment: ["PIPELINE_STATE_DIR": site.path.appending("other").string])
    #expect(refused.status == 1)
    #expect(
      refused.errors.contains("the registry '\(host)' wants a login for '\(host)/team/app:1'"))
    #expect(refused.errors.contains("pipeline login \(host)"))
  }

  @Test("a wrong password is refused by the registry and kept nowhere")
  func wrongPassword() async throws {
    let before = #"{"auths":{"other.example":{"auth":"eDp5"}},"psFormat":"x"}"#
    try site.directory.write("home/.docker/config.json", before)
    let output = try await logIn("wr0ng-password")
    #expect(output.status == 1)
    #expect(
      output.errors.contains("the registry '\(registry.host)' does not accept this login"))
    #expect(output.errors.contains("check the user's name and the password"))
    #expect(!(output.text + output.errors).contains("wr0ng-password"))
    #expect(try site.content(site.logins) == before)
    let empty = try await logIn("")
    #expect(empty.status == 64)
    let nowhere = try await logIn(to: "127.0.0.1:1")
    #expect(nowhere.status == 1)
    #expect(nowhere.errors.contains("the registry '127.0.0.1:1' cannot be reached"))
    #expect(try site.content(site.logins) == before)
  }

  @Test("a token server checks a login too")
  func tokens() async throws {
    let tokens = try SigningTokenServer()
    let registry = try DockerRegistry(.token(tokens))
    let wrong = try await logIn("jo", to: registry.host)
    #expect(wrong.status == 1)
    #expect(
      wrong.errors.contains("the registry '\(registry.host)' does not accept the login of 'jo'"))
    #expect(wrong.errors.contains("check the user's name and the password"))
    let right = try await logIn("jojo", to: registry.host)
    #expect(right.status == 0, Comment(rawValue: right.errors))
  }

  @Test("the rest of the file stays, and so does a link to it")
  func rest() async throws {
    let real = try site.directory.write(
      "dotfiles/docker.json", #"{"credHelpers":{"x.example":"y"},"HttpHeaders":{"A":"b"}}"#)
    try DirectoryTree.make(site.logins.removingLastComponent(), mode: 0o700)
    _ = site.logins.withPlatformString { symlink("../../dotfiles/docker.json", $0) }
    let output = try await logIn()
    try #require(output.status == 0, Comment(rawValue: output.errors))
    var status = stat()
    _ = site.logins.withPlatformString { lstat($0, &status) }
    #expect(status.st_mode & S_IFMT == S_IFLNK)
    let text = try site.content(real)
    #expect(text.contains(#""x.example" : "y""#))
    #expect(text.contains(#""HttpHeaders""#))
    #expect(text.contains(Self.auth))
    #expect(real.status.map { $0.st_mode & 0o777 } == 0o600)
  }

  @Test("a login under an older spelling of the host is replaced, and forgotten")
  func spellings() async throws {
    let host = registry.host
    try site.directory.write(
      "home/.docker/config.json",
      #"{"auths":{"http://\#(host)/v2/":{"auth":"b2xkOm9sZA=="},"a.example":{"auth":"eDp5"}}}"#)
    let output = try await logIn()
    try #require(output.status == 0, Comment(rawValue: output.errors))
    let text = try site.content(site.logins)
    #expect(!text.contains("b2xkOm9sZA=="))
    #expect(text.contains(Self.auth))
    try site.directory.write(
      "home/.docker/config.json",
      #"{"auths":{"http://\#(host)/v2/":{"auth":"b2xkOm9sZA=="},"a.example":{"auth":"eDp5"}}}"#)
    let out = try await site.run(arguments: ["logout", host])
    #expect(out.status == 0)
    #expect(!(try site.content(site.logins)).contains(host))
    #expect(try site.content(site.logins).contains("a.example"))
  }

  @Test("a file that is no JSON is left as it is")
  func broken() async throws {
    try site.directory.write("home/.docker/config.json", "[1]")
    let output = try await logIn()
    #expect(output.status == 1)
    #expect(output.errors.contains("'\(site.logins)' is no JSON object; it was left as it is"))
    #expect(try site.content(site.logins) == "[1]")
  }
}
