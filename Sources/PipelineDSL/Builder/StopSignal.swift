/// Chooses the signal that stops a container: `STOPSIGNAL`.
///
/// ```swift
/// StopSignal("SIGQUIT")
/// ```
public struct StopSignal: SingleStep {
  private let signal: Word

  /// Takes a signal's name or number.
  public init(_ signal: Word) {
    self.signal = signal
  }

  public var step: Step { Step(.stopSignal(signal)) }
}
