import ArgumentParser
import FoundationEssentials
import Glibc
import PipelineDSL
import SystemPackage

@testable import PipelineRunner

/// A base with busybox, a build context and a Dockerfile.
struct CacheSite {
  let directory: TemporaryDirectory
  var context: FilePath { directory.path.appending("context") }

  init(base: String) throws {
    directory = try TemporaryDirectory()
    let bin = directory.path.appending("base/bin")
    try DirectoryTree.make(bin, mode: 0o755)
    let busybox = try FileContent.read("/bin/busybox")
    try FileContent.write(bin.appending("busybox"), busybox)
    _ = bin.appending("busybox").withPlatformString { chmod($0, 0o755) }
    for name in ["sh", "cat", "rm", "mkdir", "touch", "chmod", "ln", "mkfifo"] {
      _ = bin.appending(name).withPlatformString { symlink("busybox", $0) }
    }
    try directory.write("base/etc/gone", "gone")
    try directory.write("base/dir/old", "old")
    try directory.write("context/file", "one\n")
    // Deletions, a directory made anew, one that ends as it was, hard links, a fifo, modes.
    try directory.write(
      "Dockerfile",
      """
      FROM \(base) AS build
      COPY file /src/file
      RUN cat /src/file /src/file > /out
      FROM \(base)
      RUN rm /etc/gone && rm -r /dir && mkdir /dir && touch /dir/new && rm -f /nothing
      RUN touch /etc/brief && rm /etc/brief && ln /bin/busybox /bin/other && mkfifo -m 640 /pipe
      RUN touch /fleeting && chmod 4755 /fleeting
      RUN rm /fleeting && chmod 700 /
      COPY --from=build /out /out
      WORKDIR /made
      """)
  }

  /// Builds with a store of its own name.
  func build(_ machine: String, _ arguments: String...) async throws {
    try await build(machine, arguments)
  }

  func build(_ machine: String, _ arguments: [String]) async throws {
    let command = try BuildCommand.parse(
      [
        "--state-dir", directory.path.appending(machine).string, "--progress", "quiet",
        "--build-context", "base=\(directory.path)/base", "-f",
        directory.path.appending("Dockerfile").string, "--iidfile",
        directory.path.appending("\(machine).id").string,
      ] + arguments + [context.string])
    try await command.run()
  }

  func id(_ machine: String) throws -> String {
    String(
      decoding: try FileContent.read(directory.path.appending("\(machine).id")), as: UTF8.self)
  }

  /// A line for each file that the image has: its kind, mode, owner and content.
  func files(_ machine: String, _ arguments: String...) async throws -> [String] {
    let out = directory.path.appending("\(machine).files")
    try? DirectoryTree.remove(out)
    try await build(machine, ["-o", "type=local,dest=\(out)"] + arguments)
    return try Self.lines(of: out, "")
  }

  private static func lines(of path: FilePath, _ name: String) throws -> [String] {
    var status = stat()
    try Call.check("lstat", path) { lstat($0, &status) }
    var line = "\(name.isEmpty ? "/" : name) \(String(status.st_mode, radix: 8)) \(status.st_uid)"
    switch status.st_mode & S_IFMT {
    case S_IFREG: line += " \(SHA256Hasher.digest(of: try FileContent.read(path)).hex)"
    case S_IFDIR:
      return try [line]
        + DirectoryTree.names(in: path).sorted().flatMap { child in
          try lines(of: path.appending(child), "\(name)/\(child)")
        }
    default: break
    }
    return [line]
  }

  /// A machine's state directory.
  func store(_ machine: String) -> FilePath { directory.path.appending(machine) }

  /// How many layers a machine's store has unpacked.
  func layers(_ machine: String) throws -> Int {
    try DirectoryTree.names(in: directory.path.appending(machine).appending("layers")).count
  }
}

extension CacheDocument {
  /// The cache in a place; nil where there is none.
  init?(at place: any CachePlace) throws {
    guard case .document(let document, _)? = try place.read(for: [.current]) else { return nil }
    self = document
  }
}
