extension InstructionReader {
  func readRun() throws(Diagnostic) -> RunInstruction {
    let flags = try flags([
      "mount": .list, "network": .string, "security": .string, "device": .list,
    ])
    var mounts: [Mount] = []
    for flag in head.flags where flag.name == "mount" {
      let mount = try MountReader.read(flag.value ?? "", at: location(flag.range))
      if let from = mount.from, from.utf8.contains(UInt8(ascii: "$")) {
        throw failure(
          "variable expansion is not supported for 'from' of '--mount'", at: flag.range,
          help: "add a stage 'FROM \(from) AS name' before this one, with ARG before the first "
            + "FROM, and write 'from=name'")
      }
      mounts.append(mount)
    }
    let modes = [("network", ["default", "none", "host"]), ("security", ["sandbox", "insecure"])]
    for (name, modes) in modes {
      guard let flag = head.flags.first(where: { $0.name == name }),
        let value = flag.value, !modes.contains(value)
      else { continue }
      let last = modes[modes.count - 1]
      throw failure(
        "invalid \(name) mode '\(value)'", at: flag.range,
        help: "write \(modes.dropLast().joined(separator: ", ")) or \(last)")
    }
    return RunInstruction(
      commandLine(head.rest), heredocs: heredocs, mounts: mounts,
      network: flags.string("network"), security: flags.string("security"),
      devices: flags.list("device"))
  }

  /// `CMD` and `ENTRYPOINT`.
  func readCommand() throws(Diagnostic) -> CommandLine {
    _ = try flags([:])
    return commandLine(head.rest)
  }

  func readShell() throws(Diagnostic) -> [String] {
    _ = try flags([:])
    switch json {
    case .strings(let arguments) where !arguments.isEmpty: return arguments
    case .other where !head.rest.isEmpty:
      throw failure(
        "SHELL requires the arguments to be in JSON form", at: head.rest,
        help: "write 'SHELL [\"/bin/sh\", \"-c\"]'")
    default:
      throw failure(
        "SHELL requires at least one argument", help: "write 'SHELL [\"/bin/sh\", \"-c\"]'")
    }
  }

  mutating func readHealthcheck() throws(Diagnostic) -> HealthcheckInstruction {
    let kind = bytes[head.rest].prefix { !Blanks.separates($0) }
    let kindRange = kind.startIndex..<kind.endIndex
    let command = Blanks.trimmed(kind.endIndex..<head.rest.upperBound, in: bytes)
    let hasOperands =
      if case .strings(let arguments) = json { !arguments.isEmpty } else { !command.isEmpty }
    switch String(decoding: kind, as: UTF8.self).uppercased() {
    case "":
      throw failure(
        "HEALTHCHECK requires at least one argument",
        help: "write 'HEALTHCHECK CMD command' or 'HEALTHCHECK NONE'")
    case "NONE":
      guard !hasOperands else {
        throw failure("HEALTHCHECK NONE takes no arguments", at: command)
      }
      warnAboutIgnoredFlags(of: "HEALTHCHECK NONE")
      return .none
    case "CMD":
      let flags = try flags([
        "interval": .string, "timeout": .string, "start-period": .string,
        "start-interval": .string, "retries": .string,
      ])
      guard hasOperands else {
        throw failure("missing command after HEALTHCHECK CMD", at: kindRange)
      }
      let options = HealthcheckInstruction.Options(
        interval: flags.string("interval"), timeout: flags.string("timeout"),
        startPeriod: flags.string("start-period"), startInterval: flags.string("start-interval"),
        retries: flags.string("retries"))
      return .command(commandLine(command), options)
    default:
      throw failure(
        "unknown type '\(text(kindRange))' in HEALTHCHECK", at: kindRange,
        help: "write 'HEALTHCHECK CMD command' or 'HEALTHCHECK NONE'")
    }
  }

  /// `ONBUILD`: the trigger stays text, here-documents and all (S10).
  func readTrigger() throws(Diagnostic) -> OnBuildInstruction {
    guard let trigger else {
      throw failure(
        "ONBUILD requires at least one argument", help: "write an instruction after ONBUILD")
    }
    _ = try flags([:])
    switch trigger.keyword {
    case "ONBUILD":
      throw failure(
        "chaining ONBUILD via 'ONBUILD ONBUILD' isn't allowed", at: trigger.keywordRange)
    case "FROM", "MAINTAINER":
      throw failure(
        "\(trigger.keyword) isn't allowed as an ONBUILD trigger", at: trigger.keywordRange)
    case "ENV", "LABEL":
      // The pairs are read with the line that holds them; all else is when the trigger runs.
      if !trigger.rest.isEmpty { _ = try readAssignments(of: trigger) }
    default: break
    }
    var start = head.keywordRange.upperBound
    while start < bytes.count, bytes[start] != 0x0B, Blanks.separates(bytes[start]) { start += 1 }
    var text = text(start..<bytes.count)
    for heredoc in heredocs { text += "\n" + heredoc.body + heredoc.name }
    return OnBuildInstruction(text)
  }

  private func commandLine(_ range: Range<Int>) -> CommandLine {
    if case .strings(let arguments) = json { return .exec(arguments) }
    return .shell(text(range))
  }
}
