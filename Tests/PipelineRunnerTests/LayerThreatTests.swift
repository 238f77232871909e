import CISAL
import CLinux
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// Threats 1 to 8: layers that attack whoever unpacks them.
@Suite("Hostile layers")
struct LayerThreatTests {
  let bench: UnpackBench

  init() throws {
    bench = try UnpackBench()
  }

  // MARK: Names and links

  @Test(
    "threat 1: a name that leads out is refused",
    arguments: ["../x", "/../x", "./../../x", "a/../../x", "x/../../../../y"])
  func leadsOut(_ name: String) {
    #expect(
      bench.failure { $0.add(name, content: "x") }
        == "the archive entry '\(name)' leads out of the image")
    #expect(bench.isUntouched)
  }

  @Test("threat 1: absolute names and inner '..' land inside")
  func absoluteNames() throws {
    var tar = TarFixture()
    tar.add("/etc/x", content: "1")
    tar.add("a/b/../../etc/y", content: "2")
    let top = try bench.unpack(tar)
    #expect(top.appending("etc/x").text == "1")
    #expect(top.appending("etc/y").text == "2")
    #expect(bench.isUntouched)
  }

  @Test("threat 2: a file below a link lands where the link leads inside the root")
  func fileBelowLink() throws {
    var tar = TarFixture()
    tar.add("root", type: "2", link: "/")
    tar.add("root/a", content: "1")
    tar.directory("deep")
    tar.add("deep/up", type: "2", link: "../../../../..")
    tar.add("deep/up/b", content: "2")
    let top = try bench.unpack(tar)
    #expect(top.appending("a").text == "1")
    #expect(top.appending("b").text == "2")
    #expect(bench.isUntouched)
  }

  @Test("threat 2: a link out of the root and a file below it")
  func fileBelowLinkOutside() throws {
    let outside = bench.tree["canary"].string
    let message = bench.failure {
      $0.add("link", type: "2", link: outside)
      $0.add("link/shadow", content: "owned")
    }
    #expect(
      message
        == "'link/shadow' in the archive lies below the link 'link', which leads to no directory")
    #expect(bench.isUntouched)
  }

  @Test("threat 2: in the next layer the directory stands by itself")
  func nextLayer() throws {
    var tar = TarFixture()
    tar.add("link/shadow", content: "x")
    let top = try bench.unpack(tar)
    #expect(top.appending("link").isDirectory)
    #expect(top.appending("link/shadow").text == "x")
  }

  @Test("threat 3: names that are none")
  func namelessEntries() {
    #expect(
      bench.failure { $0.add("/.", type: "2", link: "/etc") }
        == "the archive holds an entry without a name")
    #expect(
      bench.failure { $0.add(".", type: "2", link: "/etc") }
        == "the archive holds an entry without a name")
    #expect(
      bench.failure { $0.add("", content: "x") }
        == "the archive holds an entry without a name, or with a NUL in it")
    #expect(
      bench.failure {
        $0.pax([("path", "a\u{0}b")])
        $0.add("x", content: "x")
      } == "the archive holds an entry without a name, or with a NUL in it")
    #expect(
      bench.failure {
        $0.pax([("path", String(repeating: "a/", count: 2049))])
        $0.add("x", content: "x")
      } == "the archive holds a name of 4098 bytes; 1 to 4096 are possible")
    #expect(
      bench.failure {
        $0.pax([("path", String(repeating: "a/", count: 1100))])
        $0.add("x", type: "5")
      } == "the archive holds directories nested more than 1000 deep")
    for name in [".wh.", ".wh..", ".wh..."] {
      #expect(
        bench.failure { $0.add("d/\(name)") }
          == "'d/\(name)' in the archive deletes nothing that can be named")
    }
    #expect(bench.isUntouched)
  }

  @Test("threat 4: hard links reach nothing outside the layer")
  func hardLinks() throws {
    let outside = bench.tree["canary/shadow"].string
    #expect(
      bench.failure { $0.add("x", type: "1", link: "../../canary/shadow") }
        == "the hard link to '../../canary/shadow' in the archive leads out of the image")
    #expect(
      bench.failure { $0.add("x", type: "1", link: outside) }
        == "the hard link 'x' in the archive leads to '\(outside)', which is no file before it")
    #expect(
      bench.failure {
        $0.add("l", type: "2", link: bench.tree["canary"].string)
        $0.add("x", type: "1", link: "l/shadow")
      } == "the hard link 'x' in the archive leads to 'l/shadow', which is no file before it")
    #expect(
      bench.failure {
        $0.add(".wh.w")
        $0.add("x", type: "1", link: "w")
      } == "the hard link 'x' in the archive leads to 'w', which is no file before it")
    // A link to a link is a link to the link itself.
    var tar = TarFixture()
    tar.add("l", type: "2", link: outside)
    tar.add("x", type: "1", link: "l")
    tar.add("x", content: "changed")
    let top = try bench.unpack(tar)
    #expect(top.appending("x").text == "changed")
    #expect(top.appending("l").linkTarget == outside)
    #expect(bench.isUntouched)
  }

  @Test("threat 5: deletions and opaque marks stay inside")
  func whiteouts() throws {
    var tar = TarFixture()
    tar.add("link", type: "2", link: "/d")
    tar.directory("d")
    tar.add("d/kept", content: "x")
    tar.add("link/.wh.gone")
    tar.add("d/.wh..wh..opq")
    let top = try bench.unpack(tar)
    #expect(top.appending("d/gone").isWhiteout)
    #expect(top.appending("d").isOpaque)
    #expect(top.appending("d/kept").text == "x")
    let outside = bench.tree["canary"].string
    let message = bench.failure {
      $0.add("link", type: "2", link: outside)
      $0.add("link/.wh.shadow")
    }
    #expect(
      message
        == "'link/.wh.shadow' in the archive lies below the link 'link', which leads to no directory"
    )
    #expect(
      bench.failure {
        $0.add("link", type: "2", link: outside)
        $0.add("link/.wh..wh..opq")
      }
        == "'link/.wh..wh..opq' in the archive lies below the link 'link', which leads to no directory"
    )
    #expect(bench.isUntouched)
  }

  @Test("threat 5: a deletion is about the layers below, wherever it stands")
  func whiteoutAndEntry() throws {
    for isFirst in [true, false] {
      var tar = TarFixture()
      if isFirst { for name in ["f", "d"] { tar.add(".wh.\(name)") } }
      tar.add("f", content: "new")
      tar.directory("d")
      tar.add("d/x", content: "new")
      if !isFirst { for name in ["f", "d"] { tar.add(".wh.\(name)") } }
      let top = try bench.unpack(tar)
      #expect(top.appending("f").text == "new")
      #expect(top.appending("d/x").text == "new")
      #expect(top.appending("d").isOpaque)
    }
  }

  @Test("threat 6: the last entry of a name wins, whatever its type")
  func replacements() throws {
    var tar = TarFixture()
    tar.add("child/before/parent", content: "1")
    tar.directory("child", mode: 0o700)
    tar.add("a", content: "file")
    tar.directory("a")
    tar.add("a/x", content: "2")
    tar.directory("b")
    tar.add("b/deep/x", content: "gone")
    tar.add("b", content: "3")
    tar.directory("c")
    tar.add("c/x", content: "gone")
    tar.add("c", type: "2", link: "a")
    tar.add("twice", content: "first")
    tar.add("twice", content: "second")
    tar.directory("twice-d", mode: 0o700)
    tar.add("twice-d/x", content: "4")
    tar.directory("twice-d", mode: 0o750)
    let top = try bench.unpack(tar)
    #expect(top.appending("child").mode == 0o700)
    #expect(top.appending("child/before").mode == 0o755)
    #expect(top.appending("child/before/parent").text == "1")
    #expect(top.appending("a/x").text == "2")
    // A directory of a layer below would have been replaced by the file that came first.
    #expect(top.appending("a").isOpaque)
    #expect(top.appending("b").text == "3")
    #expect(top.appending("c").linkTarget == "a")
    #expect(top.appending("twice").text == "second")
    #expect(top.appending("twice-d").mode == 0o750)
    #expect(top.appending("twice-d/x").text == "4")
    #expect(
      bench.failure {
        $0.add("f", content: "file")
        $0.add("f/x", content: "below a file")
      } == "'f/x' in the archive lies below something that is no directory")
  }

  @Test("threat 6: a directory replaced through another name of its parent")
  func replacedThroughAlias() throws {
    var tar = TarFixture()
    tar.directory("d")
    tar.add("d/up", type: "2", link: "..")
    tar.add("d/up/d/x", content: "1")
    tar.add("d/up/d", content: "file now")
    tar.add("d", type: "5")
    tar.add("d/y", content: "2")
    let top = try bench.unpack(tar)
    #expect(top.appending("d/y").text == "2")
    #expect(try TemporaryTree.children(top.appending("d")).count == 1)
  }

  @Test("threat 7: attributes that steer overlayfs or belong to the machine are stripped")
  func attributes() throws {
    let capability: [UInt8] = [1, 0, 0, 2, 0, 0x20] + [UInt8](repeating: 0, count: 14)
    var tar = TarFixture()
    tar.pax(bytes: [
      ("SCHILY.xattr.trusted.overlay.metacopy", [0]),
      ("SCHILY.xattr.trusted.overlay.redirect", Array("/etc/shadow".utf8)),
      ("SCHILY.xattr.user.overlay.opaque", [0x79]),
      ("SCHILY.xattr.security.selinux", Array("x".utf8)),
      ("SCHILY.xattr.security.capability", capability),
      ("SCHILY.xattr.user.note", [0, 255, 10]),
    ])
    tar.add("f", content: "x", mode: 0o4755)
    tar.pax([("SCHILY.xattr.trusted.overlay.opaque", "y")])
    tar.directory("d")
    tar.add("whiteout", type: "3", major: 0, minor: 0)
    let top = try bench.unpack(tar)
    let file = top.appending("f")
    #expect(file.attribute("trusted.overlay.metacopy") == nil)
    #expect(file.attribute("trusted.overlay.redirect") == nil)
    #expect(file.attribute("user.overlay.opaque") == nil)
    #expect(file.attribute("security.selinux") == nil)
    #expect(file.attribute("security.capability") == capability)
    #expect(file.attribute("user.note") == [0, 255, 10])
    #expect(file.mode == 0o4755)
    #expect(!top.appending("d").isOpaque)
    #expect(top.appending("whiteout").isWhiteout)
  }

  // MARK: Formats

  @Test("threat 8: what parsers read differently is refused")
  func ambiguousHeaders() {
    #expect(
      bench.failure {
        $0.pax([("size", "512")])
        $0.add("L", type: "L", content: "long\u{0}")
        $0.add("x", content: "abc")
      } == "the archive gives an entry two sizes, 3 and 512")
    #expect(
      bench.failure {
        $0.pax([("path", "one")])
        $0.add("L", type: "L", content: "two\u{0}")
        $0.add("x", content: "abc")
      } == "the archive gives an entry two names")
    #expect(
      bench.failure {
        $0.pax([("path", "one")])
        $0.pax([("path", "two")])
        $0.add("x", content: "abc")
      } == "the archive has two extended headers of one kind for one entry")
    #expect(
      bench.failure {
        $0.pax([("size", "3"), ("size", "4")])
        $0.add("x", content: "abc")
      } == "an extended header of the archive says two different things of one entry")
    #expect(
      bench.failure {
        $0.pax([("path", "other")], type: "g")
        $0.add("x", content: "abc")
      } == "a global header of the archive changes the entries after it")
    #expect(
      bench.failure {
        $0.add("x", content: "abc")
        $0.pax([("path", "y")])
      } == "the archive ends after an extended header that belongs to no entry")
  }

  @Test("threat 8: numbers that are none")
  func numbers() {
    #expect(
      bench.failure {
        $0.add("x") { $0.replaceSubrange(124..<136, with: [UInt8](repeating: 0xFF, count: 12)) }
      }
        == "an entry of the archive has the size -1")
    #expect(
      bench.failure {
        $0.add("x") { header in
          header.replaceSubrange(124..<136, with: [0x80] + [UInt8](repeating: 0xFF, count: 11))
        }
      } == "a header of the archive holds something for a number")
    #expect(
      bench.failure { $0.add("x") { $0.replaceSubrange(124..<127, with: Array("9xz".utf8)) } }
        == "a header of the archive holds something for a number")
    #expect(
      bench.failure {
        $0.pax([("uid", "4294967295")])
        $0.add("x")
      } == "the archive holds the owner '4294967295', which is no id")
    #expect(
      bench.failure { $0.add("x", size: 1 << 32) }
        == "the archive ends in the middle of an entry")
    #expect(
      bench.failure { $0.add("x", type: "Z") }
        == "the archive entry 'x' has the unknown type 90")
    var damaged = TarFixture()
    damaged.add("x", content: "abc")
    var bytes = damaged.finished
    bytes[0] = UInt8(ascii: "y")
    #expect(
      bench.failure(blob: bytes, tar: bytes)
        == "a header of the archive is damaged: its checksum is wrong")
  }

  @Test("threat 8: sparse files land with their holes, wrong maps are refused")
  func sparseFiles() throws {
    var tar = TarFixture()
    let map = "2\n0\n3\n1000\n4\n"
    tar.pax([
      ("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "v1"),
      ("GNU.sparse.realsize", "2000"),
    ])
    let padded = map + String(repeating: "\u{0}", count: 512 - map.utf8.count)
    tar.add("GNUSparseFile.0/v1", content: padded + "abcdefg")
    tar.pax([
      ("GNU.sparse.size", "2000"), ("GNU.sparse.numblocks", "2"),
      ("GNU.sparse.map", "0,3,1000,4"), ("GNU.sparse.name", "v01"),
    ])
    tar.add("x", content: "abcdefg")
    tar.pax([
      ("GNU.sparse.size", "2000"), ("GNU.sparse.offset", "0"), ("GNU.sparse.numbytes", "3"),
      ("GNU.sparse.offset", "1000"), ("GNU.sparse.numbytes", "4"),
    ])
    tar.add("v00", content: "abcdefg")
    tar.add("old", type: "S", content: "abcdefg") { header in
      func octal(_ value: Int, at offset: Int) {
        let text = String(value, radix: 8)
        let field = String(repeating: "0", count: 11 - text.count) + text
        header.replaceSubrange(offset..<(offset + 11), with: Array(field.utf8))
      }
      header.replaceSubrange(257..<265, with: Array("ustar  \u{0}".utf8))
      header.replaceSubrange(329..<345, with: [UInt8](repeating: 0, count: 16))
      for (index, value) in [0, 3, 1000, 4].enumerated() { octal(value, at: 386 + 12 * index) }
      octal(2000, at: 483)
    }
    let top = try bench.unpack(tar)
    var expected = [UInt8](repeating: 0, count: 2000)
    expected.replaceSubrange(0..<3, with: Array("abc".utf8))
    expected.replaceSubrange(1000..<1004, with: Array("defg".utf8))
    for name in ["v1", "v01", "v00", "old"] { #expect(top.appending(name).content == expected) }
    for map in ["1000,4,0,3", "0,3,2,4", "0,3,1998,4", "0,3,1000", "0,99,1000,4"] {
      #expect(
        bench.failure {
          $0.pax([("GNU.sparse.size", "2000"), ("GNU.sparse.map", map)])
          $0.add("x", content: "abcdefg")
        } == "a file with holes in the archive is described wrongly")
    }
  }

  @Test("threat 8: truncated, padded and followed by something")
  func streams() throws {
    var tar = TarFixture()
    tar.add("f", content: String(repeating: "content ", count: 10_000))
    let plain = tar.finished
    let zip = try Gzip.member(plain)
    #expect(try bench.unpack(blob: zip, tar: plain).appending("f").content?.count == 80_000)
    // Two members make one stream.
    let two = try Gzip.member(Array(plain[..<5000])) + Gzip.member(Array(plain[5000...]))
    #expect(try bench.unpack(blob: two, tar: plain).appending("f").content?.count == 80_000)
    #expect(
      try bench.unpack(blob: zip + [UInt8](repeating: 0, count: 700), tar: plain)
        .appending("f").content?.count == 80_000)
    #expect(
      bench.failure(blob: Array(zip.dropLast(3)), tar: plain)
        == "the compressed data ends too early")
    #expect(
      bench.failure(blob: zip + [1, 2, 3], tar: plain)
        == "something follows the end of the compressed data")
    var damaged = zip
    damaged[damaged.count - 6] ^= 1
    #expect(bench.failure(blob: damaged, tar: plain) == "the compressed data is damaged")
    // After its end the archive may hold anything, which the digest covers.
    let trailed = plain + Array("trailing garbage".utf8)
    #expect(try bench.unpack(blob: trailed, tar: trailed).appending("f").content?.count == 80_000)
  }

  @Test("threat 8: zstd with frames to be skipped")
  func skippableFrames() throws {
    let tree = try bench.tree.directory("source")
    try bench.tree.file("source/f", "hello")
    let file = bench.tree["blob"]
    let packed = try LayerPacker(empty: bench.tree.directory("empty")).pack(
      layer: tree, below: .empty, epoch: 0, compression: .zstd, into: file)
    let skipped: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]
    let blob = try skipped + FileContent.read(file) + skipped
    let target = try bench.tree.directory("skipped")
    let layer = BaseLayer(
      diffID: packed.diffID,
      descriptor: Descriptor(
        mediaType: MediaType.ociLayerZstd, digest: SHA256Hasher.digest(of: blob),
        size: Int64(blob.count)), blobs: MemoryBlobs(content: blob))
    _ = try layer.unpack(into: target)
    #expect(target.appending("f").text == "hello")
  }

  @Test("threat 8: a blob longer or shorter than promised")
  func sizes() throws {
    var tar = TarFixture()
    tar.add("f", content: "x")
    let bytes = tar.finished
    for (promised, text) in [(100, "more than"), (5000, "\(bytes.count) of")] {
      let layer = BaseLayer(
        diffID: SHA256Hasher.digest(of: bytes),
        descriptor: Descriptor(
          mediaType: "", digest: SHA256Hasher.digest(of: bytes), size: Int64(promised)),
        blobs: MemoryBlobs(content: bytes))
      let target = try bench.tree.directory("target\(promised)")
      let error = #expect(throws: Diagnostic.self) { _ = try layer.unpack(into: target) }
      #expect(
        error?.message.hasSuffix(
          "it has \(text) the \(promised) bytes that the image's manifest promises") == true)
    }
  }

  @Test("threat 8: a bomb stops at what the blob's size allows")
  func bomb() throws {
    var header = TarFixture()
    header.add("zeros", size: 64 << 20)
    let blob =
      try Zstd.frame(header.bytes) + Zstd.frame([UInt8](repeating: 0, count: 64 << 20))
    let unpacker = LayerUnpacker(
      diffID: SHA256Hasher.digest(of: []),
      descriptor: Descriptor(
        mediaType: "", digest: SHA256Hasher.digest(of: blob), size: Int64(blob.count)),
      blobs: MemoryBlobs(content: blob), freeGrowth: 1 << 20)
    let target = try bench.tree.directory("bomb")
    let error = #expect(throws: Diagnostic.self) { _ = try unpacker.unpack(into: target) }
    let limit = blob.count * 1100 + (1 << 20)
    #expect(limit < 64 << 20)
    #expect(
      error?.message.hasSuffix("it grows to more than \(limit) bytes when it is unpacked") == true)
  }

  @Test("threat 8: many entries take time in proportion to their number")
  func manyEntries() throws {
    var tar = TarFixture()
    for index in 0..<20_000 { tar.add("d\(index % 7)/e\(index)", type: "2", link: "x") }
    let top = try bench.unpack(tar)
    let names = try (0..<7).map { try TemporaryTree.children(top.appending("d\($0)")).count }
    #expect(names.reduce(0, +) == 20_000)
  }

  @Test("threat 31: names are bytes")
  func byteNames() throws {
    let names: [[UInt8]] = [
      Array("a:b,c\\d".utf8), Array("line\nfeed".utf8), [0xFF, 0xFE, 0x41], [0xC3, 0x28],
      Array("e\u{301}".utf8), Array("\u{e9}".utf8),
    ]
    let long = [UInt8](repeating: 0xF0, count: 200)
    var tar = TarFixture()
    for name in names { tar.add(bytes: name, content: name) }
    tar.pax(bytes: [("path", long)])
    tar.add("x", content: "long")
    let top = try bench.unpack(tar)
    for name in names { #expect(top.appendingBytes(name).content == name) }
    #expect(top.appendingBytes(long).text == "long")
    #expect(try TemporaryTree.children(top).count == names.count + 1)
  }
}

/// A gzip member, made by igzip with a header of its own.
enum Gzip {
  static func member(_ bytes: [UInt8]) throws -> [UInt8] {
    let block = TarBlock(capacity: max(bytes.count, 1))
    bytes.withUnsafeBytes { buffer in
      if let start = buffer.baseAddress { memcpy(block.start, start, buffer.count) }
    }
    block.count = bytes.count
    try BlockCompressor.compress(block, .gzip, level: 1, isLast: true)
    let compressed = Array(
      UnsafeBufferPointer(start: block.compressed, count: block.compressedCount))
    let sum = crc32_gzip_refl(
      0, block.start.assumingMemoryBound(to: UInt8.self), UInt64(block.count))
    let trailer = [sum, UInt32(bytes.count)].flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
    }
    return BlockCompressor.gzipHeader + compressed + trailer
  }
}

enum Zstd {
  static func frame(_ bytes: [UInt8]) throws -> [UInt8] {
    let block = TarBlock(capacity: bytes.count)
    bytes.withUnsafeBytes { buffer in
      if let start = buffer.baseAddress { memcpy(block.start, start, buffer.count) }
    }
    block.count = bytes.count
    try BlockCompressor.compress(block, .zstd, level: 1, isLast: true)
    return Array(UnsafeBufferPointer(start: block.compressed, count: block.compressedCount))
  }
}
