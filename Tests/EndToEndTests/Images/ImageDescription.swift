import Glibc

/// An image as lines of text that can be compared, and typed by hand.
///
/// Only what a Dockerfile decides is in there: times appear where `times` asks for them, the
/// machine's own architecture does not, and files of the base appear when they changed.
struct ImageDescription {
  let image: ImageArchive
  /// The image that the base layer came from.
  let base: ImageArchive
  /// Patterns of paths whose times count.
  var times: [String] = []

  var lines: [String] {
    let startsFromBase = image.layers.first?.digest == base.layers.first?.digest
    let tree =
      startsFromBase ? changes(from: base.tree(), to: image.tree()) : all(of: image.tree())
    return ["--- config"] + config + ["--- history"] + history
      + [startsFromBase ? "--- tree over the base" : "--- tree"] + tree
  }

  // MARK: - Config

  private var config: [String] {
    var lines: [String] = []
    func add(_ name: String, _ text: String?) { if let text { lines.append("\(name) \(text)") } }
    func text(_ value: String?) -> String? {
      value.flatMap { $0.isEmpty ? nil : PlainText.quoted($0) }
    }
    func list(_ values: [String]?) -> String? {
      values.flatMap { $0.isEmpty ? nil : Self.list($0) }
    }
    let top = image.config
    if (top.os, top.architecture) != (base.config.os, base.config.architecture) {
      add("Platform", "\(top.os)/\(top.architecture)" + (top.variant.map { "/\($0)" } ?? ""))
    }
    add("Author", text(top.author))
    guard let process = top.config else { return lines }
    for variable in process.variables ?? [] { add("Env", PlainText.quoted(variable)) }
    add("Entrypoint", list(process.entrypoint))
    add("Cmd", list(process.command))
    if process.argumentsEscaped == true { lines.append("ArgsEscaped") }
    add("WorkingDir", text(process.workingDirectory))
    add("User", text(process.user))
    for port in (process.ports ?? [:]).keys.sorted() { add("Port", port) }
    for path in (process.volumes ?? [:]).keys.sorted() { add("Volume", PlainText.quoted(path)) }
    for (name, value) in (process.labels ?? [:]).sorted(by: { $0.key < $1.key }) {
      add("Label", PlainText.quoted(name) + " = " + PlainText.quoted(value))
    }
    add("StopSignal", text(process.stopSignal))
    if let check = process.healthcheck {
      let numbers = [
        ("interval", check.interval), ("timeout", check.timeout),
        ("start-period", check.startPeriod), ("start-interval", check.startInterval),
        ("retries", check.retries),
      ]
      let rest = numbers.compactMap { name, value in
        value.flatMap { $0 == 0 ? nil : " \(name)=\($0)" }
      }
      add("Healthcheck", Self.list(check.test ?? []) + rest.joined())
    }
    add("Shell", list(process.shell))
    for trigger in process.triggers ?? [] { add("OnBuild", PlainText.quoted(trigger)) }
    return lines
  }

  private var history: [String] {
    (image.config.history ?? []).map { entry in
      let text = PlainText.quoted(entry.createdBy ?? "")
      return entry.emptyLayer == true ? "no layer: \(text)" : "layer: \(text)"
    }
  }

  private static func list(_ values: [String]) -> String {
    "[" + values.map { PlainText.quoted($0) }.joined(separator: ", ") + "]"
  }

  // MARK: - Files

  private func changes(from old: FileTree, to new: FileTree) -> [String] {
    let before = Dictionary(uniqueKeysWithValues: described(old))
    let after = described(new)
    let kept = Set(after.map(\.path))
    let removed = before.keys.filter { !kept.contains($0) }.map { (path: $0, text: "gone \($0)") }
    return (after.filter { before[$0.path] != $0.text } + removed)
      .sorted { $0.path < $1.path }.map(\.text)
  }

  private func all(of tree: FileTree) -> [String] { described(tree).map(\.text) }

  private func described(_ tree: FileTree) -> [(path: String, text: String)] {
    var first: [ObjectIdentifier: String] = [:]
    return tree.files.map { path, file in
      var text = describe(path, file)
      if file.children == nil {
        if let other = first[ObjectIdentifier(file)] {
          text = "link \(path) = \(other)"
        } else {
          first[ObjectIdentifier(file)] = path
        }
      }
      return (path: path, text: text)
    }
  }

  private func describe(_ path: String, _ file: FileTree.File) -> String {
    let member = file.member
    let mode = String(member.mode, radix: 8)
    let padded = String(repeating: "0", count: max(0, 4 - mode.count)) + mode
    let head = "\(padded) \(member.uid):\(member.gid) \(path)"
    var text: String
    switch member.kind {
    case .directory: text = "dir \(head)"
    case .symbolicLink: text = "symlink \(member.uid):\(member.gid) \(path) -> \(member.target)"
    case .characterDevice: text = "char \(head) \(member.device.major):\(member.device.minor)"
    case .blockDevice: text = "block \(head) \(member.device.major):\(member.device.minor)"
    case .fifo: text = "fifo \(head)"
    case .file, .hardLink: text = "file \(head) \(Self.content(file.content ?? []))"
    }
    for (name, value) in member.attributes.sorted(by: { $0.key < $1.key }) {
      text += " \(name)=\(value)"
    }
    if times.contains(where: { fnmatch($0, path, 0) == 0 }) { text += " @\(member.modified)" }
    return text
  }

  private static func content(_ bytes: [UInt8]) -> String {
    bytes.count <= 300 && PlainText.isReadable(bytes)
      ? PlainText.quoted(bytes) : "\(bytes.count) bytes \(Checksum.hex(of: bytes).prefix(32))"
  }
}
