/// What a token allows: a repository, and what may be done there.
struct RegistryScope: Hashable, Sendable {
  var repository: String
  var isWriting = false
  /// Another repository that blobs may be mounted from.
  var mounting: String?

  /// In the spelling of token servers.
  var texts: [String] {
    ["repository:\(repository):\(isWriting ? "pull,push" : "pull")"]
      + (mounting.map { ["repository:\($0):pull"] } ?? [])
  }
}
