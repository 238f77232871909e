import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("Writing the files of an image")
struct FileOutputTests {
  let directory: TemporaryDirectory
  let store: Store
  let image: BuiltImage

  /// Two layers: the upper deletes a file of the lower and replaces another.
  init() throws {
    directory = try TemporaryDirectory()
    let store = try Store(at: directory.path.appending("store"))
    self.store = store
    let layers = (UInt8(1)...2).map { LayerID(Digest(bytes: [UInt8](repeating: $0, count: 32))) }
    try store.addLayer(layers[0]) { root in
      try DirectoryTree.make(root.pushing(FilePath("etc/deep")), mode: 0o755)
      for name in ["etc/gone", "etc/kept", "etc/replaced"] {
        try FileContent.write(root.pushing(FilePath(name)), Array("lower".utf8))
      }
      let tool = root.appending("tool")
      try FileContent.write(tool, Array("tool".utf8))
      try Call.check("chown", tool) { lchown($0, 7, 8) }
      try Call.check("chmod", tool) { chmod($0, 0o4755) }
      try Call.check("link", root.appending("twin")) { link(tool.string, $0) }
      try Call.check("symlink", root.appending("lnk")) { symlink("/etc/kept", $0) }
      let time = timespec(tv_sec: 1000, tv_nsec: 0)
      try Call.check("utimensat", tool) { utimensat(AT_FDCWD, $0, [time, time], 0) }
    }
    try store.addLayer(layers[1]) { root in
      try DirectoryTree.make(root.appending("etc"), mode: 0o755)
      try Call.check("mknod", root.pushing(FilePath("etc/gone"))) { mknod($0, S_IFCHR, 0) }
      try FileContent.write(root.pushing(FilePath("etc/replaced")), Array("upper".utf8))
    }
    image = BuiltImage(platform: ImageFixture.platform, layerIDs: layers)
  }

  private func write(_ output: String, _ images: [BuiltImage]? = nil, epoch: Int? = nil) throws {
    try OutputSpecification(parsing: output).writeFiles(
      of: images ?? [image], epoch: epoch, store: store)
  }

  private func path(_ name: String) -> FilePath { directory.path.pushing(FilePath(name)) }

  private func text(_ name: String) throws -> String? {
    try FileContent.readIfPresent(path(name)).map { String(decoding: $0, as: UTF8.self) }
  }

  private func status(_ name: String) throws -> stat {
    var status = stat()
    try Call.check("lstat", path(name)) { lstat($0, &status) }
    return status
  }

  @Test("a directory shows the layers merged, with owners, modes, links and times")
  func directoryOutput() throws {
    try write("type=local,dest=\(path("out"))")
    #expect(try text("out/etc/gone") == nil)
    #expect(try text("out/etc/kept") == "lower")
    #expect(try text("out/etc/replaced") == "upper")
    let tool = try status("out/tool")
    #expect(tool.st_uid == 7 && tool.st_gid == 8)
    #expect(tool.st_mode & 0o7777 == 0o4755)
    #expect(tool.st_mtim.tv_sec == 1000)
    #expect(tool.st_ino == (try status("out/twin")).st_ino)
    #expect(try status("out/lnk").st_mode & S_IFMT == S_IFLNK)
    #expect(try DirectoryTree.names(in: directory.path).sorted() == ["out", "store"])
  }

  @Test("links in a directory that exists are replaced, never followed (threat 37)")
  func existingDirectory() throws {
    try directory.write("host/kept", "host")
    try directory.write("out/mine", "mine")
    try directory.write("out/tool/inside", "old")
    try Call.check("symlink", path("out/etc")) { symlink(path("host").string, $0) }
    try write("\(path("out"))")
    #expect(try text("host/kept") == "host")
    #expect(try DirectoryTree.names(in: path("host")) == ["kept"])
    #expect(try text("out/etc/kept") == "lower")
    #expect(try text("out/mine") == "mine")
    #expect(try text("out/tool") == "tool")
    let names = try DirectoryTree.names(in: path("out")).sorted()
    #expect(names == ["etc", "lnk", "mine", "tool", "twin"])
    // A second time nothing changes, and directories on both sides are merged.
    try directory.write("out/etc/own", "own")
    try write("\(path("out"))")
    #expect(try text("out/etc/own") == "own")
    #expect(try text("out/etc/replaced") == "upper")
  }

  @Test("a tar holds the merged files, and is the same bytes each time")
  func tarOutput() throws {
    try write("type=tar,dest=\(path("a.tar"))", epoch: 500)
    try write("type=tar,dest=\(path("b.tar"))", epoch: 500)
    #expect(try FileContent.read(path("a.tar")) == FileContent.read(path("b.tar")))
    let listing = try ImageFixture.tool(
      "tar", "--utc", "--numeric-owner", "-tvf", path("a.tar").string)
    let lines = listing.split(separator: "\n").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    #expect(
      lines == [
        "drwxr-xr-x 0/0 0 1970-01-01 00:08 etc/",
        "drwxr-xr-x 0/0 0 1970-01-01 00:08 etc/deep/",
        "-rw-r--r-- 0/0 5 1970-01-01 00:08 etc/kept",
        "-rw-r--r-- 0/0 5 1970-01-01 00:08 etc/replaced",
        "lrwxrwxrwx 0/0 0 1970-01-01 00:08 lnk -> /etc/kept",
        "-rwsr-xr-x 7/8 4 1970-01-01 00:08 tool",
        "hrwsr-xr-x 7/8 0 1970-01-01 00:08 twin link to tool",
      ])
  }

  @Test("several platforms are written side by side")
  func platforms() throws {
    var other = image
    other.platform = Platform(architecture: "arm", variant: "v7")
    other.layerIDs = [image.layerIDs[0]]
    try write("\(path("out"))", [image, other])
    #expect(try text("out/linux_amd64/etc/gone") == nil)
    #expect(try text("out/linux_arm_v7/etc/gone") == "lower")
    try write("type=tar,dest=\(path("out.tar"))", [image, other])
    let names = try ImageFixture.tool("tar", "-tf", path("out.tar").string)
    #expect(names.split(separator: "\n").contains("linux_arm_v7/etc/gone"))
    #expect(!names.split(separator: "\n").contains("linux_amd64/etc/gone"))
  }

  @Test("a file in the way of a directory, and the other way round, is told and left")
  func inTheWay() throws {
    try directory.write("out", "file")
    try DirectoryTree.make(path("dir"), mode: 0o755)
    var error = #expect(throws: Diagnostic.self) { try write("\(path("out"))") }
    #expect(error?.message == "'\(path("out"))' is a file, and the output is a directory")
    error = #expect(throws: Diagnostic.self) { try write("type=tar,dest=\(path("dir"))") }
    #expect(error?.message == "'\(path("dir"))' is a directory, and the output is a file")
    #expect(try DirectoryTree.names(in: directory.path).sorted() == ["dir", "out", "store"])
  }
}
