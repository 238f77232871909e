/// Says which ports the image listens on: `EXPOSE`.
///
/// ```swift
/// Expose(80, 443, .udp(53), .tcp(8000...8010))
/// ```
public struct Expose: SingleStep {
  /// A port and its protocol.
  public struct Port: Hashable, Sendable, ExpressibleByIntegerLiteral {
    let word: Word

    /// A TCP port.
    public init(integerLiteral value: UInt16) {
      word = Word(literal: "\(value)")
    }

    private init(_ word: Word) {
      self.word = word
    }

    /// A TCP port.
    public static func tcp(_ port: UInt16) -> Port { Port("\(port)") }

    /// Some consecutive TCP ports.
    public static func tcp(_ ports: ClosedRange<UInt16>) -> Port {
      Port("\(ports.lowerBound)-\(ports.upperBound)")
    }

    /// A UDP port.
    public static func udp(_ port: UInt16) -> Port { Port("\(port)/udp") }

    /// Some consecutive UDP ports.
    public static func udp(_ ports: ClosedRange<UInt16>) -> Port {
      Port("\(ports.lowerBound)-\(ports.upperBound)/udp")
    }

    /// An SCTP port.
    public static func sctp(_ port: UInt16) -> Port { Port("\(port)/sctp") }

    /// A port with variables, as in `.spelled("\(Variable("PORT"))/tcp")`.
    public static func spelled(_ word: Word) -> Port { Port(word) }
  }

  private let ports: [Port]

  /// Exposes ports.
  public init(_ ports: Port...) {
    self.ports = ports
  }

  public var step: Step { Step(.expose(ports.map(\.word))) }
}
