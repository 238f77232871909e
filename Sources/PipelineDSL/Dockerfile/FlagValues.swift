/// The flags of one instruction, checked against those it can have (L8).
struct FlagValues {
  enum Kind {
    case string
    case boolean
    /// A string that may be given several times.
    case list
  }

  private var strings: [String: [String]] = [:]
  private var booleans: [String: Bool] = [:]

  /// Sorts flags by name.
  ///
  /// - Throws: a diagnostic at the first flag that the instruction cannot have.
  init(
    _ flags: [FlagReader.Flag], of keyword: String, allowing kinds: KeyValuePairs<String, Kind>,
    at location: (Range<Int>) -> SourceLocation
  ) throws(Diagnostic) {
    var seen: Set<String> = []
    for flag in flags {
      let name = "--" + flag.name
      guard let kind = kinds.first(where: { $0.key == flag.name })?.value else {
        throw Self.unknown(flag, keyword, kinds, at: location(flag.range))
      }
      guard seen.insert(flag.name).inserted || kind == .list else {
        throw Diagnostic("duplicate flag specified: '\(name)'", at: location(flag.range))
      }
      if kind == .boolean {
        booleans[flag.name] = try Self.boolean(flag, at: location(flag.range))
        continue
      }
      guard let value = flag.value else {
        throw Diagnostic(
          "missing a value on flag: '\(name)'", at: location(flag.range),
          help: "write '\(name)=VALUE', without a blank")
      }
      strings[flag.name, default: []].append(value)
    }
  }

  /// The value of a flag that is there once, nil where it is absent or empty.
  func string(_ name: String) -> String? {
    strings[name]?.first.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The value of a flag whose value expands.
  func word(_ name: String) -> Word? { string(name).map { Word(raw: $0) } }

  /// The values of a flag that may be repeated, in order.
  func list(_ name: String) -> [String] { strings[name] ?? [] }

  /// A boolean flag, nil where it is absent.
  func boolean(_ name: String) -> Bool? { booleans[name] }

  private static func boolean(
    _ flag: FlagReader.Flag, at location: SourceLocation
  ) throws(Diagnostic) -> Bool {
    guard let value = flag.value else { return true }
    switch value.lowercased() {
    case "true": return true
    case "false": return false
    case "":
      throw Diagnostic(
        "missing a value on flag: '--\(flag.name)'", at: location,
        help: "write '--\(flag.name)' or '--\(flag.name)=true'")
    default:
      throw Diagnostic(
        "expecting boolean value for flag '--\(flag.name)', not: '\(value)'", at: location,
        help: "write '--\(flag.name)', '--\(flag.name)=true' or '--\(flag.name)=false'")
    }
  }

  private static func unknown(
    _ flag: FlagReader.Flag, _ keyword: String, _ kinds: KeyValuePairs<String, Kind>,
    at location: SourceLocation
  ) -> Diagnostic {
    let near = EditDistance.nearest(to: flag.name, among: kinds.map(\.key))
    let help: String =
      if let near {
        "did you mean '--\(near)'?"
      } else if keyword == "CMD" || keyword == "ENTRYPOINT" {
        "write '--' in front of it to make it a part of the command"
      } else if kinds.isEmpty {
        "\(keyword) has no flags"
      } else {
        "\(keyword) has " + kinds.map { "--\($0.key)" }.joined(separator: ", ")
      }
    return Diagnostic(
      "unknown flag: '--\(flag.name)' of \(keyword)", at: location, help: help)
  }
}
