import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite struct DirectoryMakerTests {
  let bench: SandboxBench

  init() throws {
    bench = try SandboxBench()
  }

  private func make(_ path: String, user: String = "") throws -> (made: Bool, upper: FilePath) {
    let root = RootTree([bench.base])
    let workspace = try bench.store.makeWorkspace(below: root)
    let made = try DirectoryMaker(empty: bench.store.empty).make(
      Array(path.utf8), user: user, in: root, workspace: workspace, location: nil)
    return (made, workspace.upper)
  }

  private func failure(_ path: String, user: String = "") -> String {
    do {
      return "no error: \(try make(path, user: user).made)"
    } catch let error as Diagnostic {
      return error.message
    } catch {
      return "\(error)"
    }
  }

  @Test(
    "missing directories are made, 0755 and the user's; a lone number is the group too (M1, C8)",
    arguments: [("", 0, 0), ("app", 1000, 1000), ("4711", 4711, 4711), ("app:audio", 1000, 29)])
  func missing(user: String, uid: Int, gid: Int) throws {
    let (made, upper) = try make("/srv/a/b", user: user)
    #expect(made)
    #expect(try SandboxBench.list(upper) == ["srv/", "srv/a/", "srv/a/b/"])
    for path in ["srv", "srv/a", "srv/a/b"] {
      let status = upper.appending(path).status
      #expect(status?.st_mode == S_IFDIR | 0o755)
      #expect(status.map { Int($0.st_uid) } == uid)
      #expect(status.map { Int($0.st_gid) } == gid)
    }
  }

  @Test("what is there is untouched, also behind a link")
  func present() throws {
    try bench.tree.directory("base/home/app", mode: 0o700)
    try bench.tree.symlink("base/lnk", to: "/home/../home/app")
    for path in ["/home/app", "/lnk", "/"] {
      let (made, upper) = try make(path, user: "app")
      #expect(!made)
      #expect(try SandboxBench.list(upper) == [])
    }
  }

  @Test("links are resolved in the root, never outside of it (threat 11)")
  func links() throws {
    try bench.tree.symlink("base/dst", to: "../../../../../../outside")
    let (made, upper) = try make("/dst/x")
    #expect(made)
    #expect(try SandboxBench.list(upper) == ["outside/", "outside/x/"])
  }

  @Test("a file in the way and an unknown user are errors")
  func errors() {
    #expect(failure("/etc/passwd") == "'/etc/passwd' in the image is not a directory")
    #expect(failure("/new", user: "nobody") == "no user 'nobody' in /etc/passwd of the image")
  }
}
