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

  var id: Digest
  var tags: [String]
  /// Every layer of the image, bottom first, with the instruction that made it.
  var layers: [Row]
  /// The largest other stage of the build.
  var largestStage: StageSize?
  var operations: (ran: Int, cached: Int)
  var seconds: Double

  /// Bytes of all layers together.
  var size: Int64 { layers.reduce(0) { $0 + $1.size } }

  init(
    plan: Plan, solver: Solver, image: BuiltImage, id: Digest, tags: [String], seconds: Double
  ) throws {
    self.id = id
    self.tags = tags
    self.seconds = seconds
    var titles: [String] = []
    for item in plan.image.history where item.entry.emptyLayer != true {
      titles.append(item.operation.map { plan[$0].title } ?? item.entry.createdBy ?? "base image")
    }
    func size(_ layer: LayerID) throws -> Int64 {
      try solver.store.info(of: layer)?.size ?? solver.bases[layer]?.descriptor?.size ?? 0
    }
    layers = try image.layerIDs.enumerated().map { index, layer in
      let own = index < titles.count ? titles[index] : "base image"
      return Row(size: try size(layer), title: GoText.oneLine(own))
    }
    var largest: StageSize?
    for stage in plan.stages where stage.root != plan.image.root {
      let total = try solver.layers(of: stage.root).reduce(0) { $0 + (try size($1)) }
      if total > largest?.size ?? 0 { largest = StageSize(name: stage.name, size: total) }
    }
    largestStage = largest
    let statuses = plan.operations.compactMap { operation -> OperationStatus? in
      switch operation.action {
      case .image, .fetch, .verify: nil
      default: solver[operation.id]?.status
      }
    }
    let cached = statuses.count { $0 == .cached }
    operations = (statuses.count - cached, cached)
  }

  /// The report as text: each layer's size and instruction, then what the stages come to.
  var text: String {
    var lines = ["", "   size  layer"]
    for row in layers {
      lines.append("\(Self.padded(Self.bytes(row.size), to: 8))  \(Self.shortened(row.title))")
    }
    lines.append("")
    if let largestStage, largestStage.size > 0 {
      lines.append(
        "\(Self.padded(Self.bytes(largestStage.size), to: 8))  stage \(largestStage.name)")
      let percent = size * 1000 / largestStage.size
      lines.append(
        "\(Self.padded(Self.bytes(size), to: 8))  image, \(percent / 10).\(percent % 10) % of that")
    } else {
      lines.append("\(Self.padded(Self.bytes(size), to: 8))  image")
    }
    lines.append("")
    let names = tags.isEmpty ? "" : " as \(tags.joined(separator: ", "))"
    lines.append(
      "built \(id)\(names) in \(Seconds.text(seconds)): \(operations.ran) ran, \(operations.cached) cached"
    )
    return lines.joined(separator: "\n") + "\n"
  }

  /// The report as a JSON document, with the keys docker uses where it has them.
  func metadata() throws -> [UInt8] {
    struct Document: Encodable {
      var digest: String
      var names: [String]
      var size: Int64

      enum CodingKeys: String, CodingKey {
        case digest = "containerimage.config.digest"
        case names = "image.name"
        case size = "image.size"
      }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    return Array(try encoder.encode(Document(digest: "\(id)", names: tags, size: size)))
  }

  /// A size for people, in powers of ten: `96.3 MB`.
  static func bytes(_ count: Int64) -> String {
    var value = Double(count)
    for unit in ["B", "kB", "MB"] {
      if value < 999.95 || unit == "MB" {
        if unit == "B" { return "\(count) B" }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit)"
      }
      value /= 1000
    }
    return "\(count) B"
  }

  private static func padded(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func shortened(_ text: String) -> String {
    text.count <= 88 ? text : "\(text.prefix(85))..."
  }
}
