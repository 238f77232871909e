import Foundation

/// The base images of the tests, made from Debian's static busybox as OCI layouts.
///
/// - `base`: a root file system with a shell, `PATH` and a command;
/// - `triggers`: the same with ONBUILD triggers and every field of a config set;
/// - `bare`: the same files, and a config without variables;
/// - `foreign`: for another architecture, without anything that could run.
final class BusyboxBase: Sendable {
  private let directory: ScratchDirectory
  /// What the names in Dockerfiles stand for: `oci-layout://` references.
  let references: [String: String]
  /// The image that expectations are told as differences to.
  let image: ImageArchive

  static let shared = Result { try BusyboxBase() }

  init() throws {
    directory = try ScratchDirectory()
    let rootfs = try Self.rootfs()
    var references: [String: String] = [:]
    for (name, config) in Self.configs {
      let layout = directory.appending(name)
      let architecture = name == "foreign" ? Self.otherArchitecture : Self.architecture
      try Self.writeLayout(
        layout, layer: name == "foreign" ? TarWriter().archive : rootfs, config: config,
        architecture: architecture)
      references[name] = "oci-layout://\(layout):local"
    }
    self.references = references
    image = try ImageArchive(at: directory.appending("base"))
  }

  /// The layout of one of the images.
  func layout(_ name: String) -> String { directory.appending(name) }

  // MARK: - Making

  static let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  private static let configs = [
    "base": #"{"Env": ["\#(path)"], "Cmd": ["/bin/sh"]}"#,
    "bare": "{}",
    "foreign": #"{"Env": ["\#(path)"], "Labels": {"made.for": "elsewhere"}}"#,
    "triggers": #"""
    {"Env": ["\#(path)", "FROM_BASE=yes"], "Cmd": ["inherited"], "Entrypoint": ["/entry"],
    "WorkingDir": "/srv", "User": "daemon", "ExposedPorts": {"80/tcp": {}},
    "Volumes": {"/data": {}}, "Labels": {"base": "label"}, "StopSignal": "SIGINT",
    "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1000000000},
    "Shell": ["/bin/sh", "-ec"], "OnBuild": ["ENV TRIGGERED=1", "COPY hello* /triggered/"]}
    """#,
  ]

  #if arch(arm64)
    private static let architecture = "arm64"
    private static let otherArchitecture = "amd64"
  #else
    private static let architecture = "amd64"
    private static let otherArchitecture = "arm64"
  #endif

  private static func rootfs() throws -> [UInt8] {
    let program = "/bin/busybox"
    let applets = try ProgramRun.wait(for: program, ["--list"])
    var tar = TarWriter()
    for name in ["bin", "dev", "etc", "home", "proc", "sys", "usr", "usr/bin", "var"] {
      tar.addDirectory(name, modified: 1_600_000_000)
    }
    tar.addDirectory("root", mode: 0o700, modified: 1_600_000_000)
    tar.addDirectory("tmp", mode: 0o1777, modified: 1_600_000_000)
    tar.addFile(
      "bin/busybox", [UInt8](try Data(contentsOf: URL(fileURLWithPath: program))), mode: 0o755,
      modified: 1_600_000_000)
    for applet in applets.text.split(separator: "\n").sorted() where applet != "busybox" {
      tar.addSymbolicLink("bin/\(applet)", to: "busybox")
    }
    tar.addFile("etc/passwd", Array(passwd.utf8), modified: 1_600_000_000)
    tar.addFile("etc/group", Array(group.utf8), modified: 1_600_000_000)
    return tar.archive
  }

  private static let passwd = """
    root:x:0:0:root:/root:/bin/sh
    daemon:x:1:1:daemon:/usr/sbin:/bin/false
    app:x:1000:1001:an app:/home/app:/bin/sh

    """

  private static let group = """
    root:x:0:
    daemon:x:1:
    app:x:1001:
    audio:x:29:app
    video:x:44:daemon,app

    """

  private static func writeLayout(
    _ path: String, layer: [UInt8], config: String, architecture: String
  ) throws {
    let blobs = path + "/blobs/sha256"
    try FileManager.default.createDirectory(atPath: blobs, withIntermediateDirectories: true)
    func store(_ bytes: [UInt8]) throws -> String {
      let digest = Checksum.hex(of: bytes)
      try Data(bytes).write(to: URL(fileURLWithPath: "\(blobs)/\(digest)"))
      return #""digest": "sha256:\#(digest)", "size": \#(bytes.count)"#
    }
    let packed = try ProgramRun.wait(for: "gzip", ["-n", "-1"], input: layer).output
    let type = "application/vnd.oci.image"
    let document = try store(
      Array(
        """
        {"architecture": "\(architecture)", "os": "linux", "created": "2020-09-13T12:26:40Z",
        "config": \(config), "rootfs": {"type": "layers",
        "diff_ids": ["sha256:\(Checksum.hex(of: layer))"]},
        "history": [{"created": "2020-09-13T12:26:40Z", "created_by": "base"}]}
        """.utf8))
    let manifest = try store(
      Array(
        """
        {"schemaVersion": 2, "mediaType": "\(type).manifest.v1+json",
        "config": {"mediaType": "\(type).config.v1+json", \(document)},
        "layers": [{"mediaType": "\(type).layer.v1.tar+gzip", \(store(packed))}]}
        """.utf8))
    let index = """
      {"schemaVersion": 2, "mediaType": "\(type).index.v1+json", "manifests": [
      {"mediaType": "\(type).manifest.v1+json", \(manifest),
      "annotations": {"org.opencontainers.image.ref.name": "local"},
      "platform": {"os": "linux", "architecture": "\(architecture)"}}]}
      """
    try Data(index.utf8).write(to: URL(fileURLWithPath: path + "/index.json"))
    try Data(#"{"imageLayoutVersion": "1.0.0"}"#.utf8)
      .write(to: URL(fileURLWithPath: path + "/oci-layout"))
  }
}
