public import PipelineDSL

/// How pip is called: with which certificates, and with settings that hold for one command only.
public struct Pip: Sendable {
  /// The certificates to trust, mounted over the bundle that Debian and Alpine images have.
  ///
  /// So the command is the same with the secret and without: pip reads the mounted bundle or the
  /// image's own, and no layer gets either.
  let certificates = Secret("ca", at: "/etc/ssl/certs/ca-certificates.crt")

  /// Reads certificates from the build secret `ca` where the command line gives one.
  public init() {}

  /// The command that installs a list of packages, from pip's cache where it has their wheels.
  ///
  /// Debian marks its Python as its own; the second variable says that here the image is ours.
  public func install(_ requirements: String) -> ShellCommand {
    """
    PIP_CERT=\(pathOf: certificates) PIP_BREAK_SYSTEM_PACKAGES=1 pip install -r \(requirements)
    """
  }
}
