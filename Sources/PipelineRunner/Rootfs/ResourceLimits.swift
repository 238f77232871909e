/// How much of the machine a command may use.
struct ResourceLimits: Hashable, Sendable {
  /// Bytes of memory, swap included.
  var memory: Int64?
  /// Processes and threads at once.
  var processes: Int?
  /// Processors, as a number that may have a fraction.
  var processors: Double?

  var isEmpty: Bool { self == ResourceLimits() }
}
