/// What a program's image comes to: the graph, and where its named contexts come from.
public struct ImageDeclaration: Sendable {
  public let graph: StageGraph
  /// The named build contexts that the stages use, in order of first use.
  public let contexts: [BuildContext]

  /// Evaluates a declaration, once.
  ///
  /// - Throws: a diagnostic at the declaration that contradicts itself or another one, or whatever
  ///   the image's declaration throws.
  public init(_ image: some ContainerImage) throws {
    let target = try image.image()
    var graph = try StageGraph(target: target, arguments: image.arguments)
    graph.sourceDateEpoch = image.sourceDateEpoch
    self.graph = graph
    contexts = StageOrder(target: target).contexts
  }
}
