/// `RUN`: a command executed in the stage's root file system, whose changes become a layer.
public struct RunInstruction: Hashable, Sendable {
  public var command: CommandLine
  /// The bodies of the here-documents that the command's text names, in order.
  public var heredocs: [Heredoc]
  public var mounts: [Mount]
  /// The text of `--network`: `default`, `none` or `host`.
  public var network: String?
  /// The text of `--security`: `sandbox` or `insecure`.
  public var security: String?
  /// The values of `--device`, in order.
  public var devices: [String]

  /// Creates a command with nothing mounted and the default network.
  public init(
    _ command: CommandLine, heredocs: [Heredoc] = [], mounts: [Mount] = [],
    network: String? = nil, security: String? = nil, devices: [String] = []
  ) {
    self.command = command
    self.heredocs = heredocs
    self.mounts = mounts
    self.network = network
    self.security = security
    self.devices = devices
  }
}

extension RunInstruction {
  /// The here-document that is all of the command, as in `RUN <<EOF`; nil for any other command.
  ///
  /// Its body is the script itself; around other text a shell has to read it (R2).
  package var soleHeredoc: Heredoc? {
    guard case .shell(let text) = command, let heredoc = heredocs.first, HeredocWord(text) != nil
    else { return nil }
    return heredoc
  }
}
