import PipelineDSL

/// The operands of `EXPOSE` as the ports they stand for (M3).
enum PortSpecification {
  /// `80`, `80/udp`, `8000-8010`, `ip:host:container` as `port/protocol`, in order of operands.
  static func ports(_ text: String, at location: SourceLocation?) throws(Diagnostic) -> [String] {
    func malformed(_ reason: String) -> Diagnostic {
      Diagnostic(
        "invalid containerPort: '\(text)': \(reason)", at: location,
        help: "write a port from 0 to 65535, a range a-b, and /tcp, /udp or /sctp after it")
    }
    let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let transport = halves.count == 2 ? halves[1].lowercased() : "tcp"
    guard ["tcp", "udp", "sctp"].contains(transport) else {
      throw malformed("'\(transport)' is not tcp, udp or sctp")
    }
    // Only the container's part of ip:host:container counts; the rest is docker run's business.
    let address = halves[0].split(separator: ":", omittingEmptySubsequences: false)
    let range = (address.last ?? "").split(separator: "-", omittingEmptySubsequences: false)
    let numbers = range.map { UInt16($0) }
    guard (1...2).contains(numbers.count), let first = numbers[0],
      let last = numbers[numbers.count - 1]
    else { throw malformed("not a port number") }
    guard first <= last else { throw malformed("the range ends before it begins") }
    return (first...last).map { "\($0)/\(transport)" }
  }
}
