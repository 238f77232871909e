/// `HEALTHCHECK`: how to find out whether a container works.
public enum HealthcheckInstruction: Hashable, Sendable {
  /// `HEALTHCHECK NONE`: also switches an inherited check off.
  case none
  case command(CommandLine, Options)

  /// The flags as written; durations in Go's syntax (`1m30s`), checked when the config is made.
  public struct Options: Hashable, Sendable {
    public var interval: String?
    public var timeout: String?
    public var startPeriod: String?
    public var startInterval: String?
    public var retries: String?

    /// Creates options; what is nil is left to whoever runs the container.
    public init(
      interval: String? = nil, timeout: String? = nil, startPeriod: String? = nil,
      startInterval: String? = nil, retries: String? = nil
    ) {
      self.interval = interval
      self.timeout = timeout
      self.startPeriod = startPeriod
      self.startInterval = startInterval
      self.retries = retries
    }
  }
}
