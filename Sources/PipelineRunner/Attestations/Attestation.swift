import PipelineDSL

/// A signed-to-be statement about an image, in the in-toto form that BuildKit attaches.
struct Attestation: Sendable {
  /// What a statement is about.
  struct Subject: Encodable, Hashable, Sendable {
    var name: String
    /// Hexadecimal digits by algorithm.
    var digest: [String: String]
  }

  /// The URI of what the statement says, such as `https://spdx.dev/Document`.
  var predicateType: String
  private let encode: @Sendable ([Subject]) throws -> [UInt8]

  init(predicateType: String, predicate: some Encodable & Sendable) {
    self.predicateType = predicateType
    encode = { subjects in
      try CanonicalJSON.encode(
        Statement(predicateType: predicateType, subject: subjects, predicate: predicate))
    }
  }

  /// The statement's bytes.
  func statement(about subjects: [Subject]) throws -> [UInt8] { try encode(subjects) }

  private struct Statement<Predicate: Encodable>: Encodable {
    var type = "https://in-toto.io/Statement/v0.1"
    var predicateType: String
    var subject: [Subject]
    var predicate: Predicate

    enum CodingKeys: String, CodingKey {
      case type = "_type"
      case predicateType
      case subject
      case predicate
    }
  }
}

/// Which statements a build makes about its image.
struct AttestationOptions: Hashable, Sendable {
  enum Provenance: String, Hashable, Sendable {
    /// Sources and platform.
    case min
    /// Build arguments, steps and times too.
    case max
  }

  var hasSBOM = false
  var provenance: Provenance?

  var isEmpty: Bool { !hasSBOM && provenance == nil }

  /// Reads the value of `--provenance`: `min`, `max`, a truth value, or docker's fields
  /// `mode=max`, `disabled=true`, `version=v1`.
  static func provenance(_ text: String) throws(Diagnostic) -> Provenance? {
    var result: Provenance? = .min
    for field in try OutputFields.split(text) {
      let (name, value) = field.splitAtEqualsSign
      switch (name, value) {
      case ("min", ""), ("mode", "min"): result = .min
      case ("max", ""), ("mode", "max"): result = .max
      case ("version", "v1"): continue
      case (_, "") where OutputFields.flag(name) != nil:
        if OutputFields.flag(name) == false { return nil }
      case ("disabled", _) where OutputFields.flag(value) != nil:
        if OutputFields.flag(value) == true { return nil }
      default:
        throw Diagnostic(
          "'--provenance \(text)' is no kind of provenance", help: "write min, max or false")
      }
    }
    return result
  }

  /// Reads the value of `--sbom`: a truth value, or docker's `generator=IMAGE`.
  ///
  /// - Returns: a warning where a generator is named: it is not run.
  static func sbom(_ text: String) throws(Diagnostic) -> (isWanted: Bool, warning: Diagnostic?) {
    if let flag = OutputFields.flag(text) { return (flag, nil) }
    let (name, value) = text.splitAtEqualsSign
    guard name == "generator", !value.isEmpty else {
      throw Diagnostic("'--sbom \(text)' is no kind of SBOM", help: "write true or false")
    }
    return (
      true,
      Diagnostic(
        "the SBOM's packages are found by this program; the generator '\(value)' is not run",
        severity: .warning)
    )
  }
}

extension ImageBundle {
  /// The manifest that holds statements about another one, as BuildKit lays it out: a layer for
  /// each statement, and a config that no platform runs.
  static func attestationDocuments(
    _ attestations: [Attestation], about image: Descriptor, names: [String]
  ) throws -> (documents: [Document], entry: Descriptor) {
    let platform = image.platform.map { "\($0.os)%2F\($0.architecture)" } ?? ""
    let digest = ["sha256": image.digest.hex]
    let subjects =
      names.isEmpty
      ? [Attestation.Subject(name: "_", digest: digest)]
      : names.map { name in
        Attestation.Subject(name: PackageURL.docker(name, platform: platform), digest: digest)
      }
    var documents: [Document] = []
    var layers: [Descriptor] = []
    for attestation in attestations {
      var document = Document(
        try attestation.statement(about: subjects), "application/vnd.in-toto+json")
      document.descriptor.annotations = ["in-toto.io/predicate-type": attestation.predicateType]
      layers.append(document.descriptor)
      documents.append(document)
    }
    let unknown = Descriptor.PlatformFields(architecture: "unknown", os: "unknown", variant: nil)
    let configuration = try Document(
      encoding: ImageConfiguration(
        created: nil, author: nil, architecture: "unknown", variant: nil, os: "unknown",
        osVersion: nil, config: .init(), rootfs: .init(diffIDs: layers.map(\.digest)),
        history: nil), MediaType.ociConfig)
    documents.append(configuration)
    var manifest = try Document(
      encoding: ImageManifest(
        mediaType: MediaType.ociManifest, config: configuration.descriptor, layers: layers),
      MediaType.ociManifest)
    manifest.descriptor.platform = unknown
    manifest.descriptor.annotations = [
      "vnd.docker.reference.digest": "\(image.digest)",
      "vnd.docker.reference.type": "attestation-manifest",
    ]
    documents.append(manifest)
    return (documents, manifest.descriptor)
  }
}
