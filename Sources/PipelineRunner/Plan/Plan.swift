import PipelineDSL

/// What a build comes to: the operations that the target needs, in an order that respects their
/// inputs, and the image made of their results.
struct Plan: Sendable {
  var operations: [Operation]
  var image: PlannedImage
  /// The end of every stage planned, for the report of sizes.
  var stages: [PlannedStage]
  /// Stages that the target does not need, and where they stand.
  var skipped: [SkippedStage]
  /// Base images by the operation that provides them.
  var bases: [OperationID: ResolvedImage]
  var warnings: [Diagnostic]

  subscript(id: OperationID) -> Operation { operations[id.index] }
}

/// A stage that nothing asks for.
struct SkippedStage: Sendable {
  var name: String
  var location: SourceLocation?
}

/// A stage and the root it ends with.
struct PlannedStage: Sendable {
  var name: String
  var root: TreeReference
}

/// An image but for what only running tells: layers and times.
struct PlannedImage: Sendable {
  var root: TreeReference
  /// Without layers, history and `created`.
  var configuration: ImageConfiguration
  var history: [PlannedHistory]
  var platform: Platform
}

/// A history entry, and the operation whose layer it describes.
struct PlannedHistory: Hashable, Sendable {
  var entry: ImageConfiguration.History
  /// Nil for a metadata step, and for what the base image says of itself.
  var operation: OperationID?
  var isInherited = false
}
