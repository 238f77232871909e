import PipelineDSL
import SystemPackage

/// Looks, before anything runs, whether this machine can run the commands of a plan.
///
/// A command for another processor needs an emulator that the kernel knows (binfmt_misc). What the
/// base image says of itself decides, not the platform that was asked for: a base for another
/// platform is a warning, and may well run. A stage from scratch says nothing; its commands are
/// tried.
struct ForeignPrograms {
  let plan: Plan
  /// A directory with nothing in it.
  let empty: FilePath

  /// The first command that cannot run here, as the error that it will be; nil where there is none.
  ///
  /// Commands that `mayBeCached` are left out: a result that is there needs no emulator.
  func problem(mayBeCached: (Operation) throws -> Bool) throws -> Diagnostic? {
    for operation in plan.operations {
      guard case .run(let run) = operation.action, let platform = platform(of: run),
        !canRun(platform), try !mayBeCached(operation)
      else { continue }
      return Self.problem(platform, operation)
    }
    return nil
  }

  private func canRun(_ platform: Platform) -> Bool {
    let own = Platform.current
    guard platform.os == own.os else { return false }
    return platform.architecture == own.architecture
      || ProgramTrial.outcome(platform.architecture, empty: empty) != .refused
  }

  /// The platform that the base below a command is for; nil where nothing is known.
  private func platform(of run: RunAction) -> Platform? {
    var tree = run.root
    while case .operation(let id) = tree {
      guard case .image = plan[id].action else {
        tree = plan[id].parent
        continue
      }
      guard let image = plan.bases[id]?.configuration, !image.architecture.isEmpty else {
        return run.platform
      }
      return Platform(os: image.os, architecture: image.architecture, variant: image.variant)
    }
    return nil
  }

  private static func problem(_ platform: Platform, _ operation: Operation) -> Diagnostic {
    let own = Platform.current
    guard platform.os == own.os else {
      return Diagnostic(
        "this command is for \(platform), and this machine runs programs for \(own.os) only",
        at: operation.location, help: "use a base image for \(own.os)")
    }
    return Diagnostic(
      "this command is for \(platform), and this machine is \(own) and has no emulator for"
        + " \(platform.architecture)", at: operation.location,
      help: "install one: apt-get install qemu-user-static binfmt-support, or docker run"
        + " --privileged --rm tonistiigi/binfmt --install \(platform.architecture); a stage without"
        + " RUN needs none")
  }
}
