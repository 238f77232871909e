// Plain text has room for neither a secret nor a mount, and Swift would put a debugging description
// there. It prefers its own overload to an unavailable one, so these warn instead; and the graph of
// a declaration with such a text is refused.
extension DefaultStringInterpolation {
  @available(
    *, deprecated,
    message: """
      the program does not know the secret's value: mount it with '.reading(secret)', or write \
      'secret.path' for the file it is in
      """
  )
  public mutating func appendInterpolation(_ secret: Secret) {
    appendLiteral(PlainText.marker(for: "the secret '\(secret.id)'"))
  }

  @available(
    *, deprecated,
    message: """
      plain text cannot mount an artifact: interpolate it into the text of 'Run', or write \
      'artifact.path' for the path it has where it was made
      """
  )
  public mutating func appendInterpolation(_ artifact: some ArtifactReference) {
    let path = artifact.reference.declaration.path
    appendLiteral(PlainText.marker(for: "the artifact '\(path)'"))
  }

  @available(
    *, deprecated,
    message: """
      plain text cannot refer to a build argument: use it in the text of 'Run', in 'Env', 'Label' \
      or in the name of a base image
      """
  )
  public mutating func appendInterpolation(_ argument: BuildArgument) {
    appendLiteral(PlainText.marker(for: "the build argument '\(argument.name)'"))
  }
}

/// Marks what plain text cannot hold, between zero bytes that nobody writes.
enum PlainText {
  static func marker(for subject: String) -> String { "\0\(subject)\0" }

  /// What is wrong with a text, nil where nothing is.
  static func problem(of text: String) -> String? {
    let parts = text.unicodeScalars.split(separator: "\0", omittingEmptySubsequences: false)
    guard parts.count > 1 else { return nil }
    let subject = String(parts[1])
    return subject.hasPrefix("the ") && parts.count > 2
      ? "\(subject) stands in plain text, which cannot hold it"
      : "a text holds a zero byte, which no system can take"
  }
}
