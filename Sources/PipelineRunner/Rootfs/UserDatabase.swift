import Glibc
import PipelineDSL

/// The users and groups that a root file system declares in `/etc/passwd` and `/etc/group`.
///
/// The files are parsed here: asking the C library would load modules that the image chose
/// (threat 23). They are read when a name has to be looked up and not before, so numeric users work
/// in a root whose files are missing or hostile.
struct UserDatabase: Sendable {
  /// What a process of `USER` runs as.
  struct Identity: Hashable, Sendable {
    var uid: UInt32
    var gid: UInt32
    /// Supplementary groups, in the order of the group file.
    var groups: [UInt32]
    /// The home directory of the uid's first passwd entry; nil where there is none.
    var home: [UInt8]?
  }

  private let root: Root

  /// Remembers the root; the descriptor given stays the caller's.
  init(root: borrowing OwnedDescriptor) throws(SystemError) {
    let copy = fcntl(root.raw, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw SystemError("fcntl") }
    self.root = Root(OwnedDescriptor(owning: copy))
  }

  /// Resolves the text of `USER` for a process (R4).
  func process(user: String) throws(Diagnostic) -> Identity {
    if user.isEmpty { return Identity(uid: 0, gid: 0, groups: [], home: home(of: 0)) }
    let (name, group) = try Self.split(user)
    if let group, let uid = try Self.numberOrRoot(name), let gid = try Self.numberOrRoot(group) {
      // Nothing is looked up here, so that a root without these files can be used; HOME is a
      // courtesy and never a reason to fail.
      return Identity(uid: uid, gid: gid, groups: [], home: home(of: uid))
    }
    var identity = Identity(uid: 0, gid: 0, groups: [], home: nil)
    // An empty name, as in `:5`, means uid 0 as it does to runc.
    let uid = name.isEmpty ? 0 : try Self.number(name)
    var entryName: [UInt8]?
    try forEachLine(of: .passwd) { line in
      guard let entry = User(line), uid.map({ $0 == entry.uid }) ?? entry.isNamed(name) else {
        return false
      }
      identity.uid = entry.uid
      identity.gid = entry.gid
      entryName = Array(entry.name)
      return true
    }
    if entryName == nil {
      guard let uid else { throw Self.unknown("user", name, in: .passwd, of: user) }
      identity.uid = uid
    }
    if let group, !group.isEmpty {
      identity.gid = try resolve(group: group, of: user)
    } else if let entryName {
      try forEachLine(of: .group) { line in
        if let entry = Group(line), entry.hasMember(entryName) {
          identity.groups.append(entry.gid)
        }
        return false
      }
    }
    identity.home = home(of: identity.uid)
    return identity
  }

  /// Resolves the text of `--chown`, or of `USER` where `WORKDIR` makes a directory (C8, M1).
  func owner(_ text: String) throws(Diagnostic) -> (uid: UInt32, gid: UInt32) {
    let (name, group) = try Self.split(text)
    var owner: (uid: UInt32, gid: UInt32)
    if let uid = try Self.numberOrRoot(name) {
      owner = (uid, uid)
    } else {
      var found: (uid: UInt32, gid: UInt32)?
      try forEachLine(of: .passwd) { line in
        guard let entry = User(line), entry.isNamed(name) else { return false }
        found = (entry.uid, entry.gid)
        return true
      }
      guard let found else { throw Self.unknown("user", name, in: .passwd, of: text) }
      owner = found
    }
    if let group { owner.gid = try resolve(group: group, of: text) }
    return owner
  }

  /// Resolves the text of an owner that needs no file, as `--link` demands (X7).
  ///
  /// Nil where a name would have to be looked up.
  static func numericOwner(_ text: String) throws(Diagnostic) -> (uid: UInt32, gid: UInt32)? {
    let (name, group) = try split(text)
    guard let uid = try numberOrRoot(name) else { return nil }
    guard let group else { return (uid, uid) }
    return try numberOrRoot(group).map { (uid, $0) }
  }

  private func resolve(group: [UInt8], of text: String) throws(Diagnostic) -> UInt32 {
    if let gid = try Self.numberOrRoot(group) { return gid }
    var found: UInt32?
    try forEachLine(of: .group) { line in
      guard let entry = Group(line), entry.isNamed(group) else { return false }
      found = entry.gid
      return true
    }
    guard let found else { throw Self.unknown("group", group, in: .group, of: text) }
    return found
  }

  private func home(of uid: UInt32) -> [UInt8]? {
    var home: [UInt8]?
    try? forEachLine(of: .passwd) { line in
      guard let entry = User(line), entry.uid == uid else { return false }
      home = Array(entry.home)
      return true
    }
    return home.flatMap { $0.isEmpty ? nil : $0 }
  }
}

extension UserDatabase {
  /// One of the two files.
  private enum File: String {
    case passwd = "/etc/passwd"
    case group = "/etc/group"
  }

  /// Holds the descriptor for as long as any copy of the database lives.
  private final class Root: Sendable {
    let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) {
      self.descriptor = descriptor
    }
  }

  /// A file above this size is hostile: GHSA-72x6-4j93-7w86 is a builder that read all of it.
  static let largestFile = 10 << 20

  /// Calls the body with each line until it returns true; a missing file has no lines.
  private func forEachLine(
    of file: File, _ body: (ArraySlice<UInt8>) -> Bool
  ) throws(Diagnostic) {
    let bytes: [UInt8]
    do {
      bytes = try read(file)
    } catch let error as SystemError {
      throw error.diagnostic("cannot read \(file.rawValue) of the image")
    } catch let error as Diagnostic {
      throw error
    } catch {
      throw Diagnostic("cannot read \(file.rawValue) of the image: \(error)")
    }
    var start = 0
    while start < bytes.count {
      var end = start
      while end < bytes.count && bytes[end] != UInt8(ascii: "\n") { end += 1 }
      if body(bytes[start..<end]) { return }
      start = end + 1
    }
  }

  private func read(_ file: File) throws -> [UInt8] {
    // O_PATH first: opening a device or a fifo to find out what it is can already do harm.
    guard
      let path = try TreeAccess.openIfPresent(
        Array(file.rawValue.utf8), in: root.descriptor.raw, flags: TreeAccess.pathOnly)
    else { return [] }
    let status = try TreeAccess.status(of: path.raw)
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Diagnostic(
        "\(file.rawValue) of the image is not a regular file",
        help: "use numeric ids, or repair the file in an earlier step")
    }
    guard status.st_size <= Self.largestFile else {
      throw Diagnostic(
        "\(file.rawValue) of the image has \(status.st_size) bytes; more than "
          + "\(Self.largestFile >> 20) MiB are not read",
        help: "use numeric ids, or repair the file in an earlier step")
    }
    let descriptor = try TreeAccess.reopen(path.raw, flags: O_RDONLY)
    var count = 0
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    while count < bytes.count {
      let length = bytes.withUnsafeMutableBytes {
        Glibc.read(descriptor.raw, $0.baseAddress?.advanced(by: count), $0.count - count)
      }
      if length < 0 && errno == EINTR { continue }
      if length < 0 { throw SystemError("read", path: Array(file.rawValue.utf8)) }
      if length == 0 { break }
      count += length
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  private static func unknown(
    _ what: String, _ name: [UInt8], in file: File, of text: String
  ) -> Diagnostic {
    if name.isEmpty {
      return Diagnostic(
        "the \(what) in '\(text)' is empty", help: "write USER, USER:GROUP or numeric ids")
    }
    return Diagnostic(
      "no \(what) '\(String(decoding: name, as: UTF8.self))' in \(file.rawValue) of the image",
      help: "create the \(what) in an earlier step, or use a numeric id")
  }
}

extension UserDatabase {
  /// `name:password:uid:gid:comment:home:shell`.
  private struct User {
    let name: ArraySlice<UInt8>
    let uid: UInt32
    let gid: UInt32
    let home: ArraySlice<UInt8>

    /// An entry whose ids are no numbers is skipped: reading them as 0 makes root of them
    /// (containerd CVE-2024-40635).
    init?(_ line: ArraySlice<UInt8>) {
      let fields = UserDatabase.fields(line)
      guard fields.count >= 4, let uid = UserDatabase.id(fields[2]),
        let gid = UserDatabase.id(fields[3])
      else { return nil }
      name = fields[0]
      self.uid = uid
      self.gid = gid
      home = fields.count > 5 ? fields[5] : []
    }

    func isNamed(_ other: [UInt8]) -> Bool { !other.isEmpty && name.elementsEqual(other) }
  }

  /// `name:password:gid:member,member`.
  private struct Group {
    let name: ArraySlice<UInt8>
    let gid: UInt32
    let members: ArraySlice<UInt8>

    init?(_ line: ArraySlice<UInt8>) {
      let fields = UserDatabase.fields(line)
      guard fields.count >= 3, let gid = UserDatabase.id(fields[2]) else { return nil }
      name = fields[0]
      self.gid = gid
      members = fields.count > 3 ? fields[3] : []
    }

    func isNamed(_ other: [UInt8]) -> Bool { !other.isEmpty && name.elementsEqual(other) }

    func hasMember(_ user: [UInt8]) -> Bool {
      members.split(separator: UInt8(ascii: ",")).contains { $0.elementsEqual(user) }
    }
  }

  /// The fields of a line without surrounding blanks, a carriage return among them.
  private static func fields(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var line = line
    while let last = line.last, isBlank(last) { line.removeLast() }
    while let first = line.first, isBlank(first) { line.removeFirst() }
    if line.first == UInt8(ascii: "#") { return [] }
    return line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (UInt8(ascii: "\t")...UInt8(ascii: "\r")).contains(byte)
  }

  /// Decimal digits as an id; nil for anything else, and for -1, which chown(2) takes for "leave".
  private static func id(_ digits: ArraySlice<UInt8>) -> UInt32? {
    guard !digits.isEmpty, digits.count <= 20 else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      value = value * 10 + UInt64(digit - UInt8(ascii: "0"))
      if value >= UInt64(UInt32.max) { return nil }
    }
    return UInt32(value)
  }

  /// A numeric id, nil where the text is a name.
  ///
  /// - Throws: where the text is a number that is no id (threat 21).
  private static func number(_ text: [UInt8]) throws(Diagnostic) -> UInt32? {
    var digits = text[...]
    if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
      digits.removeFirst()
    }
    let isNumber =
      !digits.isEmpty
      && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard isNumber else { return nil }
    guard digits.count == text.count, let value = id(text[...]) else {
      throw Diagnostic(
        "'\(String(decoding: text, as: UTF8.self))' is no user or group id",
        help: "ids go from 0 to 4294967294")
    }
    return value
  }

  /// As ``number(_:)``, with `root` as 0.
  private static func numberOrRoot(_ text: [UInt8]) throws(Diagnostic) -> UInt32? {
    text == Array("root".utf8) ? 0 : try number(text)
  }

  private static func split(_ text: String) throws(Diagnostic) -> ([UInt8], [UInt8]?) {
    let parts = Array(text.utf8).split(
      separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
    switch parts.count {
    case 1: return (Array(parts[0]), nil)
    case 2: return (Array(parts[0]), Array(parts[1]))
    default:
      throw Diagnostic("'\(text)' has more than one ':'", help: "write USER or USER:GROUP")
    }
  }
}
