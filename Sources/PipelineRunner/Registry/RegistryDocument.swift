import FoundationEssentials
import PipelineDSL

/// What a manifest document is: one image, or an index of several.
enum RegistryDocument: Sendable {
  case image(ImageManifest)
  case index(ImageIndex)

  private struct Shape: Decodable {
    struct Anything: Decodable {
      init(from decoder: any Decoder) {}
    }
    var schemaVersion: Int?
    var mediaType: String?
    var config: Anything?
    var layers: Anything?
    var manifests: Anything?
    var fsLayers: Anything?
  }

  /// Reads a document that a server calls `served`.
  ///
  /// What it is follows from its media type and must agree with its fields: a document that reads
  /// as two kinds could be two images under one digest (threat 26).
  init(_ bytes: [UInt8], served: String?, _ subject: String) throws(Diagnostic) {
    func invalid(_ why: String) -> Diagnostic {
      Diagnostic("the manifest of \(subject) cannot be used: \(why)")
    }
    let shape: Shape
    do {
      shape = try JSONDecoder().decode(Shape.self, from: Data(bytes))
    } catch {
      throw invalid("it is no JSON object of a manifest")
    }
    guard shape.schemaVersion == 2, shape.fsLayers == nil else {
      throw Diagnostic(
        "the manifest of \(subject) has schema version \(shape.schemaVersion ?? 0), which is no longer read",
        help: "push the image again with a builder of this decade")
    }
    if let own = shape.mediaType, let served, Self.known.contains(served), own != served {
      throw invalid(
        "it says of itself '\(RegistryEndpoint.printable(own))' and was sent as '\(served)'")
    }
    let type = shape.mediaType ?? served ?? ""
    guard shape.manifests == nil || (shape.layers == nil && shape.config == nil) else {
      throw invalid("it is an image and an index at once")
    }
    do {
      switch type {
      case MediaType.ociManifest, MediaType.dockerManifest:
        self = .image(try JSONDecoder().decode(ImageManifest.self, from: Data(bytes)))
      case MediaType.ociIndex, MediaType.dockerManifestList:
        self = .index(try JSONDecoder().decode(ImageIndex.self, from: Data(bytes)))
      default:
        if shape.mediaType == nil, shape.manifests != nil {
          self = .index(try JSONDecoder().decode(ImageIndex.self, from: Data(bytes)))
        } else if shape.mediaType == nil, shape.config != nil {
          self = .image(try JSONDecoder().decode(ImageManifest.self, from: Data(bytes)))
        } else {
          throw invalid("its type '\(RegistryEndpoint.printable(type))' is no image's")
        }
      }
    } catch let error as Diagnostic {
      throw error
    } catch let error as DecodingError {
      throw invalid(Self.words(error))
    } catch {
      throw invalid("\(error)")
    }
  }

  private static let known: Set = [
    MediaType.ociManifest, MediaType.dockerManifest, MediaType.ociIndex,
    MediaType.dockerManifestList,
  ]

  private static func words(_ error: DecodingError) -> String {
    switch error {
    case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
    case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context):
      RegistryEndpoint.printable(context.debugDescription)
    @unknown default: "it is malformed"
    }
  }
}
