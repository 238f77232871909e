import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("Reading images that other tools wrote")
struct ImageSourceTests {
  let fixture: ImageFixture
  /// A layout of umoci's with one layer and the image `base`.
  let layout: FilePath

  init() throws {
    fixture = try ImageFixture()
    try fixture.directory.write("tree/file", "hello\n")
    layout = fixture.path("layout")
    let image = "\(layout):base"
    try ImageFixture.tool("umoci", "init", "--layout", layout.string)
    try ImageFixture.tool("umoci", "new", "--image", image)
    try ImageFixture.tool(
      "umoci", "insert", "--image", image, fixture.path("tree").string, "/opt/tree")
    try ImageFixture.tool(
      "umoci", "config", "--image", image, "--config.env", "A=b", "--config.cmd", "/bin/x")
  }

  private func expectBase(_ image: ResolvedImage) throws {
    #expect(image.configuration.config?.environment == ["A=b"])
    #expect(image.configuration.config?.command == ["/bin/x"])
    #expect(image.layers.count == 1)
    let bytes = try ImageFixture.content(of: image.layers[0])
    #expect(SHA256Hasher.digest(of: bytes) == image.layers[0].descriptor.digest)
  }

  @Test("a layout of umoci, by path, by tag and by digest")
  func layouts() throws {
    try expectBase(fixture.read("layout"))
    try expectBase(fixture.read("oci-layout://layout"))
    try expectBase(fixture.read("oci-layout://\(layout):base"))
    let digest = try fixture.read("layout").digest
    try expectBase(fixture.read("oci-layout://layout@\(digest)"))
  }

  @Test("archives that skopeo made of it, compressed ones too")
  func archives() throws {
    let source = "oci:\(layout):base"
    let oci = fixture.path("oci.tar").string
    let docker = fixture.path("docker.tar").string
    try ImageFixture.tool("skopeo", "copy", "-q", source, "oci-archive:\(oci):base")
    try ImageFixture.tool("skopeo", "copy", "-q", source, "docker-archive:\(docker):x/y:1")
    let direct = try fixture.read("layout")
    let archived = try fixture.read("oci.tar")
    try expectBase(archived)
    #expect(archived.digest == direct.digest)
    try expectBase(fixture.read("oci-layout://oci.tar:base"))
    let saved = try fixture.read("docker.tar:x/y:1")
    try expectBase(saved)
    #expect(saved.layers.map(\.diffID) == direct.layers.map(\.diffID))
    try expectBase(fixture.read("docker.tar"))
    try ImageFixture.tool("gzip", docker)
    try expectBase(fixture.read("docker.tar.gz"))
  }

  @Test("a plain tar is a root file system, in any compression")
  func rootFileSystems() throws {
    let tar = try ImageFixture.makeTar(fixture.path("rootfs.tar"), "hello\n")
    let diffID = SHA256Hasher.digest(of: try FileContent.read(tar))
    for (program, suffix) in [("gzip", "gz"), ("zstd", "zst"), ("xz", "xz"), ("bzip2", "bz2")] {
      try ImageFixture.tool(program, "-q", "-k", tar.string)
      let image = try fixture.read("rootfs.tar.\(suffix)")
      #expect(image.layers.map(\.diffID) == [diffID])
      #expect(image.configuration.rootfs.diffIDs == [diffID])
      let bytes = try ImageFixture.content(of: image.layers[0])
      #expect(SHA256Hasher.digest(of: bytes) == image.layers[0].descriptor.digest)
    }
    #expect(try fixture.read("rootfs.tar").digest == diffID)
  }

  @Test("a plain directory is a context and no image")
  func directories() throws {
    #expect(try ImageSource.detect("tree", relativeTo: fixture.directory.path) == nil)
    #expect(try ImageSource.detect("absent", relativeTo: fixture.directory.path) == nil)
  }

  // MARK: - What is refused

  private func blob(_ digest: Digest) -> FilePath {
    layout.pushing(FilePath(LayoutBlobs.name(digest)))
  }

  @Test("what is not there is named with what is")
  func selection() throws {
    #expect(
      try fixture.problem("oci-layout://layout:other")
        == "'DIR/layout' has no image 'other' / its images are 'base'")
    #expect(
      try fixture.problem("oci-layout://tree:x")
        == "'oci-layout://tree:x' names no OCI layout: there is no file 'oci-layout' there"
        + " / give the directory or tar that holds the image: oci-layout://PATH:TAG")
    try ImageFixture.tool("umoci", "tag", "--image", "\(layout):base", "second")
    #expect(
      try fixture.problem("layout")
        == "'DIR/layout' has 2 images, and which one is meant is not said"
        + " / add a tag: 'base', 'second'")
    try fixture.directory.write("text", "no archive")
    #expect(
      try fixture.problem("text") == "'DIR/text' is no image: it is not a tar archive"
        + " / give an OCI layout, a docker archive or the tar of a root file system")
  }

  @Test("a manifest with other bytes than its digest says is refused by file and digest")
  func wrongManifest() throws {
    let digest = try fixture.read("layout").digest
    var bytes = try FileContent.read(blob(digest))
    bytes[bytes.count - 1] = UInt8(ascii: " ")
    try FileContent.replace(blob(digest), with: bytes)
    let found = SHA256Hasher.digest(of: bytes)
    #expect(
      try fixture.problem("layout")
        == "'blobs/sha256/\(digest.hex)' in 'DIR/layout' has other bytes: their digest is \(found)"
        + " / the layout is damaged; write it again")
  }

  @Test("a missing blob and one of another size are refused when they are opened")
  func wrongLayer() throws {
    let layer = try fixture.read("layout").layers[0]
    let descriptor = layer.descriptor
    let name = LayoutBlobs.name(descriptor.digest)
    try FileContent.replace(blob(descriptor.digest), with: [1, 2, 3])
    var error = #expect(throws: Diagnostic.self) { try ImageFixture.content(of: layer) }
    #expect(
      error?.message
        == "'\(name)' in '\(layout)' has 3 bytes, where the image says \(descriptor.size)")
    try ImageFixture.tool("rm", blob(descriptor.digest).string)
    error = #expect(throws: Diagnostic.self) { try ImageFixture.content(of: layer) }
    #expect(error?.message == "'\(layout)' has no '\(name)', which its image names")
  }

  @Test(
    "documents that can be read in two ways, or by nobody, are refused (threat 26)",
    arguments: [
      (
        #"{"schemaVersion":2,"manifests":[],"layers":[]}"#,
        "X is a manifest and an index at once; such a document is refused"
      ),
      (
        #"{"schemaVersion":2,"manifests":[],"config":{}}"#,
        "X is a manifest and an index at once; such a document is refused"
      ),
      (
        #"{"schemaVersion":1,"fsLayers":[]}"#,
        "X is a manifest of schema 1, which no current program reads"
      ),
      (#"{}"#, "X is neither an image manifest nor an index"),
      (
        #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}"#,
        "X has manifests, but is announced as 'application/vnd.oci.image.manifest.v1+json'"
      ),
      (#"{"schemaVersion":2,"layers":[]}"#, "X is malformed: 'config' is missing"),
      (
        #"{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"sha256:../../x","size":1}]}"#,
        "X is malformed: 'sha256:../../x' is not a sha256 digest"
      ),
      (
        #"{"schemaVersion":2,"layers":[],"config":{"mediaType":"a","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":-1}}"#,
        "X gives sha256:0000000000000000000000000000000000000000000000000000000000000000 the size -1"
      ),
      ("[", "X is malformed: it is not JSON"),
    ])
  func documents(_ text: String, _ message: String) {
    let error = #expect(throws: Diagnostic.self) {
      try ManifestDocument(parsing: Array(text.utf8), mediaType: nil, place: "X")
    }
    #expect(error?.message == message)
  }

  @Test("a document of another type than was announced is refused")
  func announcedType() {
    let text =
      #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
    let error = #expect(throws: Diagnostic.self) {
      try ManifestDocument(
        parsing: Array(text.utf8), mediaType: MediaType.dockerManifestList, place: "X")
    }
    #expect(
      error?.message
        == "X calls itself 'application/vnd.oci.image.index.v1+json', but was announced as 'application/vnd.docker.distribution.manifest.list.v2+json'"
    )
  }
}
