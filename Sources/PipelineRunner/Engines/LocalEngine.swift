import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

/// Builds on this machine: namespaces and overlayfs, no daemon.
struct LocalEngine: Sendable {
  let store: Store
  let progress: any ProgressRenderer

  /// Plans, solves, packs and writes, for every platform asked for.
  ///
  /// - Throws: a diagnostic of the first thing that went wrong; nothing half-made is left.
  func build(_ request: BuildRequest) async throws -> BuildReport {
    let clock = ContinuousClock()
    let start = clock.now
    let registries = RegistryClient(options: request.registriesWithOutputs)
    var (builds, images) = try await make(request, registries)
    if !request.attestations.isEmpty {
      for (index, build) in builds.enumerated() {
        images[index].attestations = try await attest(images[index], build, request)
      }
    }
    var descriptor: Descriptor?
    for output in request.outputs {
      let written = try await write(images, builds, to: output, request, registries)
      descriptor = descriptor ?? written
    }
    try await name(images, builds, request)
    try await exportCaches(builds, request, registries)
    let report = try BuildReport(
      builds: builds, images: images, descriptor: descriptor, tags: request.allNames,
      seconds: (clock.now - start).seconds)
    if let file = request.idFile {
      try FileContent.replace(file, with: Array((report.id.map { "\($0)" } ?? "").utf8))
    }
    if let file = request.metadataFile { try FileContent.replace(file, with: report.metadata()) }
    return report
  }

  /// The images, without anything that is written of them.
  func make(
    _ request: BuildRequest, _ registries: RegistryClient
  ) async throws -> (builds: [PlatformBuild], images: [BuiltImage]) {
    try request.check()
    for warning in request.warnings { progress.handle(.warning(warning)) }
    var request = request
    request.contexts.registries = RegistryImages(client: registries, store: store)
    request.inputs.downloads = HTTPDownloads(
      client: registries.http, retries: request.registries.retries)
    let memo = try ContextMemo(at: store.path.appending("memo"))
    var builds: [PlatformBuild] = []
    var warnings = Set<Diagnostic>()
    let imported = try await importCaches(request, registries)
    for platform in request.platforms {
      builds.append(try await prepare(platform, request, memo, imported, &warnings))
    }
    // Every platform before anything of the first is done.
    for build in builds { try await checkPrograms(build) }
    for build in builds { try await solve(build) }
    try memo.save()
    return (builds, try await assemble(builds, request))
  }

  // MARK: - Platforms

  private func prepare(
    _ platform: Platform, _ request: BuildRequest, _ memo: ContextMemo,
    _ imported: ImportedCache?, _ warnings: inout Set<Diagnostic>
  ) async throws -> PlatformBuild {
    var options = request.options
    options.platform = platform
    var plan = try await request.plan(options)
    for warning in plan.warnings where warnings.insert(warning).inserted {
      progress.handle(.warning(warning))
    }
    if request.platforms.count > 1 {
      // Steps are told apart as BuildKit tells them: `[linux/arm64 build 2/4]`.
      for index in plan.operations.indices {
        plan.operations[index].stage = "\(platform) \(plan.operations[index].stage)"
      }
    }
    let solver = Solver(
      plan: plan, store: store, inputs: request.inputs,
      options: SolveOptions(
        usesCache: request.usesCache, sourceDateEpoch: request.options.sourceDateEpoch,
        failsOnMiss: request.failsOnMiss, limits: request.limits,
        opensShellOnFailure: request.opensShellOnFailure),
      memo: memo, progress: progress, imported: imported)
    return PlatformBuild(
      plan: plan, solver: solver,
      packer: ImagePacker(
        store: store, solver: solver, epoch: request.options.sourceDateEpoch))
  }

  /// Refuses commands that this machine cannot run, unless they may not have to.
  private func checkPrograms(_ build: PlatformBuild) async throws {
    let (solver, empty) = (build.solver, store.empty)
    let problem = try await blocking {
      try ForeignPrograms(plan: build.plan, empty: empty).problem(mayBeCached: solver.mayBeCached)
    }
    if let problem { throw problem }
  }

  private func solve(_ build: PlatformBuild) async throws {
    defer {
      for note in store.space.takeNotes() {
        progress.handle(.warning(Diagnostic(note, severity: .warning, help: "'prune' frees more")))
      }
    }
    try await build.solver.solve()
  }

  // MARK: - Caches of other machines

  private func importCaches(
    _ request: BuildRequest, _ registries: RegistryClient
  ) async throws -> ImportedCache? {
    guard !request.importedCaches.isEmpty, request.usesCache else { return nil }
    let store = store
    let start = ContinuousClock.now
    let (imported, warnings) = try await blocking {
      let sources = try request.importedCaches.compactMap { source in
        try source.store(client: registries, store: store).map { ("\(source)", $0) }
      }
      var warnings: [Diagnostic] = []
      let imported = try ImportedCache(
        sources, platforms: request.platforms, epoch: request.options.sourceDateEpoch,
        warnings: &warnings)
      return (imported, warnings)
    }
    for warning in warnings { progress.handle(.warning(warning)) }
    report("looked at \(request.importedCaches.count) other caches", since: start)
    return imported
  }

  private func exportCaches(
    _ builds: [PlatformBuild], _ request: BuildRequest, _ registries: RegistryClient
  ) async throws {
    for target in request.exportedCaches {
      let start = ContinuousClock.now
      do {
        guard let place = try target.store(client: registries, store: store) else { continue }
        let export = CacheExport(store: store, builds: builds, mounts: target.mounts)
        let result = try await export.write(to: place, mode: target.mode)
        for warning in result.warnings { progress.handle(.warning(warning)) }
        report("wrote \(result.text) to the cache \(target)", since: start)
      } catch var error as Diagnostic where target.ignoresErrors {
        error.severity = .warning
        progress.handle(.warning(error))
      }
    }
  }

  // MARK: - The image

  /// The images of solved plans: diff ids found, times filled in, configs written down.
  private func assemble(
    _ builds: [PlatformBuild], _ request: BuildRequest
  ) async throws -> [BuiltImage] {
    let start = ContinuousClock.now
    var images: [BuiltImage] = []
    for build in builds {
      images.append(try await assemble(build, request))
    }
    if builds.contains(where: \.packer.didWork) {
      progress.handle(.task("packed layers", seconds: (ContinuousClock.now - start).seconds))
    }
    return images
  }

  private func assemble(
    _ build: PlatformBuild, _ request: BuildRequest
  ) async throws -> BuiltImage {
    let plan = build.plan
    let layers = build.solver.layers(of: plan.image.root)
    guard request.needsImage else {
      return BuiltImage(platform: plan.image.platform, layerIDs: layers)
    }
    let epoch = request.options.sourceDateEpoch
    var configuration = plan.image.configuration
    let compression = request.outputs.first { !$0.isFileTree }?.compression
    configuration.rootfs = .init(
      diffIDs: try await build.packer.diffIDs(of: layers, compression: compression))
    let history = ImageTimes.history(
      plan.image.history, epoch: epoch, layerCount: layers.count,
      created: { build.solver[$0]?.created })
    configuration.history = history.isEmpty ? nil : history
    configuration.created = history.last?.created ?? epoch.map(ImageTimes.text)
    let cache = request.embedsCache ? try build.inlineCache(epoch: epoch) : nil
    return BuiltImage(
      platform: plan.image.platform, layerIDs: layers,
      configuration: try configuration.encoded(with: cache), created: configuration.created)
  }

  /// Gives the image its names in the store.
  ///
  /// It is there whole, so that it can be run; one that is pushed is at home elsewhere, and what no
  /// step needed of it stays there.
  private func name(
    _ images: [BuiltImage], _ builds: [PlatformBuild], _ request: BuildRequest
  ) async throws {
    if !request.storeNames.isEmpty, !request.outputs.contains(where: \.pushes) {
      for (image, build) in zip(images, builds) {
        try await build.solver.bases.ensure(image.layerIDs)
      }
    }
    let created = request.options.sourceDateEpoch ?? Int(Glibc.time(nil))
    for name in request.storeNames {
      let variants = try images.map { image in
        NamedImage.Variant(
          platform: "\(image.platform)", id: SHA256Hasher.digest(of: image.configuration),
          configuration: try JSONDecoder().decode(
            ImageConfiguration.self, from: Data(image.configuration)), layers: image.layerIDs)
      }
      try store.setImage(NamedImage(name: name, variants: variants, created: created))
    }
  }

  // MARK: - Attestations

  /// The statements that were asked for about one image.
  private func attest(
    _ image: BuiltImage, _ build: PlatformBuild, _ request: BuildRequest
  ) async throws -> [Attestation] {
    var attestations: [Attestation] = []
    // Equal images get equal statements: the time is the image's, not the clock's.
    let created = image.created ?? ImageTimes.text(0)
    if request.attestations.hasSBOM {
      let start = ContinuousClock.now
      let root = try await build.solver.rootTree(build.plan.image.root)
      let empty = store.empty
      let found = try await blocking { try PackageScanner.scan(root, empty: empty) }
      let document = SPDXDocument(
        found, image: SHA256Hasher.digest(of: image.configuration),
        name: request.allNames.first ?? "image", created: created)
      attestations.append(
        Attestation(predicateType: SPDXDocument.predicateType, predicate: document))
      report("found \(found.packages.count) packages for the SBOM", since: start)
    }
    if let mode = request.attestations.provenance {
      attestations.append(
        Attestation(
          predicateType: Provenance.predicateType,
          predicate: Provenance(build.plan, request, mode: mode, created: created)))
    }
    return attestations
  }

  // MARK: - Outputs

  /// Writes one output.
  ///
  /// - Returns: the descriptor of the manifest or index, where the output has one.
  private func write(
    _ images: [BuiltImage], _ builds: [PlatformBuild], to output: OutputSpecification,
    _ request: BuildRequest, _ registries: RegistryClient
  ) async throws -> Descriptor? {
    let start = ContinuousClock.now
    let store = store
    let epoch = request.options.sourceDateEpoch
    if output.isFileTree {
      for (image, build) in zip(images, builds) {
        for layer in image.layerIDs { try await build.solver.bases.ensure(layer) }
      }
      try await blocking { try output.writeFiles(of: images, epoch: epoch, store: store) }
      report("wrote \(output)", since: start)
      return nil
    }
    if output.pushes { return try await push(images, builds, output, request, registries) }
    guard output.destination != nil else { return nil }
    var packed = images
    for (index, build) in builds.enumerated() {
      packed[index].layers = try await build.packer.pack(
        images[index].layerIDs, compression: output.compression)
    }
    let bundle = try ImageBundle(
      packed, types: output.mediaTypes, annotations: output.annotations + request.annotations,
      names: output.names(tags: request.tags))
    try await blocking {
      try output.write(
        bundle, names: output.names(tags: request.tags), created: images[0].created, store: store)
    }
    report("wrote \(output) (\(bundle.root.digest))", since: start)
    return bundle.root
  }

  /// Pushes the image under each of its names.
  private func push(
    _ images: [BuiltImage], _ builds: [PlatformBuild], _ output: OutputSpecification,
    _ request: BuildRequest, _ registries: RegistryClient
  ) async throws -> Descriptor? {
    let store = store
    var packed = images
    var bases: [Digest: BaseLayer] = [:]
    for (index, build) in builds.enumerated() {
      let layers = images[index].layerIDs
      packed[index].layers = try await build.packer.describe(
        layers, compression: output.compression)
      for (layer, described) in zip(layers, packed[index].layers) {
        bases[described.descriptor.digest] = build.solver.bases[layer]
      }
    }
    let bundle = try ImageBundle(
      packed, types: output.mediaTypes, annotations: output.annotations + request.annotations,
      names: output.names(tags: request.tags))
    let workspace = try store.makeWorkspace(below: .empty)
    defer { store.remove(workspace) }
    for name in output.names(tags: request.tags) {
      let start = ContinuousClock.now
      let reference = try RegistryReference(name)
      let push = try RegistryPush(reference, client: registries)
      let blobs = bundle.layers.map { [bases] descriptor in
        let base = bases[descriptor.digest]
        let source = (base?.blobs as? RegistryBlobs)?.repositories.last
        return RegistryPush.Blob(
          descriptor: descriptor,
          origin: source?.endpoint.base == push.repository.endpoint.base ? source?.name : nil
        ) {
          if let base, !store.hasBlob(descriptor) {
            _ = try await blocking { try base.packed(in: store) }
          }
          return store.blob(descriptor.digest)
        }
      }
      try await push.push(
        blobs: blobs, documents: bundle.documents, scratch: workspace.scratch,
        tag: reference.tag ?? "latest")
      report("pushed \(reference) (\(bundle.root.digest))", since: start)
    }
    return bundle.root
  }

  private func report(_ text: String, since start: ContinuousClock.Instant) {
    progress.handle(.task(text, seconds: (ContinuousClock.now - start).seconds))
  }
}

/// One platform's plan, and what became of it.
struct PlatformBuild: Sendable {
  let plan: Plan
  let solver: Solver
  let packer: ImagePacker
}
