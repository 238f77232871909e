/// The socket of an ssh agent that a step may use; no key enters the build.
///
/// ```swift
/// Run("git clone git@example.org:team/app.git /src").using(SSHAgent())
/// ```
public struct SSHAgent: Hashable, Sendable {
  let id: String?
  let path: String?
  let presence: Secret.Presence
  let ownership: MountOwnership

  /// Refers to an agent.
  ///
  /// - Parameters:
  ///   - id: the id after `--ssh`, `default` unless given.
  ///   - path: where the socket is; `SSH_AUTH_SOCK` holds the path in any case.
  ///   - presence: whether a build without the agent fails.
  ///   - ownership: the owner and permissions of the socket.
  public init(
    _ id: String? = nil, at path: String? = nil, presence: Secret.Presence = .optional,
    ownership: MountOwnership = MountOwnership()
  ) {
    self.id = id
    self.path = path
    self.presence = presence
    self.ownership = ownership
  }

  var mount: RunMount {
    var fields: [Mount.Field] = []
    if let id { fields.append(Mount.Field("id", Word(literal: id))) }
    if let path { fields.append(Mount.Field("target", Word(literal: path))) }
    if presence == .required { fields.append(Mount.Field("required")) }
    return RunMount("ssh", fields: fields + ownership.fields)
  }
}
