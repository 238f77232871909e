import Foundation
import Testing

/// Every case of `Cases`, built by `pipeline` and compared with what is expected.
///
/// All of them share one store, as the builds of one user do.
@Suite struct ConformanceTests {
  private static let state = Result { try ScratchDirectory() }
  private static let turnstile = Turnstile(ProcessInfo.processInfo.activeProcessorCount + 1)

  @Test("a case becomes what is expected of it", arguments: ConformanceCase.names)
  func conformance(name: String) async throws {
    let conformanceCase = try ConformanceCase(named: name)
    let expectation = try Expectation(of: conformanceCase)
    let outcome = try await Self.turnstile.pass {
      let workspace = try CaseWorkspace(conformanceCase)
      return try await Self.summary(
        of: CaseBuilder.pipeline(state: Self.state.get().path).build(workspace), workspace)
    }
    switch (outcome, expectation.image) {
    case (.built(let lines, let problems), let expected?):
      #expect(problems == [])
      #expect(lines == expected, "\(Expectation.difference(from: expected, to: lines))")
    case (.failed(let message), nil):
      for text in conformanceCase.messages { #expect(message.contains(text)) }
      #expect(message.contains("error: "))
    case (.built, nil): Issue.record("it was built and should have failed")
    case (.failed(let message), _?): Issue.record("it failed: \(message)")
    }
  }

  @Test("the suite is there and every case says what it shows")
  func cases() throws {
    #expect(ConformanceCase.names.count >= 200)
    for name in ConformanceCase.names {
      let conformanceCase = try ConformanceCase(named: name)
      #expect(!conformanceCase.title.isEmpty, "\(name)")
      let expectation = try Expectation(of: conformanceCase)
      if conformanceCase.isFromReference || conformanceCase.differs != nil {
        #expect(expectation.source == "reference", "\(name)")
      } else {
        #expect(expectation.source == "buildkit", "\(name)")
      }
    }
  }

  enum Summary: Sendable {
    case built([String], problems: [String])
    case failed(String)
  }

  static func summary(of outcome: CaseOutcome, _ workspace: CaseWorkspace) throws -> Summary {
    switch outcome {
    case .failed(let message): return .failed(workspace.unresolve(message))
    case .built(let image):
      let description = ImageDescription(
        image: image, base: try BusyboxBase.shared.get().image,
        times: workspace.conformanceCase.times)
      return .built(
        description.lines.map(workspace.unresolve),
        problems: image.problems)
    }
  }
}
