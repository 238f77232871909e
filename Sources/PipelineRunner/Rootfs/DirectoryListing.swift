import Glibc

/// An open directory and the names in it, sorted by bytes.
///
/// The names stand in one buffer and are sorted by the C library: a Swift array of Swift arrays
/// takes longer to sort in a debug build than the files take to copy.
final class DirectoryListing {
  /// The directory's own descriptor, for calls relative to it.
  let raw: CInt
  private let stream: OpaquePointer
  private var text: UnsafeMutablePointer<CChar>
  private var capacity = 1 << 12
  private var length = 0
  private var offsets: [Int] = []
  private var pointers: UnsafeMutablePointer<UnsafePointer<CChar>?>
  private(set) var count = 0

  /// Reads a directory through a descriptor, which it takes over.
  init(owning raw: CInt) throws(SystemError) {
    guard let stream = fdopendir(raw) else {
      let code = errno
      close(raw)
      throw SystemError("fdopendir", code: code)
    }
    self.raw = raw
    self.stream = stream
    text = .allocate(capacity: capacity)
    pointers = .allocate(capacity: 1)
    try read()
  }

  deinit {
    closedir(stream)
    text.deallocate()
    pointers.deallocate()
  }

  /// A name, valid as long as the listing.
  func name(_ index: Int) -> UnsafePointer<CChar> {
    guard let pointer = pointers[index] else { preconditionFailure("a name that was not read") }
    return pointer
  }

  private func read() throws(SystemError) {
    let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = UnsafeRawPointer(entry).advanced(by: nameOffset).assumingMemoryBound(
        to: CChar.self)
      if name[0] == 0x2E && (name[1] == 0 || (name[1] == 0x2E && name[2] == 0)) { continue }
      let size = strlen(name) + 1
      if length + size > capacity { grow(by: size) }
      memcpy(text + length, name, size)
      offsets.append(length)
      length += size
    }
    if errno != 0 { throw SystemError("readdir") }
    count = offsets.count
    pointers.deallocate()
    pointers = .allocate(capacity: max(count, 1))
    for index in 0..<count { pointers[index] = UnsafePointer(text + offsets[index]) }
    offsets = []
    qsort(pointers, count, MemoryLayout<UnsafePointer<CChar>?>.stride) { left, right in
      guard let left = left?.load(as: UnsafePointer<CChar>.self),
        let right = right?.load(as: UnsafePointer<CChar>.self)
      else { return 0 }
      return strcmp(left, right)
    }
  }

  private func grow(by size: Int) {
    while length + size > capacity { capacity *= 2 }
    let larger = UnsafeMutablePointer<CChar>.allocate(capacity: capacity)
    memcpy(larger, text, length)
    text.deallocate()
    text = larger
  }
}
