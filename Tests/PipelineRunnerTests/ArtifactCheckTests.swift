import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite struct ArtifactCheckTests {
  let tree: TemporaryTree

  init() throws {
    tree = try TemporaryTree()
    try tree.directory("empty")
    try tree.directory("root/dir")
    try tree.file("root/file")
    try tree.file("root/program", mode: 0o755)
    try tree.symlink("root/lnk", to: "/program")
    try tree.symlink("root/dangling", to: "/nowhere")
    try tree.symlink("root/round", to: "round")
  }

  @Test(
    "each kind is found, or what is wrong with it is said",
    arguments: [
      ("/dir", ArtifactDeclaration.Kind.directory, nil),
      ("/file", .file, nil),
      ("/program", .executable, nil),
      ("/lnk", .executable, nil),
      ("/", .directory, nil),
      ("/nothing", .file, "nothing is there"),
      ("/file/below", .file, "nothing is there"),
      ("/dangling", .file, "it is a symbolic link that leads nowhere"),
      ("/round", .file, "it is a symbolic link that leads nowhere"),
      ("/dir", .file, "it is a directory, not a file"),
      ("/dir", .executable, "it is a directory, not a file"),
      ("/file", .directory, "it is a file, not a directory"),
      ("/file", .executable, "it has no execute bit"),
    ] as [(String, ArtifactDeclaration.Kind, String?)])
  func kinds(path: String, kind: ArtifactDeclaration.Kind, expected: String?) throws {
    let problem = try ArtifactCheck(empty: tree["empty"]).problem(
      path: Array(path.utf8), kind: kind, in: RootTree([tree["root"]]))
    #expect(problem == expected)
  }
}
