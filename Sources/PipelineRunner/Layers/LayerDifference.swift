import Glibc
import SystemPackage

/// What tells two unpacked layers apart, path by path: what an image would show, so that times after
/// an epoch count as the epoch.
final class LayerDifference {
  struct Item: Hashable {
    /// From the root, with a slash.
    var path: String
    var what: String
  }

  private let epoch: Int?
  private let limit: Int
  private let files = FileComparison()
  private var items: [Item] = []

  private init(epoch: Int?, limit: Int) {
    self.epoch = epoch
    self.limit = limit
  }

  /// The first differences of two layers, in the order of names; none where an image could not tell
  /// them apart.
  static func between(
    _ first: FilePath, _ second: FilePath, epoch: Int?, limit: Int = 10
  ) throws -> [Item] {
    let difference = LayerDifference(epoch: epoch, limit: limit)
    let left = try TreeAccess.openDirectory(first)
    let right = try TreeAccess.openDirectory(second)
    try difference.compare(
      DirectoryListing(owning: left.take()), DirectoryListing(owning: right.take()), below: [])
    return difference.items
  }

  private func add(_ path: [UInt8], _ what: String) {
    items.append(Item(path: "/" + UpperWriter.text(path), what: what))
  }

  private func compare(
    _ left: DirectoryListing, _ right: DirectoryListing, below folder: [UInt8]
  ) throws {
    var (first, second) = (0, 0)
    while items.count < limit, first < left.count || second < right.count {
      let order: CInt
      if first == left.count {
        order = 1
      } else if second == right.count {
        order = -1
      } else {
        order = strcmp(left.name(first), right.name(second))
      }
      let name = order <= 0 ? left.name(first) : right.name(second)
      let path = folder + UpperWriter.bytes(name)
      if order == 0 {
        try compare(name, left.raw, right.raw, path)
      } else {
        add(path, order < 0 ? "is there the first time only" : "is there the second time only")
      }
      if order <= 0 { first += 1 }
      if order >= 0 { second += 1 }
    }
  }

  private func compare(
    _ name: UnsafePointer<CChar>, _ left: CInt, _ right: CInt, _ path: [UInt8]
  ) throws {
    var (first, second) = (stat(), stat())
    guard FileRecord.status(of: name, in: left, &first) == 0,
      FileRecord.status(of: name, in: right, &second) == 0
    else { throw SystemError("fstatat", path: path) }
    let type = first.st_mode & S_IFMT
    if type != second.st_mode & S_IFMT { return add(path, "is of another type") }
    if first.st_mode != second.st_mode { add(path, "has another mode") }
    if first.st_uid != second.st_uid || first.st_gid != second.st_gid {
      add(path, "has another owner")
    }
    if time(first) != time(second) { add(path, "has another time") }
    switch type {
    case S_IFDIR: try compareDirectories(name, left, right, path)
    case S_IFREG:
      if try !areEqualFiles(name, left, right, (first, second), path) {
        add(path, "has other content")
      }
    case S_IFLNK:
      if try Self.link(name, left) != Self.link(name, right) { add(path, "leads elsewhere") }
    default:
      if first.st_rdev != second.st_rdev { add(path, "is another device") }
    }
  }

  private func compareDirectories(
    _ name: UnsafePointer<CChar>, _ left: CInt, _ right: CInt, _ path: [UInt8]
  ) throws {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    let (first, second) = (openat(left, name, flags), openat(right, name, flags))
    guard first >= 0, second >= 0 else {
      for descriptor in [first, second] where descriptor >= 0 { close(descriptor) }
      throw SystemError("open", path: path)
    }
    let (one, other) = (
      try DirectoryListing(owning: first), try DirectoryListing(owning: second)
    )
    try compareAttributes(first, second, path)
    try compare(one, other, below: path + [UInt8(ascii: "/")])
  }

  private func areEqualFiles(
    _ name: UnsafePointer<CChar>, _ left: CInt, _ right: CInt, _ status: (stat, stat),
    _ path: [UInt8]
  ) throws -> Bool {
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    let (first, second) = (openat(left, name, flags), openat(right, name, flags))
    defer { for descriptor in [first, second] where descriptor >= 0 { close(descriptor) } }
    guard first >= 0, second >= 0 else { throw SystemError("open", path: path) }
    try compareAttributes(first, second, path)
    return try status.0.st_size == status.1.st_size && files.areEqual(first, second)
  }

  private func compareAttributes(_ first: CInt, _ second: CInt, _ path: [UInt8]) throws {
    if try Self.attributes(first) != Self.attributes(second) {
      add(path, "has other extended attributes")
    }
    if OverlayMark.isOpaque(first) != OverlayMark.isOpaque(second) {
      add(path, "replaces what lies below one time only")
    }
  }

  /// Seconds, as layers hold no more; no later than the epoch.
  private func time(_ status: stat) -> Int {
    min(status.st_mtim.tv_sec, epoch ?? .max)
  }

  private static func link(
    _ name: UnsafePointer<CChar>, _ directory: CInt
  ) throws(SystemError) -> [CChar] {
    var target = [CChar](repeating: 0, count: 4097)
    let length = readlinkat(directory, name, &target, target.count)
    guard length >= 0 else { throw SystemError("readlink", path: UpperWriter.bytes(name)) }
    return Array(target[..<length])
  }

  private static func attributes(_ file: CInt) throws(SystemError) -> [[UInt8]: [UInt8]] {
    var found: [[UInt8]: [UInt8]] = [:]
    try ExtendedAttributes.forEach(of: file, .all) { name, value in
      found[UpperWriter.bytes(name)] = Array(value)
    }
    return found
  }
}
