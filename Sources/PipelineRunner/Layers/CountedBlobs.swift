import PipelineDSL

/// Tells how many bytes are read from another source.
struct CountedBlobs: BlobSource {
  var source: any BlobSource
  var count: @Sendable (Int) -> Void

  func open(_ descriptor: Descriptor) throws -> any BlobReader {
    Reader(reader: try source.open(descriptor), count: count)
  }

  private final class Reader: BlobReader {
    private let reader: any BlobReader
    private let count: @Sendable (Int) -> Void

    init(reader: any BlobReader, count: @escaping @Sendable (Int) -> Void) {
      self.reader = reader
      self.count = count
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
      let size = try reader.read(into: buffer)
      count(size)
      return size
    }
  }
}
