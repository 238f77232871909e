import PipelineDSL
import SystemPackage

/// A place outside the store that a cache is read from or written to: a value of `--cache-from` or
/// `--cache-to`, in docker's spelling.
struct CacheSpecification: Hashable, Sendable {
  enum Place: Hashable, Sendable {
    case registry(RegistryReference)
    /// A directory with an OCI layout, and a tag in it.
    case local(FilePath, tag: String)
    /// The image itself, whose config tells of its steps.
    case inline
  }

  /// Which cache mounts are written as well.
  enum Mounts: Hashable, Sendable {
    case none
    case all
    /// Those with these ids.
    case only(Set<String>)
  }

  /// How much is written.
  enum Mode: String, Hashable, Sendable {
    /// The steps whose layers are in the image.
    case min
    /// Every step of the build.
    case max
  }

  var place: Place
  var mode: Mode = .min
  var mounts: Mounts = .none
  /// Whether a build goes on that could not write it.
  var ignoresErrors = false

  /// Reads the value of an option; a bare word is a reference in a registry.
  ///
  /// - Throws: a diagnostic that says which field is wrong and what is possible.
  init(parsing text: String, isTarget: Bool) throws(Diagnostic) {
    let option = isTarget ? "--cache-to" : "--cache-from"
    func invalid(_ why: String, help: String? = nil) -> Diagnostic {
      Diagnostic("'\(option) \(text)': \(why)", help: help)
    }
    let parts = try OutputFields.split(text)
    if parts.count == 1, !text.contains("=") {
      place = .registry(try RegistryReference(text))
      return
    }
    var fields: [String: String] = [:]
    for part in parts {
      let (name, value) = part.splitAtEqualsSign
      guard part.contains("="), !value.isEmpty else {
        throw invalid("'\(part)' is not of the form name=value")
      }
      if name.lowercased() == "cache-mounts", isTarget {
        mounts.add(value)
      } else {
        fields[name.lowercased()] = value
      }
    }
    let pathName = isTarget ? "dest" : "src"
    let known =
      ["type", "ref", pathName, "tag", "mode", "ignore-error"] + (isTarget ? ["cache-mounts"] : [])
    // What BuildKit asks for by these is what is always written here.
    let granted = ["oci-mediatypes", "image-manifest"]
    for name in fields.keys.sorted() where !known.contains(name) && !granted.contains(name) {
      let near = EditDistance.nearest(to: name, among: known)
      throw invalid(
        "there is no field '\(name)'",
        help: near.map { "did you mean '\($0)'?" }
          ?? "the fields are \(known.joined(separator: ", "))")
    }
    switch fields["type"] {
    case "registry":
      guard let reference = fields["ref"] else { throw invalid("type=registry needs ref=NAME") }
      let name = try RegistryReference(reference)
      guard !isTarget || name.digest == nil else {
        throw invalid("'\(reference)' has a digest, and a cache goes to a tag")
      }
      place = .registry(name)
    case "local":
      guard let path = fields[pathName] else { throw invalid("type=local needs \(pathName)=PATH") }
      place = .local(FilePath(path), tag: fields["tag"] ?? "latest")
    case "inline":
      guard isTarget else {
        throw invalid(
          "a cache inside an image is read by the image's name",
          help: "write type=registry,ref=IMAGE")
      }
      place = .inline
      guard fields["mode"] != "max" else {
        throw invalid(
          "an image tells of the steps whose layers it has, and of no others",
          help: "leave mode=max out, or write the cache with type=registry,ref=NAME")
      }
      guard mounts == .none else {
        throw invalid(
          "an image does not hold cache mounts", help: "write them with type=registry,ref=NAME")
      }
    case let type?:
      throw invalid("there is no type '\(type)'", help: "the types are \(Self.types(isTarget))")
    case nil:
      throw invalid("it has no type=", help: "the types are \(Self.types(isTarget))")
    }
    if let text = fields["mode"] {
      guard let mode = Mode(rawValue: text) else {
        throw invalid("there is no mode '\(text)'", help: "the modes are min and max")
      }
      self.mode = mode
    }
    if let text = fields["ignore-error"] {
      guard let flag = OutputFields.flag(text) else {
        throw invalid("'ignore-error' is true or false, not '\(text)'")
      }
      ignoresErrors = flag
    }
  }

  private static func types(_ isTarget: Bool) -> String {
    isTarget ? "registry, local, inline" : "registry, local"
  }

  /// The place's reader and writer; nil for the image itself, which goes where the outputs go.
  func store(client: RegistryClient, store: Store) throws -> (any CachePlace)? {
    switch place {
    case .inline: nil
    case .registry(let reference):
      try RegistryCachePlace(reference, client: client, store: store)
    case .local(let path, let tag): LocalCachePlace(directory: path, tag: tag)
    }
  }
}

extension CacheSpecification: CustomStringConvertible {
  var description: String {
    switch place {
    case .registry(let reference): "\(reference)"
    case .local(let path, let tag): "\(path):\(tag)"
    case .inline: "in the image"
    }
  }
}

extension CacheSpecification.Mounts {
  /// Takes one value of `cache-mounts=` in: `true`, `false`, or an id.
  fileprivate mutating func add(_ value: String) {
    switch (OutputFields.flag(value), self) {
    case (true, _): self = .all
    case (false, _): self = .none
    case (nil, .only(let ids)): self = .only(ids.union([value]))
    case (nil, .none): self = .only([value])
    case (nil, .all): break
    }
  }

  /// Whether the mount with an id is among them.
  func includes(_ id: String) -> Bool {
    switch self {
    case .none: false
    case .all: true
    case .only(let ids): ids.contains(id)
    }
  }
}
