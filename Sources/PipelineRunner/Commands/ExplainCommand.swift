import ArgumentParser
import PipelineDSL

/// `explain`: why steps would run again, or when and why they last did.
struct ExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Tell why the cache does not serve a step.",
    discussion: """
      For a step that would run: the first of its inputs that is not what it was. For one that is \
      cached: when it ran, and what had changed then.
      """)

  @OptionGroup var flags: BuildFlags

  @Option(help: "Only steps whose name or instruction holds this text, such as 'build 2/4'.")
  var step: String?

  func run() async throws {
    var request = try flags.request(tags: [], outputs: [])
    let store = try Store(at: request.stateDirectory)
    request.contexts.registries = RegistryImages(
      client: RegistryClient(options: request.registries), store: store)
    let plan = try await request.plan(request.options)
    let steps = try await Forecast(plan: plan, store: store, request: request).steps()
    var found = false
    for item in steps {
      let line = StepText.line(item.operation)
      if let step, !line.contains(step) { continue }
      guard let text = Self.text(item.outcome) else { continue }
      found = true
      print("\(line)\n  \(text)")
    }
    if let step, !found {
      throw Diagnostic("no step holds '\(step)'", help: "'plan' lists the steps")
    }
  }

  /// The explanation of one step; nil where there is nothing to explain.
  static func text(_ outcome: Forecast.Outcome) -> String? {
    switch outcome {
    case .base, .check: return nil
    case .asksServer: return "the server is asked whether it has changed"
    case .cached(let record):
      var text =
        "cached: ran at \(ImageTimes.text(record.created)) in \(Seconds.text(record.seconds))"
      text += record.reason.map { ", because \($0)" } ?? ", for the first time"
      return text
    case .runs(let reason): return "runs: \(reason ?? "never built here")"
    case .inherits(let cause):
      return "runs if \(StepText.name(cause)) makes other content than before"
    }
  }
}
