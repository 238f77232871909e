import CLinux
import Glibc

/// Moves file contents: shared blocks where the file system can, else in the kernel, else through a
/// buffer.
///
/// It remembers what does not work between two file systems, so that 30,000 files do not ask
/// 30,000 times. Belongs to one copy at a time.
final class FileData {
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
  private var clones = true
  private var copiesInKernel = true

  deinit { buffer.deallocate() }

  /// Copies a whole file into an empty one; holes stay holes.
  ///
  /// - Returns: the number of bytes from the start to the end of the source.
  func copy(from source: CInt, to target: CInt, status: stat) throws(SystemError) -> Int {
    let size = Int(status.st_size)
    // Below this, one read and one write cost less than asking for anything better.
    if size > 1 << 17 {
      if clones {
        if clinux_clone(target, source) == 0 { return size }
        clones = false
      }
      if Int(status.st_blocks) * 512 < size { return try copySparse(source, target, size) }
      if copiesInKernel, let copied = try copyInKernel(source, target) { return copied }
    }
    return try copyThroughBuffer(source, target, limit: nil)
  }

  private func copyInKernel(_ source: CInt, _ target: CInt) throws(SystemError) -> Int? {
    var total = 0
    while true {
      let count = clinux_copy_range(source, target, 1 << 30)
      if count == 0 { return total }
      if count > 0 {
        total += count
        continue
      }
      if errno == EINTR { continue }
      // Another way may be taken only while nothing was written (executor.md, section 3).
      let fallsBack = [EXDEV, EOPNOTSUPP, EINVAL, EPERM, ENOSYS, EIO].contains(errno)
      guard fallsBack && total == 0 else { throw SystemError("copy_file_range") }
      copiesInKernel = false
      return nil
    }
  }

  private func copySparse(
    _ source: CInt, _ target: CInt, _ size: Int
  ) throws(SystemError) -> Int {
    var offset: off_t = 0
    while offset < size {
      let start = clinux_seek_data(source, offset)
      if start < 0 && errno == ENXIO { break }
      guard start >= 0 else { throw SystemError("lseek") }
      let end = clinux_seek_hole(source, start)
      guard end >= start, lseek(source, start, SEEK_SET) == start,
        lseek(target, start, SEEK_SET) == start
      else { throw SystemError("lseek") }
      _ = try copyThroughBuffer(source, target, limit: Int(end - start))
      offset = end
    }
    guard ftruncate(target, off_t(size)) == 0 else { throw SystemError("ftruncate") }
    return size
  }

  private func copyThroughBuffer(
    _ source: CInt, _ target: CInt, limit: Int?
  ) throws(SystemError) -> Int {
    var total = 0
    while true {
      let wanted = min(buffer.count, limit.map { $0 - total } ?? buffer.count)
      if wanted == 0 { return total }
      let count = read(source, buffer.baseAddress, wanted)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw SystemError("read") }
      if count == 0 { return total }
      try Self.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: target)
      total += count
    }
  }

  /// Writes all bytes.
  static func write(_ bytes: UnsafeRawBufferPointer, to target: CInt) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(
        target, bytes.baseAddress?.advanced(by: written), bytes.count - written)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw SystemError("write") }
      written += count
    }
  }
}
