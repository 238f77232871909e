import Foundation

/// What a case is expected to become, as the file beside it says.
struct Expectation {
  /// Who says so: `buildkit`, or `reference` where BuildKit does not know the feature or we differ.
  var source: String
  /// The image as `ImageDescription` writes it; nil for a build that fails.
  var image: [String]?
  /// What the peer said as it failed, for people.
  var message = ""

  init(source: String, image: [String]?, message: String = "") {
    self.source = source
    self.image = image
    self.message = message
  }

  init(of conformanceCase: ConformanceCase) throws {
    let text = try String(contentsOfFile: conformanceCase.expectationFile, encoding: .utf8)
    var lines = text.split(separator: "\n").map(String.init)
    guard lines.count >= 2, lines[0].hasPrefix("source: "), lines[1].hasPrefix("result: ") else {
      throw ConformanceCase.Malformed(
        description: "\(conformanceCase.name).expected begins with no source and result")
    }
    source = String(lines.removeFirst().dropFirst(8))
    image = lines.removeFirst() == "result: built" ? lines : nil
  }

  var text: String {
    var lines = ["source: \(source)", "result: \(image == nil ? "failed" : "built")"]
    lines += image ?? []
    if !message.isEmpty { lines.append("message: \(message)") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The lines that only one side has, `-` for missing and `+` for surplus ones.
  static func difference(from expected: [String], to found: [String]) -> String {
    found.difference(from: expected).map { change in
      switch change {
      case .remove(_, let line, _): "- \(line)"
      case .insert(_, let line, _): "+ \(line)"
      }
    }.joined(separator: "\n")
  }
}
