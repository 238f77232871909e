import PipelineDSL
import Synchronization

/// Progress as lines of text on standard error, for logs and pipes.
///
/// Each line names the stage and the step, where the step stands, and how it ended.
final class PlainProgress: ProgressRenderer {
  private let operations = Mutex<[Operation]>([])
  private let render: @Sendable (Diagnostic) -> String
  private let write: @Sendable (String) -> Void

  init(
    render: @escaping @Sendable (Diagnostic) -> String,
    write: @escaping @Sendable (String) -> Void = StandardError.write
  ) {
    self.render = render
    self.write = write
  }

  func handle(_ event: BuildEvent) {
    switch event {
    case .planned(let planned): operations.withLock { $0 = planned }
    case .warning(let diagnostic): write(render(diagnostic))
    case .skipped(let stage): write("\(StepText.line(stage)): skipped\n")
    case .started(let id): write("\(StepText.line(operation(id)))\n")
    case .output(let id, let line):
      write("\(StepText.name(operation(id))) | \(String(decoding: line, as: UTF8.self))\n")
    case .finished(let id, let status, let seconds): finish(operation(id), status, seconds)
    case .fetching: break
    case .fetched(let id, let bytes, let seconds):
      write(
        "\(StepText.line(operation(id))): \(SizeText.text(bytes)) unpacked in"
          + " \(Seconds.text(seconds))\n")
    case .task(let text, let seconds): write("\(text) in \(Seconds.text(seconds))\n")
    }
  }

  private func finish(_ operation: Operation, _ status: OperationStatus, _ seconds: Double) {
    switch status {
    case .cached, .cancelled: write("\(StepText.line(operation)): \(status.word)\n")
    case .ran(let reason):
      let why = reason.map { " (\($0))" } ?? ""
      write("\(StepText.name(operation)) ran in \(Seconds.text(seconds))\(why)\n")
    case .failed:
      write("\(StepText.name(operation)) \(status.word) after \(Seconds.text(seconds))\n")
    }
  }

  private func operation(_ id: OperationID) -> Operation {
    operations.withLock { $0[id.index] }
  }
}
