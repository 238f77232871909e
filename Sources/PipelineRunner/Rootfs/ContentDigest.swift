import PipelineDSL
import SystemPackage

/// The digest of just the paths that a step reads (cache.md K4–K6).
struct ContentDigest {
  /// A directory with nothing in it.
  var empty: FilePath

  /// What one source comes to, for a bind mount.
  func digest(of source: CopyRequest.Source) throws -> Digest {
    throw Diagnostic("digests are being written")
  }

  /// What a whole copy comes to: sources after ignore rules and wildcards, owners and modes as
  /// they will land.
  func digest(of request: CopyRequest, memo: ContextMemo?) throws -> Digest {
    throw Diagnostic("digests are being written")
  }
}
