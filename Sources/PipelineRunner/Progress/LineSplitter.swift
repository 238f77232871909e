import Synchronization

/// Cuts a command's output into lines and hides secret values in them.
final class LineSplitter: Sendable {
  private struct State {
    var pending: [[UInt8]]
    var hidden: [[UInt8]]
  }

  private let state: Mutex<State>
  private let emit: @Sendable ([UInt8]) -> Void
  /// A line longer than this is given out in pieces: output has no bound, memory has.
  private static let longest = 65536

  /// Hides every value of `secrets` that is one line of at least four bytes.
  init(hiding secrets: [[UInt8]], emit: @escaping @Sendable ([UInt8]) -> Void) {
    let values = secrets.map { secret in
      Array(secret.reversed().drop { $0 == 0x0A || $0 == 0x0D }.reversed())
    }
    let hidden = values.filter { $0.count >= 4 && !$0.contains(0x0A) }
    state = Mutex(State(pending: [[], []], hidden: hidden))
    self.emit = emit
  }

  /// Takes a piece of a stream; streams are numbered from 0 to 1.
  func take(_ bytes: UnsafeRawBufferPointer, stream: Int) {
    var lines: [[UInt8]] = []
    state.withLock { state in
      var rest = bytes[...]
      while let end = rest.firstIndex(of: 0x0A) {
        lines.append(Self.hide(state.hidden, in: state.pending[stream] + rest[..<end]))
        state.pending[stream] = []
        rest = rest[rest.index(after: end)...]
      }
      state.pending[stream] += rest
      if state.pending[stream].count > Self.longest {
        lines.append(Self.hide(state.hidden, in: state.pending[stream]))
        state.pending[stream] = []
      }
    }
    for line in lines { emit(line) }
  }

  /// Gives out what has no line end yet.
  func finish() {
    let rest = state.withLock { state in
      let rest = state.pending.map { Self.hide(state.hidden, in: $0) }
      state.pending = [[], []]
      return rest
    }
    for line in rest where !line.isEmpty { emit(line) }
  }

  private static func hide(_ secrets: [[UInt8]], in line: [UInt8]) -> [UInt8] {
    var line = line
    if line.last == 0x0D { line.removeLast() }
    for secret in secrets where line.count >= secret.count {
      var start = 0
      while start + secret.count <= line.count {
        if line[start..<start + secret.count].elementsEqual(secret) {
          line.replaceSubrange(start..<start + secret.count, with: Array("***".utf8))
          start += 3
        } else {
          start += 1
        }
      }
    }
    return line
  }
}
