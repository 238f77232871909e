import Glibc
import PipelineDSL
import SystemPackage

/// Puts an image into a repository: blobs first, all at once, then what names them.
struct RegistryPush: Sendable {
  /// A blob to be there, and how to get at its bytes if it is not.
  struct Blob: Sendable {
    var descriptor: Descriptor
    /// A repository of the same registry that has it.
    var origin: String?
    /// The file that holds it; called only when it has to be sent.
    var file: @Sendable () async throws -> FilePath
  }

  let repository: RegistryRepository
  /// The image, for errors: `'localhost:5000/app:1'`.
  let subject: String

  init(_ reference: RegistryReference, client: RegistryClient) throws {
    repository = try client.repository(of: reference, isWriting: true)
    subject = "'\(reference)'"
  }

  /// Sends what the registry lacks, then the documents in their order; the last one gets the tag.
  ///
  /// - Throws: a diagnostic; the tag is then what it was before.
  func push(
    blobs: [Blob], documents: [ImageBundle.Document], scratch: FilePath, tag: String
  ) async throws {
    try await ensure(blobs, of: documents, scratch: scratch)
    let manifests = documents.filter(\.isManifest)
    for (index, document) in manifests.enumerated() {
      let name = index == manifests.count - 1 ? tag : "\(document.descriptor.digest)"
      try await blocking { try self.put(document, as: name) }
    }
  }

  /// Sees to it that the registry has blobs, and those documents that are blobs there.
  func ensure(
    _ blobs: [Blob] = [], of documents: [ImageBundle.Document], scratch: FilePath
  ) async throws {
    var all = blobs
    for document in documents where !document.isManifest {
      all.append(
        Blob(descriptor: document.descriptor, origin: nil) {
          let file = scratch.appending(document.descriptor.digest.hex)
          try FileContent.write(file, document.bytes)
          return file
        })
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for blob in all { group.addTask { try await self.ensure(blob) } }
      try await group.waitForAll()
    }
  }

  // MARK: - Manifests

  /// Stores a manifest under a tag or its digest.
  func put(
    _ document: ImageBundle.Document, as name: String
  ) throws {
    var request = repository.request(
      "PUT", "manifests/\(name)", [("Content-Type", document.descriptor.mediaType)], subject)
    request.body = .bytes(document.bytes)
    let exchange = try repository.endpoint.send(request)
    guard exchange.response.status == 201 || exchange.response.status == 200 else {
      throw refusal(exchange, "does not take the manifest of \(subject)")
    }
    let answered = exchange.response["docker-content-digest"]
    exchange.discard()
    guard answered == nil || answered == "\(document.descriptor.digest)" else {
      throw Diagnostic(
        "the registry '\(repository.endpoint.name)' changed the manifest of \(subject) that it was given",
        notes: [
          .init(
            "\(document.descriptor.digest) was sent, \(RegistryEndpoint.printable(answered ?? "")) is there"
          )
        ])
    }
  }

  // MARK: - Blobs

  /// Sees to it that the registry has a blob: it has it, it mounts it, or it is sent.
  func ensure(_ blob: Blob) async throws {
    let digest = blob.descriptor.digest
    if try await blocking({ try self.repository.hasBlob(digest, self.subject) }) { return }
    if let origin = blob.origin, try await blocking({ try self.mount(digest, from: origin) }) {
      return
    }
    let file = try await blob.file()
    try await blocking {
      try BlobUpload(push: self, descriptor: blob.descriptor, file: file).run()
    }
  }

  /// Asks for a blob of another repository; a registry that starts an upload instead does not
  /// mount (threat 28).
  private func mount(_ digest: Digest, from origin: String) throws -> Bool {
    var from = repository
    from.mounting = origin
    var request = from.request("POST", "blobs/uploads/", [], subject)
    request.query = [("mount", "\(digest)"), ("from", origin)]
    // A login that may not read the other repository gets no token for both.
    guard let exchange = try? repository.endpoint.send(request) else {
      try Cancellation.check()
      return false
    }
    defer { exchange.discard() }
    return exchange.response.status == 201
  }

  func refusal(_ exchange: HTTPExchange, _ what: String) -> Diagnostic {
    repository.endpoint.refusal(
      exchange, "the registry '\(repository.endpoint.name)' \(what)")
  }
}

extension ImageBundle.Document {
  /// Whether it is stored as a manifest, and not as a blob.
  var isManifest: Bool {
    MediaType.isManifest(descriptor.mediaType) || MediaType.isIndex(descriptor.mediaType)
  }
}
