import PipelineDSL
import Synchronization

/// Progress for a person at a terminal: what is done scrolls up, what runs is kept below with its
/// last line of output and a clock.
final class TerminalProgress: ProgressRenderer {
  private struct Running {
    var start: ContinuousClock.Instant
    var lastLine = ""
    /// How much of a base image is there.
    var amount = ""
  }

  private struct State {
    var operations: [Operation] = []
    var running: [(id: OperationID, step: Running)] = []
    /// Lines of the part that is drawn again.
    var drawn = 0
    /// What is to be printed once the terminal is ours again; nil while it is.
    var held: String?
  }

  private let state = Mutex(State())
  private let render: @Sendable (Diagnostic) -> String
  private let ticker = Mutex<Task<Void, Never>?>(nil)

  init(render: @escaping @Sendable (Diagnostic) -> String) {
    self.render = render
    let task = Task { [weak self] in
      while (try? await Task.sleep(for: .milliseconds(200))) != nil {
        guard let self else { return }
        redraw()
      }
    }
    ticker.withLock { $0 = task }
  }

  deinit {
    ticker.withLock { $0?.cancel() }
  }

  func handle(_ event: BuildEvent) {
    state.withLock { state in
      switch event {
      case .planned(let operations): state.operations = operations
      case .warning(let diagnostic): print(render(diagnostic), &state)
      case .skipped(let stage): print("\(StepText.line(stage)): skipped\n", &state)
      case .started(let id): state.running.append((id, Running(start: .now)))
      case .output(let id, let line):
        guard let index = state.running.firstIndex(where: { $0.id == id }) else { return }
        state.running[index].step.lastLine = String(decoding: line, as: UTF8.self)
        // Drawing for each line would slow a chatty command down; the timer draws it.
        return
      case .fetching(let id, let bytes, let size):
        let amount = "\(SizeText.text(bytes)) of \(SizeText.text(size)) "
        if let index = state.running.firstIndex(where: { $0.id == id }) {
          state.running[index].step.amount = amount
          return
        }
        state.running.append((id, Running(start: .now, amount: amount)))
      case .fetched(let id, let bytes, let seconds):
        state.running.removeAll { $0.id == id }
        let line = StepText.line(state.operations[id.index])
        print(
          "\(line): \(SizeText.text(bytes)) unpacked in \(Seconds.text(seconds))\n", &state)
      case .finished(let id, let status, let seconds):
        state.running.removeAll { $0.id == id }
        print(Self.line(state.operations[id.index], status, seconds), &state)
      case .task(let text, let seconds): print("\(text) in \(Seconds.text(seconds))\n", &state)
      }
      draw(&state)
    }
  }

  func suspend() {
    state.withLock { state in
      print("", &state)
      state.held = ""
    }
  }

  func resume() {
    state.withLock { state in
      guard let held = state.held else { return }
      state.held = nil
      print(held, &state)
      draw(&state)
    }
  }

  private func redraw() {
    state.withLock { draw(&$0) }
  }

  private static func line(
    _ operation: Operation, _ status: OperationStatus, _ seconds: Double
  ) -> String {
    let time =
      switch status {
      case .ran, .failed: " \(Seconds.text(seconds))"
      case .cached, .cancelled: ""
      }
    var reason = ""
    if case .ran(let because?) = status { reason = " (\(because))" }
    return "\(StepText.line(operation)): \(status.word)\(time)\(reason)\n"
  }

  /// Prints lines that stay, above the part that is drawn again.
  private func print(_ text: String, _ state: inout State) {
    guard state.held == nil else {
      state.held?.append(text)
      return
    }
    StandardError.write(Self.erase(state.drawn) + text)
    state.drawn = 0
  }

  private func draw(_ state: inout State) {
    guard state.held == nil, !state.running.isEmpty || state.drawn > 0 else { return }
    let width = StandardError.width - 1
    var text = Self.erase(state.drawn)
    var lines = 0
    for (id, step) in state.running {
      let elapsed = Seconds.text((ContinuousClock.now - step.start).seconds)
      let line = "\(StepText.line(state.operations[id.index])) \(step.amount)\(elapsed)"
      text += Self.cut(line, width) + "\n"
      lines += 1
      guard !step.lastLine.isEmpty else { continue }
      text += Self.cut("  | \(Self.printable(step.lastLine))", width) + "\n"
      lines += 1
    }
    StandardError.write(text)
    state.drawn = lines
  }

  private static func erase(_ lines: Int) -> String {
    lines == 0 ? "" : "\u{1B}[\(lines)A\u{1B}[J"
  }

  private static func cut(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : "\(text.prefix(width - 1))…"
  }

  /// A command's output without what would move the cursor.
  private static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }))
  }
}
