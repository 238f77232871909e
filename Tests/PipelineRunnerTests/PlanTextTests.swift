import PipelineDSL
import Testing

@testable import PipelineRunner

@Suite("Texts of a plan")
struct PlanTextTests {
  @Test(
    "paths are cleaned as Go cleans them",
    arguments: [
      ("/a/../b", "/b"), ("/../a", "/a"), ("a/./b//c", "a/b/c"), ("../a", "../a"), ("", "."),
      ("/", "/"), ("a/..", "."),
    ])
  func cleansPaths(path: String, cleaned: String) {
    #expect(PathText.clean(path) == cleaned)
  }

  @Test(
    "platform names and aliases",
    arguments: [
      ("linux/amd64", "linux/amd64"), ("linux/x86_64", "linux/amd64"),
      ("linux/arm64/v8", "linux/arm64"), ("linux/arm", "linux/arm/v7"),
      ("linux/armhf", "linux/arm/v7"), ("arm64", "linux/arm64"), ("Linux/AMD64", "linux/amd64"),
    ])
  func readsPlatforms(text: String, name: String) throws {
    #expect("\(try Platform(parsing: text))" == name)
  }

  @Test(
    "texts that name no platform",
    arguments: ["", "/", "linux/", "a/b/c/d", "nonsense", "li nux/amd64"])
  func refusesPlatforms(text: String) {
    #expect(throws: Diagnostic.self) { try Platform(parsing: text) }
  }

  @Test(
    "ports, ranges and transports",
    arguments: [
      ("80", ["80/tcp"]), ("53/UDP", ["53/udp"]),
      ("8000-8002", ["8000/tcp", "8001/tcp", "8002/tcp"]),
      ("127.0.0.1:8080:80", ["80/tcp"]), ("0", ["0/tcp"]),
    ])
  func readsPorts(text: String, ports: [String]) throws {
    #expect(try PortSpecification.ports(text, at: nil) == ports)
  }

  @Test("texts that are no ports", arguments: ["", "http", "65536", "90-80", "80/icmp", "1-2-3"])
  func refusesPorts(text: String) {
    #expect(throws: Diagnostic.self) { try PortSpecification.ports(text, at: nil) }
  }

  @Test(
    "stop signals",
    arguments: [
      ("SIGTERM", true), ("term", true), ("9", true), ("RTMIN+3", true), ("0", false),
      ("SIGNONSENSE", false), ("RTMIN+99", false), ("", false),
    ])
  func readsSignals(text: String, isValid: Bool) {
    #expect(StopSignal.isValid(text) == isValid)
  }

  @Test("history texts in Go's forms")
  func goText() {
    #expect(GoText.quotedList(["sh", "-c", "echo \"hi\""]) == #"["sh" "-c" "echo \"hi\""]"#)
    #expect(GoText.list(["/a", "/b"]) == "[/a /b]")
    #expect(GoText.quoted("a\n\u{1}") == #""a\n\x01""#)
  }

  @Test("a variable set again moves to the end")
  func variablesKeepOrder() {
    var list = VariableList(["A=1", "B=2"])
    list.set("A", "3")
    #expect(list.strings == ["B=2", "A=3"])
    #expect(list["A"] == "3")
    #expect(list["C"] == nil)
  }
}
