import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite("The value of -o")
struct OutputSpecificationTests {
  private func problem(_ text: String) -> String {
    do {
      _ = try OutputSpecification(parsing: text)
      return "nothing"
    } catch {
      return error.message + (error.help.map { " / \($0)" } ?? "")
    }
  }

  @Test("a bare word is a directory, a dash a tar on standard output")
  func bareWords() throws {
    #expect(
      try OutputSpecification(parsing: "out") == OutputSpecification(directory: FilePath("out")))
    #expect(
      try OutputSpecification(parsing: "-")
        == OutputSpecification(kind: .tar, destination: .standardOutput))
    // docker reads a single field without type= as a path, whatever is in it.
    #expect(
      try OutputSpecification(parsing: "dest=x")
        == OutputSpecification(directory: FilePath("dest=x")))
  }

  @Test("every field arrives")
  func fields() throws {
    let output = try OutputSpecification(
      parsing: #"type=oci,dest=a/b.tar,"name=x,example.org/y:1",compression=zstd,"#
        + "compression-level=3,force-compression=true,annotation.Key=v,annotation-index.k=w")
    #expect(output.kind == .oci)
    #expect(output.destination == .path(FilePath("a/b.tar")))
    #expect(output.names == ["docker.io/library/x:latest", "example.org/y:1"])
    #expect(output.compression == OutputCompression(kind: .zstd, level: 3, isForced: true))
    #expect(
      output.annotations == [
        OutputAnnotation(key: "Key", value: "v"),
        OutputAnnotation(level: .index, key: "k", value: "w"),
      ])
    #expect(output.mediaTypes == .oci)
    #expect(output.isArchive)
  }

  @Test("each kind has the media types that docker gives it")
  func mediaTypes() throws {
    #expect(try OutputSpecification(parsing: "type=docker,dest=x").mediaTypes == .docker)
    #expect(
      try OutputSpecification(parsing: "type=docker,dest=x,compression=zstd").mediaTypes == .oci)
    #expect(
      try OutputSpecification(parsing: "type=oci,dest=x,oci-mediatypes=false").mediaTypes
        == .docker)
    #expect(try OutputSpecification(parsing: "type=registry,name=x").mediaTypes == .oci)
  }

  @Test(
    "what is wrong is named, with what is possible",
    arguments: [
      ("", "'-o ': it is empty"),
      (
        "type=ocl,dest=x",
        "'-o type=ocl,dest=x': there is no type 'ocl' / did you mean 'oci'?"
      ),
      ("type=oci,dest", "'-o type=oci,dest': 'dest' is not of the form name=value"),
      (
        "dest=x,tar=false",
        "'-o dest=x,tar=false': it has no type= / "
          + "the types are oci, docker, tar, local, registry, image"
      ),
      ("type=local", "'-o type=local': type=local needs dest=PATH"),
      (
        "type=local,dest=-",
        "'-o type=local,dest=-': a directory cannot go to standard output / use type=tar"
      ),
      (
        "type=docker",
        "'-o type=docker': type=docker needs dest=PATH / "
          + "or pipe it: dest=- and '| docker load'"
      ),
      (
        "type=oci,dest=x,tar=maybe",
        "'-o type=oci,dest=x,tar=maybe': 'tar' is true or false, not 'maybe'"
      ),
      ("type=tar,dest=x,tar=false", "'-o type=tar,dest=x,tar=false': tar=false is for type=oci"),
      (
        "type=oci,dest=x,compression=lzma",
        "'-o type=oci,dest=x,compression=lzma': "
          + "there is no compression 'lzma' / the compressions are gzip, zstd and uncompressed"
      ),
      (
        "type=oci,dest=x,compression-level=12",
        "'-o type=oci,dest=x,compression-level=12': "
          + "gzip has the levels 0 to 9, not 12"
      ),
      (
        "type=registry,dest=x",
        "'-o type=registry,dest=x': type=registry has no dest=; it takes name="
      ),
      ("type=oci,\"dest=x", "'type=oci,\"dest=x': a quote is not closed"),
    ])
  func errors(_ text: String, _ message: String) {
    #expect(problem(text) == message)
  }

  @Test("annotations name levels and a platform")
  func annotations() throws {
    #expect(
      try OutputAnnotation.parse("index,manifest[linux/arm64]:a.b=c=d") == [
        OutputAnnotation(level: .index, key: "a.b", value: "c=d"),
        OutputAnnotation(
          level: .manifest, platform: Platform(architecture: "arm64"), key: "a.b", value: "c=d"),
      ])
    #expect(throws: Diagnostic.self) { try OutputAnnotation.parse("layer:a=b") }
    #expect(throws: Diagnostic.self) { try OutputAnnotation.parse("a") }
  }
}
