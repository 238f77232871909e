import PipelineDSL

/// An annotation and the document it stands in.
struct OutputAnnotation: Hashable, Sendable {
  enum Level: String, CaseIterable, Hashable, Sendable {
    case manifest
    case index
    case manifestDescriptor = "manifest-descriptor"
    case indexDescriptor = "index-descriptor"
  }

  var level: Level
  /// Nil for every platform.
  var platform: Platform?
  var key: String
  var value: String

  init(level: Level = .manifest, platform: Platform? = nil, key: String, value: String) {
    self.level = level
    self.platform = platform
    self.key = key
    self.value = value
  }

  /// Reads a field of `-o`: `annotation.KEY`, `annotation-LEVEL.KEY`, each also with `[PLATFORM]`
  /// before the dot; nil where the name is none of these.
  init?(field: String, value: String) throws(Diagnostic) {
    guard field.hasPrefix("annotation"), let dot = field.firstIndex(of: "."), dot != field.endIndex
    else { return nil }
    var head = field[..<dot].dropFirst("annotation".count)
    let key = String(field[field.index(after: dot)...])
    guard !key.isEmpty else { throw Diagnostic("'\(field)' names no annotation") }
    var platform: Platform?
    if head.hasSuffix("]"), let open = head.firstIndex(of: "[") {
      platform = try Platform(parsing: String(head[head.index(after: open)...].dropLast()))
      head = head[..<open]
    }
    guard let level = head.isEmpty ? .manifest : Level(rawValue: String(head.dropFirst())) else {
      return nil
    }
    self.init(level: level, platform: platform, key: key, value: value)
  }

  /// Reads the value of `--annotation`: `[LEVEL[,LEVEL][[PLATFORM]]:]KEY=VALUE`.
  static func parse(_ text: String) throws(Diagnostic) -> [OutputAnnotation] {
    let (whole, value) = text.splitAtEqualsSign
    guard text.contains("="), !whole.isEmpty else {
      throw Diagnostic("'--annotation \(text)' is not of the form KEY=VALUE")
    }
    guard let colon = whole.firstIndex(of: ":") else {
      return [OutputAnnotation(key: whole, value: value)]
    }
    let key = String(whole[whole.index(after: colon)...])
    guard !key.isEmpty else { throw Diagnostic("'--annotation \(text)' names no key") }
    var result: [OutputAnnotation] = []
    for part in whole[..<colon].split(separator: ",") {
      var name = part
      var platform: Platform?
      if name.hasSuffix("]"), let open = name.firstIndex(of: "[") {
        platform = try Platform(parsing: String(name[name.index(after: open)...].dropLast()))
        name = name[..<open]
      }
      guard let level = Level(rawValue: String(name)) else {
        throw Diagnostic(
          "'--annotation \(text)': there is no level '\(name)'",
          help: "the levels are \(Level.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      result.append(OutputAnnotation(level: level, platform: platform, key: key, value: value))
    }
    return result
  }
}
