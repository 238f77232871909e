import ArgumentParser
import PipelineDSL

/// `store`: looks after the directory that layers and cache are in.
struct StoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store", abstract: "Look after the store.",
    subcommands: [StoreCheckCommand.self, StoreUsageCommand.self])
}

/// `store check`: verifies every digest.
struct StoreCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Verify everything in the store, and remove what is damaged.",
    discussion: """
      Layers are hashed as they lie there, blobs byte for byte. What is removed is made or fetched \
      again when a build needs it. Cache mounts have no digest and are left alone.
      """)

  @OptionGroup var state: StateOptions

  @Flag(help: "Compare sizes and counts only, without reading layers and blobs.")
  var quick = false

  func run() async throws {
    // Layers can hold files that only the user's subordinate ids may read.
    try await Privilege.require()
    let store = try Store(at: state.directory)
    let quick = quick
    let result = try await blocking { try StoreCheck(store: store, isQuick: quick).run() }
    for repair in result.repairs { print(repair) }
    for image in result.brokenImages {
      print("image \(image) lost layers: build it again, or remove it with 'rm'")
    }
    for image in result.incompleteImages {
      print("image \(image) has layers elsewhere only: a build without a push fetches them")
    }
    print(
      "checked \(result.layers) layers, \(result.blobs) blobs and \(result.files) small files, \(SizeText.text(result.bytes)): "
        + (result.isSound ? "all sound" : "\(result.repairs.count) found"))
    // What was removed is made again by itself; an image that lost layers is not.
    if !result.brokenImages.isEmpty { throw ExitCode(1) }
  }
}

/// `store usage`: what takes how much room.
struct StoreUsageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "usage", abstract: "Tell what takes how much room, the largest first.")

  @OptionGroup var state: StateOptions

  func run() async throws {
    let store = try Store(at: state.directory)
    let inventory = try await blocking { try StoreInventory(store) }
    for item in inventory.items.sorted(by: { $0.bytes > $1.bytes }) {
      let use = item.isNamed ? "  (in a named image)" : ""
      print(
        "\(SizeText.text(item.bytes))  \(item.entry.kind.rawValue)  \(item.title)\(use)")
    }
    print("\(SizeText.text(inventory.bytes)) in \(inventory.items.count) entries")
  }
}
