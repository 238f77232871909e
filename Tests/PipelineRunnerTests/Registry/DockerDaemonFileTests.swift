import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("What docker's daemon.json says of registries")
struct DockerDaemonFileTests {
  let directory: TemporaryDirectory
  let file: FilePath

  init() throws {
    directory = try TemporaryDirectory()
    file = directory.path.appending("daemon.json")
  }

  private func options(
    _ text: String, mirrors: [String: [WebAddress]] = [:]
  ) throws -> RegistryOptions {
    try directory.write("daemon.json", text)
    var options = RegistryOptions(mirrors: mirrors)
    options.certificates.directories = []
    options.daemonFile.candidates = [directory.path.appending("none.json"), file]
    return try options.withDaemonFile()
  }

  @Test("mirrors are of Docker Hub, in their order, and stand behind those of the command line")
  func mirrors() throws {
    let text = #"""
      {"registry-mirrors":["https://one.example","http://two.example:5000/"],"debug":true}
      """#
    #expect(
      try options(text).mirrors["docker.io"]?.map(\.origin.description)
        == ["https://one.example", "http://two.example:5000"])
    let given = try #require(WebAddress("https://given.example"))
    #expect(
      try options(text, mirrors: ["docker.io": [given]]).mirrors == ["docker.io": [given]])
    #expect(try options(#"{"debug":true}"#).mirrors == [:])
  }

  @Test("hosts and networks without TLS are spoken to plainly, the others are not")
  func insecure() throws {
    let options = try options(
      #"{"insecure-registries":["reg.example:5000","plain.example","10.0.0.0/8"]}"#)
    let plain = ["reg.example:5000", "plain.example", "10.1.2.3:5000", "127.0.0.1:5000"]
    let secure = ["reg.example", "reg.example:5001", "11.1.2.3:5000", "10.example:5000"]
    for host in plain { #expect(try !options.address(of: host).origin.isSecure, "\(host)") }
    for host in secure { #expect(try options.address(of: host).origin.isSecure, "\(host)") }
  }

  @Test("one that has certificates here is spoken to with TLS all the same")
  func certificates() throws {
    var options = try options(#"{"insecure-registries":["reg.example:5000"]}"#)
    try directory.write("certs.d/reg.example:5000/ca.crt", "")
    options.certificates.directories = [directory.path.appending("certs.d")]
    #expect(try options.address(of: "reg.example:5000").origin.isSecure)
  }

  @Test(
    "a network is its first bits",
    arguments: [
      ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
      ("10.9.9.9/8", "10.0.0.1", true), ("0.0.0.0/0", "192.0.2.1", true),
      ("192.0.2.1/32", "192.0.2.1", true), ("192.0.2.1/32", "192.0.2.2", false),
      ("10.0.0.0/8", "10.0.0.0.1", false), ("10.0.0.0/8", "ten", false),
    ])
  func networks(prefix: String, host: String, isInside: Bool) throws {
    #expect(try #require(NetworkPrefix(prefix)).contains(host) == isInside)
  }

  @Test("what is no file is nothing, and the first that is there counts")
  func candidates() throws {
    var options = RegistryOptions()
    options.daemonFile.candidates = [file]
    #expect(try options.withDaemonFile().mirrors == [:])
    try directory.write("daemon.json", "\n")
    #expect(try options.withDaemonFile().mirrors == [:])
    let other = try directory.write("other.json", #"{"registry-mirrors":["https://m.example"]}"#)
    options.daemonFile.candidates = [file, other]
    #expect(try options.withDaemonFile().mirrors == [:])
    options.daemonFile.candidates = [other, file]
    #expect(try options.withDaemonFile().mirrors["docker.io"]?.count == 1)
  }

  @Test(
    "a garbled file, and an address that is none, are named without what may be a login",
    arguments: [
      (#"{"registry-mirrors":"#, nil), (#"{"registry-mirrors":"https://x"}"#, nil), ("[]", nil),
      (#"{"registry-mirrors":["https://jo:hunter2@m.example"]}"#, "https://m.example"),
      (#"{"registry-mirrors":["ftp://m.example"]}"#, "ftp://m.example"),
      (#"{"insecure-registries":["10.0.0.0/33"]}"#, "10.0.0.0/33"),
    ] as [(String, String?)])
  func garbled(text: String, entry: String?) throws {
    let error = #expect(throws: Diagnostic.self) { _ = try options(text) }
    #expect(
      error?.message
        == (entry.map { "'\($0)' in '\(file)' is no address of a registry" }
          ?? "'\(file)', which tells docker and this program of registries, cannot be understood"))
  }

  @Test("a build reads Docker Hub through the mirror, and one without a registry reads no file")
  func command() async throws {
    let site = try CommandSite()
    let registry = try DockerRegistry()
    try site.directory.write("context/file", "by way of the mirror")
    try await site.build(
      "FROM scratch\nCOPY file /file\n", "-t", "\(registry.host)/library/known:1", "--push")
    try site.directory.write(
      "home/.config/docker/daemon.json", #"{"registry-mirrors":["http://\#(registry.host)"]}"#)
    try await site.build("FROM known:1\n", "-o", "\(site.path)/out")
    #expect(try site.content(site.path.appending("out/file")) == "by way of the mirror")
    try site.directory.write("home/.config/docker/daemon.json", "{")
    try await site.build("FROM scratch\nCOPY file /other\n", "-o", "\(site.path)/out")
    try site.directory.write("context/Dockerfile", "FROM known:2\n")
    let output = try await site.run(arguments: ["build", site.context.string])
    #expect(output.status == 1)
    #expect(
      output.errors.contains(
        "home/.config/docker/daemon.json', which tells docker and this program"))
  }
}
