import PipelineDSL
import Testing

@Suite("Suggestions")
struct EditDistanceTests {
  @Test(
    "a word within two edits is suggested",
    arguments: [
      ("bulid", "build"), ("biuld", "build"), ("buil", "build"), ("builder", "build"),
      ("FORM", nil), ("x", nil), ("build", nil), ("bu", nil), ("rum", "run"), ("", nil),
    ] as [(String, String?)])
  func nearest(word: String, candidate: String?) {
    #expect(EditDistance.nearest(to: word, among: ["run", "build", "copy"]) == candidate)
  }

  @Test("the nearer one wins, and the first among equals")
  func choice() {
    #expect(EditDistance.nearest(to: "stage", among: ["stag", "stages", "page"]) == "stag")
    #expect(EditDistance.nearest(to: "stag", among: ["flags", "stage"]) == "stage")
  }

  @Test("words of any length are compared in no time")
  func longWords() {
    let word = String(repeating: "a", count: 100_000)
    #expect(EditDistance.nearest(to: word, among: [word + "b"]) == nil)
  }
}
