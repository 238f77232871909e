import ArgumentParser
import PipelineDSL

/// `update`: pins what the build's sources stand for now; nothing else changes the lock file.
struct UpdateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update", abstract: "Pin base images, downloads and commits in Image.lock.",
    discussion: """
      Where there is an Image.lock beside the Dockerfile or program, builds use what it pins, and \
      what it does not pin is told, or with --locked refused.
      """)

  @OptionGroup var flags: BuildFlags

  func run() async throws {
    var request = try flags.request(tags: [], outputs: [])
    let store = try Store(at: request.stateDirectory)
    let registries = RegistryClient(options: request.registries)
    request.contexts.registries = RegistryImages(client: registries, store: store)
    request.inputs.downloads = HTTPDownloads(
      client: registries.http, retries: request.registries.retries)
    let old = request.lock.content
    let new = try await LockUpdate(request: request, store: store).run()
    let changes = new.changes(from: old ?? LockFile())
    for line in changes { print(line) }
    if changes.isEmpty {
      print("'\(request.lock.path)' is up to date")
      if old != nil { return }
    }
    try new.write(to: request.lock.path)
    let count = "\(changes.count) \(changes.count == 1 ? "change" : "changes")"
    print("wrote '\(request.lock.path)': \(count)")
  }
}
