import SystemPackage

/// Where caches are kept for other machines.
protocol CachePlace: Sendable {
  /// What is there, and where its layers can be had; nil where nothing is. Blocks.
  func read() throws -> (document: CacheDocument, blobs: any BlobSource)?

  /// Adds to what is there.
  ///
  /// Two writers at once lose nothing of each other: what one of them overwrites, it finds missing
  /// and adds again. `blobs` holds every layer of the document.
  func add(
    _ document: CacheDocument, blobs: [RegistryPush.Blob], scratch: FilePath
  ) async throws
}
