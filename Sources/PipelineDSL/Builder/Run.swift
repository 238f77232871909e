/// Runs a command in the stage; what it changes becomes a layer: `RUN`.
///
/// ```swift
/// Run("pip install -r /src/requirements.txt")
/// Run("apt-get install -y \(packages)")
/// Run("/bin/busybox", "--install", "/bin")
/// Run("pip install -r /src/requirements.txt").mounting(pip).reading(token).network(.host)
/// ```
///
/// Text of several lines is a script that ends at its first failing command: see
/// ``ShellCommand``.
public struct Run: SingleStep {
  /// What a step may do with a tree that is mounted.
  public enum MountAccess: Hashable, Sendable {
    case readOnly
    /// The step may write; nobody sees it afterwards (R6).
    case discardingWrites
  }

  public enum Network: String, Hashable, Sendable {
    case `default`
    /// Only the loopback interface.
    case none
    /// The machine's own; a build has to allow it.
    case host
  }

  public enum Security: String, Hashable, Sendable {
    case sandbox
    /// With all capabilities; a build has to allow it.
    case insecure
  }

  private var instruction: RunInstruction
  private let command: ShellCommand.Rendered?
  private var mounts: [RunMount]
  private var problem: Diagnostic?

  /// Runs text with the stage's shell.
  public init(_ command: ShellCommand) {
    let rendered = command.rendered
    instruction = RunInstruction(.shell(rendered.script.text))
    self.command = rendered
    mounts = rendered.mounts
  }

  /// Runs a program with its arguments as they are: no shell, no quoting.
  public init(_ program: String, _ first: String, _ others: String...) {
    self.init(arguments: [program, first] + others)
  }

  /// Runs a vector of arguments that the program has computed.
  ///
  /// ```swift
  /// Run(arguments: ["/usr/bin/make"] + targets)
  /// ```
  public init(arguments: [String]) {
    instruction = RunInstruction(.exec(arguments))
    command = nil
    mounts = []
    problem = InstructionCheck.problem(of: arguments, in: "Run")
  }

  /// Runs lines as a script that goes on after a command that fails, as `RUN <<EOF` does.
  ///
  /// It takes literal text only: text with values in it is a ``ShellCommand``.
  public init(script: StaticString) {
    self.init(scriptText: "\(script)")
  }

  init(scriptText text: String) {
    let body = text.isEmpty || text.utf8.last == UInt8(ascii: "\n") ? text : text + "\n"
    let heredoc = Heredoc(script: body)
    self.init(RunInstruction(.shell("<<" + heredoc.name), heredocs: [heredoc]))
  }

  /// Runs what an instruction of the graph says, for a spelling that nothing else here offers.
  public init(_ instruction: RunInstruction) {
    self.instruction = instruction
    command = nil
    mounts = []
  }

  /// Mounts a cache, at its own path unless another is given.
  public func mounting(_ cache: Cache, at path: Word? = nil) -> Run {
    adding(.cache(cache, at: path ?? Word(literal: cache.path)))
  }

  /// Mounts a part of another stage, an image or a context, in no layer of this stage.
  public func mounting(
    _ artifact: any ArtifactReference, at path: Word, access: MountAccess = .readOnly
  ) -> Run {
    adding(.bind(artifact, at: path, access: access))
  }

  /// Mounts an empty file system in memory, of at most `megabytes` where they are given.
  public func mountingMemory(at path: Word, megabytes: Int? = nil) -> Run {
    var fields = [Mount.Field("target", path)]
    if let megabytes { fields.append(Mount.Field("size", Word(literal: "\(megabytes)m"))) }
    return adding(RunMount("tmpfs", fields: fields))
  }

  /// Mounts what the fields of a mount say, in the order they are printed.
  ///
  /// ```swift
  /// Run("make").mounting(["type": "cache", "target": "/root/.cache", "mode": "0700"])
  /// ```
  public func mounting(_ mount: Mount) -> Run {
    adding(RunMount(mount))
  }

  /// Mounts a tree as the fields of a mount say; the tree takes the place of their `from`.
  ///
  /// ```swift
  /// Run("make").mounting(["source": "/out", "target": "/in"], from: build)
  /// ```
  public func mounting(_ mount: Mount, from origin: some ArtifactSource) -> Run {
    adding(RunMount(mount, origin: origin.tree))
  }

  /// Lets the command read a secret as a file at the secret's path.
  public func reading(_ secret: Secret) -> Run {
    adding(.secret(secret))
  }

  /// Lets the command read a secret from an environment variable.
  public func reading(_ secret: Secret, as variable: String) -> Run {
    adding(.secret(secret, as: variable))
  }

  /// Lets the command use an ssh agent.
  public func using(_ agent: SSHAgent) -> Run {
    adding(agent.mount)
  }

  /// Chooses the network that the command has.
  public func network(_ network: Network) -> Run {
    var run = self
    run.instruction.network = network.rawValue
    return run
  }

  /// Chooses how far the command is confined.
  public func security(_ security: Security) -> Run {
    var run = self
    run.instruction.security = security.rawValue
    return run
  }

  /// Gives the command a device, named as the engine names it.
  public func using(device: String) -> Run {
    var run = self
    run.instruction.devices.append(device)
    return run
  }

  public var step: Step {
    Step(
      .run(instruction, script: command?.script, mounts: mounts),
      references: command?.references ?? [], problem: command?.problem ?? problem)
  }

  private func adding(_ mount: RunMount) -> Run {
    guard !mounts.contains(where: { $0.isSame(as: mount) }) else { return self }
    var run = self
    run.mounts.append(mount)
    return run
  }
}
