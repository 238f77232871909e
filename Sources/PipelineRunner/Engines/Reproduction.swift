import PipelineDSL

/// Two builds of one request that came to different images.
struct Reproduction: Sendable {
  let first: PlatformBuild
  let second: PlatformBuild
  let epoch: Int?

  init(_ first: PlatformBuild, _ second: PlatformBuild, epoch: Int?) {
    self.first = first
    self.second = second
    self.epoch = epoch
  }

  /// Names the first step that made something else the second time, and what.
  ///
  /// Later steps differ because of it, or may not differ at all once it does not.
  func problem() async throws -> Diagnostic {
    for operation in first.plan.operations {
      guard let one = first.solver[operation.id]?.own, let other = second.solver[operation.id]?.own,
        one != other
      else { continue }
      let (store, epoch) = (first.solver.store, epoch)
      let items = try await blocking {
        try LayerDifference.between(
          store.directory(of: one), store.directory(of: other), epoch: epoch)
      }
      guard !items.isEmpty else { continue }
      let list = items.map { "  \($0.path) \($0.what)" }.joined(separator: "\n")
      return Diagnostic(
        "this step makes something else each time it runs", at: operation.location,
        notes: [.init("what differs:\n\(list)")],
        help: items.lazy.compactMap { Self.advice($0) }.first)
    }
    return Diagnostic("the image's config differs each time, and none of its files do")
  }

  /// What usually stands behind a file that differs.
  private static func advice(_ item: LayerDifference.Item) -> String? {
    let path = item.path
    if path.hasSuffix(".pyc") {
      return "compiled Python holds times: set PYTHONDONTWRITEBYTECODE=1, or remove __pycache__"
    }
    if path.hasPrefix("/var/log/") || path.hasPrefix("/var/cache/") || path.hasPrefix("/tmp/") {
      return "remove it in the same step, or keep it out with --mount=type=cache or type=tmpfs"
    }
    if path.hasPrefix("/var/lib/apt/lists/") {
      return "remove the package lists in the same step: rm -rf /var/lib/apt/lists/*"
    }
    if path.hasSuffix(".gz") { return "gzip keeps a time: compress with gzip -n" }
    if path.hasSuffix(".a") { return "ar keeps times: use ar with D, or ranlib -D" }
    return nil
  }
}
