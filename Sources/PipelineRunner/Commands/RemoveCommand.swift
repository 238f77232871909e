import ArgumentParser
import PipelineDSL

/// `rm`: takes the name of an image away.
struct RemoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove images by name; 'prune' then frees their layers.")

  @OptionGroup var state: StateOptions

  @Argument(help: "Names, as given to build -t.")
  var names: [String]

  func run() async throws {
    let store = try Store(at: state.directory)
    let references = try names.map { name in
      try BuildFlags.usage { () throws(Diagnostic) in "\(try RegistryReference(name))" }
    }
    let known = try store.images().map(\.name)
    // All or none: a mistyped name must not leave half of the work done.
    for reference in references where !known.contains(reference) {
      let near = EditDistance.nearest(to: reference, among: known)
      throw Diagnostic(
        "no image '\(reference)' was built here",
        help: near.map { "did you mean '\($0)'?" } ?? "'images' lists what is there")
    }
    for reference in references where try store.removeImage(named: reference) {
      print("removed \(reference)")
    }
  }
}
