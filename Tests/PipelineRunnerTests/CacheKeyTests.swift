import Testing

@testable import PipelineRunner

@Suite("Cache keys")
struct CacheKeyTests {
  private func key(_ parts: [(String, String)]) -> CacheKey {
    var key = CacheKey("test")
    for (label, value) in parts { key.add(label, value) }
    return key
  }

  @Test("neighbouring fields cannot be shifted into each other (K10)")
  func encodingIsUnambiguous() {
    #expect(key([("ab", "c")]).digest != key([("a", "bc")]).digest)
    #expect(key([("a", "b"), ("c", "d")]).digest != key([("a", "bcd")]).digest)
    #expect(key([("a", ""), ("", "b")]).digest != key([("a", "b")]).digest)
  }

  @Test("lists are not joined ambiguously")
  func listsAreUnambiguous() {
    var one = CacheKey("test")
    one.add("command", ["ab", "c"])
    var other = CacheKey("test")
    other.add("command", ["a", "bc"])
    #expect(one.digest != other.digest)
  }

  @Test("a difference is told by its first part, short values in full")
  func explains() {
    let old = key([("base", "x"), ("env VERSION", "1.2")]).parts
    #expect(
      key([("base", "x"), ("env VERSION", "1.3")]).firstDifference(from: old)?.text
        == "env VERSION 1.2 → 1.3")
    #expect(key([("base", "x")]).firstDifference(from: old)?.text == "env VERSION is gone")
    #expect(
      key([("base", "x"), ("env VERSION", "1.2"), ("user", "a")]).firstDifference(from: old)?.text
        == "user is new")
    let digests = key([("base", "sha256:aa")]).parts
    #expect(key([("base", "sha256:bb")]).firstDifference(from: digests)?.text == "base changed")
    #expect(key([("base", "x"), ("env VERSION", "1.2")]).firstDifference(from: old)?.text == nil)
  }
}
