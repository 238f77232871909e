import FoundationEssentials
import SystemPackage

/// Small files of the store that are no content of their own: a value as JSON, and in a last line
/// the digest of what stands before it.
///
/// A file that lost or changed a byte reads as one that is not there. One without the last line is
/// from an earlier version and is read as well: JSON that ends is whole.
enum CheckedFile {
  static func write(_ value: some Encodable, to path: FilePath) throws {
    let text = Array(try JSONEncoder().encode(value))
    let digest = SHA256Hasher.digest(of: text).hex
    try FileContent.replace(path, with: text + [UInt8(ascii: "\n")] + Array(digest.utf8))
  }

  /// The value in a file; nil where there is none that can be believed.
  static func read<Value: Decodable>(_ type: Value.Type, from path: FilePath) throws -> Value? {
    try read(type, from: path.string)
  }

  static func read<Value: Decodable>(_ type: Value.Type, from path: String) throws -> Value? {
    guard let bytes = try FileContent.readIfPresent(path), let text = content(of: bytes) else {
      return nil
    }
    return try? JSONDecoder().decode(type, from: Data(text))
  }

  /// The JSON of a file; nil where its digest is another one.
  static func content(of bytes: [UInt8]) -> ArraySlice<UInt8>? {
    guard bytes.count > 65, bytes[bytes.count - 65] == UInt8(ascii: "\n") else { return bytes[...] }
    let text = bytes[..<(bytes.count - 65)]
    let found = SHA256Hasher.digest(of: Array(text)).hex
    return bytes[(bytes.count - 64)...].elementsEqual(found.utf8) ? text : nil
  }
}
