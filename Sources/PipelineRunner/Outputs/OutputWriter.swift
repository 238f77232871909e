import PipelineDSL
import SystemPackage

extension OutputSpecification {
  /// Writes an image; the result says in a few words what was written where.
  ///
  /// Pushing is not done here: it needs the network.
  func write(
    _ image: BuiltImage, tags: [String], epoch: Int?, store: Store
  ) throws -> String {
    switch kind {
    case .local, .tar: try writeFiles(of: image, epoch: epoch, store: store)
    case .oci, .docker: try writeLayout(of: image, tags: tags, store: store)
    case .registry, .image: break
    }
    return description
  }

  private func writeLayout(of image: BuiltImage, tags: [String], store: Store) throws {
    let writer = LayoutWriter(
      bundle: try ImageBundle([image], types: mediaTypes, annotations: annotations),
      names: names(tags: tags), created: image.created, blob: { store.blob($0) })
    guard let destination else { return }
    if isArchive {
      try OutputFile.write(destination) { descriptor in
        try writer.write(to: descriptor, isDocker: kind == .docker)
      }
    } else if case .path(let path) = destination {
      do {
        try writer.write(into: path)
      } catch let error as SystemError {
        throw error.diagnostic("the output cannot be written")
      }
    }
  }

  private func writeFiles(of image: BuiltImage, epoch: Int?, store: Store) throws {
    // overlayfs takes 500 layers; those that change nothing need not be among them.
    let layers = try image.layerIDs.filter { try store.info(of: $0)?.entries != 0 }
    let writer = RootfsWriter(
      root: RootTree(layers.map { store.directory(of: $0) }), empty: store.empty, epoch: epoch)
    guard let destination else { return }
    do {
      if kind == .tar {
        let workspace = try store.makeWorkspace(below: .empty)
        defer { store.remove(workspace) }
        try writer.write(tar: destination, scratch: workspace.scratch)
      } else if case .path(let path) = destination {
        try writer.write(directory: path)
      }
    } catch let error as SystemError {
      throw error.diagnostic("the output cannot be written")
    }
  }
}

extension OutputSpecification: CustomStringConvertible {
  var description: String {
    let what =
      switch kind {
      case .oci: isArchive ? "OCI archive" : "OCI layout"
      case .docker: "docker archive"
      case .tar: "tar"
      case .local: "directory"
      case .registry, .image: "image"
      }
    switch destination {
    case .standardOutput: return "\(what) to standard output"
    case .path(let path): return "\(what) \(path)"
    case nil: return what
    }
  }
}
