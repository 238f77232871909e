/// Bytes written so that a person can read and type them, and no two look alike.
enum PlainText {
  /// A name in a file system: blanks, controls and everything beyond ASCII as `\xNN`.
  static func name(_ bytes: some Sequence<UInt8>) -> String {
    var text = ""
    for byte in bytes { text += 0x21...0x7E ~= byte && byte != 0x5C ? ascii(byte) : hex(byte) }
    return text
  }

  /// A text in quotes: `\n`, `\t`, `\"`, `\\`, and `\xNN` for other controls and for what is not
  /// UTF-8.
  static func quoted(_ bytes: [UInt8]) -> String {
    let isUTF8 = String(validating: bytes, as: UTF8.self) != nil
    var utf8: [UInt8] = []
    for byte in bytes {
      switch byte {
      case 0x0A: utf8 += Array(#"\n"#.utf8)
      case 0x09: utf8 += Array(#"\t"#.utf8)
      case 0x22: utf8 += Array(#"\""#.utf8)
      case 0x5C: utf8 += Array(#"\\"#.utf8)
      case 0x20...0x7E: utf8.append(byte)
      case 0x80... where isUTF8: utf8.append(byte)
      default: utf8 += Array(hex(byte).utf8)
      }
    }
    return "\"" + String(decoding: utf8, as: UTF8.self) + "\""
  }

  static func quoted(_ text: String) -> String { quoted(Array(text.utf8)) }

  /// Whether somebody would want to read this as text.
  static func isReadable(_ bytes: [UInt8]) -> Bool {
    bytes.allSatisfy { $0 >= 0x20 || $0 == 0x0A || $0 == 0x09 || $0 == 0x0D }
      && String(validating: bytes, as: UTF8.self) != nil
  }

  private static func ascii(_ byte: UInt8) -> String { String(Character(Unicode.Scalar(byte))) }

  private static func hex(_ byte: UInt8) -> String {
    #"\x"# + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
}
