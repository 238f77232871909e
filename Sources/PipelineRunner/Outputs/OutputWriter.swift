import Glibc
import PipelineDSL
import SystemPackage

extension OutputSpecification {
  /// Writes an image as a layout or an archive.
  func write(
    _ bundle: ImageBundle, names: [String], created: String?, store: Store
  ) throws {
    guard let destination else { return }
    let writer = LayoutWriter(
      bundle: bundle, names: names, created: created, blob: { store.blob($0) })
    if isArchive {
      try OutputFile.write(destination) { descriptor in
        try writer.write(to: descriptor, isDocker: kind == .docker)
      }
    } else if case .path(let path) = destination {
      try Self.located { try writer.write(into: path) }
    }
  }

  /// Writes the files of one image, or of several in directories named by their platforms, as
  /// BuildKit splits them.
  func writeFiles(of images: [BuiltImage], epoch: Int?, store: Store) throws {
    guard let destination else { return }
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    try Self.located {
      let writers = try images.map { image in
        // overlayfs takes 500 layers; those that change nothing need not be among them.
        let layers = try image.layerIDs.filter { try store.info(of: $0)?.entries != 0 }
        return RootfsWriter(
          root: RootTree(layers.map { store.directory(of: $0) }), empty: store.empty,
          epoch: epoch)
      }
      switch destination {
      case .path(let path) where kind == .local:
        if images.count == 1 { return try writers[0].write(directory: path) }
        for (image, writer) in zip(images, writers) {
          try writer.write(directory: path.appending(image.platform.folderName))
        }
      case .path, .standardOutput:
        if images.count == 1 {
          return try writers[0].write(tar: destination, scratch: workspace.scratch)
        }
        for (image, writer) in zip(images, writers) {
          try writer.write(directory: workspace.upper.appending(image.platform.folderName))
        }
        try RootfsWriter.write(
          tar: destination, of: workspace.upper, empty: store.empty, epoch: epoch,
          scratch: workspace.scratch)
      }
    }
  }

  private static func located(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as SystemError {
      throw error.diagnostic("the output cannot be written")
    }
  }
}

extension Platform {
  /// The platform as a directory's name: `linux_arm64`.
  var folderName: String {
    "\(self)".split(separator: "/").joined(separator: "_")
  }
}

extension OutputSpecification: CustomStringConvertible {
  var description: String {
    let what =
      switch kind {
      case .oci: isArchive ? "OCI archive" : "OCI layout"
      case .docker: isArchive ? "docker archive" : "OCI layout"
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
