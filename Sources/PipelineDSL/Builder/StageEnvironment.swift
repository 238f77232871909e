/// What the steps of a stage have set up so far, for the steps that follow.
struct StageEnvironment {
  /// The default of each argument that is declared.
  private var arguments: [String: Word?] = [:]
  private var triggerArguments: [String: Word?] = [:]
  private(set) var shell = ShellFlavor.posix

  /// What a stage that starts from this one begins with: triggers do not go on to it (S10).
  var inherited: StageEnvironment {
    var environment = self
    environment.triggerArguments = [:]
    return environment
  }

  /// The arguments that a step refers to and that the stage has to declare first, in order.
  ///
  /// An argument has no value in a stage that does not declare it (S6), and a reference to it would
  /// silently be empty.
  ///
  /// - Throws: a diagnostic for a name that is none, and for one argument with two defaults.
  mutating func undeclared(in step: Step) throws(Diagnostic) -> [BuildArgument] {
    var missing: [BuildArgument] = []
    var references = step.references[...]
    while let reference = references.popFirst() {
      if let problem = reference.problem { throw Diagnostic(problem, at: step.location) }
      guard let argument = reference.argument else { continue }
      if let known = step.isTrigger ? triggerArguments[argument.name] : arguments[argument.name] {
        guard known == nil || argument.defaultValue == nil || known == argument.defaultValue
        else { throw argument.twoDefaults(at: step.location) }
        continue
      }
      // A default may refer to arguments too; those come first.
      let inner = argument.defaultValue?.references ?? []
      let isReady = inner.allSatisfy { reference in
        guard let name = reference.argument?.name else { return true }
        return (step.isTrigger ? triggerArguments[name] : arguments[name]) != nil
      }
      guard isReady else {
        references = inner[...] + [reference] + references
        continue
      }
      if step.isTrigger {
        triggerArguments[argument.name] = .some(argument.defaultValue)
      } else {
        arguments[argument.name] = .some(argument.defaultValue)
      }
      missing.append(argument)
    }
    return missing
  }

  /// Notes what an instruction sets up.
  mutating func note(_ instruction: Instruction) {
    switch instruction {
    case .argument(let declarations):
      for declaration in declarations {
        arguments[declaration.name] = .some(declaration.defaultValue)
      }
    case .shell(let words): shell = ShellFlavor(words)
    default: break
    }
  }
}
