import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("Statements about images")
struct AttestationTests {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  private func scan() throws -> PackageScanner.Result {
    let root = directory.path.withPlatformString { open($0, O_RDONLY | O_DIRECTORY) }
    let top = OwnedDescriptor(owning: root)
    return try PackageScanner(root: top.raw).scan()
  }

  @Test("packages of Debian, Alpine and Python are found, and those removed are not")
  func packages() throws {
    try directory.write("etc/os-release", "NAME=\"Debian\"\nID=debian\nVERSION_ID=\"12\"\n")
    try directory.write(
      "var/lib/dpkg/status",
      """
      Package: bash
      Status: install ok installed
      Architecture: amd64
      Version: 5.2.15-2+b7
      Description: shell
       Version: of a continued line

      Package: gone
      Status: deinstall ok config-files
      Version: 1

      """)
    try directory.write("var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2026a\n")
    try directory.write("var/lib/dpkg/status.d/tzdata.md5sums", "Package: x\nVersion: 1\n")
    try directory.write("lib/apk/db/installed", "C:Q1\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\n\n")
    try directory.write(
      "opt/venv/lib/python3.12/site-packages/typing_extensions-4.1.dist-info/METADATA",
      "Metadata-Version: 2.1\nName: typing_extensions\nVersion: 4.1\n\nName: not a header\n")
    let result = try scan()
    #expect(
      result.packages.map { $0.url(distribution: result.distribution) } == [
        "pkg:apk/debian/musl@1.2.5-r0?arch=x86_64&distro=debian-12",
        "pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=debian-12",
        "pkg:deb/debian/tzdata@2026a?distro=debian-12", "pkg:pypi/typing-extensions@4.1",
      ])
    #expect(result.packages[0].license == "MIT")
  }

  @Test("a hostile root gives nothing of the machine's, and hangs nobody (threat 21)")
  func hostileRoots() throws {
    try DirectoryTree.make(directory.path.pushing(FilePath("var/lib/dpkg")), mode: 0o755)
    try DirectoryTree.make(directory.path.pushing(FilePath("lib/apk/db")), mode: 0o755)
    try directory.write("host/status", "Package: secret\nVersion: 1\n")
    let status = directory.path.pushing(FilePath("var/lib/dpkg/status"))
    try Call.check("mkfifo", status) { mkfifo($0, 0o644) }
    try Call.check("symlink", directory.path.pushing(FilePath("lib/apk/db/installed"))) {
      symlink("../../../../../../etc/passwd", $0)
    }
    try Call.check("symlink", directory.path.appending("loop")) { symlink("/", $0) }
    #expect(try scan().packages.isEmpty)
  }

  @Test("attestations stand in the index as BuildKit lays them out")
  func layout() throws {
    let fixture = try ImageFixture()
    var image = fixture.image
    image.attestations = [
      Attestation(predicateType: "https://example.org/p", predicate: ["a": "b"])
    ]
    let bundle = try ImageBundle(
      [image], types: .oci, names: ["docker.io/library/x:1"])
    #expect(bundle.root.mediaType == MediaType.ociIndex)
    func document(_ digest: Digest) throws -> Data {
      Data(try #require(bundle.documents.first { $0.descriptor.digest == digest }).bytes)
    }
    let index = try JSONDecoder().decode(ImageIndex.self, from: document(bundle.root.digest))
    #expect(index.manifests.count == 2)
    let subject = index.manifests[0]
    let entry = index.manifests[1]
    #expect(entry.isAttestation)
    #expect(entry.platform == .init(architecture: "unknown", os: "unknown", variant: nil))
    #expect(entry.annotations?["vnd.docker.reference.digest"] == "\(subject.digest)")
    let manifest = try JSONDecoder().decode(ImageManifest.self, from: document(entry.digest))
    #expect(manifest.layers.map(\.mediaType) == ["application/vnd.in-toto+json"])
    #expect(
      manifest.layers[0].annotations == ["in-toto.io/predicate-type": "https://example.org/p"])
    #expect(
      String(decoding: try document(manifest.layers[0].digest), as: UTF8.self)
        == #"{"_type":"https://in-toto.io/Statement/v0.1","predicate":{"a":"b"},"predicateType":"https://example.org/p","subject":[{"digest":{"sha256":"\#(subject.digest.hex)"},"name":"pkg:docker/x@1?platform=linux%2Famd64"}]}"#
    )
  }

  @Test("other tools read an image that has attestations")
  func otherTools() throws {
    let fixture = try ImageFixture()
    var image = fixture.image
    image.attestations = [
      Attestation(predicateType: "https://example.org/p", predicate: ["a": "b"])
    ]
    let output = try OutputSpecification(
      parsing: "type=oci,dest=\(fixture.path("out.tar")),name=x:1")
    try output.write(
      ImageBundle([image], types: .oci, names: output.names), names: output.names, created: nil,
      store: fixture.store)
    let text = try ImageFixture.tool(
      "skopeo", "inspect", "--config", "oci-archive:\(fixture.path("out.tar")):1")
    #expect(text.contains("/bin/true"))
    #expect(try fixture.read("out.tar").layers.count == 1)
  }

  @Test("an SPDX document names every package once, and is the same each time")
  func spdx() throws {
    var scan = PackageScanner.Result()
    scan.distribution = .init(osRelease: "ID=debian\n")
    scan.packages = [
      InstalledPackage(
        manager: .deb, name: "libstdc++6", version: "12", architecture: "amd64", license: nil)
    ]
    let digest = Digest(bytes: [UInt8](repeating: 1, count: 32))
    func make() throws -> String {
      let document = SPDXDocument(scan, image: digest, name: "x", created: "2026-01-01T00:00:00Z")
      return String(decoding: try CanonicalJSON.encode(document), as: UTF8.self)
    }
    let text = try make()
    #expect(text == (try make()))
    #expect(text.contains(#""SPDXID":"SPDXRef-Package-deb-libstdc--6-1""#))
    #expect(
      text.contains(#""referenceLocator":"pkg:deb/debian/libstdc%2B%2B6@12?arch=amd64""#))
    #expect(text.contains(#""spdxVersion":"SPDX-2.3""#))
  }

  @Test("values of --sbom, and where they stand")
  func sbomValues() throws {
    func parse(_ arguments: String...) throws -> (isFlag: Bool, value: String?, context: String?) {
      let command = try BuildCommand.parse(DockerSpelling.normalized(arguments))
      return (command.sbom, command.sbomValue, command.flags.context)
    }
    #expect(try parse("--sbom", ".") == (true, nil, "."))
    #expect(try parse("--sbom=true", ".") == (false, "true", "."))
    #expect(try parse("--sbom", "false", "x") == (false, "false", "x"))
    #expect(try parse("--sbom=generator=a/b:1") == (false, "generator=a/b:1", nil))
    #expect(
      DockerSpelling.normalized(["run", "x", "--", "--sbom=1"]) == ["run", "x", "--", "--sbom=1"])
    #expect(try AttestationOptions.sbom("true") == (true, nil))
    #expect(try AttestationOptions.sbom("0") == (false, nil))
    let generator = try AttestationOptions.sbom("generator=a/b:1")
    #expect(generator.isWanted && generator.warning?.message.contains("'a/b:1' is not run") == true)
    #expect(throws: Diagnostic.self) { try AttestationOptions.sbom("yes") }
  }

  @Test("values of --provenance")
  func provenanceValues() throws {
    #expect(try AttestationOptions.provenance("mode=max") == .max)
    #expect(try AttestationOptions.provenance("true") == .min)
    #expect(try AttestationOptions.provenance("false") == nil)
    #expect(try AttestationOptions.provenance("mode=max,version=v1") == .max)
    #expect(try AttestationOptions.provenance("disabled=true") == nil)
    #expect(try AttestationOptions.provenance("1") == .min)
    #expect(throws: Diagnostic.self) { try AttestationOptions.provenance("mode=all") }
    #expect(throws: Diagnostic.self) { try AttestationOptions.provenance("all") }
  }
}
