import Glibc
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
    case .started(let id):
      let operation = operation(id)
      write("\(Self.name(operation)) \(operation.title)\(Self.place(operation))\n")
    case .output(let id, let line):
      write("\(Self.name(operation(id))) | \(String(decoding: line, as: UTF8.self))\n")
    case .finished(let id, let status, let seconds):
      let operation = operation(id)
      switch status {
      case .cached, .skipped, .cancelled:
        write(
          "\(Self.name(operation)) \(operation.title)\(Self.place(operation)): \(status.word)\n")
      case .ran(let reason):
        let why = reason.map { " (\($0))" } ?? ""
        write("\(Self.name(operation)) ran in \(Seconds.text(seconds))\(why)\n")
      case .failed:
        write("\(Self.name(operation)) \(status.word) after \(Seconds.text(seconds))\n")
      }
    case .task(let text, let seconds): write("\(text) in \(Seconds.text(seconds))\n")
    }
  }

  private func operation(_ id: OperationID) -> Operation {
    operations.withLock { $0[id.index] }
  }

  private static func name(_ operation: Operation) -> String {
    operation.number == 0
      ? "[\(operation.stage)]" : "[\(operation.stage) \(operation.number)/\(operation.count)]"
  }

  private static func place(_ operation: Operation) -> String {
    operation.location.map { "  (\($0.file):\($0.line))" } ?? ""
  }
}

/// Says nothing but warnings.
struct QuietProgress: ProgressRenderer {
  func handle(_ event: BuildEvent) {}
}

/// Whole texts on standard error, not interleaved by threads.
enum StandardError {
  private static let lock = Mutex(())

  @Sendable static func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    lock.withLock { _ in
      while !bytes.isEmpty {
        let written = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if written < 0 && errno == EINTR { continue }
        // Nobody listens any more; a build does not fail for that.
        guard written > 0 else { return }
        bytes = bytes.dropFirst(written)
      }
    }
  }
}

/// Durations for people.
enum Seconds {
  /// `0.42 s`, `12.3 s`, `2 min 5 s`.
  static func text(_ seconds: Double) -> String {
    if seconds >= 120 { return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s" }
    let digits = seconds < 10 ? 100.0 : 10.0
    let scaled = Int((seconds * digits).rounded())
    let whole = scaled / Int(digits)
    let rest = "\(scaled % Int(digits))"
    let padding = String(repeating: "0", count: (seconds < 10 ? 2 : 1) - rest.count)
    return "\(whole).\(padding)\(rest) s"
  }
}
