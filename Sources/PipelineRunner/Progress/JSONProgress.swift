import FoundationEssentials
import PipelineDSL
import Synchronization

/// Progress as one JSON object a line, for programs.
final class JSONProgress: ProgressRenderer {
  /// An event's fields; those that it does not have are left out.
  private struct Line: Encodable {
    var event: String
    var step: Int?
    var stage: String?
    var title: String?
    var file: String?
    var line: Int?
    var status: String?
    var reason: String?
    var seconds: Double?
    var bytes: Int64?
    var text: String?
  }

  private let operations = Mutex<[Operation]>([])
  private let write: @Sendable (String) -> Void

  init(write: @escaping @Sendable (String) -> Void = StandardError.write) {
    self.write = write
  }

  func handle(_ event: BuildEvent) {
    switch event {
    case .planned(let planned):
      operations.withLock { $0 = planned }
      for operation in planned { emit(describe(operation, as: "planned")) }
    case .warning(let diagnostic):
      emit(
        Line(
          event: diagnostic.severity.rawValue, file: diagnostic.location?.file,
          line: diagnostic.location?.line, text: diagnostic.message))
    case .skipped(let stage):
      emit(
        Line(
          event: "skipped", stage: stage.name, file: stage.location?.file,
          line: stage.location?.line))
    case .started(let id): emit(describe(operation(id), as: "started"))
    case .output(let id, let bytes):
      emit(Line(event: "output", step: id.index, text: String(decoding: bytes, as: UTF8.self)))
    case .finished(let id, let status, let seconds):
      var line = describe(operation(id), as: "finished")
      line.status = status.word.lowercased()
      line.seconds = seconds
      if case .ran(let because) = status { line.reason = because }
      emit(line)
    case .fetching: break
    case .fetched(let id, let bytes, let seconds):
      var line = describe(operation(id), as: "fetched")
      line.bytes = bytes
      line.seconds = seconds
      emit(line)
    case .task(let text, let seconds): emit(Line(event: "task", seconds: seconds, text: text))
    }
  }

  private func operation(_ id: OperationID) -> Operation {
    operations.withLock { $0[id.index] }
  }

  private func describe(_ operation: Operation, as event: String) -> Line {
    Line(
      event: event, step: operation.id.index, stage: operation.stage, title: operation.title,
      file: operation.location?.file, line: operation.location?.line)
  }

  private func emit(_ line: Line) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let bytes = try? encoder.encode(line) else { return }
    write(String(decoding: bytes, as: UTF8.self) + "\n")
  }
}
