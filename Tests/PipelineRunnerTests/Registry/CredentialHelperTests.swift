import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// Programs that keep logins for docker, and for us.
@Suite("Credential helpers")
struct CredentialHelperTests {
  let site: CommandSite

  init() throws {
    site = try CommandSite()
  }

  /// A helper that keeps what it is given in a file, one login by server, and notes what it is asked.
  private func install(_ name: String) throws {
    try site.directory.write(
      "bin/docker-credential-\(name)",
      """
      #!/bin/sh
      input=$(cat)
      echo "$1 $(echo "$input" | head -n 1 | cut -c 1-60)" >> '\(site.path)/asked'
      case $1 in
        get)
          file='\(site.path)'/kept.$(echo "$input" | tr /: __)
          [ -e "$file" ] || { echo 'credentials not found in native keychain'; exit 1; }
          cat "$file" ;;
        store)
          server=$(echo "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/; s/\\\\//g')
          echo "$input" > '\(site.path)'/kept.$(echo "$server" | tr /: __) ;;
        erase)
          file='\(site.path)'/kept.$(echo "$input" | tr /: __)
          [ -e "$file" ] || { echo 'credentials not found in native keychain'; exit 1; }
          rm "$file" ;;
      esac

      """, mode: 0o755)
  }

  /// A helper of one line.
  private func install(_ name: String, script: String) throws -> FilePath {
    try site.directory.write(
      "bin/docker-credential-\(name)", "#!/bin/sh\n\(script)\n", mode: 0o755)
  }

  private func configure(_ text: String) throws {
    try site.directory.write("home/.docker/config.json", text)
  }

  private func logIn(_ host: String, _ password: String) async throws -> ChildProcess.Output {
    try await site.run(
      arguments: ["login", "-u", "jo", "--password-stdin", host], input: password)
  }

  @Test("a login goes to the helper, comes from it, and is erased there", arguments: [true, false])
  func roundTrip(isStore: Bool) async throws {
    let registry = try DockerRegistry(.login)
    let host = registry.host
    try install("test")
    let setting =
      isStore ? #""credsStore":"test""# : #""credHelpers":{"\#(host)":"test"},"credsStore":"none""#
    try configure("{\(setting)}")
    let wrong = try await logIn(host, "wrong")
    #expect(wrong.status == 1)
    #expect(site.path.appending("asked").status == nil)
    let output = try await logIn(host, "secret")
    try #require(output.status == 0, Comment(rawValue: output.errors))
    #expect(
      output.text == "logged in to \(host); 'docker-credential-test' keeps the login\n")
    let text = try site.content(site.logins)
    #expect(text.contains(#""\#(host)" : {"#))
    #expect(!text.contains(Data("jo:secret".utf8).base64EncodedString()))
    try site.writeRoot()
    try await site.build("FROM scratch\nCOPY root /\n", "-t", "\(host)/app:1", "--push")
    #expect(try site.content(site.path.appending("asked")).contains("get \(host)\n"))
    let out = try await site.run(arguments: ["logout", host])
    #expect(out.status == 0, Comment(rawValue: out.errors))
    #expect(try site.content(site.path.appending("asked")).hasSuffix("erase \(host)\n"))
    #expect(try DirectoryTree.names(in: site.path).allSatisfy { !$0.hasPrefix("kept.") })
    // Once more: there is nothing to forget.
    try await #expect(site.run(arguments: ["logout", host]).status == 0)
  }

  @Test(
    "Docker Hub is asked for by the name that docker gives it",
    arguments: ["docker.io", "index.docker.io", "https://index.docker.io/v1/"])
  func hub(key: String) async throws {
    try install("test")
    try site.directory.write(
      "kept.https___index.docker.io_v1_",
      #"{"ServerURL":"x","Username":"jo","Secret":"hub-secret"}"#)
    try configure(#"{"credHelpers":{"\#(key)":"test"}}"#)
    // What helper is meant is read from the file; the program itself is asked directly here.
    let credentials = RegistryCredentials(file: site.logins)
    let helper = credentials.helper("test", in: site.logins)
    #expect(helper.program == "docker-credential-test")
    let direct = CredentialHelper(
      program: site.path.appending("bin/docker-credential-test").string, name: "test",
      file: site.logins, patience: .seconds(60))
    #expect(
      try direct.get(RegistryCredentials.hub) == .password(user: "jo", password: "hub-secret"))
    #expect(try direct.get("unknown.example") == nil)
    #expect(RegistryCredentials.helperKey(for: "docker.io", key) == RegistryCredentials.hub)
    let out = try await site.run(arguments: ["logout"])
    #expect(out.status == 0, Comment(rawValue: out.errors))
    #expect(
      try site.content(site.path.appending("asked")).hasSuffix("erase \(RegistryCredentials.hub)\n")
    )
  }

  @Test("an identity token of a helper is exchanged at the token server")
  func identityToken() async throws {
    let tokens = try SigningTokenServer()
    let registry = try DockerRegistry(.token(tokens))
    _ = try install(
      "token", script: #"echo '{"ServerURL":"x","Username":"<token>","Secret":"jojo"}'"#)
    try configure(#"{"credHelpers":{"\#(registry.host)":"token"}}"#)
    try site.writeRoot()
    try await site.build(
      "FROM scratch\nCOPY root /\n", "-t", "\(registry.host)/team/app:1", "--push")
    #expect(tokens.server.requests.allSatisfy { $0.method == "POST" })
  }

  /// Helpers that do not do their work, and what is said of each.
  static let broken: [(script: String, said: String)] = [
    ("echo rubbish Secret=hunter2", "answered something unreadable"),
    (#"echo '{"Username":"jo","Secret":"hunter2"}'"#, "answered something unreadable"),
    ("echo 'the keyring is locked'; exit 1", "failed to get: the keyring is locked"),
    ("echo 'no agent' >&2; exit 2", "failed to get: no agent"),
    ("exit 3", "failed to get: it ended with status 3"),
    (#"echo '{"Secret":"hunter2"}'; exit 1"#, "failed to get: it ended with status 1"),
    ("printf 'a\\033[2Jb'; exit 1", "failed to get: a[2Jb"),
    ("kill -9 $$", "failed to get: it ended with status 137"),
  ]

  @Test("a helper that fails is named, and no secret with it", arguments: broken)
  func failures(_ helper: (script: String, said: String)) async throws {
    let registry = try DockerRegistry(.login)
    _ = try install("odd", script: helper.script)
    try configure(#"{"credsStore":"odd"}"#)
    try site.directory.write("context/Dockerfile", "FROM \(registry.host)/app:1\n")
    let output = try await site.run(arguments: ["build", site.context.string])
    #expect(output.status == 1)
    #expect(
      output.errors.contains("the credential helper 'docker-credential-odd' \(helper.said)\n"),
      Comment(rawValue: output.errors))
    #expect(!output.errors.contains("hunter2"))
  }

  @Test("a helper that is not there is named, with the file that names it")
  func missing() async throws {
    let registry = try DockerRegistry(.login)
    for name in ["nowhere", "../bin/x"] {
      try configure(#"{"credsStore":"\#(name)"}"#)
      try site.directory.write("context/Dockerfile", "FROM \(registry.host)/app:1\n")
      let output = try await site.run(arguments: ["build", site.context.string])
      #expect(output.status == 1)
      #expect(
        output.errors.contains(
          name == "nowhere"
            ? "the credential helper 'docker-credential-nowhere', which '\(site.logins)' names, is not in PATH"
            : "'../bin/x' in '\(site.logins)' is no name of a credential helper"),
        Comment(rawValue: output.errors))
    }
  }

  @Test("a helper that refuses to store a login does not repeat its password")
  func storeFails() async throws {
    let registry = try DockerRegistry(.login)
    _ = try install("odd", script: "echo cannot parse $(cat); exit 1")
    try configure(#"{"credsStore":"odd"}"#)
    let output = try await logIn(registry.host, "secret")
    #expect(output.status == 1)
    #expect(
      output.errors.contains("'docker-credential-odd' failed to store: it ended with status 1"))
    #expect(!output.errors.contains("\"secret\""))
    #expect(try site.content(site.logins) == #"{"credsStore":"odd"}"#)
  }

  @Test("a helper that hangs is stopped, with what it started")
  func hangs() throws {
    let file = try install(
      "hangs", script: "sleep 600 & echo $! > '\(site.path)/child'; wait")
    let helper = CredentialHelper(
      program: file.string, name: "hangs", file: "config.json", patience: .seconds(1))
    let error = #expect(throws: Diagnostic.self) { try helper.get("x.example") }
    #expect(
      error?.message
        == "the credential helper '\(file)' did not get within 1 seconds and was stopped")
    let text = try site.content(site.path.appending("child"))
    let child = try #require(Int32(text.trimmedLine))
    // Gone, or dead and not yet collected by whoever adopted it; a killed process takes a moment.
    var status = ""
    for _ in 0..<200 {
      status = (try? site.content(FilePath("/proc/\(child)/stat"))) ?? ") Z "
      if status.contains(") Z ") || status.contains(") X ") { return }
      usleep(20_000)
    }
    Issue.record("it still runs: \(status)")
  }
}
