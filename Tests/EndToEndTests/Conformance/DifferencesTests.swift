import Foundation
import Testing

/// Every row of docs/differences.md is shown by a case or by a test.
@Suite struct DifferencesTests {
  private static let root = (#filePath as NSString).deletingLastPathComponent + "/../../.."

  /// Rows that no single build shows, and the file with the test that does.
  private static let elsewhere = [
    "network of a `RUN` without `--network`": "Tests/PipelineRunnerTests/PlannerTests.swift",
    "`--memory`, `--cpus`, `--pids-limit`":
      "Tests/PipelineRunnerTests/SandboxLimitTests.swift",
    "text that is not UTF-8 or holds a zero byte, outside comments":
      "Tests/PipelineDSLTests/DockerfileParserTests.swift",
    "`user.*` attributes of files in a layer": "Tests/PipelineRunnerTests/LayerPackerTests.swift",
    "provenance": "Tests/PipelineRunnerTests/AttestationTests.swift",
    "tags of base images": "Tests/PipelineRunnerTests/LockFileTests.swift",
    "`--network=none` as a build option": "Tests/EndToEndTests/Cases/run/R9-network-option.case",
    "mode of a source under `--chmod`, owner under `--chown`":
      "Tests/EndToEndTests/Conformance/CacheHitTests.swift",
    "`chown` and `mknod` in a command, without root":
      "Tests/EndToEndTests/Sandbox/OneIDTests.swift",
    "owner that a command takes from `stat`, with one id":
      "Tests/EndToEndTests/Sandbox/OneIDTests.swift",
    "`USER` with one id": "Tests/EndToEndTests/Sandbox/OneIDTests.swift",
    "`su`, `setuid` and the like in a command, with one id":
      "Tests/EndToEndTests/Sandbox/OneIDTests.swift",
    "devices in a directory output without root":
      "Tests/EndToEndTests/Sandbox/OneIDTests.swift",
    "credentials in the address of `ADD`":
      "Tests/PipelineRunnerTests/Remote/GitSourceTests.swift",
    "modification time of a copied file": "Tests/EndToEndTests/Conformance/CacheHitTests.swift",
  ]

  @Test("every difference has a case or a test")
  func rows() throws {
    let text = try String(contentsOfFile: Self.root + "/docs/differences.md", encoding: .utf8)
    let subjects = text.split(separator: "\n").filter {
      $0.hasPrefix("| ") && !$0.hasPrefix("| subject ")
    }
    .compactMap { $0.split(separator: "|").first?.trimmingCharacters(in: .whitespaces) }
    #expect(subjects.count > 5)
    let shown = Set(
      try ConformanceCase.names.compactMap { try ConformanceCase(named: $0).differs })
    for subject in subjects where !shown.contains(subject) {
      let file = try #require(Self.elsewhere[subject], "nothing shows '\(subject)'")
      #expect(FileManager.default.fileExists(atPath: "\(Self.root)/\(file)"), "\(file)")
    }
    #expect(shown.subtracting(subjects) == [], "cases show differences that have no row")
  }
}
