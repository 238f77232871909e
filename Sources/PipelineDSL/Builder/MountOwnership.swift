/// The owner and the permissions of a mounted cache, secret or socket.
///
/// ```swift
/// Secret("token", ownership: MountOwnership(user: 1000, group: 1000, mode: 0o440))
/// ```
public struct MountOwnership: Hashable, Sendable {
  let user: UInt32?
  let group: UInt32?
  let mode: UInt16?

  /// Sets what differs from what the mount has by itself.
  public init(user: UInt32? = nil, group: UInt32? = nil, mode: UInt16? = nil) {
    self.user = user
    self.group = group
    self.mode = mode
  }

  var fields: [Mount.Field] {
    var fields: [Mount.Field] = []
    if let user { fields.append(Mount.Field("uid", Word(literal: "\(user)"))) }
    if let group { fields.append(Mount.Field("gid", Word(literal: "\(group)"))) }
    if let mode {
      let digits = String(mode, radix: 8)
      fields.append(Mount.Field("mode", Word(literal: "0" + digits)))
    }
    return fields
  }
}
