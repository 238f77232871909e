import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// Two machines are two stores here, and have nothing in common but the image that one of them made.
@Suite struct InlineCacheTests {
  /// A site whose image cannot be made twice: some of its files are random.
  private func randomSite() throws -> CacheSite {
    let site = try CacheSite(base: "base")
    try site.directory.write(
      "Dockerfile",
      """
      FROM base
      RUN cat /proc/sys/kernel/random/uuid > /random
      RUN rm /etc/gone && rm -r /dir && mkdir /dir && touch /dir/new && rm -f /nothing
      RUN touch /etc/brief && rm /etc/brief && ln /bin/busybox /bin/other && mkfifo -m 640 /pipe
      RUN touch /fleeting && chmod 4755 /fleeting
      RUN rm /fleeting && chmod 700 /
      RUN cat /proc/sys/kernel/random/uuid > /random2
      COPY file /out
      WORKDIR /made
      RUN true
      CMD ["sh"]
      """)
    return site
  }

  @Test("a machine goes on from an image in a registry: nothing runs, and the image is the same")
  func registry() async throws {
    let registry = try DockerRegistry()
    let site = try randomSite()
    let image = "\(registry.host)/app:1"
    try await site.build("first", "-t", image, "--push", "--cache-to", "type=inline")
    try await site.build(
      "second", "--fail-on-miss", "--cache-from", image, "--cache-to", "type=inline", "-t",
      "\(registry.host)/app:2", "--push")
    #expect(try site.id("second") == site.id("first"))
    // It was pushed without any layer of it.
    #expect(try site.layers("second") == 0)
    #expect(try DirectoryTree.names(in: site.store("second").appending("blobs")).isEmpty)
    // What is in the layers is what was in them.
    let files = try await site.files("first")
    let cache = "type=registry,ref=\(registry.host)/app:2"
    #expect(try await site.files("third", "--fail-on-miss", "--cache-from", cache) == files)
    #expect(try await site.files("third", "--fail-on-miss") == files)
    // The config differs in nothing but the cache, which an image built from it does not inherit.
    try await site.build("first")
    try await site.build("third", "--fail-on-miss")
    #expect(try site.id("third") == site.id("first"))
    // A change runs what depends on it, over imported layers.
    try site.directory.write("context/file", "two\n")
    let changed = try await site.files("fourth", "--cache-from", image)
    #expect(changed.filter { !files.contains($0) }.map { $0.split(separator: " ")[0] } == ["/out"])
  }

  @Test("BuildKit's old argument asks for the same")
  func argument() async throws {
    let site = try randomSite()
    try await site.build("first", "--cache-to", "type=inline")
    let id = try site.id("first")
    try await site.build("first", "--build-arg", "BUILDKIT_INLINE_CACHE=1")
    #expect(try site.id("first") == id)
    try await site.build("first", "--build-arg", "BUILDKIT_INLINE_CACHE=0")
    #expect(try site.id("first") != id)
    // Files alone have no config; the argument, which scripts give always, says nothing then.
    var request = try BuildCommand.parse(
      ["-f", site.directory.path.appending("Dockerfile").string, site.context.string]
    ).flags.request(tags: [], outputs: [OutputSpecification(directory: "out")])
    request.options.buildArguments["BUILDKIT_INLINE_CACHE"] = "1"
    try request.check()
    request.exportedCaches = [try CacheSpecification(parsing: "type=inline", isTarget: true)]
    let error = #expect(throws: Diagnostic.self) { try request.check() }
    #expect(error?.message == "an inline cache lies in the image, and no output is one")
  }

  @Test("an image of several platforms in a layout serves each of them")
  func platforms() async throws {
    let site = try CacheSite(base: "base")
    try site.directory.write(
      "Dockerfile", "FROM scratch\nARG TARGETARCH\nCOPY file /$TARGETARCH\nWORKDIR /made\n")
    let layout = site.directory.path.appending("layout")
    let platforms = ["--platform", "linux/amd64,linux/arm64"]
    try await site.build(
      "first", platforms[0], platforms[1], "--cache-to", "type=inline", "-o",
      "type=oci,tar=false,dest=\(layout)")
    for platform in ["linux/amd64,linux/arm64", "linux/arm64", "linux/amd64"] {
      try await site.build(
        "second-\(platform.hashValue)", "--platform", platform, "--fail-on-miss", "--cache-from",
        "type=local,src=\(layout)")
    }
    await #expect(throws: Diagnostic.self) {
      try await site.build(
        "third", "--platform", "linux/s390x", "--fail-on-miss", "--cache-from",
        "type=local,src=\(layout)")
    }
  }

  @Test("a stage that is not in the image is made anew, and what follows in the image is not")
  func stages() async throws {
    let site = try CacheSite(base: "base")
    try site.directory.write(
      "Dockerfile",
      """
      FROM base AS common
      RUN cat /proc/sys/kernel/random/uuid > /common
      FROM common AS build
      COPY file /src/file
      RUN cat /src/file /src/file > /out && cat /proc/sys/kernel/random/uuid > /elsewhere
      FROM common
      COPY --from=build /out /out
      RUN --mount=from=build,source=/src,target=/src cat /proc/sys/kernel/random/uuid > /random
      COPY --from=common /common /again
      """)
    let layout = site.directory.path.appending("layout")
    let cache = "type=local,src=\(layout),tag=1"
    try await site.build(
      "first", "--cache-to", "type=inline", "-o", "type=oci,tar=false,dest=\(layout),name=app:1")
    try await site.build("second", "--cache-from", cache, "--cache-to", "type=inline")
    #expect(try site.id("second") == site.id("first"))
    let files = try await site.files("second", "--cache-from", cache, "--fail-on-miss")
    #expect(try await site.files("first") == files)
  }

  @Test("a machine that has the first steps of its own goes on from an image in the middle")
  func mixed() async throws {
    let site = try CacheSite(base: "base")
    let all = """
      FROM base
      RUN rm /etc/gone && rm -r /dir && mkdir /dir && touch /dir/new
      RUN touch /etc/brief && rm /etc/brief

      """
    try site.directory.write("Dockerfile", all)
    try await site.build("second")
    try site.directory.write(
      "Dockerfile",
      all + "RUN cat /proc/sys/kernel/random/uuid > /dir/random\nRUN chmod 700 /dir\n")
    let layout = site.directory.path.appending("layout")
    try await site.build(
      "first", "--cache-to", "type=inline", "-o", "type=oci,tar=false,dest=\(layout)")
    let files = try await site.files(
      "second", "--fail-on-miss", "--cache-from", "type=local,src=\(layout)")
    #expect(try await site.files("first") == files)
  }

  @Test("what an image brought goes on to a cache of every step")
  func onwards() async throws {
    let site = try randomSite()
    let layout = site.directory.path.appending("layout")
    try await site.build(
      "first", "--cache-to", "type=inline", "-o", "type=oci,tar=false,dest=\(layout)")
    let files = try await site.files(
      "second", "--fail-on-miss", "--cache-from", "type=local,src=\(layout)")
    for (cache, arguments) in [
      ("with", ["--cache-from", "type=local,src=\(layout)"]), ("without", []),
    ] {
      let folder = site.directory.path.appending(cache)
      try await site.build(
        "second",
        ["--fail-on-miss", "--cache-to", "type=local,mode=max,dest=\(folder)"] + arguments)
      try await site.build(
        "third-\(cache)", "--fail-on-miss", "--cache-from", "type=local,src=\(folder)")
      #expect(try site.id("third-\(cache)") == site.id("second"))
      #expect(
        try await site.files(
          "third-\(cache)", "--fail-on-miss", "--cache-from", "type=local,src=\(folder)") == files)
    }
  }

  @Test("with a source date epoch an image serves builds with the same one, and spoils no others")
  func epochs() async throws {
    let site = try CacheSite(base: "base")
    // A command sees the epoch, which is then part of its key anyway.
    try site.directory.write("Dockerfile", "FROM base\nCOPY file /one\nWORKDIR /made\n")
    let layout = site.directory.path.appending("layout")
    let cache = ["--cache-from", "type=local,src=\(layout)"]
    let inline = ["--cache-to", "type=inline"]
    try await site.build(
      "first",
      inline + ["--source-date-epoch", "1000", "-o", "type=oci,tar=false,dest=\(layout)"])
    try await site.build(
      "second", cache + inline + ["--fail-on-miss", "--source-date-epoch", "1000"])
    #expect(try site.id("second") == site.id("first"))
    // Times that were cut to an earlier one are lost.
    try await site.build("clean", inline + ["--source-date-epoch", "2000"])
    try await site.build("second", cache + inline + ["--source-date-epoch", "2000"])
    #expect(try site.id("second") == site.id("clean"))
    try await site.build("third", cache + ["--fail-on-miss"])
    try await site.build("third", inline + ["--source-date-epoch", "2000"])
    #expect(try site.id("third") == site.id("clean"))
    // An image without one has its times, and they are cut as they are packed.
    let plain = site.directory.path.appending("plain-layout")
    try await site.build("plain", inline + ["-o", "type=oci,tar=false,dest=\(plain)"])
    try await site.build(
      "fourth",
      ["--fail-on-miss", "--cache-from", "type=local,src=\(plain)"]
        + inline + ["--source-date-epoch", "2000"])
    #expect(try site.id("fourth") == site.id("clean"))
  }

  @Test("a config tells of keys and digests, and of nothing that went into them")
  func content() async throws {
    let site = try CacheSite(base: "base")
    try site.directory.write(
      "Dockerfile", "FROM base AS a\nARG TOKEN\nRUN echo one > /one\nFROM a\nRUN echo two > /two\n")
    let layout = site.directory.path.appending("layout")
    try await site.build(
      "first", "--cache-to", "type=inline", "--build-arg", "TOKEN=hush", "-o",
      "type=oci,tar=false,dest=\(layout)")
    let reader = OCILayoutReader(files: .directory(layout))
    let image = try reader.resolve(.whole, platform: .current)
    let cache = try #require(image.cache)
    #expect(cache.steps.map(\.layer) == [image.layers.count - 2, image.layers.count - 1])
    #expect(cache.steps.allSatisfy { $0.keys.count == 1 })
    var configuration = image.configuration
    configuration.history = nil
    #expect(
      !String(decoding: try configuration.encoded(with: cache), as: UTF8.self).contains("hush"))
    // Damaged, or of a later version, it is as good as not there.
    for text in [
      #"{"vnd.pipeline.cache.v1":{"version":2,"steps":[]}}"#, "{}", "vnd.pipeline.cache.v1",
    ] {
      #expect(InlineCache(inConfiguration: Array(text.utf8)) == nil)
    }
  }
}
