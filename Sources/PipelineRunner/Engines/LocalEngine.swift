import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// Builds on this machine: namespaces and overlayfs, no daemon.
struct LocalEngine: Sendable {
  let store: Store
  let progress: any ProgressRenderer

  /// Plans, solves, packs and writes.
  ///
  /// - Throws: a diagnostic of the first thing that went wrong; nothing half-made is left.
  func build(_ request: BuildRequest) async throws -> BuildReport {
    let clock = ContinuousClock()
    let start = clock.now
    let registries = RegistryClient(options: request.registries)
    var contexts = request.contexts
    contexts.registries = RegistryImages(client: registries, store: store)
    let plan = try await Planner.plan(
      request.graph, options: request.options, resolver: contexts)
    for warning in plan.warnings { progress.handle(.warning(warning)) }
    let memo = try ContextMemo(at: store.path.appending("memo"))
    let solver = Solver(
      plan: plan, store: store, inputs: request.inputs,
      options: SolveOptions(
        usesCache: request.usesCache, sourceDateEpoch: request.options.sourceDateEpoch),
      memo: memo, progress: progress)
    try await solver.solve()
    try memo.save()
    let image = try await assemble(plan, solver, request)
    for output in request.outputs { try await write(image, to: output, request.tags) }
    let id = SHA256Hasher.digest(of: image.configuration)
    for tag in request.tags {
      try store.setImage(
        NamedImage(
          name: tag, configuration: try decode(image.configuration), id: id,
          layers: image.layerIDs, created: solver.time(nil)))
    }
    if let file = request.idFile { try FileContent.replace(file, with: Array("\(id)".utf8)) }
    let report = try BuildReport(
      plan: plan, solver: solver, image: image, id: id, tags: request.tags,
      seconds: (clock.now - start).seconds)
    if let file = request.metadataFile { try FileContent.replace(file, with: report.metadata()) }
    return report
  }

  private func decode(_ bytes: [UInt8]) throws -> ImageConfiguration {
    try JSONDecoder().decode(ImageConfiguration.self, from: Data(bytes))
  }

  // MARK: - The image

  /// The image of a solved plan: layers packed, times filled in, config written down.
  private func assemble(
    _ plan: Plan, _ solver: Solver, _ request: BuildRequest
  ) async throws -> BuiltImage {
    let layers = solver.layers(of: plan.image.root)
    let epoch = request.options.sourceDateEpoch
    let packer = ImagePacker(store: store, solver: solver, epoch: epoch)
    let start = ContinuousClock.now
    let packed = try await packer.pack(layers)
    if packer.didWork {
      progress.handle(.task("packed layers", seconds: (ContinuousClock.now - start).seconds))
    }
    var configuration = plan.image.configuration
    configuration.rootfs = .init(diffIDs: packed.map(\.diffID))
    let history = ImageTimes.history(
      plan.image.history, epoch: epoch, layerCount: layers.count,
      created: { solver[$0]?.created })
    configuration.history = history.isEmpty ? nil : history
    configuration.created = history.last?.created ?? epoch.map(ImageTimes.text)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return BuiltImage(
      platform: plan.image.platform, configuration: Array(try encoder.encode(configuration)),
      layers: packed, layerIDs: layers)
  }

  private func write(
    _ image: BuiltImage, to output: OutputSpecification, _ tags: [String]
  ) async throws {
    let start = ContinuousClock.now
    let store = store
    let report = try await blocking {
      try output.write(
        image, tags: tags, blob: { store.blob($0) }, layer: { store.directory(of: $0) },
        empty: store.empty)
    }
    progress.handle(.task("wrote \(report)", seconds: (ContinuousClock.now - start).seconds))
  }
}
