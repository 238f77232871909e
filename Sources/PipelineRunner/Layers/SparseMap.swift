import Glibc
import PipelineDSL

/// Where the pieces of a file with holes belong.
struct SparseMap {
  struct Piece {
    var offset: Int64
    var length: Int64
  }

  /// In ascending order, none overlapping another, all inside the file.
  let pieces: [Piece]
  let fileSize: Int64
  /// Bytes of the entry's content that the map itself took.
  var headerSize: Int64 = 0

  var dataSize: Int64 { pieces.reduce(0) { $0 + $1.length } }

  static let malformed = Diagnostic("a file with holes in the archive is described wrongly")
  private static let mostPieces = 1 << 20

  private init(_ pieces: [Piece], fileSize: Int64) throws {
    var end: Int64 = 0
    for piece in pieces {
      guard piece.length >= 0, piece.offset >= end,
        piece.length <= fileSize - piece.offset
      else { throw Self.malformed }
      end = piece.offset + piece.length
    }
    self.pieces = pieces
    self.fileSize = fileSize
  }

  /// The format of type `S`: four pieces in the header, more in records after it.
  init(oldGNU header: UnsafeRawPointer, _ stream: TarStream) throws {
    let fileSize = try TarNumber.size(header + 483)
    var pieces = try Self.pieces(header + 386, 4)
    var isExtended = header.load(fromByteOffset: 482, as: UInt8.self) != 0
    while isExtended {
      guard let record = try stream.record(), pieces.count < Self.mostPieces else {
        throw Self.malformed
      }
      pieces += try Self.pieces(record, 21)
      isExtended = record.load(fromByteOffset: 504, as: UInt8.self) != 0
    }
    try self.init(pieces, fileSize: fileSize)
  }

  private static func pieces(_ start: UnsafeRawPointer, _ count: Int) throws -> [Piece] {
    var pieces: [Piece] = []
    for index in 0..<count {
      let field = start + index * 24
      if field.load(as: UInt8.self) == 0 { break }
      pieces.append(
        Piece(offset: try TarNumber.size(field), length: try TarNumber.size(field + 12)))
    }
    return pieces
  }

  /// The formats that hold the map in the extended header.
  init(version0 pax: PaxRecords) throws {
    guard let size = pax.sparse["size"].flatMap(Self.number) else { throw Self.malformed }
    var numbers = pax.sparseNumbers
    if let map = pax.sparse["map"], !map.isEmpty {
      numbers = try map.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map {
        guard let number = Self.number($0) else { throw Self.malformed }
        return number
      }
    }
    try self.init(Self.pairs(numbers), fileSize: size)
  }

  /// The format that holds the map before the data: a count and pairs, each number on a line.
  init(version1 pax: PaxRecords, _ stream: TarStream, limit: Int64) throws {
    guard let size = pax.sparse["realsize"].flatMap(Self.number) else { throw Self.malformed }
    var numbers: [Int64] = []
    var digits: [UInt8] = []
    var wanted = 1
    var taken: Int64 = 0
    while numbers.count < wanted {
      guard taken + 512 <= limit, let record = try stream.record() else { throw Self.malformed }
      taken += 512
      for byte in UnsafeRawBufferPointer(start: record, count: 512) where numbers.count < wanted {
        if byte != 0x0A {
          digits.append(byte)
          continue
        }
        guard let number = Self.number(digits) else { throw Self.malformed }
        if numbers.isEmpty {
          guard number <= Int64(Self.mostPieces) else { throw Self.malformed }
          wanted = 1 + 2 * Int(number)
        }
        numbers.append(number)
        digits = []
      }
    }
    try self.init(Self.pairs(Array(numbers.dropFirst())), fileSize: size)
    headerSize = taken
  }

  private static func number(_ digits: some Collection<UInt8>) -> Int64? {
    PaxRecords.number(digits).flatMap { Int64(exactly: $0) }
  }

  private static func pairs(_ numbers: [Int64]) throws -> [Piece] {
    guard numbers.count % 2 == 0, numbers.count / 2 <= mostPieces else { throw malformed }
    return stride(from: 0, to: numbers.count, by: 2).map {
      Piece(offset: numbers[$0], length: numbers[$0 + 1])
    }
  }
}
