import PipelineDSL

/// The index of an operation in its plan.
struct OperationID: Hashable, Sendable {
  var index: Int
}

/// A file tree that an operation reads.
enum TreeReference: Hashable, Sendable {
  /// The empty root of `FROM scratch`.
  case scratch
  /// What an operation leaves behind: its inputs' layers and its own.
  case operation(OperationID)
  /// A directory of the machine: the build context is named by the empty string.
  case context(String)
}

/// One thing to do, with nothing left to expand.
///
/// Equal actions are the same operation.
enum Action: Hashable, Sendable {
  case image(ImageAction)
  case fetch(RemoteSource)
  case run(RunAction)
  case copy(CopyAction)
  case makeDirectory(DirectoryAction)
  case verify(VerifyAction)
}

/// The layers of a base image, unpacked when something needs them.
struct ImageAction: Hashable, Sendable {
  /// As the user wrote it.
  var reference: String
  var platform: Platform
  /// The digest of the image's manifest: what enters keys instead of its name (K11).
  var digest: Digest
}

/// A command in a root.
struct RunAction: Hashable, Sendable {
  var root: TreeReference
  var arguments: [String]
  /// `NAME=value`, in order.
  var environment: [String]
  /// Proxy variables: they reach the command and no key (S8).
  var proxies: [String]
  var workingDirectory: String
  var user: String
  var mounts: [MountAction]
  var network: RunRequest.Network
  var isInsecure: Bool
  var platform: Platform
}

/// A mount of a command.
enum MountAction: Hashable, Sendable {
  case tree(TreeReference, source: String, target: String, isReadOnly: Bool)
  case cache(CacheAction)
  case tmpfs(target: String, size: Int64?)
  case secret(MountSpecification.Secret)
  case ssh(MountSpecification.SSH, target: String)
  /// A here-document script, run directly (R2).
  case script(content: String, target: String)
}

/// A directory kept between builds.
struct CacheAction: Hashable, Sendable {
  var id: String
  /// What a new cache starts with, and where in it.
  var seed: TreeReference?
  var source: String
  var target: String
  var isReadOnly: Bool
  var sharing: MountSpecification.Sharing
  var mode: UInt16
  var uid: UInt32
  var gid: UInt32
}

/// Files put into a root.
struct CopyAction: Hashable, Sendable {
  enum Source: Hashable, Sendable {
    case path(TreeReference, String)
    /// The one file of a tree that a URL led to.
    case download(TreeReference, name: String)
    case inline(name: String, content: String)
  }

  /// The root copied into; scratch for `--link`, whose layer looks at nothing below.
  var root: TreeReference
  /// What lies below the layer in the image.
  var parent: TreeReference
  var sources: [Source]
  var destination: String
  var workingDirectory: String
  var owner: String?
  var mode: String?
  var keepsParents: Bool
  var excludes: [String]
  var isLinked: Bool
  var unpacks: CopyRequest.Unpacking
}

/// A `WORKDIR` that may have to be made.
struct DirectoryAction: Hashable, Sendable {
  var root: TreeReference
  var path: String
  var user: String
}

/// The artifacts a stage promised, looked for when it ends.
struct VerifyAction: Hashable, Sendable {
  var root: TreeReference
  var artifacts: [ArtifactDeclaration]
}

/// An action at its place in the build.
struct Operation: Sendable {
  var id: OperationID
  var action: Action
  /// The stage as a person knows it: its name, or its number.
  var stage: String
  /// Counts the stage's operations from 1.
  var number: Int
  /// How many operations the stage has; set when the stage is planned to its end.
  var count: Int
  /// The instruction in one line.
  var title: String
  var location: SourceLocation?

  /// Every tree the operation reads.
  var inputs: [TreeReference] {
    switch action {
    case .image, .fetch: []
    case .run(let run):
      [run.root]
        + run.mounts.compactMap { mount in
          switch mount {
          case .tree(let tree, _, _, _): tree
          case .cache(let cache): cache.seed
          default: nil
          }
        }
    case .copy(let copy):
      [copy.root, copy.parent]
        + copy.sources.compactMap { source in
          switch source {
          case .path(let tree, _), .download(let tree, _): tree
          case .inline: nil
          }
        }
    case .makeDirectory(let directory): [directory.root]
    case .verify(let verify): [verify.root]
    }
  }

  /// The operations whose results this one reads.
  var dependencies: Set<OperationID> {
    Set(inputs.compactMap { if case .operation(let id) = $0 { id } else { nil } })
  }
}
