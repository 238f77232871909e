import ArgumentParser
import PipelineDSL

/// The options that limit what commands may use; their names are docker's.
struct LimitOptions: ParsableArguments {
  @Option(
    name: .shortAndLong, help: "Memory that a command may use, such as 512m or 2g, swap included.")
  var memory: String?

  @Option(help: "Processes that a command may have at once.")
  var pidsLimit: Int?

  @Option(help: "Processors that a command may use, such as 1.5.")
  var cpus: Double?

  /// The limits, checked.
  var limits: ResourceLimits {
    get throws(CommandFailure) {
      try Self.limits(memory: memory, pidsLimit: pidsLimit, cpus: cpus)
    }
  }

  static func limits(
    memory: String? = nil, pidsLimit: Int? = nil, cpus: Double? = nil
  ) throws(CommandFailure) -> ResourceLimits {
    var limits = ResourceLimits()
    if let memory {
      guard let bytes = PipelineDSL.ByteCount(memory)?.bytes else {
        throw CommandFailure.usage(
          "'\(memory)' is no amount of memory", help: "write a number with b, k, m or g after it")
      }
      guard bytes >= 6 << 20 else {
        throw CommandFailure.usage("--memory has to be 6m at least: '\(memory)' is less")
      }
      limits.memory = bytes
    }
    if let pidsLimit, pidsLimit != -1, pidsLimit != 0 {
      guard pidsLimit > 0 else {
        throw CommandFailure.usage("--pids-limit has to be a positive number")
      }
      limits.processes = pidsLimit
    }
    if let cpus, cpus != 0 {
      guard cpus >= 0.01, cpus < 100_000 else {
        throw CommandFailure.usage("--cpus has to be a number of processors from 0.01 on")
      }
      limits.processors = cpus
    }
    return limits
  }
}
