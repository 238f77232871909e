import CLinux
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// Directories to pack, and the entries of what they are packed to.
final class PackBench {
  let tree: TemporaryTree
  let empty: FilePath

  init() throws {
    tree = try TemporaryTree()
    empty = try tree.directory("empty")
  }

  func pack(
    _ layer: String, below: [String] = [], epoch: Int? = nil,
    _ compression: LayerCompression = .none
  ) throws -> (packed: PackedLayer, blob: [UInt8]) {
    let file = tree["blob"]
    let packed = try LayerPacker(empty: empty).pack(
      layer: tree[layer], below: RootTree(below.map { tree[$0] }), epoch: epoch,
      compression: compression, into: file)
    return (packed, try FileContent.read(file))
  }

  /// The names in the tar of a layer, in order.
  func entries(_ layer: String, below: [String] = []) throws -> [String] {
    _ = try pack(layer, below: below)
    return try ImageFixture.tool("tar", "-tf", tree["blob"].string).split(separator: "\n").map(
      String.init)
  }

  func whiteout(_ path: String) throws {
    guard tree[path].withPlatformString({ mknod($0, S_IFCHR, 0) }) == 0 else {
      throw SystemError("mknod")
    }
  }

  func makeOpaque(_ path: String) throws {
    let directory = try TreeAccess.openDirectory(tree[path])
    try OverlayMark.setOpaque(directory.raw)
  }

  func setAttribute(_ path: String, _ name: String, _ value: [UInt8]) throws {
    let raw = tree[path].withPlatformString { open($0, O_RDONLY | O_CLOEXEC) }
    defer { close(raw) }
    guard value.withUnsafeBytes({ clinux_set_attribute(raw, name, $0.baseAddress, $0.count) }) == 0
    else { throw SystemError("fsetxattr") }
  }
}

@Suite("Packing layers")
struct LayerPackerTests {
  let bench: PackBench
  var tree: TemporaryTree { bench.tree }

  init() throws {
    bench = try PackBench()
  }

  @Test("the same directory gives the same bytes, times clamped by an epoch")
  func deterministic() throws {
    for name in ["one", "two"] {
      try tree.directory(name)
      // Made in another order, so that the file system lists them in another.
      for file in name == "one" ? ["a", "b", "c/d"] : ["c/d", "b", "a"] {
        try tree.file("\(name)/\(file)", file)
        try tree.setTimes("\(name)/\(file)", 2_000_000_000, 5)
      }
      try tree.setTimes("\(name)/c", name == "one" ? 1_900_000_000 : 1_800_000_000)
    }
    for compression in [LayerCompression.none, .gzip, .zstd] {
      let (one, first) = try bench.pack("one", epoch: 1_000_000_000, compression)
      let (two, second) = try bench.pack("two", epoch: 1_000_000_000, compression)
      #expect(one == two && first == second)
      #expect(one.descriptor.digest == SHA256Hasher.digest(of: first))
      #expect(one.descriptor.size == Int64(first.count))
      #expect(one.descriptor.mediaType == compression.mediaType)
    }
    let (_, without) = try bench.pack("one")
    let (_, other) = try bench.pack("two")
    #expect(without != other)
  }

  @Test("headers hold ids and whole seconds, and no extended header where none is needed")
  func header() throws {
    try tree.file("layer/file", "hello", mode: 0o4751)
    try tree.chown("layer/file", 1000, 2000)
    chmod(tree["layer/file"].string, 0o4751)
    try tree.setTimes("layer/file", 1_234_567_890, 999_999_999)
    var tar = TarFixture()
    tar.add("file", content: "hello", mode: 0o4751, uid: 1000, gid: 2000, time: 1_234_567_890)
    var expected = tar.finished
    // The fixture ends its checksum as old programs do.
    expected[154] = 0
    expected[155] = 0x20
    #expect(try bench.pack("layer").blob == expected)
  }

  @Test("what has no room in a header stands in an extended one and comes back")
  func extended() throws {
    let long = String(repeating: "0123456789/", count: 30) + "file"
    let longName = String(repeating: "n", count: 200)
    try tree.file("layer/\(long)", "1")
    try tree.file("layer/\(longName)", "2")
    try tree.symlink("layer/link", to: String(repeating: "t", count: 300))
    try tree.file("layer/owned")
    try tree.chown("layer/owned", 3_000_000, 4_000_000_000)
    try tree.file("layer/old")
    try tree.setTimes("layer/old", -5)
    try tree.file(bytes: Array("layer/".utf8) + [UInt8](repeating: 0xF0, count: 120), [3])
    try bench.setAttribute("layer/owned", "user.note", [0, 10, 255])
    try tree.hardlink("layer/zz", to: "layer/\(long)")
    let top = try unpack(bench.pack("layer", .gzip))
    #expect(top.appending(long).text == "1")
    #expect(top.appending(longName).text == "2")
    #expect(top.appending("link").linkTarget?.utf8.count == 300)
    let owned = try #require(top.appending("owned").status)
    #expect(owned.st_uid == 3_000_000 && owned.st_gid == 4_000_000_000)
    #expect(top.appending("owned").attribute("user.note") == [0, 10, 255])
    #expect(top.appending("old").status?.st_mtim.tv_sec == 0)
    #expect(top.appendingBytes([UInt8](repeating: 0xF0, count: 120)).content == [3])
    #expect(top.appending("zz").status?.st_ino == top.appending(long).status?.st_ino)
  }

  private func unpack(_ layer: (packed: PackedLayer, blob: [UInt8])) throws -> FilePath {
    let target = try tree.directory("unpacked-\(Store.uniqueName())")
    _ = try BaseLayer(
      diffID: layer.packed.diffID, descriptor: layer.packed.descriptor,
      blobs: MemoryBlobs(content: layer.blob)
    ).unpack(into: target)
    return target
  }

  @Test("everything comes back: links, devices, capabilities, odd names; sockets do not")
  func roundTrip() throws {
    try tree.directory("layer/d", mode: 0o1777)
    try tree.file("layer/d/a", "x", mode: 0o2755)
    try tree.hardlink("layer/b", to: "layer/d/a")
    try tree.symlink("layer/l", to: "/d/a")
    for (name, type, device) in [
      ("null", S_IFCHR | 0o666, clinux_device(1, 3)),
      ("disk", S_IFBLK | 0o660, clinux_device(8, 1)),
      ("fifo", S_IFIFO | 0o600, 0), ("socket", S_IFSOCK | 0o600, 0),
    ] {
      let path = tree["layer/\(name)"]
      #expect(path.withPlatformString { mknod($0, type, device) } == 0)
      chmod(path.string, type & 0o7777)
    }
    let capability: [UInt8] = [1, 0, 0, 2, 0, 0x20] + [UInt8](repeating: 0, count: 14)
    try bench.setAttribute("layer/d/a", "security.capability", capability)
    try tree.file(bytes: Array("layer/".utf8) + [0xFF, 0x0A, 0x5C], [1])
    try tree.file("layer/large", String(repeating: "0123456789abcdef", count: 400_000))
    for compression in [LayerCompression.none, .gzip, .zstd] {
      let top = try unpack(bench.pack("layer", compression))
      #expect(!top.appending("socket").exists)
      unlink(tree["layer/socket"].string)
      #expect(try LayerContent.id(of: top) == LayerContent.id(of: tree["layer"]))
      #expect(top.appending("d/a").attribute("security.capability") == capability)
    }
  }

  @Test("deletions are named where something lies below, and only there")
  func whiteouts() throws {
    try tree.file("below/etc/gone", "x")
    try tree.file("below/etc/kept", "x")
    try tree.directory("layer/etc")
    try bench.whiteout("layer/etc/gone")
    try bench.whiteout("layer/etc/never")
    try bench.whiteout("layer/nothing")
    #expect(try bench.entries("layer", below: ["below"]) == ["etc/", "etc/.wh.gone"])
    #expect(try bench.entries("layer") == ["etc/"])
  }

  @Test("an opaque directory deletes what it hides, at any depth, by name")
  func opaque() throws {
    try tree.file("below/d/a", "x")
    try tree.file("below/d/b", "x")
    try tree.file("below/d/sub/c", "x")
    try tree.file("below/d/sub/e", "x")
    try tree.file("below/d/was-directory/x", "x")
    try tree.directory("upper")
    try tree.directory("upper/d")
    try bench.makeOpaque("upper/d")
    try tree.file("upper/d/b", "new")
    try tree.file("upper/d/sub/e", "new")
    try tree.file("upper/d/was-directory", "file")
    try tree.directory("middle")
    #expect(
      try bench.entries("upper", below: ["below", "middle"]) == [
        "d/", "d/.wh.a", "d/b", "d/sub/", "d/sub/.wh.c", "d/sub/e", "d/was-directory",
      ])
    // With nothing below it hides nothing.
    #expect(
      try bench.entries("upper", below: ["middle"]) == [
        "d/", "d/b", "d/sub/", "d/sub/e", "d/was-directory",
      ])
  }

  @Test("a directory that did not change stands there only as a parent")
  func unchangedParents() throws {
    for top in ["below", "layer"] {
      for name in ["a", "b", "c"] { try tree.directory("\(top)/\(name)/sub") }
    }
    try tree.file("layer/a/sub/new", "x")
    chmod(tree["layer/c/sub"].string, 0o700)
    #expect(
      try bench.entries("layer", below: ["below"]) == ["a/", "a/sub/", "a/sub/new", "c/", "c/sub/"])
  }

  @Test("a file that is what lies below is left out, told by its bytes")
  func unchangedFiles() throws {
    for (top, text) in [("below", "same"), ("layer", "same")] {
      try tree.file("\(top)/same", text)
      try tree.file("\(top)/bytes", top == "below" ? "1234" : "5678")
      try tree.file("\(top)/mode", text, mode: top == "below" ? 0o644 : 0o600)
      try tree.symlink("\(top)/link", to: "x")
      for name in ["same", "bytes", "mode", "link"] { try tree.setTimes("\(top)/\(name)", 1000) }
    }
    #expect(try bench.entries("layer", below: ["below"]) == ["bytes", "mode"])
  }

  @Test("a name that would mean a deletion is refused")
  func whiteoutLikeNames() throws {
    try tree.file("layer/etc/.wh.x", "x")
    let error = #expect(throws: Diagnostic.self) { try bench.pack("layer") }
    #expect(
      error?.message
        == "'/etc/.wh.x' cannot be put into an image: names that start with '.wh.' mean deletions there"
    )
  }

  @Test("the tar of one layer over up to 500 others")
  func manyLayers() throws {
    var layers: [String] = []
    for index in 0..<500 {
      try tree.file("l\(index)/f\(index % 10)", "\(index)")
      layers.append("l\(index)")
    }
    try tree.directory("layer")
    for index in 0..<12 { try bench.whiteout("layer/f\(index)") }
    let expected = (0..<10).map { ".wh.f\($0)" }
    #expect(try bench.entries("layer", below: layers) == expected)
    #expect(try bench.entries("layer", below: Array(layers.prefix(10))) == expected)
  }

  @Test("levels that a compressor does not have are refused")
  func levels() throws {
    try tree.directory("layer")
    let error = #expect(throws: Diagnostic.self) {
      try LayerPacker(empty: bench.empty).pack(
        layer: tree["layer"], below: .empty, epoch: nil, compression: .gzip, level: 9,
        into: tree["blob"])
    }
    #expect(error?.message == "there is no compression level 9")
    #expect(error?.help == "levels go from 0 to 3")
  }
}
