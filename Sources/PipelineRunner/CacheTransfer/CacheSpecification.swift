import PipelineDSL
import SystemPackage

/// A place outside the store that a cache is read from or written to: a value of `--cache-from` or
/// `--cache-to`, in docker's spelling.
struct CacheSpecification: Hashable, Sendable {
  enum Place: Hashable, Sendable {
    case registry(RegistryReference)
    /// A directory with an OCI layout, and a tag in it.
    case local(FilePath, tag: String)
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
      fields[name.lowercased()] = value
    }
    let pathName = isTarget ? "dest" : "src"
    let known = ["type", "ref", pathName, "tag", "mode", "ignore-error"]
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
      place = .registry(try RegistryReference(reference))
    case "local":
      guard let path = fields[pathName] else { throw invalid("type=local needs \(pathName)=PATH") }
      place = .local(FilePath(path), tag: fields["tag"] ?? "latest")
    case "inline":
      throw invalid(
        "an image does not hold what a cache needs: its layers leave out what lies below",
        help: "write the cache to a name of its own with type=registry,ref=NAME")
    case let type?:
      throw invalid("there is no type '\(type)'", help: "the types are registry, local")
    case nil: throw invalid("it has no type=", help: "the types are registry, local")
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

  /// The place's reader and writer.
  func store(client: RegistryClient, store: Store) throws -> any CachePlace {
    switch place {
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
    }
  }
}
