import PipelineDSL
import SystemPackage

/// Refuses every URL.
struct NoDownloads: Downloads {
  func get(
    _ url: String, unless validators: Validators, into file: FilePath
  ) async throws -> DownloadAnswer? {
    throw Diagnostic(
      "'\(RemoteSource.withoutPassword(url))' cannot be fetched: this build downloads nothing",
      help: "download it first, or in a RUN, and copy the file")
  }
}
