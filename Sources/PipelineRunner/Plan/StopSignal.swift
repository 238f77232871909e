/// The signals that `STOPSIGNAL` accepts (M5), as moby's `signal.ParseSignal` reads them.
enum StopSignal {
  /// Whether a text is a number other than 0, or a name with or without `SIG`.
  static func isValid(_ text: String) -> Bool {
    if let number = Int(text) { return number != 0 }
    let upper = text.uppercased()
    let name = upper.hasPrefix("SIG") ? String(upper.dropFirst(3)) : upper
    if names.contains(name) { return true }
    for (prefix, limit) in [("RTMIN+", 15), ("RTMAX-", 14)] where name.hasPrefix(prefix) {
      return Int(name.dropFirst(prefix.count)).map { (1...limit).contains($0) } ?? false
    }
    return false
  }

  private static let names: Set = [
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "RTMAX", "RTMIN", "SEGV", "STKFLT", "STOP", "SYS",
    "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU",
    "XFSZ",
  ]
}
