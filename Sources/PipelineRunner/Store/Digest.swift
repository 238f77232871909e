import CCrypto

/// A SHA-256 digest, the only algorithm this program writes.
struct Digest: Hashable, Sendable, Comparable {
  /// 64 lower-case hexadecimal digits; checked where a digest is made, so that it may name a file.
  let hex: String

  /// Wraps 32 bytes.
  init(bytes: some Sequence<UInt8>) {
    var digits: [UInt8] = []
    digits.reserveCapacity(64)
    let table = Array("0123456789abcdef".utf8)
    for byte in bytes {
      digits.append(table[Int(byte >> 4)])
      digits.append(table[Int(byte & 15)])
    }
    precondition(digits.count == 64, "a SHA-256 digest has 32 bytes")
    hex = String(decoding: digits, as: UTF8.self)
  }

  /// Reads `sha256:` and 64 lower-case digits; nil for anything else (threat 26).
  init?(_ text: some StringProtocol) {
    guard text.hasPrefix("sha256:") else { return nil }
    self.init(hex: text.dropFirst("sha256:".count))
  }

  /// Reads 64 lower-case digits; nil for anything else.
  init?(hex: some StringProtocol) {
    guard hex.utf8.count == 64,
      hex.utf8.allSatisfy({
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
          || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
      })
    else { return nil }
    self.hex = String(hex)
  }

  static func < (left: Digest, right: Digest) -> Bool { left.hex < right.hex }
}

extension Digest: CustomStringConvertible {
  var description: String { "sha256:\(hex)" }
}

extension Digest: Codable {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let digest = Digest(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(text)' is not a sha256 digest")
    }
    self = digest
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// SHA-256 over bytes that arrive piece by piece, in OpenSSL.
///
/// A class because the C context has identity; it never leaves the task that made it.
final class SHA256Hasher {
  private let context: OpaquePointer

  init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      preconditionFailure("libcrypto has no SHA-256")
    }
    self.context = context
  }

  deinit {
    EVP_MD_CTX_free(context)
  }

  func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  func update(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { update($0) }
  }

  /// The digest of everything given so far; the hasher is spent afterwards.
  func finalize() -> Digest {
    var result = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &result, nil)
    return Digest(bytes: result)
  }

  static func digest(of bytes: [UInt8]) -> Digest {
    let hasher = SHA256Hasher()
    hasher.update(bytes)
    return hasher.finalize()
  }
}
