/// The value of a `--mount` flag as comma-separated fields (R5).
struct MountText {
  let csv: String

  init(_ mount: Mount) {
    csv = mount.fields.map { field in
      Self.quoted(field.value.map { "\(field.key)=\($0.raw)" } ?? field.key)
    }.joined(separator: ",")
  }

  /// A field in quotes where a comma or a quote is part of it.
  private static func quoted(_ field: String) -> String {
    let needsQuotes = field.unicodeScalars.contains { $0 == "," || $0 == "\"" }
    guard needsQuotes else { return field }
    var spelled = "\""
    for scalar in field.unicodeScalars {
      if scalar == "\"" { spelled += "\"" }
      spelled.unicodeScalars.append(scalar)
    }
    return spelled + "\""
  }
}
