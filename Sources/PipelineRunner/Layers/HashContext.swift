import CCrypto
import Glibc
import Synchronization

/// A SHA-256 state and a buffer to read into, used again and again.
///
/// Unchecked: a context is taken out of the pool by one job, used by it alone and given back, so
/// that no two threads ever have it.
final class HashContext: @unchecked Sendable {
  static let bufferSize = 1 << 20
  static let digestSize = 32

  let buffer = UnsafeMutableRawPointer.allocate(byteCount: bufferSize, alignment: 4096)
  private let context: OpaquePointer

  init() {
    guard let context = EVP_MD_CTX_new(),
      EVP_DigestInit_ex2(context, Algorithm.sha256.pointer, nil) == 1
    else { preconditionFailure("libcrypto has no SHA-256") }
    self.context = context
  }

  deinit {
    EVP_MD_CTX_free(context)
    buffer.deallocate()
  }

  func begin() {
    EVP_DigestInit_ex2(context, nil, nil)
  }

  func update(_ bytes: UnsafeRawPointer, _ count: Int) {
    EVP_DigestUpdate(context, bytes, count)
  }

  /// Writes the 32 bytes of the digest.
  func finish(into target: UnsafeMutableRawPointer) {
    EVP_DigestFinal_ex(context, target.assumingMemoryBound(to: UInt8.self), nil)
  }

  func finish() -> Digest {
    withUnsafeTemporaryAllocation(byteCount: Self.digestSize, alignment: 8) { bytes in
      guard let start = bytes.baseAddress else { preconditionFailure("no room for a digest") }
      finish(into: start)
      return Digest(bytes: bytes)
    }
  }

  // MARK: Pool

  private static let idle = Mutex<[HashContext]>([])

  /// Lends a context.
  static func use<Result>(_ body: (HashContext) throws -> Result) rethrows -> Result {
    let context = idle.withLock { $0.popLast() } ?? HashContext()
    context.begin()
    defer { idle.withLock { $0.append(context) } }
    return try body(context)
  }
}

/// A digest algorithm looked up once: OpenSSL 3 searches its providers at each use of `EVP_sha256`.
///
/// Unchecked: libcrypto's methods are immutable and shared between threads.
private struct Algorithm: @unchecked Sendable {
  static let sha256 = Algorithm()

  let pointer: OpaquePointer?

  private init() { pointer = EVP_MD_fetch(nil, "SHA256", nil) }
}
