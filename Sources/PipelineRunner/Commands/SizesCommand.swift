import ArgumentParser
import PipelineDSL

/// `sizes`: what makes an image large.
struct SizesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sizes", abstract: "Tell what makes a built image large.",
    discussion: """
      For each layer the bytes of its files, and those of lower layers that it hides: hidden files \
      are in the image all the same, so delete a file in the step that makes it.
      """)

  @OptionGroup var state: StateOptions

  @Option(help: "How many of the largest files to list.")
  var files = 10

  @Argument(help: "The image's name, as given to build -t.")
  var image: String

  func run() async throws {
    let store = try Store(at: state.directory)
    let variant = try store.builtImage(image)
    let count = files
    let text = try await blocking {
      let sizes = LayerSizes()
      for layer in variant.layers { try sizes.add(store.directory(of: layer)) }
      return try Self.text(sizes, titles: titles(variant, store), files: max(0, count))
    }
    print(text, terminator: "")
  }

  /// What each layer is known by.
  private func titles(_ variant: NamedImage.Variant, _ store: Store) throws -> [String] {
    try variant.layers.map { try store.info(of: $0)?.title ?? "" }.map(GoText.oneLine)
  }

  private static func text(_ sizes: LayerSizes, titles: [String], files: Int) -> String {
    var lines = ["   files     hides  layer"]
    for (layer, title) in zip(sizes.layers, titles) {
      lines.append(
        SizeText.column(layer.added + layer.replacing) + "  " + SizeText.column(layer.hides) + "  "
          + SizeText.shortened(title))
    }
    let total = sizes.layers.reduce(Int64(0)) { $0 + $1.added + $1.replacing }
    let hidden = sizes.layers.reduce(Int64(0)) { $0 + $1.hides }
    lines += ["", "\(SizeText.column(total))  \(SizeText.column(hidden))  image"]
    let (shown, gone) = sizes.largest(files)
    if !shown.isEmpty { lines += ["", "the largest files"] }
    lines += shown.map { "\(SizeText.column($0.size))  \($0.path)" }
    if !gone.isEmpty { lines += ["", "the largest files that are hidden"] }
    for file in gone {
      let by = file.hiddenBy.map { SizeText.shortened(titles[$0], to: 60) } ?? ""
      lines.append("\(SizeText.column(file.size))  \(file.path), by \(by)")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
