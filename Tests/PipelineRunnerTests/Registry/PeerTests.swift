import FoundationEssentials
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

/// Images that others read from a registry after us, and we after them.
@Suite("Registries shared with buildah, skopeo and docker")
struct PeerTests {
  /// How a registry is reached.
  enum Access: CaseIterable {
    case plain
    case tls
    case login
    case clientCertificate
  }

  /// A registry with one of our images in it, and what our builds and the peers need to reach it.
  private struct Scene {
    let site: CommandSite
    let registry: DockerRegistry
    let access: Access
    var image: String { "\(registry.host)/team/app:1" }
    var certificates: String {
      "\(site.path)/home/.config/docker/certs.d/\(registry.host)"
    }

    init(_ access: Access) async throws {
      self.access = access
      site = try CommandSite()
      let authority = try TestAuthority()
      let wantsClient = access == .clientCertificate
      registry = try DockerRegistry(
        access == .plain
          ? .none
          : .tls(authority, wantsLogin: access != .tls, wantsClient: wantsClient))
      if access != .plain {
        try authority.install(
          for: registry.host, in: site.directory, under: "home/.config/docker/certs.d",
          withClient: wantsClient)
      }
      if hasLogin {
        let output = try await site.run(
          arguments: ["login", "-u", "jo", "--password-stdin", registry.host], input: "secret")
        try #require(output.status == 0, Comment(rawValue: output.errors))
      }
      try site.writeRoot()
      try site.directory.write("context/secret", "only root", mode: 0o600)
      try await site.build(
        """
        FROM scratch
        COPY root /
        COPY --chown=7:8 secret /etc/secret
        ENV A="b c" LANG=C
        LABEL made.by="us"
        USER 7:8
        WORKDIR /tmp
        EXPOSE 80/udp
        ENTRYPOINT ["/bin/busybox", "cat"]
        CMD ["/etc/secret"]
        """, "-t", image, "--push")
    }

    var hasLogin: Bool { access == .login || access == .clientCertificate }

    /// The digests of our image's config and of its layers' content, as the registry has them.
    func digests(of name: String) async throws -> (config: String, layers: [String]) {
      let manifest = try decode(
        ImageManifest.self, await skopeo(["inspect", "--raw"], "docker://\(name)"))
      let config = try decode(
        ImageConfiguration.self, await skopeo(["inspect", "--config", "--raw"], "docker://\(name)"))
      return ("\(manifest.config.digest)", config.rootfs.diffIDs.map { "\($0)" })
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
      try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    private func skopeo(_ arguments: [String], _ name: String) async throws -> String {
      try await site.tool(
        ["skopeo"] + arguments + ["--authfile", site.logins.string]
          + (access == .plain ? ["--tls-verify=false"] : ["--cert-dir", certificates]) + [name])
    }

    /// A directory with the image's files, as our build reads it.
    func files(of name: String) async throws -> String {
      let target = site.path.appending(Store.uniqueName()).string
      try site.directory.write("other/Dockerfile", "FROM \(name)\n")
      let output = try await site.run(
        arguments: ["build", "-o", target, "\(site.path)/other"],
        environment: ["PIPELINE_STATE_DIR": "\(target).state"])
      try #require(output.status == 0, Comment(rawValue: output.errors))
      return target
    }

    /// What is in a directory: kinds, modes, owners, links and content.
    func listing(_ directory: String) async throws -> String {
      try await site.tool([
        "sh", "-c",
        #"""
        cd "$1" && find . -mindepth 1 -printf '%P %y %m %U:%G %l\n' | LC_ALL=C sort &&
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        """#, "sh", directory,
      ])
    }
  }

  @Test("buildah", arguments: Access.allCases)
  func buildah(access: Access) async throws {
    let scene = try await Scene(access)
    let site = scene.site
    let buildah = [
      "buildah", "--root", "\(site.path)/buildah", "--runroot", "\(site.path)/run",
      "--storage-driver", "vfs",
    ]
    let reach =
      (access == .plain ? ["--tls-verify=false"] : ["--cert-dir", scene.certificates])
      + (scene.hasLogin ? ["--authfile", site.logins.string] : [])
    func run(_ arguments: String..., reaching: Bool = false) async throws -> String {
      try await site.tool(
        buildah + arguments.prefix(1) + (reaching ? reach : []) + arguments.dropFirst())
    }
    let ours = try await scene.digests(of: scene.image)
    _ = try await run("pull", scene.image, reaching: true)
    #expect(
      try await "sha256:\(run("images", "--quiet", "--no-trunc", scene.image).suffix(64))"
        == ours.config)
    _ = try await run("from", "--name", "work", scene.image)
    let mounted = try await run("mount", "work")
    #expect(
      try await scene.listing(mounted) == scene.listing(scene.files(of: scene.image)))
    // The other way: what buildah changed and pushed.
    try site.directory.write("added", "by buildah", mode: 0o640)
    _ = try await run("add", "--chown", "3:4", "work", "\(site.path)/added", "/tmp/added")
    _ = try await run("config", "--env", "MADE=elsewhere", "--entrypoint", #"["/bin/sh"]"#, "work")
    _ = try await run("commit", "--quiet", "work", "localhost/made")
    let name = "\(scene.registry.host)/team/made:1"
    _ = try await run("push", "--quiet", "localhost/made", "docker://\(name)", reaching: true)
    let files = try await scene.files(of: name)
    #expect(try await scene.listing(mounted) == scene.listing(files))
    #expect(try site.content(FilePath(files).appending("tmp/added")) == "by buildah")
    let archive = site.path.appending("made.tar")
    try await site.build("FROM \(name)\n", "-o", "type=oci,dest=\(archive)")
    let source = try #require(try ImageSource.detect("made.tar", relativeTo: site.path))
    let config = try source.resolve(platform: .current).configuration.config
    #expect(config?.entrypoint == ["/bin/sh"])
    // It adds a PATH of its own.
    #expect(
      config?.environment?.filter { !$0.hasPrefix("PATH=") }.sorted()
        == ["A=b c", "LANG=C", "MADE=elsewhere"])
    #expect(config?.user == "7:8")
  }

  @Test("skopeo", arguments: Access.allCases)
  func skopeo(access: Access) async throws {
    let scene = try await Scene(access)
    let site = scene.site
    let copied = "\(scene.registry.host)/team/copied:1"
    for (from, to) in [
      ("docker://\(scene.image)", "oci:\(site.path)/layout:1"),
      ("oci:\(site.path)/layout:1", "docker://\(copied)"),
    ] {
      let side = from.hasPrefix("docker") ? "src" : "dest"
      try await site.tool(
        ["skopeo", "--insecure-policy", "copy", "--quiet", "--authfile", site.logins.string]
          + (access == .plain
            ? ["--\(side)-tls-verify=false"] : ["--\(side)-cert-dir", scene.certificates])
          + [from, to])
    }
    let (ours, theirs) = (
      try await scene.digests(of: scene.image), try await scene.digests(of: copied)
    )
    #expect(ours == theirs)
    #expect(
      try await scene.listing(scene.files(of: scene.image))
        == scene.listing(scene.files(of: copied)))
  }

  /// Docker does not look at certificates of registries on loopback, so client certificates are
  /// not its to show there.
  @Test("docker")
  func docker() async throws {
    let home = try CommandSite()
    let daemon = try DockerDaemon(home.path)
    for access in [Access.plain, .tls, .login] {
      let scene = try await Scene(access)
      let site = scene.site
      func docker(_ arguments: String...) async throws -> String {
        try await site.tool(
          [DockerDaemon.client, "-H", daemon.address, "--config", "\(site.path)/home/.docker"]
            + arguments, environment: ["DOCKER_BUILDKIT": "0"])
      }
      let ours = try await scene.digests(of: scene.image)
      _ = try await docker("pull", scene.image)
      #expect(
        try await docker("image", "inspect", "--format", "{{.Id}}", scene.image) == ours.config)
      #expect(
        try await docker(
          "image", "inspect", "--format", "{{join .RootFS.Layers \" \"}}", scene.image)
          == ours.layers.joined(separator: " "))
      try site.directory.write(
        "made/Dockerfile", "FROM \(scene.image)\nCOPY file /tmp/file\nENV MADE=elsewhere\n")
      try site.directory.write("made/file", "by docker")
      let name = "\(scene.registry.host)/team/made:1"
      _ = try await docker("build", "--quiet", "-t", name, "\(site.path)/made")
      _ = try await docker("push", "--quiet", name)
      let theirs = try await scene.digests(of: name)
      #expect(try await docker("image", "inspect", "--format", "{{.Id}}", name) == theirs.config)
      #expect(theirs.layers.dropLast() == ours.layers[...])
      // Each layer is compared with its digest in the config as it is unpacked.
      let files = try await scene.files(of: name)
      #expect(try site.content(FilePath(files).appending("tmp/file")) == "by docker")
      // With docker's own media types it reads our image as well.
      let old = "\(scene.registry.host)/team/old:1"
      try site.directory.write("other/Dockerfile", "FROM \(name)\n")
      let output = try await site.run(
        arguments: [
          "build", "-o", "type=registry,name=\(old),oci-mediatypes=false", "\(site.path)/other",
        ])
      try #require(output.status == 0, Comment(rawValue: output.errors))
      let pushed = try await scene.digests(of: old)
      _ = try await docker("pull", old)
      #expect(try await docker("image", "inspect", "--format", "{{.Id}}", old) == pushed.config)
      #expect(pushed.layers == theirs.layers)
    }
  }

  @Test("oci-mediatypes=false writes docker's types, all through")
  func dockerTypes() async throws {
    let site = try CommandSite()
    let registry = try DockerRegistry()
    try site.writeRoot()
    let name = "\(registry.host)/old:1"
    try await site.build(
      "FROM scratch\nCOPY root /\n", "--platform", "linux/amd64,linux/arm64",
      "-o", "type=registry,name=\(name),oci-mediatypes=false")
    let fixture = try RegistryFixture()
    let reference = try RegistryReference(name)
    let repository = try fixture.client.repository(of: reference)
    let index = try #require(try repository.document("1", name))
    #expect(index.mediaType == MediaType.dockerManifestList)
    let list = try JSONDecoder().decode(ImageIndex.self, from: Data(index.bytes))
    #expect(
      list.manifests.map(\.mediaType) == [MediaType.dockerManifest, MediaType.dockerManifest])
    for entry in list.manifests {
      let document = try #require(try repository.document("\(entry.digest)", name))
      let manifest = try JSONDecoder().decode(ImageManifest.self, from: Data(document.bytes))
      #expect(manifest.mediaType == MediaType.dockerManifest)
      #expect(manifest.config.mediaType == MediaType.dockerConfig)
      #expect(Set(manifest.layers.map(\.mediaType)) == [MediaType.dockerLayerGzip])
    }
    #expect(try fixture.layers(of: fixture.resolve(name)).count == 1)
  }
}

/// A docker daemon with everything it keeps below a directory, and no settings of the machine's.
final class DockerDaemon: Sendable {
  let address: String
  private let process: ServerProcess

  /// Debian's client, which is of the daemon's age.
  static let client = "/usr/bin/docker"

  init(_ directory: FilePath) throws {
    address = "unix://\(directory)/docker.sock"
    try FileContent.write(directory.appending("daemon.json"), Array("{}".utf8))
    process = try ServerProcess(
      [
        "dockerd", "--config-file", "\(directory)/daemon.json", "--iptables=false",
        "--bridge=none", "--storage-driver=vfs", "--data-root", "\(directory)/docker",
        "--exec-root", "\(directory)/docker-run", "--pidfile", "\(directory)/docker.pid", "-H",
        address,
      ], announcing: "API listen on ")
  }
}
