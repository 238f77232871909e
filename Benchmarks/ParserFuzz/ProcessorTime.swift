import Foundation

/// Time that this process was at work, whatever else the machine does.
enum ProcessorTime {
  /// Runs something, and returns what it gave and how long it took.
  static func measuring<Value>(_ work: () -> Value) -> (value: Value, time: Duration) {
    let start = clock()
    let value = work()
    return (value, .microseconds((clock() - start) * 1_000_000 / CLOCKS_PER_SEC))
  }
}
