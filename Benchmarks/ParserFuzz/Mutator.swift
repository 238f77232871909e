/// Makes one input of a file of the corpus: the same one for the same seed and number.
struct Mutator {
  private var state: UInt64
  private let corpus: Corpus

  /// What means something to the reader, and is seldom made by chance.
  private static let tokens = [
    "<<EOF", "<<-'E'", "3<<\"A\"", "EOF\n", "\\\n", "`\n", "\\\\\n", "# comment\n", "\n\n", "\r\n",
    "# escape=`\n", "# syntax=x\n", "FROM ", "RUN ", "COPY ", "ENV ", "ONBUILD ", "HEALTHCHECK ",
    "CMD ", "ARG ", "--from=", "--mount=type=cache,target=", "--link", "--", "--exclude=", "[\"",
    "\"]", "[[", "${a:-", "${", "}", "$", "'", "\"", "\t", "\u{A0}", "\u{FEFF}", "é", "\u{0}",
    "=", ",", "<<", " AS ", "\\u0041", "\\ud800", "{\"a\":1}", "null", "1e999",
  ].map { Array($0.utf8) }

  init(seed: UInt64, number: Int, corpus: Corpus) {
    state = seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(number) &* 0xD1B5_4A32_D192_ED03
    self.corpus = corpus
  }

  /// SplitMix64.
  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  private mutating func below(_ limit: Int) -> Int {
    limit <= 0 ? 0 : Int(next() % UInt64(limit))
  }

  private mutating func range(in bytes: [UInt8], atMost length: Int) -> Range<Int> {
    let start = below(bytes.count + 1)
    return start..<min(bytes.count, start + below(length))
  }

  mutating func input() -> [UInt8] {
    var bytes = corpus.files[below(corpus.files.count)]
    for _ in 0...below(4) {
      switch below(8) {
      case 0 where !bytes.isEmpty: bytes[below(bytes.count)] = UInt8(truncatingIfNeeded: next())
      case 1: bytes.removeSubrange(range(in: bytes, atMost: 12))
      case 2, 3:
        bytes.insert(contentsOf: Self.tokens[below(Self.tokens.count)], at: below(bytes.count + 1))
      case 4:
        let copied = bytes[range(in: bytes, atMost: 40)]
        bytes.insert(contentsOf: copied, at: below(bytes.count + 1))
      case 5:
        let other = corpus.files[below(corpus.files.count)]
        bytes.insert(contentsOf: other[range(in: other, atMost: 80)], at: below(bytes.count + 1))
      case 6: bytes.removeLast(below(min(bytes.count, 30) + 1))
      default:
        bytes.replaceSubrange(
          range(in: bytes, atMost: 6), with: Self.tokens[below(Self.tokens.count)])
      }
    }
    return bytes
  }
}
