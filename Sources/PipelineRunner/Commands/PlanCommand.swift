import ArgumentParser
import Glibc
import PipelineDSL

/// `plan`: lists the operations and tells which would run.
struct PlanCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "List what would run, and what the cache would serve.")

  @OptionGroup var flags: BuildFlags

  func run() async throws {
    var request = try flags.request(tags: [], outputs: [])
    Terminal.report(request.warnings)
    let store = try Store(at: request.stateDirectory)
    request.contexts.registries = RegistryImages(
      client: RegistryClient(options: request.registries), store: store)
    let plan = try await request.plan(request.options)
    Terminal.report(plan.warnings)
    for line in try await Forecast(plan: plan, store: store, request: request).lines() {
      print(line)
    }
  }
}
