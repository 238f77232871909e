import Testing

@testable import PipelineRunner

@Suite struct SubordinateIDsTests {
  private let text = """
    other:1:1
    me:100000:65536
    1000:300000:10
    me:broken:5
    me:5:0
    metoo:7:7
    """

  @Test("a user's ranges are found by name and by number, broken lines are passed over")
  func ranges() {
    #expect(
      SubordinateIDs(text, user: "me", uid: 1000).ranges
        == [.init(first: 100_000, count: 65536), .init(first: 300_000, count: 10)])
    #expect(SubordinateIDs(text, user: "nobody", uid: 65534).ranges == [])
  }

  @Test("the user is root, and the ranges follow each other from 1 on")
  func map() {
    #expect(
      SubordinateIDs(text, user: "me", uid: 1000).map(own: 1000)
        == ["0", "1000", "1", "1", "100000", "65536", "65537", "300000", "10"])
  }
}
