import Glibc
import PipelineDSL
import SystemPackage

/// The ids beside their own that users may give to processes (subuid(5), subgid(5)).
struct SubordinateIDs {
  struct Range: Hashable {
    var first: UInt32
    var count: UInt32
  }

  var ranges: [Range]

  /// The ranges that a file gives to a user, by name or by number.
  init(_ text: String, user: String, uid: uid_t) {
    ranges = text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count == 3, fields[0] == user || fields[0] == "\(uid)",
        let first = UInt32(fields[1]), let count = UInt32(fields[2]), count > 0
      else { return nil }
      return Range(first: first, count: count)
    }
  }

  /// The arguments of newuidmap and newgidmap: root is the user, and the ids from 1 on are the
  /// ranges one after another.
  func map(own id: UInt32) -> [String] {
    var arguments = ["0", "\(id)", "1"]
    var next: UInt64 = 1
    for range in ranges {
      arguments += ["\(next)", "\(range.first)", "\(range.count)"]
      next += UInt64(range.count)
    }
    return arguments
  }
}
