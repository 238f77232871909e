/// Reads the comma-separated fields of a `--mount` flag (R5).
enum MountReader {
  /// The fields in order, keys in lower case.
  ///
  /// - Throws: a diagnostic where quotes are not as CSV has them, or a field is empty.
  static func read(_ text: String, at location: SourceLocation) throws(Diagnostic) -> Mount {
    var fields: [Mount.Field] = []
    for field in try split(text, at: location) {
      guard !field.isEmpty else {
        throw Diagnostic(
          "a field of --mount is empty", at: location,
          help: "write fields as 'key=value', with one comma between two of them")
      }
      let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let key = parts[0].lowercased()
      fields.append(
        Mount.Field(key, parts.count == 2 ? Word(raw: String(parts[1])) : nil))
    }
    return Mount(fields)
  }

  private static func split(
    _ text: String, at location: SourceLocation
  ) throws(Diagnostic) -> [String] {
    var fields: [String] = []
    var scalars = text.unicodeScalars[...]
    while true {
      var field = ""
      if scalars.first == "\"" {
        scalars.removeFirst()
        try readQuoted(&scalars, into: &field, at: location)
        guard scalars.first == "," || scalars.isEmpty else { throw misquoted(text, location) }
      } else {
        let plain = scalars.prefix { $0 != "," }
        guard !plain.contains("\"") else { throw misquoted(text, location) }
        field.unicodeScalars.append(contentsOf: plain)
        scalars = scalars.dropFirst(plain.count)
      }
      fields.append(field)
      guard !scalars.isEmpty else { return fields }
      scalars.removeFirst()
    }
  }

  private static func readQuoted(
    _ scalars: inout Substring.UnicodeScalarView, into field: inout String,
    at location: SourceLocation
  ) throws(Diagnostic) {
    while let scalar = scalars.popFirst() {
      guard scalar == "\"" else {
        field.unicodeScalars.append(scalar)
        continue
      }
      guard scalars.first == "\"" else { return }
      scalars.removeFirst()
      field.unicodeScalars.append("\"")
    }
    throw misquoted("\"" + field, location)
  }

  private static func misquoted(_ text: String, _ location: SourceLocation) -> Diagnostic {
    Diagnostic(
      "the quotes in '--mount=\(text)' are not in order", at: location,
      help: "put quotes around a whole field, and double those inside it")
  }
}
