import Glibc
import SystemPackage

/// A part of an open file: a blob of a layout, or a member of a tar read in place.
struct FileSlice: Sendable {
  let file: SharedFile
  /// Bytes from the start of the file.
  let offset: Int64
  let size: Int64

  /// All of a file.
  ///
  /// - Throws: `ENOENT` where nothing is there, `EISDIR` where it is no regular file.
  init(opening path: FilePath) throws(SystemError) {
    file = try SharedFile(opening: path)
    offset = 0
    size = file.size
  }

  init(of file: SharedFile, offset: Int64, size: Int64) {
    self.file = file
    self.offset = offset
    self.size = size
  }

  /// The first bytes, fewer where the slice is shorter.
  func head(_ count: Int) throws(SystemError) -> [UInt8] {
    try file.read(at: offset, count: Int(min(Int64(count), size)))
  }

  /// Every byte; for documents whose size was looked at before.
  func bytes() throws(SystemError) -> [UInt8] {
    try file.read(at: offset, count: Int(size))
  }

  func reader() -> SliceReader { SliceReader(self) }
}

/// A regular file that several readers share, each with an offset of its own.
final class SharedFile: Sendable {
  let path: FilePath
  let size: Int64
  private let descriptor: OwnedDescriptor

  convenience init(opening path: FilePath) throws(SystemError) {
    let raw = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard raw >= 0 else { throw SystemError("open", path: path.bytes) }
    let descriptor = OwnedDescriptor(owning: raw)
    try self.init(descriptor, path: path)
  }

  /// Takes over a file that may have no name any more.
  init(_ descriptor: consuming OwnedDescriptor, path: FilePath) throws(SystemError) {
    var status = stat()
    guard fstat(descriptor.raw, &status) == 0 else { throw SystemError("fstat", path: path.bytes) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isDirectory = status.st_mode & S_IFMT == S_IFDIR
      throw SystemError("read", path: path.bytes, code: isDirectory ? EISDIR : EINVAL)
    }
    self.path = path
    size = Int64(status.st_size)
    self.descriptor = descriptor
  }

  /// Reads into a buffer; 0 at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemError) -> Int
  {
    while true {
      let count = pread(descriptor.raw, buffer.baseAddress, buffer.count, off_t(offset))
      if count >= 0 { return count }
      guard errno == EINTR else { throw SystemError("read", path: path.bytes) }
    }
  }

  /// Reads `count` bytes, or as many as there are.
  func read(at offset: Int64, count: Int) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        do throws(SystemError) {
          let rest = UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
          let got = try read(into: rest, at: offset + Int64(filled))
          if got == 0 { break }
          filled += got
        } catch {
          failure = error
          break
        }
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Lends the descriptor, whose own offset nobody may rely on.
  func withDescriptor<Result>(_ body: (CInt) throws -> Result) rethrows -> Result {
    try body(descriptor.raw)
  }
}

/// Reads a slice from its start to its end.
final class SliceReader: BlobReader {
  private let slice: FileSlice
  private var position: Int64 = 0

  init(_ slice: FileSlice) {
    self.slice = slice
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = min(Int64(buffer.count), slice.size - position)
    guard count > 0 else { return 0 }
    let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(count)])
    let got = try slice.file.read(into: part, at: slice.offset + position)
    // The size was looked at when the file was opened.
    guard got > 0 else { throw SystemError("read past the end of", path: slice.file.path.bytes) }
    position += Int64(got)
    return got
  }
}

extension BlobReader {
  /// Reads to the end and returns the digest of everything.
  func digest() throws -> Digest {
    let hasher = SHA256Hasher()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try read(into: buffer)
      if count == 0 { return hasher.finalize() }
      hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
  }
}
