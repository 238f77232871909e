import Glibc
import SystemPackage

/// Whole small files, read and replaced in one go.
enum FileContent {
  /// The bytes of a file.
  static func read(_ path: FilePath) throws(SystemError) -> [UInt8] {
    let raw = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
    guard raw >= 0 else { throw SystemError("open", path: path.bytes) }
    let descriptor = OwnedDescriptor(owning: raw)
    return try read(descriptor, path.bytes)
  }

  /// The bytes of a file, nil where there is none.
  static func readIfPresent(_ path: FilePath) throws(SystemError) -> [UInt8]? {
    let raw = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
    return try read(opened: raw, path.bytes)
  }

  static func readIfPresent(_ path: String) throws(SystemError) -> [UInt8]? {
    try read(opened: open(path, O_RDONLY | O_CLOEXEC), Array(path.utf8))
  }

  /// Reads what a call of open(2) led to; nil where nothing is there.
  private static func read(
    opened raw: CInt, _ path: @autoclosure () -> [UInt8]
  ) throws(SystemError) -> [UInt8]? {
    guard raw >= 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw SystemError("open", path: path())
    }
    let descriptor = OwnedDescriptor(owning: raw)
    return try read(descriptor, path())
  }

  private static func read(
    _ descriptor: borrowing OwnedDescriptor, _ path: @autoclosure () -> [UInt8]
  ) throws(SystemError) -> [UInt8] {
    var status = stat()
    guard fstat(descriptor.raw, &status) == 0 else { throw SystemError("fstat", path: path()) }
    var content: [UInt8] = []
    // /proc files have no size; a file may also grow while it is read.
    var expected = max(Int(status.st_size) + 1, 4096)
    while true {
      var failure: SystemError?
      let piece = [UInt8](unsafeUninitializedCapacity: expected) { buffer, count in
        let got = Glibc.read(descriptor.raw, buffer.baseAddress, buffer.count)
        if got < 0 { failure = SystemError("read", path: path()) }
        count = max(got, 0)
      }
      if let failure {
        if failure.code == EINTR { continue }
        throw failure
      }
      if piece.isEmpty { return content }
      if content.isEmpty { content = piece } else { content += piece }
      expected = 65536
    }
  }

  /// Replaces a file whole: written beside it, then renamed over it.
  static func replace(_ path: FilePath, with content: [UInt8]) throws(SystemError) {
    let temporary = FilePath(path.string + ".\(Store.uniqueName()).new")
    do {
      try write(temporary, content)
      try Call.rename(temporary, to: path)
    } catch {
      _ = temporary.withPlatformString { unlink($0) }
      throw error
    }
  }

  /// Waits until a file's bytes, or a directory's names, are on the disk.
  static func flush(_ path: FilePath) throws(SystemError) {
    let raw = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
    guard raw >= 0 else { throw SystemError("open", path: path.bytes) }
    let descriptor = OwnedDescriptor(owning: raw)
    guard fsync(descriptor.raw) == 0 else { throw SystemError("fsync", path: path.bytes) }
  }

  /// Writes a new file.
  static func write(_ path: FilePath, _ content: [UInt8]) throws(SystemError) {
    let raw = path.withPlatformString {
      open($0, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    }
    guard raw >= 0 else { throw SystemError("open", path: path.bytes) }
    let descriptor = OwnedDescriptor(owning: raw)
    var offset = 0
    while offset < content.count {
      let written = content.withUnsafeBytes { buffer in
        Glibc.write(descriptor.raw, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
      }
      if written < 0 {
        if errno == EINTR { continue }
        throw SystemError("write", path: path.bytes)
      }
      offset += written
    }
    try descriptor.close()
  }
}
