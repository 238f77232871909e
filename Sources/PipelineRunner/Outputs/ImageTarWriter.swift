import Glibc
import PipelineDSL
import SystemPackage

/// Writes the tar of an image archive: plain files and directories with short names, every field
/// that could differ between two runs fixed.
final class ImageTarWriter {
  private let descriptor: CInt
  private let data = FileData()

  init(_ descriptor: CInt) {
    self.descriptor = descriptor
  }

  func addDirectory(_ name: String) throws {
    try writeHeader(name + "/", size: 0, mode: 0o755, type: UInt8(ascii: "5"))
  }

  func addFile(_ name: String, _ content: [UInt8]) throws {
    try writeHeader(name, size: Int64(content.count), mode: 0o644, type: UInt8(ascii: "0"))
    try write(content)
    try pad(Int64(content.count))
  }

  /// Adds a file of the store.
  ///
  /// - Throws: a diagnostic where it has not the size that was announced.
  func addFile(_ name: String, copying file: FilePath, size: Int64) throws {
    let raw = file.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
    guard raw >= 0 else { throw SystemError("open", path: file.bytes) }
    let source = OwnedDescriptor(owning: raw)
    let status = try TreeAccess.status(of: source.raw)
    guard Int64(status.st_size) == size else {
      throw Diagnostic(
        "'\(file)' has \(status.st_size) bytes instead of \(size)",
        help: "the store is damaged; 'store check' tells what else is")
    }
    try writeHeader(name, size: size, mode: 0o644, type: UInt8(ascii: "0"))
    try StreamCopy.copy(from: source.raw, to: descriptor, count: size)
    try pad(size)
  }

  /// Ends the archive with its two blocks of zeros.
  func finish() throws {
    try write([UInt8](repeating: 0, count: 1024))
  }

  private func writeHeader(_ name: String, size: Int64, mode: Int, type: UInt8) throws {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: some Sequence<UInt8>, at offset: Int) {
      for (index, byte) in bytes.enumerated() { header[offset + index] = byte }
    }
    func octal(_ value: Int64, _ digits: Int) -> [UInt8] {
      let text = Array(String(value, radix: 8).utf8)
      return [UInt8](repeating: UInt8(ascii: "0"), count: max(0, digits - text.count)) + text
    }
    precondition(name.utf8.count <= 100, "names of blobs are short")
    put(name.utf8, at: 0)
    put(octal(Int64(mode), 7), at: 100)
    put(octal(0, 7), at: 108)
    put(octal(0, 7), at: 116)
    if size < 1 << 33 {
      put(octal(size, 11), at: 124)
    } else {
      // Eight gigabytes and more have no octal spelling; every reader knows GNU tar's.
      header[124] = 0x80
      withUnsafeBytes(of: size.bigEndian) { put($0, at: 128) }
    }
    put(octal(0, 11), at: 136)
    header[156] = type
    put("ustar\u{0}00".utf8, at: 257)
    put([UInt8](repeating: 32, count: 8), at: 148)
    let sum = header.reduce(Int64(0)) { $0 + Int64($1) }
    put(octal(sum, 6) + [0, 32], at: 148)
    try write(header)
  }

  private func pad(_ size: Int64) throws {
    let rest = Int(size % 512)
    if rest > 0 { try write([UInt8](repeating: 0, count: 512 - rest)) }
  }

  private func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { buffer in try FileData.write(buffer, to: descriptor) }
  }
}

/// Copies a known number of bytes between descriptors, in the kernel where it can.
enum StreamCopy {
  static func copy(from source: CInt, to target: CInt, count: Int64) throws(SystemError) {
    var left = count
    while left > 0 {
      let copied = sendfile(target, source, nil, Int(min(left, 1 << 30)))
      if copied < 0 && errno == EINTR { continue }
      guard copied > 0 else { throw SystemError("sendfile", code: copied == 0 ? EIO : errno) }
      left -= Int64(copied)
    }
  }

  /// Copies a whole file.
  static func copyFile(_ source: FilePath, to target: FilePath) throws(SystemError) {
    let raw = source.withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
    guard raw >= 0 else { throw SystemError("open", path: source.bytes) }
    let input = OwnedDescriptor(owning: raw)
    let made = target.withPlatformString {
      open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    }
    guard made >= 0 else { throw SystemError("open", path: target.bytes) }
    let output = OwnedDescriptor(owning: made)
    _ = try FileData().copy(
      from: input.raw, to: output.raw, status: try TreeAccess.status(of: input.raw))
    try output.close()
  }
}
