import Glibc
import SystemPackage
import Testing

@testable import PipelineRunner

/// What attacks the builder, once more where it is no root: this program's own tests, run by an
/// ordinary user in a user namespace.
@Suite("Threats in a user namespace")
struct UserNamespaceTests {
  /// Who may have which ids.
  enum Ids: String, CaseIterable {
    case several
    case one

    fileprivate var mapping: String {
      switch self {
      case .several: "--map-root-user --map-auto"
      case .one: "--map-root-user"
      }
    }

    /// The suites that have something to say there.
    ///
    /// Not among them is what needs ids or rights that nobody has there: SandboxLimitTests, as
    /// control groups are root's where they have no other owner; UserDatabaseTests and
    /// FileOutputTests, which read the same files everywhere; and with one id SandboxTests and
    /// SandboxMountTests, which look at owners inside the command (OneIDTests looks at the image).
    fileprivate var suites: [String] {
      let everywhere = [
        "SandboxRootThreatTests", "SandboxProcessThreatTests", "SeccompProfileTests",
        "LayerThreatTests",
      ]
      return self == .one
        ? everywhere : everywhere + ["SandboxMountTests", "SandboxTests", "CopierTests"]
    }
  }

  /// These take long and are about time or memory, not about who runs them.
  private static let slow = "manyEntries|bomb"

  @Test("the sandbox and layers hold as they do for root", arguments: Ids.allCases)
  func threats(_ ids: Ids) async throws {
    let directory = try TemporaryDirectory()
    // The build directory may be closed to others.
    let program = directory.path.appending("tests")
    let copied = try ChildProcess.run(["cp", "/proc/\(getpid())/exe", program.string])
    try #require(copied.status == 0, "\(copied.errors)")
    let passwd = try FileContent.read("/etc/passwd")
    try FileContent.write(
      directory.path.appending("passwd"),
      passwd + Array("threat-builder:x:43211:43211::/:/bin/sh\n".utf8))
    try directory.write("ids", "threat-builder:2000000:65536\n")
    let script = """
      mount --bind $1/passwd /etc/passwd
      for f in subuid subgid; do touch /etc/$f; mount --bind $1/ids /etc/$f; done
      cd /; exec setpriv --reuid 43211 --regid 43211 --clear-groups \\
        unshare --user --mount \(ids.mapping) $1/tests --testing-library swift-testing \\
        --skip '\(Self.slow)' --filter '\(ids.suites.joined(separator: "|"))'
      """
    let path = directory.path.string
    let run = try await blocking {
      try ChildProcess.run(
        ["unshare", "--mount", "sh", "-ec", script, "sh", path])
    }
    let printed = run.text + run.errors
    let failures = printed.split(separator: "\n").filter { $0.contains("✘") }
    #expect(failures == [])
    #expect(run.status == 0, "\(failures.isEmpty ? printed : "")")
    let passed = printed.split(separator: "\n").filter {
      $0.contains("Suite ") && $0.contains(" passed after")
    }
    #expect(passed.count == ids.suites.count, "\(passed)")
  }
}
