/// A value that steps may read and no layer, configuration or history ever holds.
///
/// The program knows its id only; the command line says where it comes from, with
/// `--secret id=…,src=…`. Text cannot hold a secret: interpolating one does not compile.
///
/// ```swift
/// let token = Secret("token")
/// Run("curl -H @\(token.path) https://example.org/data").reading(token)
/// ```
public struct Secret: Hashable, Sendable {
  public enum Presence: Hashable, Sendable {
    /// Without the secret the step runs, with nothing mounted.
    case optional
    /// Without the secret the build fails.
    case required
  }

  /// The id after `--secret id=`.
  public let id: String
  /// Where a step that reads the secret as a file finds it; no secret itself.
  public let path: String
  let presence: Presence
  let ownership: MountOwnership

  /// Declares a secret.
  ///
  /// - Parameters:
  ///   - id: the id that the command line gives a value to.
  ///   - path: where it is mounted; `/run/secrets/` and the id unless given.
  ///   - presence: whether a build without it fails.
  ///   - ownership: the owner and permissions of the file, 0:0 and 0400 unless given.
  public init(
    _ id: String, at path: String? = nil, presence: Presence = .optional,
    ownership: MountOwnership = MountOwnership()
  ) {
    self.id = id
    self.path = path ?? "/run/secrets/" + id
    self.presence = presence
    self.ownership = ownership
  }
}
