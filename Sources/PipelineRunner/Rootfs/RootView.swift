import CLinux
import Glibc
import PipelineDSL

/// What a command will see: its root, and above it the mounts that are planned so far.
///
/// Targets are found here, link by link and through earlier mounts, before anything is attached, so
/// that the child gets paths with nothing left in them to follow.
final class RootView {
  /// A mount that is planned.
  final class Point {
    let path: [[UInt8]]
    /// What is mounted; nil for a file system that only the child can make.
    let content: SharedDescriptor?
    let isDirectory: Bool
    let isReadOnly: Bool

    init(
      path: [[UInt8]], content: SharedDescriptor?, isDirectory: Bool = true,
      isReadOnly: Bool = false
    ) {
      self.path = path
      self.content = content
      self.isDirectory = isDirectory
      self.isReadOnly = isReadOnly
    }
  }

  /// A mount point that the root lacks.
  struct Stub {
    var path: [[UInt8]]
    /// How many components, counted from the top, are there already.
    var existing: Int
    var isDirectory: Bool
  }

  /// One component of a path.
  private struct Level {
    var name: [UInt8]
    /// The directory; nil where nothing is there, or the child will make it.
    var directory: SharedDescriptor?
    var point: Point?
    var isKernels = false
  }

  /// Where a path leads.
  struct Place {
    var path: [[UInt8]]
    /// How many components are there.
    var existing: Int
    /// The last directory that is there.
    var directory: SharedDescriptor
    /// What is at the path; nil where it is missing.
    var type: mode_t?
    /// The mount it lies in; nil for the root itself.
    var point: Point?
    /// Whether it lies in a file system that the child will make.
    var isKernels: Bool
  }

  /// The merged tree, as a mount that is attached nowhere.
  var root: SharedDescriptor
  private var points: [Point] = []
  private(set) var stubs: [Stub] = []

  init(root: SharedDescriptor) {
    self.root = root
  }

  func add(_ point: Point) {
    points.append(point)
  }

  // MARK: - Looking

  /// Follows a path as a process in the root would.
  func resolve(_ path: [UInt8], followsLinks: Bool = true) throws -> Place {
    var levels = [Level(name: [], directory: root)]
    var pending: [[UInt8]] = PathBytes.parts(path).reversed()
    var links = 0
    while let name = pending.popLast() {
      guard let top = levels.last else { break }
      if name.elementsEqual("..".utf8) {
        if levels.count > 1 { levels.removeLast() }
        continue
      }
      let candidate = levels.dropFirst().map(\.name) + [name]
      if let point = points.last(where: { $0.path == candidate }) {
        guard point.isDirectory || pending.isEmpty else { throw notDirectory(candidate) }
        if !point.isDirectory { return place(levels, name, S_IFREG, point) }
        levels.append(
          Level(
            name: name, directory: point.content, point: point, isKernels: point.content == nil))
        continue
      }
      guard let directory = top.directory else {
        levels.append(Level(name: name, point: top.point, isKernels: top.isKernels))
        continue
      }
      guard
        let found = try TreeAccess.openIfPresent(
          name, in: directory.raw, flags: TreeAccess.pathOnly | O_NOFOLLOW,
          resolve: CLINUX_RESOLVE_BENEATH | CLINUX_RESOLVE_NO_MAGICLINKS)
      else {
        levels.append(Level(name: name, point: top.point))
        continue
      }
      let type = try TreeAccess.status(of: found.raw).st_mode & S_IFMT
      switch type {
      case S_IFDIR:
        levels.append(Level(name: name, directory: SharedDescriptor(found), point: top.point))
      case S_IFLNK:
        guard followsLinks else {
          throw Diagnostic(
            "'\(Self.text(candidate))' in the image is a symbolic link; it has to be a directory",
            help: "make it a directory in an earlier step")
        }
        links += 1
        // The kernel's own limit.
        guard links <= 40 else {
          throw Diagnostic(
            "too many symbolic links on the way to '\(String(decoding: path, as: UTF8.self))'")
        }
        let target = try Self.readLink(found.raw)
        if target.first == UInt8(ascii: "/") { levels.removeLast(levels.count - 1) }
        pending += PathBytes.parts(target).reversed()
      default:
        guard pending.isEmpty else { throw notDirectory(candidate) }
        return place(levels, name, type, top.point)
      }
    }
    let existing = levels.lastIndex { $0.directory != nil } ?? 0
    let isWhole = existing == levels.count - 1
    return Place(
      path: levels.dropFirst().map(\.name), existing: existing,
      directory: levels[existing].directory ?? root, type: isWhole ? S_IFDIR : nil,
      point: levels[levels.count - 1].point, isKernels: levels[levels.count - 1].isKernels)
  }

  private func place(_ levels: [Level], _ name: [UInt8], _ type: mode_t, _ point: Point?) -> Place {
    Place(
      path: levels.dropFirst().map(\.name) + [name], existing: levels.count,
      directory: levels.last?.directory ?? root, type: type, point: point, isKernels: false)
  }

  private func notDirectory(_ path: [[UInt8]]) -> Diagnostic {
    Diagnostic("'\(Self.text(path))' in the image is not a directory")
  }

  private static func readLink(_ descriptor: CInt) throws(SystemError) -> [UInt8] {
    var buffer = [CChar](repeating: 0, count: 4097)
    let length = readlinkat(descriptor, "", &buffer, buffer.count)
    guard length >= 0, length < buffer.count else { throw SystemError("readlink") }
    return buffer[..<length].map { UInt8(bitPattern: $0) }
  }

  // MARK: - Mount points

  /// The path of a mount point without links; noted as a stub, or made inside an earlier mount,
  /// where nothing is there.
  func mountPoint(
    _ target: [UInt8], isDirectory: Bool, followsLinks: Bool = true
  ) throws -> [[UInt8]] {
    let place = try resolve(target, followsLinks: followsLinks)
    guard !place.path.isEmpty else {
      throw Diagnostic(
        "'\(String(decoding: target, as: UTF8.self))' is the root itself; nothing can be mounted there",
        help: "mount at a directory below it")
    }
    if place.isKernels { return place.path }
    if let type = place.type {
      guard (type == S_IFDIR) == isDirectory else {
        throw Diagnostic(
          "'\(Self.text(place.path))' in the image is \(type == S_IFDIR ? "a directory" : "a file"), "
            + "and \(isDirectory ? "a directory" : "a file") is to be mounted there",
          help: "remove it in an earlier step, or mount at another path")
      }
      return place.path
    }
    if let point = place.point {
      try make(place, in: point, isDirectory: isDirectory)
    } else {
      stubs.append(Stub(path: place.path, existing: place.existing, isDirectory: isDirectory))
    }
    return place.path
  }

  private func make(_ place: Place, in point: Point, isDirectory: Bool) throws {
    guard !point.isReadOnly else {
      throw Diagnostic(
        "nothing can be mounted at '\(Self.text(place.path))': it is missing in what is mounted at "
          + "'\(Self.text(point.path))', which is read-only",
        help: "mount it elsewhere, or let the outer mount have the directory")
    }
    let directories =
      isDirectory ? place.path[place.existing...] : place.path[place.existing...].dropLast()
    let parent = try makeDirectories(Array(directories), in: place.directory, mode: 0o755)
    guard !isDirectory, let name = place.path.last else { return }
    let file = TreeAccess.withTerminated(name) {
      openat(parent.raw, $0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    }
    guard file >= 0 else { throw SystemError("open", path: name) }
    close(file)
  }

  /// Makes directories below another, one in the other.
  func makeDirectories(
    _ names: [[UInt8]], in directory: SharedDescriptor, mode: mode_t,
    owner: (uid: UInt32, gid: UInt32) = (0, 0)
  ) throws(SystemError) -> SharedDescriptor {
    var current = directory
    for name in names {
      let status = TreeAccess.withTerminated(name) { mkdirat(current.raw, $0, mode) }
      guard status == 0 || errno == EEXIST else { throw SystemError("mkdir", path: name) }
      let made = try TreeAccess.open(
        name, in: current.raw, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
        resolve: CLINUX_RESOLVE_BENEATH | CLINUX_RESOLVE_NO_SYMLINKS)
      guard FileRecord.setOwner(of: made.raw, owner.uid, owner.gid) == 0,
        fchmod(made.raw, mode) == 0
      else {
        throw SystemError("fchmod", path: name)
      }
      current = SharedDescriptor(made)
    }
    return current
  }

  static func text(_ path: [[UInt8]]) -> String {
    "/" + String(decoding: PathBytes.join(path[...]), as: UTF8.self)
  }
}
