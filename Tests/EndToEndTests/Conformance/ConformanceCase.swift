import Foundation
import Testing

/// A Dockerfile with its surroundings, read from a file of `Cases`.
///
/// The file has header lines `key: value`, then sections that begin with `=== `; README.md beside
/// the cases lists them.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
  struct Section: Sendable {
    var words: [String]
    var text: String
  }

  /// `AREA/NAME`.
  let name: String
  /// What one sentence says, and the rules it shows.
  private(set) var title = ""
  private(set) var target: String?
  private(set) var platform: String?
  private(set) var dockerfile = "Dockerfile"
  private(set) var context = "."
  private(set) var arguments: [String] = []
  private(set) var contexts: [String] = []
  private(set) var secrets: [String] = []
  /// Base images whose names are put together in the Dockerfile.
  private(set) var images: [String] = []
  /// Further options for both builders.
  private(set) var options: [String] = []
  /// Patterns of the paths whose times count.
  private(set) var times: [String] = []
  /// What our message says, for a build that fails.
  private(set) var messages: [String] = []
  /// The row of docs/differences.md that this shows.
  private(set) var differs: String?
  /// The peer does not know the feature: what to expect was written from the reference.
  private(set) var isFromReference = false
  private(set) var sections: [Section] = []

  /// Whether something on loopback belongs to the surroundings.
  var needsServer: Bool {
    sections.contains { $0.words.first == "served" || $0.text.contains(CaseServer.mark) }
      || options.contains { $0.contains(CaseServer.agentMark) }
  }

  var testDescription: String { name }
  var file: String { Self.directory + "/\(name).case" }
  var expectationFile: String { Self.directory + "/\(name).expected" }

  /// Names in the Dockerfile that stand for images of `BusyboxBase`.
  func uses(_ image: String) -> Bool {
    images.contains(image)
      || sections.contains { section in
        section.text.split { $0.isWhitespace || "=,/:\"".contains($0) }.contains { $0 == image }
      }
  }
}

extension ConformanceCase {
  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  static let directory =
    (#filePath as NSString).deletingLastPathComponent + "/../Cases"

  /// The names of all cases, by area.
  static let names: [String] = {
    let all = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
    return all.filter { $0.hasSuffix(".case") }.map { String($0.dropLast(5)) }.sorted()
  }()

  init(named name: String) throws {
    let text = try String(contentsOfFile: Self.directory + "/\(name).case", encoding: .utf8)
    try self.init(named: name, text: text)
  }

  init(named name: String, text: String) throws {
    self.name = name
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
    if lines.last == "" { lines.removeLast() }
    while let line = lines.first, !line.hasPrefix("=== ") {
      lines.removeFirst()
      if line.isEmpty || line.hasPrefix("#") { continue }
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { throw Malformed(description: "\(name): '\(line)'") }
      try set(String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces))
    }
    for line in lines {
      if line.hasPrefix("=== ") {
        sections.append(Section(words: Self.words(String(line.dropFirst(4))), text: ""))
      } else {
        sections[sections.count - 1].text += line + "\n"
      }
    }
  }

  private mutating func set(_ key: String, _ value: String) throws {
    switch key {
    case "title": title = value
    case "target": target = value
    case "platform": platform = value
    case "dockerfile": dockerfile = value
    case "context": context = value
    case "build-arg": arguments.append(value)
    case "build-context": contexts.append(value)
    case "secret": secrets.append(value)
    case "image": images.append(value)
    case "option": options.append(value)
    case "time": times.append(value)
    case "message": messages.append(value)
    case "differs": differs = value
    case "source" where value == "reference": isFromReference = true
    default: throw Malformed(description: "\(name): unknown line '\(key): \(value)'")
    }
  }

  /// Blanks separate words outside of double quotes.
  private static func words(_ text: String) -> [String] {
    var words: [String] = []
    var word = ""
    var isQuoted = false
    for character in text {
      if character == "\"" {
        isQuoted.toggle()
      } else if character == " " && !isQuoted {
        words.append(word)
        word = ""
      } else {
        word.append(character)
      }
    }
    return (words + [word]).filter { !$0.isEmpty }
  }
}
