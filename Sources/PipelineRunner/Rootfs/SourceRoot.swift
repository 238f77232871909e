import Glibc
import PipelineDSL
import SystemPackage

/// A directory of the machine or a merged root that sources are looked up in.
final class SourceRoot {
  enum Origin: Equatable {
    case context(FilePath)
    case tree(RootTree)
  }

  let descriptor: OwnedDescriptor
  let origin: Origin
  /// The ignore rules, nil where there are none.
  let ignore: IgnorePatterns?

  /// Takes over the descriptor of a directory.
  init(_ descriptor: consuming OwnedDescriptor, origin: Origin, ignore: IgnorePatterns?) {
    self.descriptor = descriptor
    self.origin = origin
    self.ignore = ignore
  }

  var isContext: Bool {
    if case .context = origin { true } else { false }
  }

  /// Looks a path up, links followed inside the root; nil where nothing is there.
  func find(_ path: [UInt8]) throws -> OwnedDescriptor? {
    let place = path.isEmpty ? [UInt8(ascii: ".")] : path
    return try TreeAccess.openIfPresent(place, in: descriptor.raw, flags: TreeAccess.pathOnly)
  }

  /// The path of something inside the root once links were followed, without a leading slash.
  func realPath(of found: borrowing OwnedDescriptor) throws -> [UInt8] {
    let top = try Self.kernelPath(of: descriptor.raw)
    let path = try Self.kernelPath(of: found.raw)
    if path == top { return [] }
    let prefix = top == [UInt8(ascii: "/")] ? top : top + [UInt8(ascii: "/")]
    guard path.starts(with: prefix) else {
      // Renamed away while it was looked up (threat 10): the rules cannot be applied to it.
      throw Diagnostic("\(place) changes while it is being read", help: "build again")
    }
    return Array(path.dropFirst(prefix.count))
  }

  private static func kernelPath(of descriptor: CInt) throws(SystemError) -> [UInt8] {
    var buffer = [CChar](repeating: 0, count: 16384)
    let length = readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
    guard length >= 0 && length < buffer.count else { throw SystemError("readlink") }
    return buffer[..<length].map { UInt8(bitPattern: $0) }
  }

  /// Where the user thinks the sources are.
  private var place: String {
    isContext ? "the build context" : "the source image or stage"
  }

  /// The error for a path that names nothing (C4).
  func missing(_ path: [UInt8]) -> Diagnostic {
    Diagnostic(
      "'\(text(path))' was not found in \(place)",
      help: isContext
        ? "paths are relative to the build context, and links may not lead out of it" : nil)
  }

  /// The error for a path that an ignore file hides.
  func ignored(_ path: [UInt8]) -> Diagnostic {
    Diagnostic(
      "'\(text(path))' was not found in \(place): the ignore file excludes it",
      help: "take the pattern out of the ignore file, or add an exception that begins with '!'")
  }

  /// The error for a wildcard that means nothing.
  func malformed(_ path: [UInt8]) -> Diagnostic {
    Diagnostic(
      "'\(text(path))' is no valid pattern",
      help: "close the '[', or put a backslash before it")
  }

  private func text(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }
}
