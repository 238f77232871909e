import ArgumentParser
import PipelineDSL

/// `images`: the images that the store keeps under a name.
struct ImagesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "images", abstract: "List the images built here.")

  @OptionGroup var state: StateOptions

  func run() async throws {
    let store = try Store(at: state.directory)
    for image in try store.images() {
      for variant in image.variants {
        let size = try variant.layers.reduce(Int64(0)) {
          $0 + (try store.info(of: $1)?.size ?? 0)
        }
        let platform = image.variants.count == 1 ? "" : "  \(variant.platform)"
        print(
          "\(variant.id.hex.prefix(12))  \(ImageTimes.text(image.created))  \(SizeText.text(size))  \(image.name)\(platform)"
        )
      }
    }
  }
}
