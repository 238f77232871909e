/// Paths as text in a Dockerfile: cleaned and joined, never touched by a file system.
enum PathText {
  /// The path without empty, `.` and `..` components, as Go's `path.Clean`.
  static func clean(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      guard part == ".." else {
        parts.append(part)
        continue
      }
      if let last = parts.last, last != ".." {
        parts.removeLast()
      } else if !path.hasPrefix("/") {
        parts.append(part)
      }
    }
    let joined = parts.joined(separator: "/")
    if path.hasPrefix("/") { return "/" + joined }
    return joined.isEmpty ? "." : joined
  }

  /// Two paths joined and cleaned.
  static func join(_ base: String, _ path: String) -> String {
    clean("\(base)/\(path)")
  }
}
