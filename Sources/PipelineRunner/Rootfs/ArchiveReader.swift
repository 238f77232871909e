import CArchive
import Glibc
import PipelineDSL

/// A tar archive in one of the compressions that `ADD` unpacks, read by libarchive.
///
/// The compression is told from the first bytes as BuildKit tells it, and only that one filter and
/// only the tar format are switched on: what else libarchive can read is no archive to `ADD` (X4).
final class ArchiveReader {
  private let archive: OpaquePointer
  private let locale: locale_t?
  private let previousLocale: locale_t?

  /// Starts to read a file from its first byte; must be used on one thread.
  init(_ descriptor: CInt) throws {
    guard let archive = archive_read_new() else { throw SystemError("archive_read_new") }
    self.archive = archive
    // Names in PAX headers are UTF-8 and are converted to the thread's character set: in the C
    // locale every other name would be lost.
    locale = newlocale(1 << LC_CTYPE, "C.UTF-8", nil)
    previousLocale = locale.flatMap { uselocale($0) }
    archive_read_support_format_tar(archive)
    var head = [UInt8](repeating: 0, count: 10)
    let count = pread(descriptor, &head, head.count, 0)
    guard count >= 0, lseek(descriptor, 0, SEEK_SET) == 0 else { throw SystemError("pread") }
    if let filter = Self.filter(head[..<count]) {
      guard archive_read_append_filter(archive, filter) == ARCHIVE_OK else { throw failure() }
    }
    guard archive_read_open_fd(archive, descriptor, 1 << 17) == ARCHIVE_OK else {
      throw failure()
    }
  }

  deinit {
    archive_read_free(archive)
    if let previousLocale { uselocale(previousLocale) }
    if let locale { freelocale(locale) }
  }

  /// The compression that the first bytes of a file announce; nil for none.
  private static func filter(_ head: ArraySlice<UInt8>) -> CInt? {
    if head.starts(with: [0x1F, 0x8B, 0x08]) { return ARCHIVE_FILTER_GZIP }
    if head.starts(with: [0x42, 0x5A, 0x68]) { return ARCHIVE_FILTER_BZIP2 }
    if head.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) { return ARCHIVE_FILTER_XZ }
    if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) { return ARCHIVE_FILTER_ZSTD }
    // A zstd file may begin with a frame to be skipped.
    if head.count >= 4, head[0] & 0xF0 == 0x50, head[1...3].elementsEqual([0x2A, 0x4D, 0x18]) {
      return ARCHIVE_FILTER_ZSTD
    }
    return nil
  }

  /// The next entry, valid until the next call; nil at the end.
  func next() throws -> OpaquePointer? {
    var entry: OpaquePointer?
    switch archive_read_next_header(archive, &entry) {
    case ARCHIVE_EOF: return nil
    case ARCHIVE_OK, ARCHIVE_WARN: return entry
    default: throw failure()
    }
  }

  /// Writes the entry's data at its offsets, holes left out, up to its size.
  func write(to target: CInt) throws {
    var end: Int64 = 0
    while true {
      var block: UnsafeRawPointer?
      var count = 0
      var offset: Int64 = 0
      switch archive_read_data_block(archive, &block, &count, &offset) {
      case ARCHIVE_EOF:
        guard ftruncate(target, off_t(end)) == 0 else { throw SystemError("ftruncate") }
        return
      case ARCHIVE_OK, ARCHIVE_WARN:
        guard lseek(target, off_t(offset), SEEK_SET) == offset else { throw SystemError("lseek") }
        try FileData.write(UnsafeRawBufferPointer(start: block, count: count), to: target)
        end = max(end, offset + Int64(count))
      default: throw failure()
      }
    }
  }

  private func failure() -> Diagnostic {
    let reason = archive_error_string(archive).map { String(cString: $0) } ?? "unknown error"
    return Diagnostic(
      "the archive cannot be read: \(reason)",
      help: "make it again, or keep it packed with --unpack=false")
  }
}
