import FoundationEssentials
import PipelineDSL

/// An image as documents and blobs: what every output writes and a push sends.
struct ImageBundle: Sendable {
  /// A config, manifest or index, with its bytes.
  struct Document: Sendable {
    var descriptor: Descriptor
    var bytes: [UInt8]
  }

  /// The manifest, or the index where there are several.
  var root: Descriptor
  /// What a document names stands before it, so that writing in this order never leaves a document
  /// without its content; the last one is the root's.
  var documents: [Document]
  /// The blobs of layers, each once; they are in the store.
  var layers: [Descriptor]
  /// One manifest for each platform, in the order built.
  var manifests: [ImageManifest]

  init(
    root: Descriptor, documents: [Document], layers: [Descriptor], manifests: [ImageManifest]
  ) {
    self.root = root
    self.documents = documents
    self.layers = layers
    self.manifests = manifests
  }

  /// Makes the documents of one image, or of one for each platform.
  ///
  /// An image with attestations stands in an index with them; `names` are what they are about.
  init(
    _ images: [BuiltImage], types: MediaTypeFamily, annotations: [OutputAnnotation] = [],
    names: [String] = []
  ) throws {
    var statements: [Descriptor] = []
    var documents: [Document] = []
    var layers: [Descriptor] = []
    var manifests: [ImageManifest] = []
    var entries: [Descriptor] = []
    for image in images {
      let configuration = Document(image.configuration, types.configuration)
      documents.append(configuration)
      let blobs = image.layers.map { packed in
        Descriptor(
          mediaType: types.layer(packed.descriptor.mediaType), digest: packed.descriptor.digest,
          size: packed.descriptor.size)
      }
      layers += blobs
      let own = Self.select(annotations, .manifest, image.platform)
      let manifest = ImageManifest(
        mediaType: types.manifest, config: configuration.descriptor, layers: blobs,
        annotations: own.isEmpty ? nil : own)
      manifests.append(manifest)
      var document = try Document(encoding: manifest, types.manifest)
      document.descriptor.platform = .init(image.platform)
      let outer = Self.select(annotations, .manifestDescriptor, image.platform)
      document.descriptor.annotations = outer.isEmpty ? nil : outer
      documents.append(document)
      entries.append(document.descriptor)
      guard !image.attestations.isEmpty else { continue }
      let (added, entry) = try Self.attestationDocuments(
        image.attestations, about: document.descriptor, names: names)
      documents += added
      statements.append(entry)
    }
    if entries.count != 1 || !statements.isEmpty {
      let own = Self.select(annotations, .index, nil)
      let index = ImageIndex(
        mediaType: types.index, manifests: entries + statements,
        annotations: own.isEmpty ? nil : own)
      var document = try Document(encoding: index, types.index)
      let outer = Self.select(annotations, .indexDescriptor, nil)
      document.descriptor.annotations = outer.isEmpty ? nil : outer
      documents.append(document)
    }
    root = documents[documents.count - 1].descriptor
    self.documents = documents
    self.manifests = manifests
    var seen = Set<Digest>()
    self.layers = layers.filter { seen.insert($0.digest).inserted }
  }

  private static func select(
    _ annotations: [OutputAnnotation], _ level: OutputAnnotation.Level, _ platform: Platform?
  ) -> [String: String] {
    var result: [String: String] = [:]
    for annotation in annotations where annotation.level == level {
      if let only = annotation.platform, only != platform { continue }
      result[annotation.key] = annotation.value
    }
    return result
  }
}

extension ImageBundle.Document {
  init(_ bytes: [UInt8], _ mediaType: String) {
    self.bytes = bytes
    descriptor = Descriptor(
      mediaType: mediaType, digest: SHA256Hasher.digest(of: bytes), size: Int64(bytes.count))
  }

  init(encoding value: some Encodable, _ mediaType: String) throws {
    self.init(try CanonicalJSON.encode(value), mediaType)
  }
}

/// JSON with one spelling for one value, so that equal images have equal digests.
enum CanonicalJSON {
  static func encode(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value))
  }
}

extension Descriptor.PlatformFields {
  init(_ platform: Platform) {
    self.init(
      architecture: platform.architecture, os: platform.os, variant: platform.variant)
  }
}
