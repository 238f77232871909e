import Testing

@testable import PipelineRunner

@Suite struct IdentityMapTests {
  @Test(
    "the kernel's map of ids tells where a program runs",
    arguments: [
      ("         0          0 4294967295\n", IdentityMap.machine),
      ("         0       1000          1\n         1     100000      65536\n", .several),
      ("         0     100000      65536\n", .several),
      ("         0       1000          1\n", .one),
      ("      1000       1000          1\n", .one),
      ("", .machine),
    ])
  func reading(_ map: String, _ expected: IdentityMap) {
    #expect(IdentityMap.reading(map) == expected)
  }
}
