import ArgumentParser
import PipelineDSL

/// `verify`: builds twice and tells what comes out differently.
struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Build twice and find the step that makes something else each time.",
    discussion: """
      Every step runs two times. Times are clamped to the source date epoch, 0 where none is given.
      """)

  @OptionGroup var flags: BuildFlags

  @Option(help: "How to show progress: auto, tty, plain, json or quiet.")
  var progress: ProgressMode = .auto

  func run() async throws {
    try await Privilege.require()
    var request = try flags.request(tags: [], outputs: [])
    request.usesCache = false
    request.options.sourceDateEpoch = request.options.sourceDateEpoch ?? 0
    let store = try Store(at: request.stateDirectory)
    let engine = LocalEngine(store: store, progress: progress.renderer)
    let registries = RegistryClient(options: request.registries)
    let first = try await engine.make(request, registries)
    let second = try await engine.make(request, registries)
    for index in first.images.indices
    where first.images[index].configuration != second.images[index].configuration {
      throw try await Reproduction(
        first.builds[index], second.builds[index], epoch: request.options.sourceDateEpoch
      ).problem()
    }
    for image in first.images {
      let id = SHA256Hasher.digest(of: image.configuration)
      print("reproducible: \(image.platform) is \(id) both times")
    }
  }
}
