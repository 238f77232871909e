/// The parts of an instruction that are there whatever it is: keyword, flags, and the rest.
struct InstructionHead {
  /// Where the keyword stands in the text.
  let keywordRange: Range<Int>
  /// The keyword in upper case.
  let keyword: String
  let flags: [FlagReader.Flag]
  /// What follows the flags, without white space at its ends.
  let rest: Range<Int>

  /// Splits a text at its first blank and reads the flags that follow.
  init(_ bytes: [UInt8], in range: Range<Int>) {
    let trimmed = Blanks.trimmed(range, in: bytes)
    let end = bytes[trimmed].firstIndex(where: Blanks.separates) ?? trimmed.upperBound
    keywordRange = trimmed.lowerBound..<end
    keyword = String(decoding: bytes[keywordRange], as: UTF8.self).uppercased()
    let reader = FlagReader(bytes, in: end..<trimmed.upperBound)
    flags = reader.flags
    rest = reader.rest
  }
}
