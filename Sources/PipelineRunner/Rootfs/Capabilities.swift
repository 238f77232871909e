/// The capabilities that a command can have at most, one bit each.
enum Capabilities {
  /// What docker's containers have.
  static let standard: UInt64 = [
    chown, dacOverride, fileOwner, fileSetID, kill, setGID, setUID, setProcessCapabilities,
    bindService, rawNetwork, changeRoot, makeNodes, auditWrite, setFileCapabilities,
  ].reduce(0) { $0 | 1 << $1 }

  /// Everything that this process itself has.
  static let all = UInt64.max

  private static let chown: UInt64 = 0
  private static let dacOverride: UInt64 = 1
  private static let fileOwner: UInt64 = 3
  private static let fileSetID: UInt64 = 4
  private static let kill: UInt64 = 5
  private static let setGID: UInt64 = 6
  private static let setUID: UInt64 = 7
  private static let setProcessCapabilities: UInt64 = 8
  private static let bindService: UInt64 = 10
  private static let rawNetwork: UInt64 = 13
  private static let changeRoot: UInt64 = 18
  private static let makeNodes: UInt64 = 27
  private static let auditWrite: UInt64 = 29
  private static let setFileCapabilities: UInt64 = 31
}
