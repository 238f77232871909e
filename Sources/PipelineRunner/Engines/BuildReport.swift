import FoundationEssentials
import PipelineDSL

/// What a build came to, for people and for `--metadata-file`.
struct BuildReport: Sendable {
  struct Row: Sendable {
    /// Bytes of file content.
    var size: Int64
    var title: String
  }

  struct StageSize: Sendable {
    var name: String
    var size: Int64
  }

  /// The image of one platform.
  struct Image: Sendable {
    var platform: Platform
    /// The digest of its config; nil where only files were asked for.
    var id: Digest?
    /// Every layer, bottom first, with the instruction that made it.
    var layers: [Row]
    /// The largest other stage of the build.
    var largestStage: StageSize?

    /// Bytes of all layers together.
    var size: Int64 { layers.reduce(0) { $0 + $1.size } }
  }

  var images: [Image]
  /// The manifest or index of the first output that has one.
  var descriptor: Descriptor?
  var tags: [String]
  var operations: (ran: Int, cached: Int)
  var seconds: Double

  /// What docker calls the image's id: the digest of the config, or of the index of several.
  var id: Digest? { images.count == 1 ? images[0].id : descriptor?.digest ?? images.first?.id }

  init(
    builds: [PlatformBuild], images: [BuiltImage], descriptor: Descriptor?, tags: [String],
    seconds: Double
  ) throws {
    self.images = try zip(builds, images).map { try Image(build: $0, image: $1) }
    self.descriptor = descriptor
    self.tags = tags
    self.seconds = seconds
    operations = (0, 0)
    for build in builds {
      for operation in build.plan.operations {
        switch operation.action {
        case .image, .verify: continue
        default: break
        }
        switch build.solver[operation.id]?.status {
        case .cached: operations.cached += 1
        case nil: continue
        default: operations.ran += 1
        }
      }
    }
  }

  /// The report as text: each layer's size and instruction, then what the stages come to.
  var text: String {
    var lines: [String] = []
    for image in images {
      lines += ["", images.count == 1 ? "   size  layer" : "   size  layer of \(image.platform)"]
      for row in image.layers {
        lines.append("\(SizeText.column(row.size))  \(SizeText.shortened(row.title))")
      }
      lines.append("")
      if let stage = image.largestStage, stage.size > image.size {
        lines.append("\(SizeText.column(stage.size))  stage \(stage.name)")
        let percent = image.size * 1000 / stage.size
        lines.append(
          "\(SizeText.column(image.size))  image, \(percent / 10).\(percent % 10) % of that")
      } else {
        lines.append("\(SizeText.column(image.size))  image")
      }
    }
    lines.append("")
    let names = tags.isEmpty ? "" : " as \(tags.joined(separator: ", "))"
    let what = id.map { " \($0)" } ?? ""
    lines.append(
      "built\(what)\(names) in \(Seconds.text(seconds)): \(operations.ran) ran, \(operations.cached) cached"
    )
    return lines.joined(separator: "\n") + "\n"
  }

  /// The report as a JSON document, with the keys that BuildKit uses where it has them.
  func metadata() throws -> [UInt8] {
    struct Document: Encodable {
      var digest: String?
      var configuration: String?
      var descriptor: Descriptor?
      var names: String?
      var size: Int64

      enum CodingKeys: String, CodingKey {
        case digest = "containerimage.digest"
        case configuration = "containerimage.config.digest"
        case descriptor = "containerimage.descriptor"
        case names = "image.name"
        case size = "image.size"
      }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    let document = Document(
      digest: descriptor.map { "\($0.digest)" },
      // An index of several images has no config of its own.
      configuration: images.count == 1 ? images[0].id.map { "\($0)" } : nil,
      descriptor: descriptor, names: tags.isEmpty ? nil : tags.joined(separator: ","),
      size: images.reduce(0) { $0 + $1.size })
    return Array(try encoder.encode(document))
  }
}

extension BuildReport.Image {
  init(build: PlatformBuild, image: BuiltImage) throws {
    let (plan, solver) = (build.plan, build.solver)
    platform = image.platform
    id = image.configuration.isEmpty ? nil : SHA256Hasher.digest(of: image.configuration)
    var titles: [String] = []
    for item in plan.image.history where item.entry.emptyLayer != true {
      titles.append(item.operation.map { plan[$0].title } ?? item.entry.createdBy ?? "base image")
    }
    func size(_ layer: LayerID) throws -> Int64 {
      try solver.store.info(of: layer)?.size ?? solver.bases[layer]?.descriptor.size ?? 0
    }
    layers = try image.layerIDs.enumerated().map { index, layer in
      // A base may have layers that its history does not tell of.
      let position = index - (image.layerIDs.count - titles.count)
      let own = titles.indices.contains(position) ? titles[position] : "base image"
      return BuildReport.Row(size: try size(layer), title: GoText.oneLine(own))
    }
    for stage in plan.stages where stage.root != plan.image.root {
      let total = try solver.layers(of: stage.root).reduce(0) { $0 + (try size($1)) }
      if total > largestStage?.size ?? 0 {
        largestStage = BuildReport.StageSize(name: stage.name, size: total)
      }
    }
  }
}
