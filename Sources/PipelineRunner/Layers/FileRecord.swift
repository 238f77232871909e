import CLinux
import Glibc
import SystemPackage

/// What a file is to be in the image and cannot be on this machine, written down beside it.
///
/// In a user namespace nobody makes devices, and in one with a single id nothing can be given to
/// anybody else. Regular files and directories then carry an attribute: overlayfs keeps it when it
/// copies a file up, and it follows a file that a command renames. A device is an empty file that
/// has it. Links, pipes and sockets may have no such attribute; the kernel keeps their time of last
/// access as it is while that lies in the future, so their owners stand there.
///
/// Everything that packs, digests, lists or copies a tree of the store asks here instead of the
/// kernel. The attribute itself stands in no layer (``ExtendedAttributes/travels(_:_:)``).
enum FileRecord {
  static let attribute = "user.pipeline.stat"

  /// Whether owners are recorded instead of set.
  static let keepsOwners = IdentityMap.current == .one
  /// Whether devices are.
  static let keepsDevices = IdentityMap.current != .machine

  // MARK: - Reading

  /// fstatat(2) of a name itself, as the image has it.
  static func status(
    of name: UnsafePointer<CChar>, in directory: CInt, _ status: inout stat
  ) -> CInt {
    guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return -1 }
    correct(&status) { value, size in
      clinux_get_attribute_in(directory, name, attribute, value, size)
    }
    return 0
  }

  /// fstat(2), as the image has it.
  static func status(of descriptor: CInt) throws(SystemError) -> stat {
    var status = try TreeAccess.status(of: descriptor)
    correct(&status) { value, size in read(descriptor, value, size) }
    return status
  }

  /// Whether an owner was recorded.
  static func hasOwner(_ status: stat, _ name: UnsafePointer<CChar>, in directory: CInt) -> Bool {
    switch status.st_mode & S_IFMT {
    case S_IFREG, S_IFDIR: clinux_get_attribute_in(directory, name, attribute, nil, 0) > 0
    default: status.st_atim.tv_sec >= firstSecond
    }
  }

  private static func correct(
    _ status: inout stat, _ read: (UnsafeMutableRawPointer, Int) -> Int
  ) {
    guard keepsDevices else { return }
    switch status.st_mode & S_IFMT {
    case S_IFREG where keepsOwners || status.st_size == 0, S_IFDIR where keepsOwners:
      guard let record = Record(read) else { return }
      if keepsOwners { (status.st_uid, status.st_gid) = (record.uid, record.gid) }
      guard let device = record.device, status.st_mode & S_IFMT == S_IFREG else { return }
      status.st_mode = device.type | status.st_mode & 0o7777
      status.st_rdev = device.number
    case S_IFREG, S_IFDIR: return
    default:
      if keepsOwners, let owner = owner(status.st_atim) {
        (status.st_uid, status.st_gid) = owner
      }
    }
  }

  // MARK: - Writing

  /// fchown(2), also for what was opened with O_PATH; where owners are recorded, a record.
  static func setOwner(of descriptor: CInt, _ uid: UInt32, _ gid: UInt32) -> CInt {
    guard keepsOwners else { return clinux_change_owner(descriptor, uid, gid) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return -1 }
    let path = "/proc/self/fd/\(descriptor)"
    switch status.st_mode & S_IFMT {
    case S_IFREG, S_IFDIR:
      var record = Record { read(descriptor, $0, $1) } ?? Record(uid: 0, gid: 0)
      (record.uid, record.gid) = (uid, gid)
      return write(record, path)
    default:
      guard let time = time(of: uid, gid) else { return -1 }
      return utimensat(AT_FDCWD, path, [time, timespec(tv_sec: 0, tv_nsec: omitted)], 0)
    }
  }

  /// fchownat(2) of a name itself.
  static func setOwner(
    of name: UnsafePointer<CChar>, in directory: CInt, _ uid: UInt32, _ gid: UInt32
  ) -> CInt {
    guard keepsOwners else {
      return fchownat(directory, name, uid, gid, AT_SYMLINK_NOFOLLOW)
    }
    let raw = openat(directory, name, TreeAccess.pathOnly | O_NOFOLLOW | O_CLOEXEC)
    guard raw >= 0 else { return -1 }
    let descriptor = OwnedDescriptor(owning: raw)
    return setOwner(of: descriptor.raw, uid, gid)
  }

  /// Sets the time of modification of a name itself, and of the last access where that is free.
  static func setTime(
    of name: UnsafePointer<CChar>, in directory: CInt, _ time: timespec
  ) -> CInt {
    var access = time
    if keepsOwners { access.tv_nsec = omitted }
    return utimensat(directory, name, [access, time], AT_SYMLINK_NOFOLLOW)
  }

  /// Makes the file that stands for a device, where this kernel refused to make one.
  ///
  /// `errno` is that of the refusal.
  static func makeDevice(
    _ name: UnsafePointer<CChar>, in directory: CInt, type: mode_t, number: dev_t
  ) -> Bool {
    guard keepsDevices, errno == EPERM, type == S_IFCHR || type == S_IFBLK, number != 0 else {
      return false
    }
    let raw = openat(
      directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard raw >= 0 else { return false }
    let file = OwnedDescriptor(owning: raw)
    return mark(file.raw, type: type, number: number)
  }

  /// Makes an empty file stand for a device.
  static func mark(_ file: CInt, type: mode_t, number: dev_t) -> Bool {
    write(Record(uid: 0, gid: 0, device: (type, number)), "/proc/self/fd/\(file)") == 0
  }

  private static func write(_ record: Record, _ path: String) -> CInt {
    let text = record.text
    let status = clinux_set_attribute_of(path, attribute, text, text.utf8.count)
    // Not on the store's file system, which was tried: what a command sees there is in no layer.
    if status != 0 && errno == ENOTSUP && record.device == nil { return 0 }
    return status
  }

  private static func read(
    _ descriptor: CInt, _ value: UnsafeMutableRawPointer, _ size: Int
  ) -> Int {
    clinux_get_attribute_of("/proc/self/fd/\(descriptor)", attribute, value, size)
  }

  // MARK: - Times

  /// UTIME_OMIT of utimensat(2).
  private static let omitted = (1 << 30) - 2

  /// Seconds from here on, in the year 2106, are owners.
  ///
  /// ext4 and XFS count to 2446 and 2486.
  private static let firstSecond = 1 << 32

  /// The time that stands for an owner; nil, with EOVERFLOW, for ids that it has no room for.
  ///
  /// Seconds have room for 33 bits there and nanoseconds for 29, which makes 31 for each id.
  private static func time(of uid: UInt32, _ gid: UInt32) -> timespec? {
    guard uid < 1 << 31, gid < 1 << 31 else {
      errno = EOVERFLOW
      return nil
    }
    return timespec(
      tv_sec: firstSecond + Int(uid) << 2 + Int(gid >> 29), tv_nsec: Int(gid & (1 << 29 - 1)))
  }

  private static func owner(_ time: timespec) -> (uid: UInt32, gid: UInt32)? {
    let value = time.tv_sec - firstSecond
    guard value >= 0, value < 1 << 33, time.tv_nsec < 1 << 29 else { return nil }
    return (UInt32(value >> 2), UInt32(value & 3) << 29 | UInt32(time.tv_nsec))
  }

  // MARK: - The file system

  /// Tries whether a directory's file system keeps records of every kind.
  static func isPossible(in directory: FilePath) throws(SystemError) -> Bool {
    let file = directory.appending(Store.uniqueName())
    let link = directory.appending(Store.uniqueName())
    defer {
      for path in [file, link] { _ = path.withPlatformString { unlink($0) } }
    }
    let raw = file.withPlatformString { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
    guard raw >= 0 else { throw SystemError("open", path: file.bytes) }
    let opened = OwnedDescriptor(owning: raw)
    let text = Record(uid: 1, gid: 2).text
    guard clinux_set_attribute(opened.raw, attribute, text, text.utf8.count) == 0 else {
      return false
    }
    try Call.check("symlink", link) { symlink("x", $0) }
    let ids: UInt32 = 1 << 31 - 1
    let status = link.withPlatformString { name -> stat? in
      guard setOwner(of: name, in: AT_FDCWD, ids, ids) == 0 else { return nil }
      // A file system that notes every access loses the owner here.
      var buffer = [CChar](repeating: 0, count: 8)
      _ = readlink(name, &buffer, buffer.count)
      var status = stat()
      return lstat(name, &status) == 0 ? status : nil
    }
    guard let status, let found = owner(status.st_atim) else { return false }
    return found == (ids, ids)
  }

  /// The content of the attribute, `UID:GID` or `UID:GID:c:MAJOR:MINOR`.
  private struct Record {
    var uid: UInt32
    var gid: UInt32
    var device: (type: mode_t, number: dev_t)?

    init(uid: UInt32, gid: UInt32, device: (type: mode_t, number: dev_t)? = nil) {
      (self.uid, self.gid, self.device) = (uid, gid, device)
    }

    /// Reads what a call puts into a buffer; nil where there is no record, or none that makes sense.
    init?(_ read: (UnsafeMutableRawPointer, Int) -> Int) {
      let found = withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer -> Self? in
        guard let start = buffer.baseAddress else { return nil }
        let length = read(start, buffer.count)
        return length > 0 ? Self(parsing: UnsafeRawBufferPointer(rebasing: buffer[..<length])) : nil
      }
      guard let found else { return nil }
      self = found
    }

    private init?(parsing text: UnsafeRawBufferPointer) {
      let fields = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
      guard fields.count == 2 || fields.count == 5, let uid = UInt32(fields[0]),
        let gid = UInt32(fields[1]), uid != .max, gid != .max
      else { return nil }
      self.init(uid: uid, gid: gid)
      guard fields.count == 5 else { return }
      guard fields[2] == "c" || fields[2] == "b", let major = UInt32(fields[3]),
        let minor = UInt32(fields[4])
      else { return nil }
      let number = clinux_device(major, minor)
      // 0/0 is how overlayfs deletes.
      guard number != 0 else { return nil }
      device = (fields[2] == "c" ? S_IFCHR : S_IFBLK, number)
    }

    var text: String {
      guard let device else { return "\(uid):\(gid)" }
      let kind = device.type == S_IFCHR ? "c" : "b"
      return "\(uid):\(gid):\(kind):\(clinux_major(device.number)):\(clinux_minor(device.number))"
    }
  }
}
