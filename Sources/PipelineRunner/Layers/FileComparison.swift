import Glibc

/// Compares the bytes of two files.
final class FileComparison {
  private static let size = 1 << 16
  private let left = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
  private let right = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)

  deinit {
    left.deallocate()
    right.deallocate()
  }

  /// Whether two files of one size hold the same bytes; offsets stay where they are.
  func areEqual(_ first: CInt, _ second: CInt) throws(SystemError) -> Bool {
    var offset: off_t = 0
    while true {
      let count = pread(first, left, Self.size, offset)
      guard count >= 0 else { throw SystemError("pread") }
      if count == 0 { return true }
      guard pread(second, right, Self.size, offset) == count, memcmp(left, right, count) == 0
      else { return false }
      offset += off_t(count)
    }
  }
}
