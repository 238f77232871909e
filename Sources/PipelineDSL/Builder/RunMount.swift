/// A mount of a ``Run`` whose tree has not got its name in the Dockerfile yet.
struct RunMount: Sendable {
  var type: String
  /// What `from=` will name; nil is the main build context.
  var origin: BaseImage?
  var artifact: ArtifactDeclaration?
  /// The fields after `type` and `from`, in the order they are printed.
  var fields: [Mount.Field]

  init(
    _ type: String, origin: BaseImage? = nil, artifact: ArtifactDeclaration? = nil,
    fields: [Mount.Field]
  ) {
    self.type = type
    self.origin = origin
    self.artifact = artifact
    self.fields = fields
  }

  /// Whether two mounts are one, asked for twice.
  func isSame(as other: RunMount) -> Bool {
    type == other.type && origin?.identity == other.origin?.identity && fields == other.fields
  }

  /// A mount of the graph; a tree takes the place of what its `from` names.
  init(_ mount: Mount, origin: BaseImage? = nil) {
    self.init(
      mount["type"]?.raw ?? "bind", origin: origin,
      fields: mount.fields.filter { $0.key != "type" && (origin == nil || $0.key != "from") })
  }

  static func bind(
    _ artifact: any ArtifactReference, at target: Word, access: Run.MountAccess
  ) -> RunMount {
    let place = artifact.reference
    var fields = [
      Mount.Field("source", Word(literal: place.declaration.path)), Mount.Field("target", target),
    ]
    if access == .discardingWrites { fields.append(Mount.Field("rw")) }
    return RunMount(
      "bind", origin: place.origin, artifact: place.declaration, fields: fields)
  }

  static func secret(_ secret: Secret) -> RunMount {
    var fields = [Mount.Field("id", Word(literal: secret.id))]
    if secret.path != "/run/secrets/" + secret.id {
      fields.append(Mount.Field("target", Word(literal: secret.path)))
    }
    return RunMount("secret", fields: fields + commonFields(of: secret))
  }

  static func secret(_ secret: Secret, as variable: String) -> RunMount {
    let fields = [
      Mount.Field("id", Word(literal: secret.id)), Mount.Field("env", Word(literal: variable)),
    ]
    return RunMount("secret", fields: fields + commonFields(of: secret))
  }

  private static func commonFields(of secret: Secret) -> [Mount.Field] {
    (secret.presence == .required ? [Mount.Field("required")] : []) + secret.ownership.fields
  }

  static func cache(_ cache: Cache, at target: Word) -> RunMount {
    var fields = [Mount.Field("id", Word(literal: cache.id)), Mount.Field("target", target)]
    if cache.sharing != .shared {
      fields.append(Mount.Field("sharing", Word(literal: cache.sharing.rawValue)))
    }
    if let seed = cache.seed {
      fields.append(Mount.Field("source", Word(literal: seed.reference.declaration.path)))
    }
    if cache.access == .readOnly { fields.append(Mount.Field("ro")) }
    return RunMount(
      "cache", origin: cache.seed?.reference.origin, artifact: cache.seed?.reference.declaration,
      fields: fields + cache.ownership.fields)
  }
}
