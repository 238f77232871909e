import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// Proxies that the environment names, as curl and git read them.
@Suite("Proxies")
struct ProxyTests {
  let site: CommandSite

  init() throws {
    site = try CommandSite()
  }

  /// A proxy that knows one host, which only it can find.
  private func proxy(for host: String) throws -> FakeRegistry {
    let proxy = try FakeRegistry { request, registry in
      guard request.target.hasPrefix("http://\(host)/") else { return .init(status: 403) }
      var inner = request
      inner.target = String(request.target.dropFirst("http://\(host)".count))
      return registry.answer(inner)
    }
    proxy.add(try FakeImage(layers: [Self.layer]), tags: ["1"])
    return proxy
  }

  /// An empty tar.
  private static let layer = [UInt8](repeating: 0, count: 1024)

  private func build(_ base: String, _ environment: [String: String]) async throws
    -> ChildProcess.Output
  {
    try site.directory.write("context/Dockerfile", "FROM \(base)\n")
    return try await site.run(
      arguments: [
        "build", "--no-cache", "--plain-http", "registry.invalid", "-o", "\(site.path)/out",
        site.context.string,
      ], environment: environment)
  }

  @Test("a registry is reached through the proxy, but for those that no_proxy names")
  func plain() async throws {
    let proxy = try proxy(for: "registry.invalid")
    let address = "http://jo:hunter2@\(proxy.host)"
    let excluded = try await build(
      "registry.invalid/app:1", ["http_proxy": address, "NO_PROXY": "registry.invalid"])
    #expect(excluded.status == 1)
    #expect(excluded.errors.contains("the name 'registry.invalid' cannot be resolved"))
    #expect(!excluded.errors.contains("hunter2"))
    #expect(proxy.requests.isEmpty)
    let output = try await build("registry.invalid/app:1", ["http_proxy": address])
    #expect(output.status == 0, Comment(rawValue: output.errors))
    #expect(proxy.requests.allSatisfy { $0.headers["proxy-authorization"] != nil })
    #expect(proxy.requests.allSatisfy { $0.headers["authorization"] == nil })
  }

  @Test("https goes through a tunnel, and a proxy that refuses one is told without its login")
  func tunnel() async throws {
    let proxy = try proxy(for: "registry.invalid")
    let output = try await build(
      "secure.invalid/app:1", ["HTTPS_PROXY": "http://jo:hunter2@\(proxy.host)"])
    #expect(output.status == 1)
    #expect(
      proxy.requests.first.map { "\($0.method) \($0.target)" } == "CONNECT secure.invalid:443")
    #expect(output.errors.contains("secure.invalid"))
    #expect(output.errors.contains("403"))
    #expect(!output.errors.contains("hunter2"))
  }

  @Test("what is on loopback is reached without a proxy")
  func loopback() async throws {
    let proxy = try proxy(for: "registry.invalid")
    let registry = try FakeRegistry()
    registry.add(try FakeImage(layers: [Self.layer]), tags: ["1"])
    let output = try await build(
      "\(registry.host)/app:1", ["http_proxy": "http://\(proxy.host)"])
    #expect(output.status == 0, Comment(rawValue: output.errors))
    #expect(proxy.requests.isEmpty)
  }
}
