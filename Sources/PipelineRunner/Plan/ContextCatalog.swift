import Glibc
import PipelineDSL
import SystemPackage

/// The named contexts of a build: directories to copy from, and images to start from.
struct ContextCatalog: BaseResolver {
  /// What a context's name stands for.
  enum Entry: Sendable {
    case directory(FilePath)
    case image(ImageSource)
    /// Another reference, as `docker-image://REF` gives it.
    case reference(String)
  }

  /// In the form the user gave; names of images also match in their normalised form.
  private let entries: [String: Entry]
  /// Where an image comes from that no context gives; nil in a build that may pull nothing.
  var registries: RegistryImages?

  init(_ entries: [String: Entry]) {
    self.entries = entries
  }

  var names: Set<String> { Set(entries.keys) }

  /// The directories among the contexts.
  var directories: [String: FilePath] {
    entries.compactMapValues { if case .directory(let path) = $0 { path } else { nil } }
  }

  func context(named name: String) async throws -> String? {
    guard case .directory = entries[name] else { return nil }
    return name
  }

  func resolve(
    _ reference: String, platform: Platform, at location: SourceLocation?
  ) async throws -> ResolvedImage {
    try await resolve(reference, platform: platform, at: location, pinned: nil)
  }

  /// Finds an image; from a registry the one with the digest that is pinned, whatever its tag
  /// stands for now.
  func resolve(
    _ reference: String, platform: Platform, at location: SourceLocation?, pinned: Digest?
  ) async throws -> ResolvedImage {
    var name = reference
    // A context may name another image; ten steps end a circle of them.
    for _ in 0..<10 {
      switch entry(for: name) {
      case .directory(let path):
        return try await load(.rootfsDirectory(path), name, platform, location)
      case .image(let source): return try await load(source, name, platform, location)
      case .reference(let other): name = other
      case nil: return try await pull(name, platform, location, pinned)
      }
    }
    throw Diagnostic("the context '\(reference)' leads back to itself", at: location)
  }

  /// Whether a context gives the image that a reference names.
  func provides(_ reference: String) -> Bool { entry(for: reference) != nil }

  /// Whether what a reference names has a digest of its own: a bare directory has none.
  func hasFixedDigest(_ reference: String) -> Bool {
    switch entry(for: reference) {
    case .directory, .image(.rootfsDirectory): false
    case .image, .reference, nil: true
    }
  }

  private func entry(for name: String) -> Entry? {
    if let entry = entries[name] { return entry }
    guard let wanted = try? RegistryReference(name) else { return nil }
    return entries.first { (try? RegistryReference($0.key)) == wanted }?.value
  }

  private func load(
    _ source: ImageSource, _ name: String, _ platform: Platform, _ location: SourceLocation?
  ) async throws -> ResolvedImage {
    do {
      return try await blocking { try source.resolve(platform: platform) }
    } catch var error as Diagnostic {
      if error.location == nil { error.location = location }
      error.notes.append(.init("'\(name)' is given by --build-context"))
      throw error
    } catch let error as SystemError {
      throw error.diagnostic("the base '\(name)' cannot be read", at: location)
    }
  }

  private func pull(
    _ name: String, _ platform: Platform, _ location: SourceLocation?, _ pinned: Digest?
  ) async throws -> ResolvedImage {
    let near = EditDistance.nearest(to: name, among: entries.keys.sorted())
    do {
      let reference = try RegistryReference(name).pinned(to: pinned)
      guard let registries else {
        throw Diagnostic("the base image '\(reference)' is not at hand: nothing is pulled here")
      }
      return try await blocking { try registries.resolve(reference, platform: platform) }
    } catch var error as Diagnostic {
      if error.location == nil { error.location = location }
      if let near {
        error.help = "did you mean the context '\(near)'?"
      } else if RegistryEndpoint.isUnreachable(error) || registries == nil {
        error.help =
          "check the name and the network, or give the image with --build-context \(name)=oci-layout://DIR:TAG, a tar file or a directory"
      }
      throw error
    } catch let error as SystemError {
      throw error.diagnostic("the base '\(name)' cannot be pulled", at: location)
    }
  }
}
