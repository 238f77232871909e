import Foundation
import Testing

/// Commands for another processor: refused before anything is done, or run by an emulator.
@Suite("Commands for another processor")
struct ForeignPlatformTests {
  /// A base for a processor, whose only program is the beginning of one for it.
  private func makeBase(
    _ site: BuildSite, _ architecture: String, machine: [UInt8]
  ) async throws -> [String] {
    let head: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]
    try Data(head + machine + [UInt8](repeating: 0, count: 108)).write(
      to: URL(fileURLWithPath: "\(site.context)/program"))
    try site.write("FROM scratch\nCOPY --chmod=755 program /program\n", to: "Base")
    let layout = site.path(architecture)
    let run = try await BuiltProgram.run(
      "pipeline",
      [
        "build", "-f", "\(site.context)/Base", "--platform", "linux/\(architecture)", "-o",
        "type=oci,tar=false,dest=\(layout)", site.context,
      ], state: site.state)
    try #require(run.status == 0, "\(run.errors)")
    return [
      "--platform", "linux/\(architecture)", "--build-context", "foreign=oci-layout://\(layout)",
    ]
  }

  @Test("without an emulator nothing is begun, and a stage without commands builds")
  func refused() async throws {
    let site = try BuildSite()
    let options = try await makeBase(site, "mips64le", machine: [8, 0])
    let run = try await site.build(
      """
      RUN echo began
      FROM foreign
      COPY --from=base /bin/busybox /b
      RUN ["/program"]
      """, options)
    #expect(run.status == 1)
    #expect(
      run.errors == """
        error: this command is for linux/mips64le, and this machine is linux/amd64 and has no \
        emulator for mips64le
          --> Dockerfile:7:1
        7 | RUN ["/program"]
          | ^^^^^^^^^^^^^^^^
        help: install one: apt-get install qemu-user-static binfmt-support, or docker run \
        --privileged --rm tonistiigi/binfmt --install mips64le; a stage without RUN needs none

        """)
    let without = try await site.build(
      "RUN echo began\nFROM foreign\nCOPY --from=base /bin/busybox /b\n", options)
    #expect(without.status == 0, "\(without.errors)")
    // The machine's own commands in a build for another platform.
    let own = try await site.build(
      """
      RUN echo x > /x
      FROM foreign
      COPY --from=base /x /x
      """, options)
    #expect(own.status == 0, "\(own.errors)")
  }

  @Test("an emulator registered with the flag F runs in any root, without it in those that have it")
  func emulated() async throws {
    let site = try BuildSite()
    let options = try await makeBase(site, "loong64", machine: [2, 1])
    // Busybox, called as echo, prints what it is to run.
    let emulator = site.path("echo")
    let copy = try ProgramRun.wait(for: "cp", ["/bin/busybox", emulator])
    try #require(copy.status == 0, "\(copy.errors)")
    let plain = site.path("Plain")
    let bringing = site.path("Bringing")
    try Data("FROM foreign\nRUN [\"/program\", \"said\"]\n".utf8).write(
      to: URL(fileURLWithPath: plain))
    try Data(
      "FROM foreign\nCOPY busybox \(emulator)\nRUN [\"/program\", \"said\"]\n".utf8
    ).write(to: URL(fileURLWithPath: bringing))
    let script = """
      misc=$1 name=$2
      mount -t binfmt_misc none $misc
      trap 'echo -1 > $misc/$name' EXIT
      magic='\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x02\\x01'
      printf '%s' ":$name:M::$magic::$3:$4" > $misc/register
      shift 4; "$@"
      """
    func build(_ dockerfile: String, flag: String) async throws -> ProgramRun {
      try await ProgramRun.run(
        "unshare",
        [
          "--mount", "sh", "-ec", script, "sh", try directory(site), site.marker, emulator, flag,
          try BuiltProgram.path("pipeline"), "build", "--progress", "plain", "--no-cache", "-f",
          dockerfile,
        ] + options + [site.context],
        environment: ["PIPELINE_STATE_DIR": site.state])
    }
    let fixed = try await build(plain, flag: "F")
    #expect(fixed.status == 0, "\(fixed.errors)")
    #expect(fixed.errors.contains("| /program said"), "\(fixed.errors)")
    let missing = try await build(plain, flag: "")
    #expect(missing.status == 1)
    #expect(
      missing.errors.contains(
        "error: exec: \"/program\": the program that is to run it is not in the image"),
      "\(missing.errors)")
    #expect(
      missing.errors.contains(
        "it is a program for loong64, whose emulator is registered without the flag F"),
      "\(missing.errors)")
    let brought = try await build(bringing, flag: "")
    #expect(brought.status == 0, "\(brought.errors)")
    #expect(brought.errors.contains("| /program said"), "\(brought.errors)")
  }

  /// A fresh directory for one mount.
  private func directory(_ site: BuildSite) throws -> String {
    let path = site.path("mount-\(UInt32.random(in: 0...UInt32.max))")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }
}
