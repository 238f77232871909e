import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("Checking a store")
struct StoreCheckTests {
  /// A store with everything in it that a store can have, and what its image's digest is.
  private struct Machine {
    let registry: DockerRegistry
    let site: CacheSite
    let id: String

    init() async throws {
      registry = try DockerRegistry()
      let base = try CacheSite(base: "base")
      try base.directory.write("Dockerfile", "FROM base\n")
      try await base.build("base", "-t", "\(registry.host)/base:1", "--push")
      site = try CacheSite(base: "\(registry.host)/base:1")
      try await Self.build(site)
      id = try site.id("machine")
    }

    var path: FilePath { site.store("machine") }

    static func build(_ site: CacheSite) async throws {
      let archive = site.directory.path.appending("image.tar")
      try await site.build(
        "machine", "-t", "app:1", "--source-date-epoch", "1000", "-o", "type=oci,dest=\(archive)")
    }

    func check(quick: Bool = false) throws -> StoreCheck.Result {
      try StoreCheck(store: Store(at: path), isQuick: quick).run()
    }

    /// Builds again: to the same image, and into an archive that holds what it says.
    func rebuild(leavesNoDamage: Bool = true) async throws {
      try await Self.build(site)
      #expect(try site.id("machine") == id)
      let output = try ChildProcess.run(
        [
          "skopeo", "copy", "-q", "--insecure-policy",
          "oci-archive:\(site.directory.path)/image.tar", "dir:\(site.directory.path)/copied",
        ])
      #expect(output.status == 0, "\(output.errors)")
      guard leavesNoDamage else { return }
      let result = try check()
      #expect(result.isSound && result.incompleteImages == [], "\(result)")
    }

    func names(_ folder: String) throws -> [String] {
      try DirectoryTree.names(in: path.appending(folder)).sorted()
    }

    /// Every file in a folder whose files lie in folders by their first two digits.
    func files(_ folder: String) throws -> [FilePath] {
      try names(folder).flatMap { prefix in
        try names("\(folder)/\(prefix)").map { path.appending("\(folder)/\(prefix)/\($0)") }
      }
    }

    /// The directories of layers that came from an image, or that steps made.
    func layers(ofImages: Bool) throws -> [FilePath] {
      let store = try Store(at: path)
      return try names("layers").compactMap { name in
        let layer = LayerID(try #require(Digest(hex: name)))
        return try store.info(of: layer)?.isBase == ofImages ? store.directory(of: layer) : nil
      }
    }
  }

  /// Changes one byte in the middle of a file, and nothing that stat tells.
  private static func flip(_ file: FilePath) throws {
    var status = stat()
    try Call.check("stat", file) { stat($0, &status) }
    let raw = file.withPlatformString { open($0, O_RDWR | O_CLOEXEC) }
    let descriptor = OwnedDescriptor(owning: raw)
    var byte: UInt8 = 0
    let offset = off_t(status.st_size / 2)
    try #require(pread(descriptor.raw, &byte, 1, offset) == 1)
    byte ^= 1
    try #require(pwrite(descriptor.raw, &byte, 1, offset) == 1)
    _ = file.withPlatformString { utimensat(AT_FDCWD, $0, [status.st_atim, status.st_mtim], 0) }
  }

  private static func cut(_ file: FilePath) throws {
    var status = stat()
    try Call.check("stat", file) { stat($0, &status) }
    try Call.check("truncate", file) { truncate($0, status.st_size / 2) }
  }

  @Test("every kind of damage is named, and the next build makes the same image again")
  func damage() async throws {
    let machine = try await Machine()
    #expect(try machine.check().isSound)
    // What is damaged, how it is called, and whether the named image is without it.
    let own = try machine.layers(ofImages: false)
    let base = try #require(try machine.layers(ofImages: true).first)
    let out = try #require(own.first { $0.appending("out").isThere })
    typealias Damage = (name: String, isBroken: Bool, apply: () throws -> Void)
    let digest = { (path: FilePath) in path.removingLastComponent().lastComponent?.string ?? "" }
    let damages: [Damage] = [
      (
        "layer sha256:\(digest(out)) (of docker.io/library/app:1) had other content: removed", true,
        { try Self.flip(out.appending("out")) }
      ),
      (
        "layer sha256:\(digest(out)) (of docker.io/library/app:1) had other content: removed", true,
        { _ = out.appending("out").withPlatformString { chmod($0, 0o600) } }
      ),
      (
        "layer sha256:\(digest(out)) (of docker.io/library/app:1) held 0 entries with 0 bytes instead of 1 with 8: removed",
        true, { _ = out.appending("out").withPlatformString { unlink($0) } }
      ),
      (
        "layer sha256:\(digest(base)) (of docker.io/library/app:1) had other content: removed",
        true, { try Self.flip(base.appending("etc/gone")) }
      ),
      (
        "layer sha256:\(digest(base)) (of docker.io/library/app:1) had no description: removed",
        true, { try Self.flip(base.removingLastComponent().appending("info")) }
      ),
      (
        "could not be read: removed", false,
        { for file in try machine.files("records") { try Self.flip(file) } }
      ),
      (
        "record of a packed layer", false,
        { for file in try machine.files("packs") { try Self.cut(file) } }
      ),
      (
        "description of an image", true,
        {
          let name = try #require(try machine.names("images").first)
          let file = machine.path.appending("images/\(name)")
          let text = String(decoding: try FileContent.read(file), as: UTF8.self)
          try FileContent.write(file, Array(text.replacing("\"linux", with: "\"Linux").utf8))
        }
      ),
      (
        "manifest or config", false,
        {
          for name in try machine.names("documents") {
            try Self.flip(machine.path.appending("documents/\(name)"))
          }
        }
      ),
      (
        "memo of file digests memo could not be read: removed", false,
        { try Self.cut(machine.path.appending("memo")) }
      ),
    ]
    for damage in damages {
      try damage.apply()
      let result = try machine.check()
      #expect(
        result.repairs.contains { $0.contains(damage.name) }, "\(damage.name): \(result.repairs)")
      #expect(result.brokenImages == (damage.isBroken ? ["docker.io/library/app:1"] : []))
      try await machine.rebuild()
    }
  }

  @Test("damaged blobs are named, whether their bytes or their sizes changed")
  func blobs() async throws {
    let machine = try await Machine()
    let names = try machine.names("blobs")
    #expect(names.count > 3)
    for name in names { try Self.flip(machine.path.appending("blobs/\(name)")) }
    #expect(try machine.check(quick: true).isSound)
    let result = try machine.check()
    for name in names {
      #expect(
        result.repairs.contains {
          $0.hasPrefix("blob sha256:\(name)") && $0.contains("other bytes")
        })
    }
    // A packed layer is told with the images that need it.
    #expect(result.repairs.contains { $0.contains("(of docker.io/library/app:1)") })
    #expect(result.brokenImages == [])
    try await machine.rebuild()
    // A blob that lost its end is not taken for one, whoever looks: a build makes or fetches anew
    // what it needs.
    for name in try machine.names("blobs") { try Self.cut(machine.path.appending("blobs/\(name)")) }
    try await machine.rebuild(leavesNoDamage: false)
    for name in try machine.names("blobs") { try Self.cut(machine.path.appending("blobs/\(name)")) }
    #expect(try machine.check(quick: true).repairs.contains { $0.contains("bytes instead of") })
    try await machine.rebuild()
  }

  @Test("what a build has in use is told and left")
  func inUse() async throws {
    let machine = try await Machine()
    let directory = try #require(try machine.layers(ofImages: true).first)
    let name = try #require(directory.removingLastComponent().lastComponent).string
    let layer = LayerID(try #require(Digest(hex: name)))
    let build = try Store(at: machine.path)
    #expect(try build.verify(layer))
    try Self.flip(directory.appending("etc/gone"))
    let repairs = try machine.check().repairs
    #expect(repairs.count == 1 && repairs[0].contains("in use by a build"))
    #expect(directory.isThere)
    withExtendedLifetime(build) {}
  }

  @Test("a check does not count as use")
  func use() async throws {
    let machine = try await Machine()
    func times() throws -> [Double] {
      try StoreInventory(try Store(at: machine.path)).items.map(\.lastUse)
    }
    let before = try times()
    _ = try machine.check()
    #expect(try times() == before)
  }

  @Test("after a restart layers are hashed once; what a power cut took from is made again")
  func restart() async throws {
    let machine = try await Machine()
    func forget(_ directory: FilePath) throws -> LayerID {
      let folder = directory.removingLastComponent()
      let file = folder.appending("info")
      var info = try #require(try CheckedFile.read(LayerInfo.self, from: file))
      info.boot = "another"
      try CheckedFile.write(info, to: file)
      return LayerID(try #require(Digest(hex: folder.lastComponent?.string ?? "")))
    }
    for directory in try machine.layers(ofImages: true) + machine.layers(ofImages: false) {
      let layer = try forget(directory)
      let store = try Store(at: machine.path)
      #expect(try store.verify(layer))
      #expect(try store.info(of: layer)?.boot == store.boot)
    }
    let base = try #require(try machine.layers(ofImages: true).first)
    let layer = try forget(base)
    try Self.cut(base.appending("bin/busybox"))
    #expect(try !Store(at: machine.path).verify(layer))
    try await machine.rebuild()
  }
}

extension FilePath {
  fileprivate var isThere: Bool { withPlatformString { access($0, F_OK) } == 0 }
}
