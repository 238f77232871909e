/// One step or several that belong together: what a stage's body is made of.
///
/// Every step of this module conforms; so can a list of steps that a project wants to reuse, with
/// its inputs as stored properties.
///
/// ```swift
/// struct InstallPackages: Steps {
///   var packages: [String]
///
///   var steps: [Step] {
///     Run("apt-get update && apt-get install -y \(packages) && rm -rf /var/lib/apt/lists/*")
///   }
/// }
/// ```
public protocol Steps: Sendable {
  /// The steps in the order they run.
  @StepBuilder var steps: [Step] { get }
}

/// Steps that are exactly one instruction.
public protocol SingleStep: Steps {
  /// The instruction.
  var step: Step { get }
}

extension SingleStep {
  public var steps: [Step] {
    let only = [step]
    // A plain `return` keeps the builder out: it would call this file the step's place.
    return only
  }
}

extension [Step]: Steps {
  public var steps: [Step] {
    let all = self
    // A plain `return` keeps the builder out, which would ask for these very steps again.
    return all
  }
}
