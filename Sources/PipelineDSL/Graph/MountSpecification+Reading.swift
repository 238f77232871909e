extension MountSpecification {
  /// Reads the fields of a mount, expanding each value first.
  ///
  /// Fields count in their order (R5): what depends on the type follows it.
  ///
  /// - Throws: a diagnostic for an unknown key or type, a missing or contradictory value.
  public init(
    _ mount: Mount, at location: SourceLocation?, expand: (Word) throws(Diagnostic) -> String
  ) throws(Diagnostic) {
    do {
      var reader = Reader()
      for field in mount.fields { try reader.take(field, expand) }
      self = try reader.finish()
    } catch {
      var diagnostic = error
      if diagnostic.location == nil { diagnostic.location = location }
      throw diagnostic
    }
  }

  /// The fields read so far.
  private struct Reader {
    enum Kind: String, CaseIterable {
      case bind
      case cache
      case tmpfs
      case secret
      case ssh
    }

    static let keys = [
      "type", "from", "source", "src", "target", "dst", "destination", "readonly", "ro",
      "readwrite", "rw", "id", "sharing", "required", "size", "mode", "uid", "gid", "env",
    ]

    var kind = Kind.bind
    var from: String?
    var source = ""
    var target = ""
    var isReadOnly: Bool?
    var isRequired = false
    var size: Int64?
    var id: String?
    var sharing: Sharing?
    var mode: UInt16?
    var uid: UInt32?
    var gid: UInt32?
    var variable: String?

    mutating func take(
      _ field: Mount.Field, _ expand: (Word) throws(Diagnostic) -> String
    ) throws(Diagnostic) {
      let key = field.key.lowercased()
      guard let word = field.value else { return try take(bare: key, as: field.key) }
      if key == "from" {
        guard !Self.hasVariable(word.raw) else {
          throw Diagnostic(
            "'from' doesn't support variable expansion: '\(word.raw)'",
            help: "define an alias stage, 'FROM \(word.raw) AS name', and write from=name")
        }
      }
      try take(key, try expand(word), spelled: "\(field.key)=\(word.raw)")
    }

    /// The keys that may stand without a value.
    private mutating func take(bare key: String, as spelling: String) throws(Diagnostic) {
      switch key {
      case "readonly", "ro": isReadOnly = true
      case "readwrite", "rw": isReadOnly = false
      case "required":
        try requireKind([.secret, .ssh], for: key)
        isRequired = true
      default:
        guard Self.keys.contains(key) else { throw Self.unknown(key, in: spelling) }
        throw Diagnostic(
          "invalid field '\(spelling)' must be a key=value pair", help: "write \(key)=…")
      }
    }

    private mutating func take(
      _ key: String, _ value: String, spelled field: String
    ) throws(Diagnostic) {
      switch key {
      case "type": kind = try Self.kind(value)
      case "from": from = value.isEmpty ? nil : value
      case "source", "src": source = value
      case "target", "dst", "destination": target = value
      case "readonly", "ro": isReadOnly = try Self.bool(value, for: key)
      case "readwrite", "rw": isReadOnly = try !Self.bool(value, for: key)
      case "required":
        try requireKind([.secret, .ssh], for: key)
        isRequired = try Self.bool(value, for: key)
      case "size":
        try requireKind([.tmpfs], for: key)
        guard let bytes = ByteCount(value)?.bytes else {
          throw Diagnostic(
            "invalid value for size: '\(value)'",
            help: "write a number of bytes, or one with a unit such as 512k, 64m or 2g")
        }
        size = bytes == 0 ? nil : bytes
      case "id": id = value.isEmpty ? nil : value
      case "sharing": sharing = try Self.sharing(value)
      case "mode": mode = try Self.mode(value)
      case "uid": uid = try Self.number(value, for: key)
      case "gid": gid = try Self.number(value, for: key)
      case "env": variable = value
      default: throw Self.unknown(key, in: field)
      }
    }

    /// The mount, once what belongs together is there.
    func finish() throws(Diagnostic) -> MountSpecification {
      try refuseWhatDoesNotFit()
      switch kind {
      case .bind:
        return .bind(from: from, source: source, target: target, isReadOnly: isReadOnly ?? true)
      case .cache:
        return .cache(
          Cache(
            id: id, target: target, from: from, source: source, isReadOnly: isReadOnly ?? false,
            sharing: sharing ?? .shared, mode: mode ?? 0o755, uid: uid ?? 0, gid: gid ?? 0))
      case .tmpfs: return .tmpfs(target: target, size: size)
      case .secret: return .secret(try secret())
      case .ssh:
        guard source.isEmpty else {
          throw Diagnostic("ssh does not support source", help: "name the agent with id=…")
        }
        return .ssh(
          SSH(
            id: id ?? "default", target: target.isEmpty ? nil : target, isRequired: isRequired,
            mode: mode ?? 0o600, uid: uid ?? 0, gid: gid ?? 0))
      }
    }

    private func refuseWhatDoesNotFit() throws(Diagnostic) {
      if kind == .bind || kind == .tmpfs {
        for (key, isGiven) in [("mode", mode != nil), ("uid", uid != nil), ("gid", gid != nil)]
        where isGiven {
          throw Diagnostic(
            "\(key) not allowed for '\(kind.rawValue)' type mounts",
            help: "mode, uid and gid belong to cache, secret and ssh mounts")
        }
      }
      if kind != .secret, variable != nil {
        throw Diagnostic(
          "env not allowed for '\(kind.rawValue)' type mounts",
          help: "env belongs to type=secret: the variable that holds the secret")
      }
      if kind == .secret, from != nil {
        throw Diagnostic(
          "secret mount should not have a from", help: "secrets come from --secret id=…")
      }
      if kind == .secret, sharing != nil {
        throw Diagnostic("secret mount should not define sharing")
      }
      if kind != .cache, sharing != nil {
        throw Diagnostic(
          "invalid cache sharing set for \(kind.rawValue) mount",
          help: "only type=cache has sharing; write the type too")
      }
      // Every other target is made absolute later; the root itself can be no mount point.
      if kind != .secret, kind != .ssh, target.hasPrefix("/"), Self.isRoot(target) {
        throw Diagnostic(
          "invalid mount target '\(target)'", help: "mount it on a directory below the root")
      }
    }

    private func secret() throws(Diagnostic) -> Secret {
      guard source.isEmpty || id == nil else {
        throw Diagnostic(
          "both source and id can't be set", help: "they are two words for the same; keep id")
      }
      let name = source.isEmpty ? id : source
      guard let name = name ?? Self.lastComponent(target) else {
        throw Diagnostic(
          "invalid secret mount. one of source, target required",
          help: "say which secret with id=NAME")
      }
      var place = target.isEmpty ? nil : target
      if place == nil, variable == nil {
        place = "/run/secrets/\(Self.lastComponent(name) ?? name)"
      }
      return Secret(
        id: name, target: place, variable: variable == "" ? name : variable, isRequired: isRequired,
        mode: mode ?? 0o400, uid: uid ?? 0, gid: gid ?? 0)
    }

    // MARK: - Values

    private static func hasVariable(_ text: String) -> Bool {
      text.unicodeScalars.dropLast().contains("$")
    }

    private func requireKind(_ allowed: [Kind], for key: String) throws(Diagnostic) {
      guard !allowed.contains(kind) else { return }
      let types = allowed.map { "type=\($0.rawValue)" }.joined(separator: " or ")
      throw Diagnostic(
        "unexpected key '\(key)' for mount type '\(kind.rawValue)'",
        help: "\(key) belongs to \(types), which stands before it")
    }

    private static func unknown(_ key: String, in field: String) -> Diagnostic {
      let near = EditDistance.nearest(to: key, among: keys)
      return Diagnostic(
        "unexpected key '\(key)' in '\(field)'",
        help: near.map { "did you mean '\($0)'?" }
          ?? "the keys are \(keys.joined(separator: ", "))")
    }

    private static func kind(_ value: String) throws(Diagnostic) -> Kind {
      let name = value.lowercased()
      if let kind = Kind(rawValue: name) { return kind }
      let near = EditDistance.nearest(to: name, among: Kind.allCases.map(\.rawValue))
      throw Diagnostic(
        "unsupported mount type '\(value)'",
        help: near.map { "did you mean '\($0)'?" }
          ?? "the types are bind, cache, tmpfs, secret and ssh")
    }

    private static func sharing(_ value: String) throws(Diagnostic) -> Sharing {
      let name = value.lowercased()
      if let sharing = Sharing(rawValue: name) { return sharing }
      let near = EditDistance.nearest(to: name, among: ["shared", "private", "locked"])
      throw Diagnostic(
        "unsupported sharing value '\(value)'",
        help: near.map { "did you mean '\($0)'?" } ?? "the values are shared, private and locked")
    }

    /// The spellings of Go's `strconv.ParseBool`.
    private static func bool(_ value: String, for key: String) throws(Diagnostic) -> Bool {
      switch value {
      case "1", "t", "T", "true", "TRUE", "True": return true
      case "0", "f", "F", "false", "FALSE", "False": return false
      default:
        throw Diagnostic("invalid value for \(key): '\(value)'", help: "write true or false")
      }
    }

    private static func mode(_ value: String) throws(Diagnostic) -> UInt16 {
      guard isNumber(value), let mode = UInt16(value, radix: 8), mode <= 0o7777 else {
        throw Diagnostic(
          "invalid value '\(value)' for mode", help: "write up to four octal digits, such as 0755")
      }
      return mode
    }

    private static func number(_ value: String, for key: String) throws(Diagnostic) -> UInt32 {
      guard isNumber(value), let number = UInt32(value) else {
        throw Diagnostic(
          "invalid value '\(value)' for \(key)", help: "write a number, such as 1000")
      }
      return number
    }

    /// Digits only: Swift's initialisers would take a sign too.
    private static func isNumber(_ value: String) -> Bool {
      !value.isEmpty && value.utf8.allSatisfy { (48...57).contains($0) }
    }

    private static func isRoot(_ target: String) -> Bool {
      var depth = 0
      for component in target.split(separator: "/") where component != "." {
        depth = component == ".." ? max(0, depth - 1) : depth + 1
      }
      return depth == 0
    }

    private static func lastComponent(_ path: String) -> String? {
      path.split(separator: "/").last.map(String.init)
    }
  }
}
