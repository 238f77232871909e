import PipelineDSL
import SystemPackage

/// What a build reads from the machine beside the graph.
struct BuildInputs: Sendable {
  /// Directories by name; the build context is the empty one.
  var contexts: [String: ContextTree] = [:]
  var secrets: [String: SecretSource] = [:]
  /// Agent sockets by id.
  var sshSockets: [String: FilePath] = [:]
  /// Fetches what `ADD` names by URL.
  var downloads: any Downloads = HTTPDownloads(
    client: HTTPClient(certificates: .standard), retries: RetryPolicy())
}

/// Where a secret's bytes come from; read when a step needs them, kept nowhere.
enum SecretSource: Hashable, Sendable {
  case file(FilePath)
  case variable(String)

  /// - Throws: a diagnostic that names the secret, never its value.
  func read(id: String) throws(Diagnostic) -> [UInt8] {
    switch self {
    case .file(let path):
      do {
        return try FileContent.read(path)
      } catch {
        throw error.diagnostic("the secret '\(id)' cannot be read")
      }
    case .variable(let name):
      guard let value = ProcessVariables[name] else {
        throw Diagnostic(
          "the secret '\(id)' is to come from the variable '\(name)', which is not set")
      }
      return Array(value.utf8)
    }
  }
}
