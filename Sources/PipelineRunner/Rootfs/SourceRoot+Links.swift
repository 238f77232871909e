import Glibc
import PipelineDSL

extension SourceRoot {
  /// As many links as the kernel follows for one path.
  private static let mostLinks = 40

  /// Whether an ignore rule hides a link that a path goes through.
  ///
  /// What a link leads to may be in the context while the link is not; a path through it then
  /// names nothing (I5).
  func hasExcludedLink(on path: [UInt8]) throws -> Bool {
    guard let ignore, !ignore.isEmpty else { return false }
    var done: [[UInt8]] = []
    var todo = PathBytes.parts(path)[...]
    var links = 0
    while let part = todo.popFirst() {
      if part.elementsEqual("..".utf8) {
        _ = done.popLast()
        continue
      }
      let place = PathBytes.join((done + [part])[...])
      let entry = try TreeAccess.openIfPresent(
        place, in: descriptor.raw, flags: TreeAccess.pathOnly | O_NOFOLLOW)
      guard let entry else { return false }
      guard try TreeAccess.status(of: entry.raw).st_mode & S_IFMT == S_IFLNK else {
        done.append(part)
        continue
      }
      if ignore.excludes(place) { return true }
      links += 1
      guard links <= Self.mostLinks else { return false }
      let target = try Self.target(of: entry.raw)
      if target.first == UInt8(ascii: "/") { done = [] }
      todo = (PathBytes.parts(target) + todo)[...]
    }
    return false
  }

  private static func target(of link: CInt) throws(SystemError) -> [UInt8] {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlinkat(link, "", &buffer, buffer.count)
    guard length >= 0, length < buffer.count else { throw SystemError("readlink") }
    return buffer[..<length].map { UInt8(bitPattern: $0) }
  }
}
