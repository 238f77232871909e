import PipelineDSL
import SystemPackage

/// One `-o`: a kind of output and where it goes, in docker's spelling.
struct OutputSpecification: Hashable, Sendable {
  enum Kind: String, CaseIterable, Hashable, Sendable {
    /// An OCI layout, as a tar or (`tar=false`) as a directory.
    case oci
    /// What `docker load` reads.
    case docker
    /// The root file system as one tar.
    case tar
    /// The root file system as a directory.
    case local
    /// A push.
    case registry
    /// A name in the store; with `push=true` a push too.
    case image
  }

  enum Destination: Hashable, Sendable {
    case standardOutput
    case path(FilePath)
  }

  var kind: Kind
  /// Nil for a push and for what stays in the store.
  var destination: Destination?
  /// Normalised references; the build's tags where there are none.
  var names: [String] = []
  /// Whether an OCI layout is written as one file.
  var isArchive = true
  /// `push=true` of `type=image`, or `type=registry`.
  var pushes = false
  var compression = OutputCompression()
  /// Nil takes what the kind is used to: Docker's types for `docker`, OCI's otherwise.
  var usesOCITypes: Bool?
  var annotations: [OutputAnnotation] = []
  /// Plain HTTP for a push (`registry.insecure`); a certificate nobody vouches for stays refused.
  var isInsecure = false

  /// A bare directory, as `-o out` means it.
  init(directory: FilePath) {
    kind = .local
    destination = .path(directory)
  }

  init(kind: Kind, destination: Destination? = nil) {
    self.kind = kind
    self.destination = destination
    pushes = kind == .registry
  }

  /// Reads the value of `-o`: `type=KIND,dest=PATH,…`, a bare directory, or `-` for a tar on
  /// standard output.
  ///
  /// - Throws: a diagnostic that says which field is wrong and what is possible.
  init(parsing text: String) throws(Diagnostic) {
    let fields = try OutputFields.split(text)
    if fields.count == 1, !fields[0].hasPrefix("type=") {
      guard !text.isEmpty else { throw Self.invalid(text, "it is empty") }
      if fields[0] == "-" {
        self.init(kind: .tar, destination: .standardOutput)
      } else {
        self.init(directory: FilePath(fields[0]))
      }
      return
    }
    var pairs: [(name: String, value: String)] = []
    for field in fields {
      guard field.contains("=") else {
        throw Self.invalid(text, "'\(field)' is not of the form name=value")
      }
      let (name, value) = field.splitAtEqualsSign
      // The key of an annotation is the only name that keeps its capitals.
      pairs.append((name.hasPrefix("annotation") ? name : name.lowercased(), value))
    }
    guard let type = pairs.last(where: { $0.name == "type" })?.value else {
      throw Self.invalid(text, "it has no type=", help: "the types are \(Self.kindNames)")
    }
    guard let kind = Kind(rawValue: type.lowercased()) else {
      let near = EditDistance.nearest(to: type, among: Kind.allCases.map(\.rawValue))
      throw Self.invalid(
        text, "there is no type '\(type)'",
        help: near.map { "did you mean '\($0)'?" } ?? "the types are \(Self.kindNames)")
    }
    self.init(kind: kind)
    for (name, value) in pairs where name != "type" { try apply(name, value, text) }
    try finish(text)
  }

  private mutating func apply(
    _ name: String, _ value: String, _ text: String
  ) throws(Diagnostic) {
    func flag() throws(Diagnostic) -> Bool {
      guard let flag = OutputFields.flag(value) else {
        throw Self.invalid(text, "'\(name)' is true or false, not '\(value)'")
      }
      return flag
    }
    switch name {
    case "dest":
      guard !value.isEmpty else { throw Self.invalid(text, "dest= names no path") }
      destination = value == "-" ? .standardOutput : .path(FilePath(value))
    case "name":
      for name in value.split(separator: ",") {
        names.append("\(try RegistryReference(String(name)))")
      }
    case "tar": isArchive = try flag()
    case "push": pushes = try flag()
    case "registry.insecure": isInsecure = try flag()
    case "oci-mediatypes": usesOCITypes = try flag()
    case "compression":
      guard let kind = OutputCompression.Kind(rawValue: value) else {
        throw Self.invalid(
          text, "there is no compression '\(value)'",
          help: "the compressions are gzip, zstd and uncompressed")
      }
      compression.kind = kind
    case "compression-level":
      guard let level = Int(value) else {
        throw Self.invalid(text, "'\(value)' is no compression level")
      }
      compression.level = level
    case "force-compression": compression.isForced = try flag()
    default:
      if let annotation = try OutputAnnotation(field: name, value: value) {
        annotations.append(annotation)
        return
      }
      let near = EditDistance.nearest(to: name, among: Self.fieldNames)
      throw Self.invalid(
        text, "there is no field '\(name)'",
        help: near.map { "did you mean '\($0)'?" }
          ?? "the fields are type, \(Self.fieldNames.joined(separator: ", "))")
    }
  }

  /// Looks at the fields together.
  private mutating func finish(_ text: String) throws(Diagnostic) {
    if let problem = compression.problem { throw Self.invalid(text, problem) }
    if compression.kind == .zstd, usesOCITypes == false {
      throw Self.invalid(text, "zstd needs OCI media types; leave oci-mediatypes=false out")
    }
    switch kind {
    case .registry, .image:
      guard destination == nil else {
        throw Self.invalid(text, "type=\(kind.rawValue) has no dest=; it takes name=")
      }
      if kind == .registry { pushes = true }
    case .local:
      guard destination != nil else { throw Self.invalid(text, "type=local needs dest=PATH") }
      guard destination != .standardOutput else {
        throw Self.invalid(text, "a directory cannot go to standard output", help: "use type=tar")
      }
    case .tar, .oci, .docker:
      if destination == nil, kind == .docker {
        throw Self.invalid(
          text, "type=docker needs dest=PATH", help: "or pipe it: dest=- and '| docker load'")
      }
      destination = destination ?? .standardOutput
      if destination == .standardOutput, !isArchive {
        throw Self.invalid(text, "a directory cannot go to standard output")
      }
    }
    if !isArchive, kind != .oci, kind != .docker {
      throw Self.invalid(text, "tar=false is for type=oci")
    }
    if pushes, kind != .registry, kind != .image {
      throw Self.invalid(text, "push=true is for type=image; add another -o type=registry,name=…")
    }
  }

  private static let fieldNames = [
    "dest", "name", "tar", "push", "compression", "compression-level", "force-compression",
    "oci-mediatypes", "registry.insecure", "annotation.KEY",
  ]

  private static var kindNames: String {
    Kind.allCases.map(\.rawValue).joined(separator: ", ")
  }

  private static func invalid(_ text: String, _ why: String, help: String? = nil) -> Diagnostic {
    Diagnostic("'-o \(text)': \(why)", help: help)
  }
}

extension OutputSpecification {
  /// Whether the output is made of files and needs no blobs.
  var isFileTree: Bool { kind == .local || kind == .tar }

  /// The media types of its documents.
  var mediaTypes: MediaTypeFamily {
    usesOCITypes ?? (kind != .docker || compression.kind == .zstd) ? .oci : .docker
  }

  /// The names that the image gets there.
  func names(tags: [String]) -> [String] { names.isEmpty ? tags : names }
}
