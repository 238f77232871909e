import Foundation
import Testing

/// Writes expectations down from BuildKit; `Tests/EndToEndTests/record` starts one and runs this.
///
/// It never writes what our own builder does.
@Suite struct RecordingTests {
  private static let command = ProcessInfo.processInfo.environment["RECORD_WITH"]

  @Test(
    "BuildKit's results are recorded", .enabled(if: command != nil),
    arguments: ConformanceCase.names)
  func record(name: String) async throws {
    let conformanceCase = try ConformanceCase(named: name)
    guard !conformanceCase.isFromReference, conformanceCase.differs == nil else { return }
    if ProcessInfo.processInfo.environment["RECORD_ALL"] == nil,
      FileManager.default.fileExists(atPath: conformanceCase.expectationFile)
    {
      return
    }
    let command = (Self.command ?? "").split(separator: " ").map(String.init)
    let expectation = try await Self.turnstile.pass {
      let workspace = try CaseWorkspace(conformanceCase)
      let outcome = try await CaseBuilder.buildKit(command: command).build(workspace)
      switch try ConformanceTests.summary(of: outcome, workspace) {
      case .built(let lines, _):
        return Expectation(source: "buildkit", image: lines.map(Self.current))
      case .failed(let message):
        return Expectation(source: "buildkit", image: nil, message: Self.lasting(message))
      }
    }
    // A case that was meant to fail names the message, and one that was not does not.
    #expect((expectation.image == nil) == !conformanceCase.messages.isEmpty, "\(expectation.text)")
    try Data(expectation.text.utf8).write(
      to: URL(fileURLWithPath: conformanceCase.expectationFile))
  }

  /// What is the same in every run, of BuildKit's last words.
  private static func lasting(_ message: String) -> String {
    let last = message.split(separator: "\n").last { $0.hasPrefix("ERROR") } ?? "no message"
    return String(last).replacing("ERROR: failed to build: failed to solve: ", with: "")
      .replacing(#/ of ref [^ "]+/#, with: "")
      .replacing(/: (failed to do request|failed to authorize).*/, with: "")
      .replacing(/\/tmp\/pipeline-e2e-[A-Za-z0-9]+/, with: "")
  }

  /// A history entry as BuildKit prints it now: before 0.26 it showed the fields of a check without
  /// their names.
  private static func current(_ line: String) -> String {
    let old =
      #/HEALTHCHECK &\{\[(.*)\] \\"(\w.*)\\" \\"(.*)\\" \\"(.*)\\" \\"(.*)\\" '\\\\x(..)'\}/#
    guard let match = try? old.firstMatch(in: line) else { return line }
    let test = match.1.replacing("\\\"", with: "")
    let retries = Int(match.6, radix: 16) ?? 0
    return line.replacing(
      old,
      with: "HEALTHCHECK {Test:[\(test)] Interval:\(match.2) Timeout:\(match.3) "
        + "StartPeriod:\(match.4) StartInterval:\(match.5) Retries:\(retries)}")
  }

  private static let turnstile = Turnstile(2)
}
