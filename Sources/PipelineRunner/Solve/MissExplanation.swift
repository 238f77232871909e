import PipelineDSL

extension Solver {
  /// Why the cache did not serve: the first difference to the last result of the same step.
  ///
  /// What lies in an earlier step of the same build is said to be inherited from it (cache.md,
  /// section 5). Nil where the step was never done here.
  func reasonForMiss(_ key: CacheKey, _ operation: Operation) throws -> String? {
    guard options.usesCache else { return "--no-cache" }
    guard let last = try store.record(for: siteKey(operation)),
      let difference = key.firstDifference(from: last.parts)
    else { return nil }
    if difference.label == "base" {
      if let cause = cause(of: operation.parent) { return cause }
      return "what it starts from changed"
    }
    for (label, tree) in operation.readTrees where label == difference.label {
      if let cause = cause(of: tree) { return "\(difference.subject): \(cause)" }
    }
    return difference.text
  }

  /// What made a tree another one than before: the step of this build that did, or the nearest that
  /// has other content.
  private func cause(of tree: TreeReference) -> String? {
    guard case .operation(let nearest) = tree else { return nil }
    var current = tree
    while case .operation(let id) = current {
      if case .ran = self[id]?.status { return "\(StepText.name(plan[id])) made other content" }
      current = plan[id].parent
    }
    if case .image(let image) = plan[nearest].action {
      return "the base image '\(image.reference)' is another one"
    }
    return "\(StepText.name(plan[nearest])) has other content than then"
  }
}

extension Operation {
  /// Trees that the operation reads in part, by the label of the key's part that covers them.
  var readTrees: [(label: String, tree: TreeReference)] {
    switch action {
    case .run(let run):
      run.mounts.compactMap { mount in
        guard case .tree(let tree, _, let target, _) = mount else { return nil }
        return ("mount \(target)", tree)
      }
    case .copy(let copy):
      copy.sources.compactMap { source in
        guard case .path(let tree, _) = source else { return nil }
        return (copy.contentLabel, tree)
      }
    case .image, .fetch, .makeDirectory, .verify: []
    }
  }
}
