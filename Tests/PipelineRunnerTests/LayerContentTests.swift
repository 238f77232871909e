import CLinux
import Glibc
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("Content digests of layers")
struct LayerContentTests {
  let bench: PackBench
  var tree: TemporaryTree { bench.tree }

  init() throws {
    bench = try PackBench()
    for top in ["a", "b"] {
      try tree.file("\(top)/dir/file", "hello")
      try tree.file("\(top)/empty")
      try tree.symlink("\(top)/link", to: "dir/file")
      try tree.file("\(top)/one", "same")
      try tree.hardlink("\(top)/two", to: "\(top)/one")
    }
  }

  private var ids: (LayerID, LayerID) {
    get throws { (try LayerContent.id(of: tree["a"]), try LayerContent.id(of: tree["b"])) }
  }

  @Test("times do not count")
  func times() throws {
    for name in ["", "dir", "dir/file", "link"] { try tree.setTimes("a/\(name)", 1, 1) }
    let (a, b) = try ids
    #expect(a == b)
  }

  @Test("attributes that overlayfs keeps for itself do not count, those of users do")
  func overlayAttributes() throws {
    try bench.setAttribute("a/dir", "trusted.overlay.impure", [0x79])
    try bench.setAttribute("a/dir/file", "trusted.overlay.origin", [1, 2])
    var (a, b) = try ids
    #expect(a == b)
    try bench.setAttribute("a/dir/file", "user.note", [1])
    (a, b) = try ids
    #expect(a != b)
  }

  @Test(
    "everything else counts",
    arguments: [
      "content", "mode", "directory mode", "owner", "target", "name", "new file", "new directory",
      "type", "link group", "capability", "whiteout", "opaque", "device", "top mode",
    ])
  func differences(_ what: String) throws {
    switch what {
    case "content": try tree.file("a/dir/file", "hellO")
    case "mode": chmod(tree["a/dir/file"].string, 0o600)
    case "directory mode": chmod(tree["a/dir"].string, 0o700)
    case "owner": try tree.chown("a/dir/file", 0, 5)
    case "target":
      unlink(tree["a/link"].string)
      try tree.symlink("a/link", to: "dir/filE")
    case "name": rename(tree["a/dir/file"].string, tree["a/dir/fil"].string)
    case "new file": try tree.file("a/dir/new")
    case "new directory": try tree.directory("a/dir/new")
    case "type":
      unlink(tree["a/empty"].string)
      mkfifo(tree["a/empty"].string, 0o644)
      chmod(tree["a/empty"].string, 0o644)
    case "link group":
      unlink(tree["a/two"].string)
      try tree.file("a/two", "same")
    case "capability":
      let value: [UInt8] = [1, 0, 0, 2, 0, 0x20] + [UInt8](repeating: 0, count: 14)
      try bench.setAttribute("a/dir/file", "security.capability", value)
    case "whiteout": try bench.whiteout("a/dir/gone")
    case "opaque": try bench.makeOpaque("a/dir")
    case "device":
      #expect(mknod(tree["a/n"].string, S_IFCHR | 0o644, clinux_device(1, 3)) == 0)
      #expect(mknod(tree["b/n"].string, S_IFCHR | 0o644, clinux_device(1, 5)) == 0)
    default: chmod(tree["a"].string, 0o700)
    }
    let (a, b) = try ids
    #expect(a != b)
  }

  @Test("files moved between directories of equal names do not collide")
  func structure() throws {
    try tree.directory("c/x/y")
    try tree.file("c/x/f")
    try tree.directory("d/x/y")
    try tree.file("d/x/y/f")
    #expect(try LayerContent.id(of: tree["c"]) != LayerContent.id(of: tree["d"]))
  }

  @Test("large files are hashed in pieces, and every byte of them counts")
  func largeFiles() throws {
    let size = 2 * FileDigester.pieceSize + 5
    var ids = Set<LayerID>()
    for changed in [-1, 0, FileDigester.pieceSize, size - 1] {
      var content = [UInt8](repeating: 7, count: size)
      if changed >= 0 { content[changed] = 8 }
      try FileContent.write(tree["a/large"], content)
      ids.insert(try LayerContent.id(of: tree["a"]))
    }
    try FileContent.write(tree["a/large"], [UInt8](repeating: 7, count: size - 1))
    ids.insert(try LayerContent.id(of: tree["a"]))
    #expect(ids.count == 5)
  }

  @Test("the size counts hard links once")
  func size() throws {
    let content = try LayerContent(of: tree["a"])
    #expect(content.bytes == 9)
    #expect(content.entries == 6)
  }

  @Test("many files in many directories")
  func manyFiles() throws {
    for index in 0..<3000 { try tree.file("m/d\(index % 300)/f\(index)", "\(index)") }
    let first = try LayerContent(of: tree["m"])
    #expect(first.entries == 3300)
    try tree.file("m/d7/f2107", "other")
    #expect(try LayerContent(of: tree["m"]).id != first.id)
    try tree.file("m/d7/f2107", "2107")
    #expect(try LayerContent(of: tree["m"]).id == first.id)
  }
}
