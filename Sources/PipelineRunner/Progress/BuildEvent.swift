import PipelineDSL

/// Something that happened in a build; renderers make text of it.
enum BuildEvent: Sendable {
  case planned([Operation])
  case warning(Diagnostic)
  /// A stage that the target does not need: it neither runs nor is its base looked at.
  case skipped(SkippedStage)
  case started(OperationID)
  /// A line of a command's output, without its line feed.
  case output(OperationID, [UInt8])
  case finished(OperationID, OperationStatus, seconds: Double)
  /// Layers of an operation's base image arrive: so many bytes of so many.
  case fetching(OperationID, bytes: Int64, of: Int64)
  /// They were fetched and unpacked.
  case fetched(OperationID, bytes: Int64, seconds: Double)
  /// Work outside the graph, such as writing an output.
  case task(String, seconds: Double)
}

/// How an operation ended.
///
/// Each has a word of its own: a step that was not needed was not cached.
enum OperationStatus: Hashable, Sendable {
  /// It ran; with the reason why the cache did not serve where that is known.
  case ran(because: String?)
  case cached
  case cancelled
  case failed

  var word: String {
    switch self {
    case .ran: "ran"
    case .cached: "cached"
    case .cancelled: "cancelled"
    case .failed: "FAILED"
    }
  }
}

/// Receives events; one at a time, in order.
protocol ProgressRenderer: Sendable {
  func handle(_ event: BuildEvent)

  /// Leaves the terminal to somebody else until ``resume()``.
  func suspend()
  func resume()
}

extension ProgressRenderer {
  func suspend() {}
  func resume() {}
}
