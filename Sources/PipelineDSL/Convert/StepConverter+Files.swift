extension StepConverter {
  func candidates(for copy: CopyInstruction) throws(InexpressibleError) -> [Result] {
    let origin = try tree(copy.from, allowsIndex: true)
    var results: [Result] = []
    if let plain = plainCopy(copy, origin) {
      results.append(plain)
    }
    let literal = SwiftCode(
      "CopyInstruction",
      [try words.sources(copy.sources), "to: \(try words.word(copy.destination))"])
    var arguments = [literal.text]
    if let origin { arguments.append("from: \(origin.code)") }
    let bare = CopyInstruction(copy.sources, to: copy.destination)
    let normal = normalization.instruction(.copy(bare), in: index)
    guard case .copy(let instruction) = normal else { return results }
    results.append(
      try modified(
        SwiftCode("Copy", arguments),
        Copy(instruction, from: origin?.image ?? BuildContext.main.tree), copy))
    return results
  }

  /// `Copy("a", to: "/b")` or `Copy(content: …)`, nil where neither can say it.
  private func plainCopy(
    _ copy: CopyInstruction, _ origin: (code: String, image: BaseImage)?
  ) -> Result? {
    guard let destination = try? words.word(copy.destination) else { return nil }
    let target = normalization.word(copy.destination)
    if case .heredoc(let heredoc) = copy.sources.first, copy.sources.count == 1, origin == nil {
      let arguments = [
        "content: \(SwiftLiteral.lines(heredoc.body))", "to: \(destination)",
      ]
      return try? modified(
        SwiftCode("Copy", arguments), Copy(content: heredoc.body, to: target), copy)
    }
    var paths: [Word] = []
    for source in copy.sources {
      guard case .path(let path) = source else { return nil }
      paths.append(path)
    }
    guard var arguments = try? words.words(paths) else { return nil }
    if let origin { arguments.append("from: \(origin.code)") }
    arguments.append("to: \(destination)")
    let instruction = CopyInstruction(
      paths.map { .path(normalization.word($0).asOperand) }, to: target.asOperand)
    return try? modified(
      SwiftCode("Copy", arguments),
      Copy(instruction, from: origin?.image ?? BuildContext.main.tree), copy)
  }

  private func modified(
    _ code: SwiftCode, _ value: Copy, _ copy: CopyInstruction
  ) throws(InexpressibleError) -> Result {
    var code = code
    var value = value
    if let word = copy.owner {
      let owner = try owner(word, isNumeric: copy.isLinked)
      code.append("owned", ["by: \(owner.code)"])
      value = value.owned(by: owner.value)
    }
    if let word = copy.mode {
      let mode = try mode(word)
      code.append("withMode", [mode.code])
      value = value.withMode(mode.value)
    }
    if copy.isLinked {
      code.append("linked", [])
      value = value.linked()
    }
    if copy.keepsParents {
      code.append("keepingParents", [])
      value = value.keepingParents()
    }
    if !copy.excludes.isEmpty {
      code.append("excluding", copy.excludes.map(SwiftLiteral.string))
      for pattern in copy.excludes { value = value.excluding(pattern) }
    }
    return Result(code: code.text, step: value.step)
  }

  func candidates(for add: AddInstruction) throws(InexpressibleError) -> [Result] {
    guard case .add(let wanted) = normalization.instruction(.add(add), in: index) else { return [] }
    let step = Step(.add(wanted))
    var paths: [Word] = []
    for source in add.sources {
      if case .path(let path) = source { paths.append(path) }
    }
    guard paths.count == add.sources.count else { return [try verbatim(add, step)] }
    var code = SwiftCode(
      "Add", try words.words(paths) + ["to: \(try words.word(add.destination))"])
    if let word = add.owner {
      code.append("owned", ["by: \(try owner(word, isNumeric: add.isLinked).code)"])
    }
    if let word = add.mode { code.append("withMode", [try mode(word).code]) }
    if let checksum = add.checksum { code.append("checked", [try words.word(checksum)]) }
    if add.isLinked { code.append("linked", []) }
    if add.keepsGitDirectory { code.append("keepingGitDirectory", []) }
    if let unpacks = add.unpacks {
      code.append("unpacking", [unpacks ? ".archives" : ".nothing"])
    }
    if !add.excludes.isEmpty {
      code.append("excluding", add.excludes.map(SwiftLiteral.string))
    }
    return [Result(code: code.text, step: step)]
  }

  private func verbatim(
    _ add: AddInstruction, _ step: Step
  ) throws(InexpressibleError) -> Result {
    var arguments = [try words.sources(add.sources), "to: \(try words.word(add.destination))"]
    if let owner = add.owner { arguments.append("owner: \(try words.word(owner))") }
    if let mode = add.mode { arguments.append("mode: \(try words.word(mode))") }
    if let checksum = add.checksum { arguments.append("checksum: \(try words.word(checksum))") }
    if add.isLinked { arguments.append("isLinked: true") }
    if add.keepsGitDirectory { arguments.append("keepsGitDirectory: true") }
    if let unpacks = add.unpacks { arguments.append("unpacks: \(unpacks)") }
    if !add.excludes.isEmpty {
      arguments.append("excludes: \(SwiftWords.strings(add.excludes))")
    }
    let instruction = SwiftCode("AddInstruction", arguments).text
    return Result(code: SwiftCode("Step", [".add(\(instruction))"]).text, step: step)
  }

  /// An owner; a linked copy accepts numbers and spelled ones only.
  private func owner(
    _ word: Word, isNumeric: Bool
  ) throws(InexpressibleError) -> (code: String, value: Owner) {
    let parts = words.text(word)?.split(separator: ":", omittingEmptySubsequences: false)
    if let parts, parts.count <= 2, let user = UInt32(parts[0]), String(user) == parts[0] {
      let group = parts.count == 2 ? UInt32(parts[1]) : nil
      if parts.count == 1 { return (".id(\(user))", .id(user)) }
      if let group, String(group) == parts[1] {
        return (".id(\(user), group: \(group))", .id(user, group: group))
      }
    }
    if let parts, parts.count <= 2, !parts.contains(""), !isNumeric {
      let names = parts.map { SwiftLiteral.string(String($0)) }
      return parts.count == 1
        ? (".user(\(names[0]))", .user(String(parts[0])))
        : (
          ".user(\(names[0]), group: \(names[1]))",
          .user(String(parts[0]), group: String(parts[1]))
        )
    }
    return (".spelled(\(try words.word(word)))", .spelled(normalization.word(word)))
  }

  private func mode(_ word: Word) throws(InexpressibleError) -> (code: String, value: FileMode) {
    guard let pieces = WordPieces(word, escape: words.escape) else {
      throw InexpressibleError(reason: "the mode '\(word.raw)' has more than plain variables")
    }
    guard let text = pieces.literal else {
      return (SwiftWords.literal(pieces), FileMode(stringInterpolation: pieces.interpolation))
    }
    if let bits = UInt16(text, radix: 8), String(bits, radix: 8) == text {
      return ("0o\(text)", FileMode(integerLiteral: bits))
    }
    return (SwiftLiteral.string(text), FileMode(stringLiteral: text))
  }
}
