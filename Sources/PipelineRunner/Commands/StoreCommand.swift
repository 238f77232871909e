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
    commandName: "check", abstract: "Verify every layer and blob, and remove what is damaged.")

  @OptionGroup var state: StateOptions

  func run() async throws {
    // Layers can hold files that only the user's subordinate ids may read.
    try await Privilege.require()
    let store = try Store(at: state.directory)
    let result = try await blocking { try StoreCheck(store: store).run() }
    for repair in result.repairs { print(repair) }
    for image in result.brokenImages {
      print("image \(image) lacks layers: build it again, or remove it with 'rm'")
    }
    print(
      "checked \(result.layers) layers and \(result.blobs) blobs, \(SizeText.text(result.bytes)): "
        + (result.isSound ? "all sound" : "\(result.repairs.count) repaired"))
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
