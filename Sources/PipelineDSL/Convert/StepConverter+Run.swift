extension StepConverter {
  func candidates(for run: RunInstruction) throws(InexpressibleError) -> [Result] {
    var heads: [(code: SwiftCode, value: Run)] = []
    switch run.command {
    case .exec(let arguments) where arguments.count >= 2:
      heads.append(
        (SwiftCode("Run", arguments.map(SwiftLiteral.string)), Run(arguments: arguments)))
    case .exec(let arguments):
      heads.append(
        (
          SwiftCode("Run", ["arguments: \(SwiftWords.strings(arguments))"]),
          Run(arguments: arguments)
        ))
    case .shell(let text) where run.heredocs.isEmpty:
      heads.append(
        (
          SwiftCode("Run", [SwiftLiteral.text(text)]), Run(ShellCommand(stringLiteral: text))
        ))
    case .shell:
      if let script = run.heredocs.first?.body {
        heads.append(
          (SwiftCode("Run", ["script: \(SwiftLiteral.lines(script))"]), Run(scriptText: script)))
      }
    }
    let bare = RunInstruction(run.command, heredocs: run.heredocs)
    var arguments = [SwiftWords.command(run.command)]
    if !run.heredocs.isEmpty {
      let heredocs = SwiftCode.list(run.heredocs.map(SwiftWords.heredoc))
      arguments.append("heredocs: \(heredocs)")
    }
    let instruction = SwiftCode("RunInstruction", arguments).text
    heads.append((SwiftCode("Run", [instruction]), Run(bare)))
    var results: [Result] = []
    for head in heads { results.append(try modified(head.code, head.value, run)) }
    return results
  }

  private func modified(
    _ code: SwiftCode, _ value: Run, _ run: RunInstruction
  ) throws(InexpressibleError) -> Result {
    var code = code
    var value = value
    for mount in run.mounts { try append(mount, to: &code, &value) }
    if let text = run.network {
      guard let network = Run.Network(rawValue: text) else {
        throw InexpressibleError(reason: "'\(text)' is no network")
      }
      code.append("network", [".\(text)"])
      value = value.network(network)
    }
    if let text = run.security {
      guard let security = Run.Security(rawValue: text) else {
        throw InexpressibleError(reason: "'\(text)' is no way to confine a command")
      }
      code.append("security", [".\(text)"])
      value = value.security(security)
    }
    for device in run.devices {
      code.append("using", ["device: \(SwiftLiteral.string(device))"])
      value = value.using(device: device)
    }
    return Result(code: code.text, step: value.step)
  }

  private func append(
    _ mount: Mount, to code: inout SwiftCode, _ value: inout Run
  ) throws(InexpressibleError) {
    let wanted = normalization.mount(mount, in: index)
    if let typed = typedMount(wanted) {
      let run = typed.apply(Run(arguments: []))
      if case .run(_, _, let mounts) = run.step.action, let made = mounts.first,
        mounts.count == 1, made.origin == nil,
        GraphNormalization(StageGraph(stages: [])).mount(
          Mount([Mount.Field("type", Word(raw: made.type))] + made.fields), in: 0) == wanted
      {
        code.append(typed.name, typed.arguments)
        value = typed.apply(value)
        return
      }
    }
    let origin = try tree(mount.from, allowsIndex: false)
    var fields: [String] = []
    for field in mount.fields where field.key != "from" {
      let text = try field.value.map { (word) throws(InexpressibleError) in try words.word(word) }
      fields.append("\(SwiftLiteral.string(field.key)): \(text ?? "nil")")
    }
    var arguments = ["[\(fields.joined(separator: ", "))]"]
    if let origin { arguments.append("from: \(origin.code)") }
    code.append("mounting", arguments)
    let plain = wanted.fields.filter { $0.key != "from" }
    value =
      if let origin { value.mounting(Mount(plain), from: origin.image) } else {
        value.mounting(Mount(plain))
      }
  }

  /// A mount as a modifier that has a type for it.
  private struct TypedMount {
    var name: String
    var arguments: [String]
    var apply: (Run) -> Run
  }

  private func typedMount(_ mount: Mount) -> TypedMount? {
    func text(_ key: String) -> String? {
      mount[key].flatMap { WordPieces($0, escape: "\\")?.literal }
    }
    let isRequired = mount.fields.contains { $0.key == "required" }
    let presence = isRequired ? ", presence: .required" : ""
    switch mount["type"]?.raw {
    case "cache": return cacheMount(mount, id: text("id"), target: text("target"))
    case "secret":
      guard let id = text("id") else { return nil }
      let place = text("target").map { ", at: \(SwiftLiteral.string($0))" } ?? ""
      let secret = Secret(
        id, at: text("target"), presence: isRequired ? .required : .optional)
      let code = "Secret(\(SwiftLiteral.string(id))\(place)\(presence))"
      guard let variable = text("env") else {
        return TypedMount(name: "reading", arguments: [code]) { $0.reading(secret) }
      }
      return TypedMount(
        name: "reading", arguments: [code, "as: \(SwiftLiteral.string(variable))"]
      ) { $0.reading(secret, as: variable) }
    case "ssh":
      let arguments = [
        text("id").map(SwiftLiteral.string),
        text("target").map { "at: \(SwiftLiteral.string($0))" },
        isRequired ? "presence: .required" : nil,
      ].compactMap(\.self)
      let agent = SSHAgent(
        text("id"), at: text("target"), presence: isRequired ? .required : .optional)
      return TypedMount(
        name: "using", arguments: ["SSHAgent(\(arguments.joined(separator: ", ")))"]
      ) { $0.using(agent) }
    case "tmpfs":
      guard let target = mount["target"], let path = try? words.word(target) else { return nil }
      guard let size = text("size") else {
        return TypedMount(name: "mountingMemory", arguments: ["at: \(path)"]) {
          $0.mountingMemory(at: target)
        }
      }
      guard size.hasSuffix("m"), let megabytes = Int(size.dropLast()) else { return nil }
      return TypedMount(
        name: "mountingMemory", arguments: ["at: \(path)", "megabytes: \(megabytes)"]
      ) { $0.mountingMemory(at: target, megabytes: megabytes) }
    default: return nil
    }
  }

  private func cacheMount(_ mount: Mount, id: String?, target: String?) -> TypedMount? {
    guard let id, let target else { return nil }
    var arguments = [SwiftLiteral.string(id), "at: \(SwiftLiteral.string(target))"]
    let sharing = mount["sharing"].flatMap { Cache.Sharing(rawValue: $0.raw) }
    if let sharing { arguments.append("sharing: .\(sharing.rawValue)") }
    let isReadOnly = mount.fields.contains { $0.key == "ro" }
    if isReadOnly { arguments.append("access: .readOnly") }
    let cache = Cache(
      id, at: target, sharing: sharing ?? .shared, access: isReadOnly ? .readOnly : .readWrite)
    return TypedMount(
      name: "mounting", arguments: ["Cache(\(arguments.joined(separator: ", ")))"]
    ) { $0.mounting(cache) }
  }
}
