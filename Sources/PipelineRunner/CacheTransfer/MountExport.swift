import Glibc
import PipelineDSL
import SystemPackage

/// Packs the cache mounts that steps of a build use, for other machines.
struct MountExport {
  let store: Store
  let mounts: CacheSpecification.Mounts
  /// Where blobs are put until they are sent.
  let scratch: FilePath

  /// A mount, and the file with what it holds.
  struct Packed: Sendable {
    var mount: CacheDocument.Mount
    var file: FilePath
  }

  /// A mount with the strictest of the ways in which steps share it.
  private struct Source {
    var id: String
    var platform: Platform
    var isClaimed: Bool
  }

  /// Packs every mount that is wanted and holds something.
  ///
  /// - Returns: also what could not be packed, as warnings.
  func run(_ builds: [PlatformBuild]) async throws -> (packed: [Packed], warnings: [Diagnostic]) {
    var packed: [Packed] = []
    var warnings: [Diagnostic] = []
    for (identity, source) in sources(of: builds).sorted(by: { $0.key < $1.key }) {
      do {
        if let mount = try await pack(source, identity) { packed.append(mount) }
      } catch var warning as Diagnostic {
        warning.severity = .warning
        warning.notes.append(.init("the cache mount '\(source.id)' was left out"))
        warnings.append(warning)
      }
    }
    return (packed, warnings)
  }

  private func sources(of builds: [PlatformBuild]) -> [Digest: Source] {
    var sources: [Digest: Source] = [:]
    for operation in builds.flatMap(\.plan.operations) {
      guard case .run(let run) = operation.action else { continue }
      for cache in run.mounts.cacheActions where mounts.includes(cache.id) {
        let identity = CacheMounts.identity(cache.id, platform: run.platform)
        let isClaimed = sources[identity]?.isClaimed == true || cache.sharing != .shared
        sources[identity] = Source(id: cache.id, platform: run.platform, isClaimed: isClaimed)
      }
    }
    return sources
  }

  private func pack(_ source: Source, _ identity: Digest) async throws -> Packed? {
    let directory = store.path(of: .cache(identity))
    try store.hold(.cache(identity))
    guard try !CacheMounts.isEmpty(directory) else { return nil }
    let claim =
      source.isClaimed
      ? try await FileLock.wait(CacheMounts.claims(store), at: Store.lockOffset(identity)) : nil
    defer { withExtendedLifetime(claim) {} }
    let file = scratch.appending("mount-\(identity.hex)")
    let empty = store.empty
    // Others may write to a shared mount while it is read; what changed meanwhile is read again.
    for attempt in 1... {
      do {
        let packed = try await blocking {
          try LayerPacker(empty: empty).packTree(directory, into: file)
        }
        return Packed(
          mount: CacheDocument.Mount(
            identity: identity, id: source.id, platform: "\(source.platform)", packed: packed),
          file: file)
      } catch {
        guard attempt < 3, !source.isClaimed, error is Diagnostic else { throw error }
      }
    }
    return nil
  }
}
