import FoundationEssentials
import PipelineDSL

/// A manifest or an index, told apart by its content and held against what was said of it.
enum ManifestDocument: Sendable {
  case image(ImageManifest)
  case index(ImageIndex)

  /// The largest document that is read into memory, in bytes.
  static let largest: Int64 = 16 << 20

  /// Reads a document.
  ///
  /// `mediaType` is what a descriptor or a registry said of it, `place` where it came from.
  ///
  /// - Throws: a diagnostic for what could be read in two ways, such as a document with layers and
  ///   manifests (threat 26), and for what nobody writes any more.
  init(
    parsing bytes: [UInt8], mediaType: String?, place: String
  ) throws(Diagnostic) {
    let shape = try Self.decode(Shape.self, bytes, place)
    if shape.schemaVersion == 1 || shape.fsLayers != nil {
      throw Diagnostic(
        "\(place) is a manifest of schema 1, which no current program reads",
        help: "push the image again with a current tool")
    }
    guard shape.schemaVersion == 2 else {
      throw Diagnostic("\(place) is neither an image manifest nor an index")
    }
    if shape.layers != nil || shape.config != nil, shape.manifests != nil {
      throw Diagnostic("\(place) is a manifest and an index at once; such a document is refused")
    }
    if let said = mediaType, let own = shape.mediaType, said != own {
      throw Diagnostic("\(place) calls itself '\(own)', but was announced as '\(said)'")
    }
    let type = shape.mediaType ?? mediaType
    if shape.manifests != nil {
      guard type == nil || MediaType.isIndex(type) else {
        throw Diagnostic("\(place) has manifests, but is announced as '\(type ?? "")'")
      }
      self = .index(try Self.decode(ImageIndex.self, bytes, place))
    } else {
      guard type == nil || MediaType.isManifest(type) else {
        throw Diagnostic("\(place) has layers, but is announced as '\(type ?? "")'")
      }
      let manifest = try Self.decode(ImageManifest.self, bytes, place)
      for descriptor in [manifest.config] + manifest.layers where descriptor.size < 0 {
        throw Diagnostic("\(place) gives \(descriptor.digest) the size \(descriptor.size)")
      }
      self = .image(manifest)
    }
  }

  /// Decodes a JSON document, with what is wrong in it in words.
  static func decode<Value: Decodable>(
    _ type: Value.Type, _ bytes: [UInt8], _ place: String
  ) throws(Diagnostic) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch let error as DecodingError {
      throw Diagnostic("\(place) is malformed: \(words(for: error))")
    } catch {
      throw Diagnostic("\(place) is not JSON")
    }
  }

  private static func words(for error: DecodingError) -> String {
    func name(_ path: [any CodingKey]) -> String {
      path.map { $0.intValue.map { "\($0)" } ?? $0.stringValue }.joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context):
      return "'\(name(context.codingPath + [key]))' is missing"
    case .valueNotFound(_, let context): return "'\(name(context.codingPath))' is null"
    case .typeMismatch(_, let context):
      return "'\(name(context.codingPath))' has a value of another kind"
    case .dataCorrupted(let context):
      return context.codingPath.isEmpty ? "it is not JSON" : context.debugDescription
    @unknown default: return "it cannot be decoded"
    }
  }

  /// Which members a document has, whatever is in them.
  private struct Shape: Decodable {
    struct Anything: Decodable {
      init(from decoder: any Decoder) {}
    }

    var schemaVersion: Int?
    var mediaType: String?
    var layers: Anything?
    var config: Anything?
    var manifests: Anything?
    var fsLayers: Anything?
  }
}

extension MediaType {
  static func isIndex(_ type: String?) -> Bool { type == ociIndex || type == dockerManifestList }

  static func isManifest(_ type: String?) -> Bool { type == ociManifest || type == dockerManifest }

  /// Layers that can be unpacked, by the compression that their type promises.
  ///
  /// The types of layers that were once not to be distributed name ordinary tars; their `urls` are
  /// never followed (threat 26).
  static func isLayer(_ type: String) -> Bool {
    switch type {
    case ociLayer, ociLayerGzip, ociLayerZstd, dockerLayer, dockerLayerGzip,
      "application/vnd.docker.image.rootfs.diff.tar.zstd",
      "application/vnd.docker.image.rootfs.foreign.diff.tar",
      "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
      "application/vnd.oci.image.layer.nondistributable.v1.tar",
      "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
      "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd":
      true
    default: false
    }
  }
}
