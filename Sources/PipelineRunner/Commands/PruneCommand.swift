import ArgumentParser
import PipelineDSL

/// `prune`: removes what no named image and no running build needs.
struct PruneCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune", abstract: "Free space: remove cached layers, longest unused first.",
    discussion: """
      Without options everything goes that no named image needs, but for cache mounts. With a \
      limit only as much goes as the limit asks for. What a running build uses always stays.
      """)

  @OptionGroup var state: StateOptions

  @Flag(name: .shortAndLong, help: "Also cache mounts and the packed layers of named images.")
  var all = false

  @Option(
    help: ArgumentHelp("Only what was last used longer ago: until=24h.", valueName: "filter"))
  var filter: [String] = []

  @Option(
    help: ArgumentHelp("Only what was not used for this long, such as 72h.", valueName: "age"))
  var keepDuration: String?

  @Option(
    name: [.customLong("max-used-space"), .customLong("keep-storage")],
    help: ArgumentHelp(
      "Stop once the store has at most this size, such as 10GB.", valueName: "size"))
  var maxUsedSpace: String?

  @Option(
    help: ArgumentHelp("Stop once the disk has at least this much free.", valueName: "size"))
  var minFreeSpace: String?

  @Flag(name: .shortAndLong, help: "Accepted for docker's sake: nothing is ever asked.")
  var force = false

  func run() async throws {
    try await Privilege.require()
    let policy = try policy()
    let store = try Store(at: state.directory)
    let result = try await blocking { try GarbageCollector(store: store).collect(policy) }
    for removal in result.removed {
      let kind = removal.item.entry.kind.rawValue
      let size = SizeText.text(removal.item.bytes)
      print("\(size)  \(kind)  \(removal.item.title)  (\(removal.why))")
    }
    let count = result.removed.count
    var line =
      "freed \(SizeText.text(result.freed)): \(count) \(count == 1 ? "entry" : "entries")"
    line += "; \(SizeText.text(result.left)) left"
    if result.leftInUse > 0 {
      line += ", \(SizeText.text(result.leftInUse)) of it in use"
    }
    print(line)
  }

  private func policy() throws -> PrunePolicy {
    var policy = PrunePolicy(isAll: all)
    for text in filter {
      let (name, value) = text.splitAtEqualsSign
      guard name == "until" else {
        throw CommandFailure.usage("there is no filter '\(name)'", help: "write until=24h")
      }
      policy.unusedFor = try age(value)
    }
    if let keepDuration { policy.unusedFor = try age(keepDuration) }
    policy.maximumUsed = try maxUsedSpace.map(size)
    policy.minimumFree = try minFreeSpace.map(size)
    return policy
  }

  private func age(_ text: String) throws(CommandFailure) -> Double {
    guard let nanoseconds = GoDuration.nanoseconds(text), nanoseconds >= 0 else {
      throw CommandFailure.usage("'\(text)' is no duration", help: "write 24h, 90m or 1h30m")
    }
    return Double(nanoseconds) / 1e9
  }

  private func size(_ text: String) throws(CommandFailure) -> Int64 {
    guard let bytes = ByteCount.parse(text) else {
      throw CommandFailure.usage("'\(text)' is no size", help: "write 500MB, 10GB or 10GiB")
    }
    return bytes
  }
}

/// Sizes as people write them.
enum ByteCount {
  /// Bytes of a text such as `10GB`, `1.5GiB` or `1000`; nil for anything else.
  static func parse(_ text: String) -> Int64? {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    var unit = text.dropFirst(number.count).lowercased()[...]
    if unit.first == " " { unit.removeFirst() }
    guard let value = Double(number), value >= 0 else { return nil }
    if unit.last == "b" { unit.removeLast() }
    let isBinary = unit.last == "i"
    if isBinary { unit.removeLast() }
    guard let power = ["": 0, "k": 1, "m": 2, "g": 3, "t": 4][String(unit)] else { return nil }
    if isBinary && power == 0 { return nil }
    var bytes = value
    for _ in 0..<power { bytes *= isBinary ? 1024 : 1000 }
    return bytes < 9e18 ? Int64(bytes) : nil
  }
}
