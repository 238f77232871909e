/// The stages of a build and what passes between them, to be looked at.
public struct GraphDrawing: Hashable, Sendable {
  public enum Format: String, CaseIterable, Sendable {
    case text
    case mermaid
    case dot
    case json
  }

  /// Something that has a root file system.
  enum Node: Hashable {
    /// A stage, by its index.
    case stage(Int)
    /// An image or a named context: which of them is known when the build starts.
    case outside(String)
  }

  /// How one node is used by another.
  enum Use: String {
    case base
    case copy
    case mount
  }

  struct Edge: Hashable {
    var source: Node
    /// The index of the stage that uses it.
    var stage: Int
    var use: Use
  }

  struct Box: Hashable {
    var name: String
    var base: String
    var steps: Int
  }

  let boxes: [Box]
  /// Images and named contexts in order of first use.
  let outside: [String]
  let edges: [Edge]

  /// Finds out who uses what in a graph.
  public init(_ graph: StageGraph) {
    boxes = graph.stages.enumerated().map { index, stage in
      Box(
        name: stage.name ?? "stage-\(index)", base: stage.base.raw, steps: stage.steps.count)
    }
    var edges: [Edge] = []
    var outside: [String] = []
    func use(_ name: String, stage: Int?, in index: Int, as use: Use) {
      if stage == nil, name == "scratch" { return }
      let source = stage.map(Node.stage) ?? .outside(name)
      if stage == nil, !outside.contains(name) { outside.append(name) }
      let edge = Edge(source: source, stage: index, use: use)
      if !edges.contains(edge) { edges.append(edge) }
    }
    for (index, stage) in graph.stages.enumerated() {
      let base = stage.base.raw
      use(base, stage: graph.stageNamed(base, before: index), in: index, as: .base)
      for step in stage.steps {
        let isMount = if case .run = step.instruction { true } else { false }
        for reference in StageReference.all(in: step.instruction) {
          use(
            reference.text, stage: graph.stageReferred(reference, before: index), in: index,
            as: isMount ? .mount : .copy)
        }
      }
    }
    self.edges = edges
    self.outside = outside
  }

  /// The drawing in a format, ending in a line feed.
  ///
  /// - Returns: the text of the format.
  public func rendered(as format: Format) -> String {
    switch format {
    case .text: text
    case .mermaid: mermaid
    case .dot: dot
    case .json: json
    }
  }

  // MARK: - Formats

  private var text: String {
    boxes.enumerated().map { index, box in
      let steps = box.steps == 1 ? "1 step" : "\(box.steps) steps"
      let uses = edges.filter { $0.stage == index && $0.use != .base }.map { edge in
        "  \(edge.use == .copy ? "copies from" : "mounts") \(name(of: edge.source))\n"
      }
      return "\(box.name): from \(box.base), \(steps)\n" + uses.joined()
    }.joined()
  }

  private var mermaid: String {
    var lines = ["flowchart LR"]
    for (index, box) in boxes.enumerated() {
      lines.append("  s\(index)[\"\(Self.entities(box.name))\"]")
    }
    for (index, name) in outside.enumerated() {
      lines.append("  i\(index)([\"\(Self.entities(name))\"])")
    }
    for edge in edges {
      let arrow = edge.use == .base ? "-->" : "-. \(edge.use.rawValue) .->"
      lines.append("  \(identifier(of: edge.source)) \(arrow) s\(edge.stage)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var dot: String {
    var lines = ["digraph build {", "  rankdir=LR;"]
    for (index, box) in boxes.enumerated() {
      lines.append("  s\(index) [label=\(Self.quoted(box.name)), shape=box];")
    }
    for (index, name) in outside.enumerated() {
      lines.append("  i\(index) [label=\(Self.quoted(name)), shape=ellipse];")
    }
    for edge in edges {
      let style = edge.use == .base ? "" : " [label=\(edge.use.rawValue), style=dashed]"
      lines.append("  \(identifier(of: edge.source)) -> s\(edge.stage)\(style);")
    }
    return lines.joined(separator: "\n") + "\n}\n"
  }

  private var json: String {
    let stages = boxes.map { box in
      "{\"name\": \(JSONText.string(box.name)), \"base\": \(JSONText.string(box.base)), "
        + "\"steps\": \(box.steps)}"
    }
    let uses = edges.map { edge in
      let kind = if case .stage = edge.source { "stage" } else { "image" }
      return "{\"from\": \(JSONText.string(name(of: edge.source))), \"kind\": \"\(kind)\", "
        + "\"to\": \(JSONText.string(boxes[edge.stage].name)), \"use\": \"\(edge.use.rawValue)\"}"
    }
    func list(_ elements: [String]) -> String {
      elements.isEmpty ? "[]" : "[\n    " + elements.joined(separator: ",\n    ") + "\n  ]"
    }
    return "{\n  \"stages\": \(list(stages)),\n  \"edges\": \(list(uses))\n}\n"
  }

  // MARK: - Names

  private func name(of node: Node) -> String {
    switch node {
    case .stage(let index): boxes[index].name
    case .outside(let name): name
    }
  }

  private func identifier(of node: Node) -> String {
    switch node {
    case .stage(let index): "s\(index)"
    case .outside(let name): "i\(outside.firstIndex(of: name) ?? 0)"
    }
  }

  /// A text inside quotes of Mermaid, which knows entities and no escapes.
  private static func entities(_ text: String) -> String {
    text.map { character in
      switch character {
      case "\"": "#quot;"
      case "#": "#35;"
      case "<": "#lt;"
      case ">": "#gt;"
      default: String(character)
      }
    }.joined()
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
  }
}
