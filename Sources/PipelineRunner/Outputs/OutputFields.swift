import PipelineDSL

/// The fields of an option that docker reads as a line of CSV.
enum OutputFields {
  /// Splits at commas; a field in double quotes keeps its commas, and `""` in it is one quote.
  static func split(_ text: String) throws(Diagnostic) -> [String] {
    var fields: [String] = []
    var field: [Character] = []
    var isQuoted = false
    var rest = text[...]
    while let character = rest.popFirst() {
      switch character {
      case "\"" where isQuoted && rest.first == "\"":
        field.append("\"")
        rest.removeFirst()
      case "\"" where isQuoted || field.isEmpty: isQuoted.toggle()
      case "," where !isQuoted:
        fields.append(String(field))
        field = []
      default: field.append(character)
      }
    }
    guard !isQuoted else { throw Diagnostic("'\(text)': a quote is not closed") }
    fields.append(String(field))
    return fields
  }

  /// What Go's `strconv.ParseBool` reads.
  static func flag(_ text: String) -> Bool? {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": true
    case "0", "f", "F", "false", "FALSE", "False": false
    default: nil
    }
  }
}
