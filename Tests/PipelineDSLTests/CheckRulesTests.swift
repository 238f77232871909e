import Foundation
import PipelineDSL
import Testing

/// The examples of `docs/checks.md` are tests: the page cannot say what is not so.
///
/// With `RECORD_CHECKS=1` in the environment the messages are written into the page anew.
@Suite("Rules and their page")
struct CheckRulesTests {
  @Test("every rule has its section, in order, that begins with what it demands")
  func sections() throws {
    let page = try CheckPage()
    #expect(page.sections.map(\.id) == CheckRules.all.map(\.id))
    for (section, rule) in zip(page.sections, CheckRules.all) {
      #expect(section.summary == rule.summary + ".", "\(rule.id)")
      #expect(section.text.contains("Experimental") == rule.isExperimental, "\(rule.id)")
    }
  }

  @Test("bad examples get their message, good ones none, and fixes are as shown")
  func examples() throws {
    let page = try CheckPage()
    var recorded: [String] = []
    for section in page.sections {
      let rule = try #require(CheckRules.rule(named: section.id))
      for (index, block) in section.blocks.enumerated() {
        switch block.kind {
        case "dockerfile bad":
          let report = section.report(on: block.text, rule)
          #expect(Set(report.diagnostics.map(\.id)) == [rule.id], "\(rule.id): \(block.text)")
          #expect(report.isFailure == (rule.severity == .error))
          recorded.append(section.rendered(report, block.text))
          let next = section.blocks[(index + 1)...].first
          #expect(
            next?.kind == "text" && next?.text == recorded.last,
            "\(rule.id): \(recorded.last ?? "")")
        case "dockerfile good", "dockerfile fixed":
          let report = section.report(on: block.text, rule)
          #expect(report.diagnostics == [], "\(rule.id): \(block.text)")
        default: break
        }
        guard block.kind == "dockerfile fixed" else { continue }
        let bad = try #require(section.blocks.first { $0.kind == "dockerfile bad" })
        #expect(section.fixed(bad.text, rule) == block.text, "\(rule.id)")
      }
      #expect(
        section.blocks.contains { $0.kind == "dockerfile bad" }
          || rule.id == "InvalidBaseImagePlatform", "\(rule.id)")
    }
    if ProcessInfo.processInfo.environment["RECORD_CHECKS"] != nil { try page.record(recorded) }
  }
}

/// `docs/checks.md`, read.
struct CheckPage {
  struct Block {
    var kind: String
    var text: String
  }

  struct Section {
    var id: String
    var summary = ""
    var text = ""
    var blocks: [Block] = []
  }

  var sections: [Section] = []
  private let lines: [String]
  private static let path = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../docs/checks.md").standardized

  init() throws {
    let content = try String(contentsOf: Self.path, encoding: .utf8)
    lines = content.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var block: Block?
    for line in lines {
      if line.hasPrefix("```") {
        if let finished = block {
          if !sections.isEmpty { sections[sections.count - 1].blocks.append(finished) }
          block = nil
        } else {
          block = Block(kind: String(line.dropFirst(3)), text: "")
        }
      } else if block != nil {
        block?.text += line + "\n"
      } else if line.hasPrefix("## ") {
        sections.append(Section(id: String(line.dropFirst(3))))
      } else if !sections.isEmpty, !line.isEmpty, !line.hasPrefix("# ") {
        if sections[sections.count - 1].summary.isEmpty {
          sections[sections.count - 1].summary = line
        }
        sections[sections.count - 1].text += line + "\n"
      }
    }
  }

  /// Writes messages behind the bad examples, in their order.
  func record(_ messages: [String]) throws {
    var result: [String] = []
    var rest = messages[...]
    var isBad = false
    var skipsText = false
    var index = 0
    while index < lines.count {
      let line = lines[index]
      index += 1
      if line == "```text", skipsText || result.isEmpty == false && rest.count < messages.count {
        while lines[index] != "```" { index += 1 }
        index += 2
        continue
      }
      result.append(line)
      if line == "```dockerfile bad" {
        isBad = true
      } else if line == "```", isBad {
        isBad = false
        skipsText = true
        result +=
          ["", "```text"]
          + rest.removeFirst().split(separator: "\n", omittingEmptySubsequences: false)
          .dropLast().map(String.init) + ["```"]
      }
    }
    try result.joined(separator: "\n").write(to: Self.path, atomically: true, encoding: .utf8)
  }
}

extension CheckPage.Section {
  private func input(_ text: String, _ rule: any CheckRule) -> (CheckInput, [Diagnostic])? {
    let result = DockerfileParser.parse(Array(text.utf8), file: "Dockerfile")
    guard var graph = result.graph else { return nil }
    if rule.isExperimental { graph.directives.check = "experimental=\(rule.id)" }
    let ignore = blocks.first { $0.kind == "text .dockerignore" }.flatMap {
      try? IgnorePatterns(file: Array($0.text.utf8), name: ".dockerignore")
    }
    return (
      CheckInput(graph, source: SourceText(Array(text.utf8)), ignore: ignore), result.diagnostics
    )
  }

  func report(on text: String, _ rule: any CheckRule) -> CheckReport {
    guard let (input, found) = input(text, rule) else {
      Issue.record("an example cannot be read: \(text)")
      return CheckReport(unreadable: [])
    }
    return CheckReport(input, found: found)
  }

  func rendered(_ report: CheckReport, _ text: String) -> String {
    let renderer = DiagnosticRenderer { _ in Array(text.utf8) }
    return report.diagnostics.map(renderer.render).joined()
  }

  func fixed(_ text: String, _ rule: any CheckRule) -> String {
    guard let (input, found) = input(text, rule), let source = input.source else { return "" }
    let edits = CheckReport(input, found: found).edits(input)
    return String(decoding: source.applying(edits), as: UTF8.self)
  }
}
