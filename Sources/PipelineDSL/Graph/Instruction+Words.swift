extension Instruction {
  /// Every word that a build expands.
  var words: [Word] {
    switch self {
    case .add(let add):
      paths(add.sources) + [add.destination]
        + [add.owner, add.mode, add.checksum].compactMap(\.self)
    case .copy(let copy):
      paths(copy.sources) + [copy.destination] + [copy.owner, copy.mode].compactMap(\.self)
    case .argument(let arguments): arguments.compactMap(\.defaultValue)
    case .environment(let assignments), .label(let assignments):
      assignments.all.flatMap { [$0.name, $0.value] }
    case .expose(let words), .volume(let words): words
    case .run(let run): run.mounts.flatMap { $0.fields.compactMap(\.value) }
    case .stopSignal(let word), .user(let word), .workingDirectory(let word): [word]
    case .command, .entrypoint, .healthcheck, .maintainer, .onBuild, .shell: []
    }
  }

  private func paths(_ sources: [CopySource]) -> [Word] {
    sources.compactMap { source in
      if case .path(let word) = source { word } else { nil }
    }
  }
}
