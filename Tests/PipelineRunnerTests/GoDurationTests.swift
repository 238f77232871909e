import Testing

@testable import PipelineRunner

@Suite("Go durations")
struct GoDurationTests {
  @Test(
    "texts that are durations",
    arguments: [
      ("0", 0), ("30s", 30_000_000_000), ("1m30s", 90_000_000_000), ("1.5h", 5_400_000_000_000),
      ("500ms", 500_000_000), ("10us", 10_000), ("-2s", -2_000_000_000),
      ("1h0m1s", 3601_000_000_000),
    ])
  func reads(text: String, nanoseconds: Int64) {
    #expect(GoDuration.nanoseconds(text) == nanoseconds)
  }

  @Test("texts that are not", arguments: ["", "5", "s", "1x", "1.s.", "--1s", "9999999999h"])
  func refuses(text: String) {
    #expect(GoDuration.nanoseconds(text) == nil)
  }

  @Test(
    "printing",
    arguments: [
      (0, "0s"), (30_000_000_000, "30s"), (90_000_000_000, "1m30s"), (1_500_000_000, "1.5s"),
      (3_600_000_000_000, "1h0m0s"), (1_000_000, "1ms"), (1_500_000, "1.5ms"),
    ] as [(Int64, String)])
  func prints(nanoseconds: Int64, text: String) {
    #expect(GoDuration.text(nanoseconds) == text)
  }
}
