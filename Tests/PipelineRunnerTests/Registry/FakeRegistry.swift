import Synchronization

@testable import PipelineRunner

/// A registry in memory with faults: a hook sees every request first and may answer it.
final class FakeRegistry: Sendable {
  typealias Hook = @Sendable (LoopbackServer.Request, FakeRegistry) -> LoopbackServer.Answer?

  struct Content: Sendable {
    var blobs: [Digest: [UInt8]] = [:]
    /// By tag and by digest.
    var manifests: [String: (type: String, bytes: [UInt8])] = [:]
    /// Uploads under way.
    var uploads: [Int: [UInt8]] = [:]
    var started = 0
  }

  let content = Mutex(Content())
  private let hook: Hook
  private let running = Mutex<LoopbackServer?>(nil)

  init(_ hook: @escaping Hook = { _, _ in nil }) throws {
    self.hook = hook
    let server = try LoopbackServer { [weak self] request in
      guard let self else { return .init(status: 500) }
      return self.hook(request, self) ?? self.answer(request)
    }
    running.withLock { $0 = server }
  }

  private var server: LoopbackServer {
    guard let server = running.withLock({ $0 }) else { preconditionFailure("it runs since init") }
    return server
  }

  var host: String { server.host }
  var requests: [LoopbackServer.Request] { server.requests }

  /// Method and path of every request so far.
  var lines: [String] { requests.map { "\($0.method) \($0.target)" } }

  func add(_ image: FakeImage, tags: [String]) {
    content.withLock { content in
      content.blobs.merge(image.blobs) { a, _ in a }
      for name in tags + ["\(image.digest)"] {
        content.manifests[name] = (MediaType.ociManifest, image.manifest)
      }
    }
  }

  func addDocument(_ bytes: [UInt8], type: String, tags: [String]) {
    content.withLock { content in
      for name in tags + ["\(SHA256Hasher.digest(of: bytes))"] {
        content.manifests[name] = (type, bytes)
      }
    }
  }

  /// The answer of a registry without faults.
  func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Answer {
    let parts = request.path.split(separator: "/").map(String.init)
    guard parts.first == "v2" else { return .init(status: 404) }
    guard parts.count > 3 else { return .init() }
    if parts.suffix(3).contains("uploads") { return upload(request, parts) }
    let name = parts[parts.count - 1]
    switch (parts[parts.count - 2], request.method) {
    case ("manifests", "PUT"): return put(request, name)
    case ("manifests", _):
      guard let (type, bytes) = content.withLock({ $0.manifests[name] }) else {
        return Self.unknown("MANIFEST_UNKNOWN")
      }
      return .init(
        headers: [
          ("Content-Type", type), ("Docker-Content-Digest", "\(SHA256Hasher.digest(of: bytes))"),
        ], body: bytes)
    case ("blobs", _):
      guard let digest = Digest(name), let bytes = content.withLock({ $0.blobs[digest] }) else {
        return Self.unknown("BLOB_UNKNOWN")
      }
      return Self.blob(bytes, request)
    default: return .init(status: 404)
    }
  }

  /// A blob, or the part of it that a Range asks for.
  static func blob(
    _ bytes: [UInt8], _ request: LoopbackServer.Request
  ) -> LoopbackServer.Answer {
    guard let range = request.headers["range"], range.hasPrefix("bytes="),
      let start = Int(range.dropFirst("bytes=".count).dropLast())
    else { return .init(body: bytes) }
    guard start < bytes.count else { return .init(status: 416) }
    return .init(
      status: 206,
      headers: [("Content-Range", "bytes \(start)-\(bytes.count - 1)/\(bytes.count)")],
      body: Array(bytes[start...]))
  }

  static func unknown(_ code: String) -> LoopbackServer.Answer {
    .init(status: 404, body: Array(#"{"errors":[{"code":"\#(code)","message":"unknown"}]}"#.utf8))
  }

  private func put(_ request: LoopbackServer.Request, _ name: String) -> LoopbackServer.Answer {
    let digest = SHA256Hasher.digest(of: request.body)
    addDocument(request.body, type: request.headers["content-type"] ?? "", tags: [name])
    return .init(status: 201, headers: [("Docker-Content-Digest", "\(digest)")])
  }

  private func upload(
    _ request: LoopbackServer.Request, _ parts: [String]
  ) -> LoopbackServer.Answer {
    let repository = parts.dropFirst().prefix { $0 != "blobs" }.joined(separator: "/")
    if request.method == "POST" {
      let number = content.withLock { content in
        content.started += 1
        content.uploads[content.started] = []
        return content.started
      }
      return .init(
        status: 202,
        headers: [("Location", "/v2/\(repository)/blobs/uploads/\(number)?state=a%20b")])
    }
    guard let number = Int(parts[parts.count - 1]),
      let body = content.withLock({ content -> [UInt8]? in
        content.uploads[number]?.append(contentsOf: request.body)
        return content.uploads[number]
      })
    else { return .init(status: 404) }
    guard request.method == "PUT" else {
      return .init(
        status: 202,
        headers: [
          ("Location", "/v2/\(repository)/blobs/uploads/\(number)?state=a%20b"),
          ("Range", "0-\(body.count - 1)"),
        ])
    }
    let digest = SHA256Hasher.digest(of: body)
    guard request.query("digest") == ["\(digest)"], request.query("state") == ["a%20b"] else {
      return .init(
        status: 400,
        body: Array(#"{"errors":[{"code":"DIGEST_INVALID","message":"no match"}]}"#.utf8))
    }
    content.withLock { content in
      content.blobs[digest] = body
      content.uploads[number] = nil
    }
    return .init(status: 201)
  }
}
