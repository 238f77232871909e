import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("Writing images for other tools")
struct ImageOutputTests {
  let fixture: ImageFixture

  init() throws {
    fixture = try ImageFixture()
  }

  /// What skopeo finds: the digest of the config is the image's id.
  private func inspect(_ reference: String) throws -> (cmd: [String], layers: [String]) {
    let text = try ImageFixture.tool("skopeo", "inspect", "--config", reference)
    let config = try JSONDecoder().decode(ImageConfiguration.self, from: Data(text.utf8))
    return (config.config?.command ?? [], config.rootfs.diffIDs.map { "\($0)" })
  }

  private func expectImage(_ reference: String) throws {
    let (command, layers) = try inspect(reference)
    #expect(command == ["/bin/true"])
    #expect(layers == fixture.image.layers.map { "\($0.diffID)" })
    let target = fixture.path("copied-\(Store.uniqueName())")
    // A copy reads every blob and holds it against its digest.
    try ImageFixture.tool("skopeo", "copy", "-q", reference, "dir:\(target)")
  }

  @Test("skopeo and umoci read a layout, by its tag")
  func layout() throws {
    let path = fixture.path("out")
    try fixture.write("type=oci,tar=false,dest=\(path),name=example.org/x:1")
    try expectImage("oci:\(path):1")
    #expect(try ImageFixture.tool("umoci", "ls", "--layout", path.string) == "1\n")
    let bundle = fixture.path("bundle")
    try ImageFixture.tool("umoci", "unpack", "--image", "\(path):1", bundle.string)
    let content = try FileContent.read(bundle.pushing(FilePath("rootfs/opt/file")))
    #expect(content == Array("hello\n".utf8))
  }

  @Test("skopeo reads an OCI archive and a docker archive")
  func archives() throws {
    let oci = fixture.path("oci.tar")
    let docker = fixture.path("docker.tar")
    try fixture.write("type=oci,dest=\(oci)", tags: ["docker.io/library/x:1"])
    try fixture.write("type=docker,dest=\(docker)", tags: ["docker.io/library/x:1"])
    try expectImage("oci-archive:\(oci):1")
    try expectImage("docker-archive:\(docker)")
    try expectImage("docker-archive:\(docker):x:1")
    #expect(try fixture.read("oci.tar").layers.map(\.diffID) == fixture.image.layers.map(\.diffID))
    #expect(try fixture.read("docker.tar:x:1").digest == fixture.read("docker.tar").digest)
  }

  @Test("buildah starts from a docker archive")
  func buildah() throws {
    let docker = fixture.path("docker.tar")
    try fixture.write("type=docker,dest=\(docker),name=x:1")
    let storage = fixture.path("storage").string
    let options = [
      "buildah", "--root", storage, "--runroot", storage + ".run", "--storage-driver", "vfs",
    ]
    let container = try ChildProcess.run(options + ["from", "docker-archive:\(docker)"])
    #expect(container.status == 0)
    let name = container.text.trimmedLine
    let mounted = try ChildProcess.run(options + ["mount", name])
    let root = FilePath(mounted.text.trimmedLine)
    #expect(try FileContent.read(root.pushing(FilePath("opt/file"))) == Array("hello\n".utf8))
    #expect(try ChildProcess.run(options + ["rm", name]).status == 0)
  }

  @Test("a layout that exists gets the image added, or replaced where its tag is taken")
  func merging() throws {
    let path = fixture.path("out")
    try fixture.write("type=oci,tar=false,dest=\(path),name=x:1")
    try fixture.write("type=oci,tar=false,dest=\(path),name=x:2")
    let other = try ImageFixture(content: "other\n", command: "/bin/other")
    try other.write("type=oci,tar=false,dest=\(path),name=x:1")
    #expect(
      try ImageFixture.tool("umoci", "ls", "--layout", path.string).split(separator: "\n").sorted()
        == ["1", "2"])
    #expect(try inspect("oci:\(path):1").cmd == ["/bin/other"])
    #expect(try inspect("oci:\(path):2").cmd == ["/bin/true"])
    let names = try DirectoryTree.names(in: path.pushing(FilePath("blobs/sha256")))
    #expect(names.allSatisfy { $0.utf8.count == 64 })
  }

  @Test("the index names an image as BuildKit does")
  func annotations() throws {
    let path = fixture.path("out")
    try fixture.write("type=oci,tar=false,dest=\(path),name=x:1,annotation.a=b")
    let bytes = try FileContent.read(path.appending("index.json"))
    let index = try JSONDecoder().decode(ImageIndex.self, from: Data(bytes))
    #expect(
      index.manifests.map(\.annotations) == [
        [
          "io.containerd.image.name": "docker.io/library/x:1",
          "org.opencontainers.image.created": "2026-01-02T03:04:05Z",
          "org.opencontainers.image.ref.name": "1",
        ]
      ])
    #expect(index.manifests[0].platform == .init(ImageFixture.platform))
    let manifest = try FileContent.read(
      path.pushing(FilePath(LayoutBlobs.name(index.manifests[0].digest))))
    let decoded = try JSONDecoder().decode(ImageManifest.self, from: Data(manifest))
    #expect(decoded.annotations == ["a": "b"])
  }

  @Test("equal images are equal archives, byte for byte")
  func reproducible() throws {
    for name in ["a.tar", "b.tar"] {
      try fixture.write("type=oci,dest=\(fixture.path(name)),name=x:1")
    }
    #expect(
      try FileContent.read(fixture.path("a.tar")) == FileContent.read(fixture.path("b.tar")))
  }

  @Test("a directory of something else is left alone")
  func foreignDirectory() throws {
    try fixture.directory.write("home/letter", "dear")
    let error = #expect(throws: Diagnostic.self) {
      try fixture.write("type=oci,tar=false,dest=\(fixture.path("home"))")
    }
    #expect(
      error?.message
        == "'\(fixture.path("home"))' is not empty and is no OCI layout; nothing was written there")
    #expect(try DirectoryTree.names(in: fixture.path("home")) == ["letter"])
  }

  @Test("a failed output leaves the old file and no other")
  func failure() throws {
    let place = fixture.path("place")
    try fixture.directory.write("place/out.tar", "old")
    let digest = fixture.image.layers[0].descriptor.digest
    try FileContent.replace(fixture.store.blob(digest), with: [1, 2, 3])
    #expect(throws: Diagnostic.self) {
      try fixture.write("type=oci,dest=\(place.appending("out.tar"))")
    }
    #expect(try DirectoryTree.names(in: place) == ["out.tar"])
    #expect(try FileContent.read(place.appending("out.tar")) == Array("old".utf8))
  }
}
