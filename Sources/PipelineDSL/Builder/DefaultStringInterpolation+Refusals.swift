// Plain text has room for neither a secret nor a mount, and Swift would put a debugging description
// there: so these do not compile.
extension DefaultStringInterpolation {
  @available(
    *, unavailable,
    message: """
      the program does not know the secret's value: mount it with '.reading(secret)', or write \
      'secret.path' for the file it is in
      """
  )
  public mutating func appendInterpolation(_ secret: Secret) {}

  @available(
    *, unavailable,
    message: """
      plain text cannot mount an artifact: interpolate it into the text of 'Run', or write \
      'artifact.path' for the path it has where it was made
      """
  )
  public mutating func appendInterpolation(_ artifact: some ArtifactReference) {}

  @available(
    *, unavailable,
    message: """
      plain text cannot refer to a build argument: use it in the text of 'Run', in 'Env', 'Label' \
      or in the name of a base image
      """
  )
  public mutating func appendInterpolation(_ argument: BuildArgument) {}
}
