/// A line of source as a terminal shows it, with the column of every byte.
///
/// Positions count bytes and terminals count cells: a tab fills up to its stop, a wide character
/// takes two cells, a combining one none. Control characters are shown as pictures, so that no
/// source text can move the cursor or change colours.
struct DisplayText {
  /// Characters with the cell each begins in.
  private(set) var cells: [(text: String, column: Int)] = []
  /// How many cells the whole line takes.
  private(set) var width = 0
  /// The cell in which each byte of the line is shown.
  private var columns: [Int] = []

  /// How far apart tab stops are.
  private static let tab = 4

  init(_ bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    var index = 0
    while index < bytes.count {
      let length = Self.scalarLength(bytes, index)
      let scalar = String(decoding: bytes[index..<index + length], as: UTF8.self)
      columns += Array(repeating: width, count: length)
      append(scalar)
      index += length
    }
  }

  /// The cell of a byte, counted from 0; the end of the line for bytes past it.
  func column(ofByte offset: Int) -> Int {
    offset < columns.count ? columns[max(offset, 0)] : width
  }

  /// The cells of a part of the line, cut off characters left out.
  func text(from first: Int, to end: Int) -> String {
    cells.filter { $0.column >= first && $0.column < end }.map(\.text).joined()
  }

  private mutating func append(_ text: String) {
    guard let scalar = text.unicodeScalars.first else { return }
    if scalar == "\t" {
      let count = Self.tab - width % Self.tab
      for _ in 0..<count { place(" ", width: 1) }
    } else if let picture = Self.picture(of: scalar) {
      place(picture, width: 1)
    } else {
      place(text, width: Self.width(of: scalar))
    }
  }

  private mutating func place(_ text: String, width count: Int) {
    if count == 0, let last = cells.indices.last {
      cells[last].text += text
    } else {
      cells.append((text, width))
    }
    width += count
  }

  /// The number of bytes of the scalar at an index; a byte that is part of none counts alone.
  private static func scalarLength(_ bytes: [UInt8], _ index: Int) -> Int {
    let length =
      switch bytes[index] {
      case 0xC2...0xDF: 2
      case 0xE0...0xEF: 3
      case 0xF0...0xF4: 4
      default: 1
      }
    guard index + length <= bytes.count,
      bytes[index + 1..<index + length].allSatisfy({ $0 & 0xC0 == 0x80 })
    else { return 1 }
    return length
  }

  /// What stands for a character that would act on the terminal or is not to be seen.
  private static func picture(of scalar: Unicode.Scalar) -> String? {
    switch scalar.value {
    case 0..<0x20: Unicode.Scalar(0x2400 + scalar.value).map { String($0) }
    case 0x7F: "\u{2421}"
    case 0x80..<0xA0, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: "\u{FFFD}"
    default: nil
    }
  }

  private static func width(of scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,
      0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
      0x1FA70...0x1FAFF, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}

extension DisplayText {
  /// A message fit for a terminal: control characters shown as pictures, lines kept.
  static func message(_ text: String) -> String {
    let acts = text.unicodeScalars.contains { $0 != "\n" && picture(of: $0) != nil }
    guard acts else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false).map {
      let line = DisplayText($0.utf8)
      return line.text(from: 0, to: line.width + 1)
    }.joined(separator: "\n")
  }
}
