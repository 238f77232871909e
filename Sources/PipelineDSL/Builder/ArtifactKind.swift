/// What an artifact is: it decides where the artifact may be used.
public protocol ArtifactKind: Sendable {
  /// What the runner looks for when the stage ends.
  static var declared: ArtifactDeclaration.Kind { get }
}

/// The kind of an artifact that is a regular file.
public enum File: ArtifactKind {
  public static var declared: ArtifactDeclaration.Kind { .file }
}

/// The kind of an artifact that is a directory with all it holds.
public enum Directory: ArtifactKind {
  public static var declared: ArtifactDeclaration.Kind { .directory }
}

/// The kind of an artifact that can be started: a regular file with an execute bit.
public enum Executable: ArtifactKind {
  public static var declared: ArtifactDeclaration.Kind { .executable }
}
