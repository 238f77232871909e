import CLinux
import Glibc
import PipelineDSL

/// Finds the file behind the first word of a command, and the words for not finding one.
struct ProgramLookup {
  let name: [UInt8]
  /// The files to try, in order.
  let candidates: [[UInt8]]
  private let workingDirectory: [UInt8]

  init(_ name: [UInt8], environment: [[UInt8]], workingDirectory: [UInt8]) {
    self.name = name
    self.workingDirectory = workingDirectory
    let prefix = Array("PATH=".utf8)
    if name.isEmpty {
      candidates = []
    } else if name.contains(UInt8(ascii: "/")) {
      candidates = [name]
    } else {
      let path = environment.last { $0.starts(with: prefix) }?.dropFirst(prefix.count) ?? []
      candidates = path.split(separator: UInt8(ascii: ":")).map {
        Array($0) + [UInt8(ascii: "/")] + name
      }
    }
  }

  /// Why the kernel started none of the candidates.
  func failure(code: CInt, in root: CInt) -> Diagnostic {
    let spelled = String(decoding: name, as: UTF8.self)
    guard let file = firstPresent(in: root) else {
      if name.contains(UInt8(ascii: "/")) {
        return Diagnostic(
          "exec: \"\(spelled)\": no such file or directory",
          help: "the image has no such program; is it copied or installed in an earlier step?")
      }
      return Diagnostic(
        "exec: \"\(spelled)\": executable file not found in $PATH",
        help: "install it in an earlier step, or write the program's whole path")
    }
    let path = String(decoding: file.path, as: UTF8.self)
    switch code {
    case EACCES:
      return Diagnostic(
        "exec: \"\(path)\": permission denied",
        help: "it has no execute bit for the user that runs it, or lies in a directory closed to it"
      )
    case ENOEXEC:
      return Diagnostic(
        "exec: \"\(path)\": exec format error", help: Self.formatHelp(file.head))
    case ENOENT, ENOTDIR:
      return Diagnostic(
        "exec: \"\(path)\": the program that is to run it is not in the image",
        help: Self.interpreterHelp(file.head))
    default: return SystemError("execve", path: file.path, code: code).diagnostic("exec")
    }
  }

  private struct File {
    var path: [UInt8]
    var head: [UInt8]
  }

  private func firstPresent(in root: CInt) -> File? {
    for candidate in candidates {
      let path =
        candidate.first == UInt8(ascii: "/")
        ? candidate : workingDirectory + [UInt8(ascii: "/")] + candidate
      guard
        let found = try? TreeAccess.openIfPresent(path, in: root, flags: TreeAccess.pathOnly),
        let status = try? TreeAccess.status(of: found.raw)
      else { continue }
      var head = [UInt8](repeating: 0, count: 256)
      if status.st_mode & S_IFMT == S_IFREG,
        let file = try? TreeAccess.reopen(found.raw, flags: O_RDONLY)
      {
        head.removeLast(256 - max(0, pread(file.raw, &head, 256, 0)))
      } else {
        head = []
      }
      return File(path: candidate, head: head)
    }
    return nil
  }

  /// The processor that an ELF file is for; nil where it is no ELF file.
  private static func machine(_ head: [UInt8]) -> Int? {
    guard head.starts(with: [0x7F, 0x45, 0x4C, 0x46]), head.count > 19 else { return nil }
    return Int(head[18]) | Int(head[19]) << 8
  }

  /// The processor of this machine, as this program is for it.
  private static let ownMachine: Int? = {
    var head = [UInt8](repeating: 0, count: 20)
    let raw = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
    guard raw >= 0 else { return nil }
    defer { close(raw) }
    return pread(raw, &head, 20, 0) == 20 ? machine(head) : nil
  }()

  private static func name(_ machine: Int) -> String {
    let names = [
      3: "386", 20: "ppc", 21: "ppc64le", 22: "s390x", 40: "arm", 62: "amd64", 183: "arm64",
      243: "riscv64", 258: "loong64",
    ]
    return names[machine] ?? "machine \(machine)"
  }

  private static func formatHelp(_ head: [UInt8]) -> String {
    guard let machine = machine(head) else {
      return head.isEmpty
        ? "the file is empty" : "a script needs a first line such as '#!/bin/sh'"
    }
    return "it is a program for \(name(machine)), and this machine runs none; install an emulator "
      + "for it (Debian's qemu-user-static and binfmt-support), or build with another --platform"
  }

  private static func interpreterHelp(_ head: [UInt8]) -> String {
    if let machine = machine(head), machine != ownMachine {
      return
        "it is a program for \(name(machine)), whose emulator is registered without the flag F; "
        + "install Debian's qemu-user-static, which registers it with the flag"
    }
    guard head.starts(with: "#!".utf8) else {
      return "it needs a loader (ld.so) that is missing; link it statically, or use another base"
    }
    let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
    var text = String(decoding: line, as: UTF8.self)
    while text.first == " " { text.removeFirst() }
    if text.hasSuffix("\r") {
      return "its first line ends in a carriage return; save it with Unix line ends"
    }
    return "its first line asks for '\(text)'"
  }
}
