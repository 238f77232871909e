import CCrypto

/// SHA-256 by the system's library.
enum Checksum {
  static func hex(of bytes: some Collection<UInt8>) -> String {
    let digest: [UInt8] =
      bytes.withContiguousStorageIfAvailable { Self.digest(UnsafeRawBufferPointer($0)) }
      ?? Array(bytes).withUnsafeBytes { Self.digest($0) }
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
      SHA256(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, buffer.baseAddress)
      count = 32
    }
  }
}
