import CLinux
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// A place to unpack layers into, with a canary beside it that nothing may touch.
final class UnpackBench {
  let tree: TemporaryTree
  private var count = 0

  init() throws {
    tree = try TemporaryTree()
    try tree.directory("canary")
    try tree.file("canary/shadow", "secret", mode: 0o600)
    try tree.setTimes("canary/shadow", 5, 5)
  }

  /// Unpacks an archive into a new directory.
  func unpack(_ tar: TarFixture) throws -> FilePath {
    try unpack(blob: tar.finished, tar: tar.finished)
  }

  func unpack(blob: [UInt8], tar: [UInt8]) throws -> FilePath {
    count += 1
    let target = try tree.directory("layer\(count)")
    let layer = BaseLayer(
      diffID: SHA256Hasher.digest(of: tar),
      descriptor: Descriptor(
        mediaType: MediaType.ociLayer, digest: SHA256Hasher.digest(of: blob),
        size: Int64(blob.count)), blobs: MemoryBlobs(content: blob))
    _ = try layer.unpack(into: target)
    return target
  }

  /// The message that unpacking fails with.
  func failure(_ make: (inout TarFixture) -> Void) -> String {
    var tar = TarFixture()
    make(&tar)
    return failure(blob: tar.finished, tar: tar.finished)
  }

  func failure(blob: [UInt8], tar: [UInt8]) -> String {
    do {
      _ = try unpack(blob: blob, tar: tar)
      return "no error"
    } catch let error as Diagnostic {
      guard let range = error.message.firstRange(of: "unpacked: ") else { return error.message }
      return String(error.message[range.upperBound...])
    } catch {
      return "\(error)"
    }
  }

  /// Whether the canary is as it was.
  var isUntouched: Bool {
    let shadow = tree["canary/shadow"]
    guard let status = shadow.status else { return false }
    return shadow.text == "secret" && status.st_mode & 0o7777 == 0o600 && status.st_uid == 0
      && status.st_mtim.tv_sec == 5 && status.st_nlink == 1
      && (try? TemporaryTree.children(tree["canary"]).count) == 1
  }
}

extension String {
  /// Where another text first stands.
  fileprivate func firstRange(of other: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
      start = index(after: start)
    }
    return nil
  }
}

extension FilePath {
  /// Whether overlayfs takes this for a deletion.
  var isWhiteout: Bool { status?.isWhiteout ?? false }

  /// Whether overlayfs takes this for a directory that hides those below.
  var isOpaque: Bool {
    let descriptor = withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return OverlayMark.isOpaque(descriptor)
  }

  /// The value of an extended attribute.
  func attribute(_ name: String) -> [UInt8]? {
    var value = [UInt8](repeating: 0, count: 256)
    let count = withPlatformString { clinux_get_attribute_at($0, name, &value, value.count) }
    return count < 0 ? nil : Array(value[..<count])
  }
}

@Suite("Unpacking layers")
struct LayerUnpackerTests {
  let bench: UnpackBench

  init() throws {
    bench = try UnpackBench()
  }

  @Test("files, directories, links and devices land with mode, owner and time")
  func everything() throws {
    var tar = TarFixture()
    tar.directory("d", mode: 0o2711, uid: 7, time: 1234)
    tar.add("d/f", content: "hello", mode: 0o4755, uid: 3, gid: 4, time: 99)
    tar.add("d/h", type: "1", link: "d/f")
    tar.add("d/l", type: "2", time: 77, link: "/nowhere")
    tar.add("d/null", type: "3", mode: 0o666, major: 1, minor: 3)
    tar.add("d/loop", type: "4", mode: 0o660, gid: 6, major: 7, minor: 0)
    tar.add("d/fifo", type: "6", mode: 0o600)
    tar.add("deep/er/file", content: "x")
    let top = try bench.unpack(tar).appending("d")
    let status = try #require(top.appending("f").status)
    #expect(status.st_mode == S_IFREG | 0o4755 && status.st_uid == 3 && status.st_gid == 4)
    #expect(status.st_mtim.tv_sec == 99 && status.st_nlink == 2)
    #expect(top.appending("h").status?.st_ino == status.st_ino)
    #expect(top.appending("l").linkTarget == "/nowhere")
    #expect(top.appending("l").status?.st_mtim.tv_sec == 77)
    #expect(top.appending("null").status?.st_rdev == clinux_device(1, 3))
    #expect(top.appending("null").mode == 0o666)
    #expect(top.appending("loop").status?.st_mode == S_IFBLK | 0o660)
    #expect(top.appending("fifo").status?.st_mode == S_IFIFO | 0o600)
    #expect(top.status?.st_mode == S_IFDIR | 0o2711 && top.status?.st_uid == 7)
    #expect(top.status?.st_mtim.tv_sec == 1234)
    // Written into a directory that gives its group away, and owned by root all the same.
    #expect(top.appending("null").status?.st_gid == 0)
    let parent = top.removingLastComponent().appending("deep").appending("er")
    #expect(parent.mode == 0o755 && parent.appending("file").text == "x")
  }

  @Test("whiteouts become devices 0/0 whatever lies below, opaque marks attributes")
  func whiteouts() throws {
    var tar = TarFixture()
    tar.directory("a")
    tar.add("a/.wh.gone")
    tar.add("b/.wh..wh..opq")
    tar.add(".wh..wh.plnk", type: "5")
    let top = try bench.unpack(tar)
    #expect(top.appending("a/gone").isWhiteout)
    #expect(!top.appending("a").isOpaque)
    #expect(top.appending("b").isOpaque)
    #expect(try TemporaryTree.children(top).count == 2)
  }

  @Test("gzip of several members, zstd and plain tars give the same tree")
  func compressions() throws {
    var tar = TarFixture()
    let text = String(repeating: "0123456789abcdef", count: 200_000)
    tar.add("f", content: text)
    let source = try bench.tree.file("source", text, mode: 0o644)
    let directory = source.removingLastComponent().appending("packed")
    mkdir(directory.string, 0o755)
    _ = try FileContent.write(directory.appending("f"), Array(text.utf8))
    let packer = LayerPacker(empty: try bench.tree.directory("empty"))
    for compression in [LayerCompression.none, .gzip, .zstd] {
      let file = bench.tree["blob"]
      let packed = try packer.pack(
        layer: directory, below: .empty, epoch: 0, compression: compression, into: file)
      let target = try bench.tree.directory("out-\(compression)")
      let layer = BaseLayer(
        diffID: packed.diffID, descriptor: packed.descriptor, blobs: FileBlobSource(file: file))
      _ = try layer.unpack(into: target)
      #expect(target.appending("f").text == text)
    }
  }

  @Test("a blob that is not what was promised is refused")
  func verification() throws {
    var tar = TarFixture()
    tar.add("f", content: "x")
    let good = tar.finished
    var bad = good
    bad[512] = UInt8(ascii: "y")
    let message = bench.failure(blob: good, tar: bad)
    #expect(
      message
        == "its content is \(SHA256Hasher.digest(of: good)), and the image's config promises "
        + "\(SHA256Hasher.digest(of: bad))")
  }

  @Test("a layer whose digest is wrong never stands in the store, nor half of it")
  func wrongLayerInStore() throws {
    var tar = TarFixture()
    tar.add("f", content: String(repeating: "x", count: 3 << 20))
    let bytes = tar.finished
    let store = try Store(at: bench.tree["store"])
    for (promised, tarDigest) in [([1], bytes), (bytes, [1])] as [([UInt8], [UInt8])] {
      let layer = BaseLayer(
        diffID: SHA256Hasher.digest(of: tarDigest),
        descriptor: Descriptor(
          mediaType: MediaType.ociLayer, digest: SHA256Hasher.digest(of: promised),
          size: Int64(bytes.count)), blobs: MemoryBlobs(content: bytes))
      let id = LayerID(layer.diffID)
      #expect(throws: Diagnostic.self) {
        try store.addLayer(id) { _ = try layer.unpack(into: $0) }
      }
      #expect(try store.info(of: id) == nil)
      #expect(try DirectoryTree.names(in: store.path.appending("layers")).isEmpty)
      #expect(try DirectoryTree.names(in: store.path.appending("work")).isEmpty)
      if promised != bytes {
        #expect(throws: Diagnostic.self) { try layer.packed(in: store) }
        #expect(try DirectoryTree.names(in: store.path.appending("blobs")).isEmpty)
      }
    }
  }

  @Test("a blob is kept byte for byte, and read from the store from then on")
  func keepsBlobs() throws {
    var tar = TarFixture()
    tar.add("f", content: "x")
    let blob = try Gzip.member(tar.finished)
    let store = try Store(at: bench.tree["store"])
    var layer = BaseLayer(
      diffID: SHA256Hasher.digest(of: tar.finished),
      descriptor: Descriptor(
        mediaType: MediaType.ociLayerGzip, digest: SHA256Hasher.digest(of: blob),
        size: Int64(blob.count)), blobs: MemoryBlobs(content: blob))
    let packed = try layer.packed(in: store)
    #expect(packed == PackedLayer(descriptor: layer.descriptor, diffID: layer.diffID))
    #expect(try FileContent.read(store.blob(packed.descriptor.digest)) == blob)
    layer.blobs = MemoryBlobs(content: [])
    let target = try bench.tree.directory("from-store")
    _ = try layer.unpack(into: target, store: store) { _ in }
    #expect(target.appending("f").text == "x")
  }

  @Test("directories that the archive only passes through are told, the others not")
  func impliedDirectories() throws {
    var tar = TarFixture()
    tar.add("tmp/a/f", content: "x")
    tar.directory("tmp/a", mode: 0o700)
    tar.directory("opt")
    tar.add("opt/b/c/f", content: "x")
    let bytes = tar.finished
    let target = try bench.tree.directory("implied")
    let layer = BaseLayer(
      diffID: SHA256Hasher.digest(of: bytes),
      descriptor: Descriptor(
        mediaType: MediaType.ociLayer, digest: SHA256Hasher.digest(of: bytes),
        size: Int64(bytes.count)), blobs: MemoryBlobs(content: bytes))
    let implied = try layer.unpack(into: target)
    #expect(implied.map { String(decoding: $0, as: UTF8.self) } == ["opt/b", "opt/b/c", "tmp"])
  }
}
