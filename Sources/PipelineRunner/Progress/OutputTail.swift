import Synchronization

/// The last lines of a command's output, for the error of a step that fails.
final class OutputTail: Sendable {
  private let lines = Mutex<[[UInt8]]>([])
  private static let limit = 20

  func add(_ line: [UInt8]) {
    lines.withLock { lines in
      lines.append(line)
      if lines.count > Self.limit { lines.removeFirst() }
    }
  }

  var text: String {
    lines.withLock { lines in
      lines.map { "  " + String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
    }
  }
}
