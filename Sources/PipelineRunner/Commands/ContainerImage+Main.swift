public import PipelineDSL

extension ContainerImage {
  /// Runs the command line over this image: what `swift run` of the program does.
  ///
  /// Without a subcommand it builds. The process ends with 0 when the image is built, 1 when the
  /// build failed, 64 for wrong options and 65 for a declaration that contradicts itself.
  public static func main() async {
    await Declaration.$current.withValue(declaration) { await PipelineCommand.start() }
  }

  /// What the commands read of this image.
  static var declaration: Declaration {
    Declaration(programName: String(describing: Self.self)) {
      let image = Self()
      let declaration = try ImageDeclaration(image)
      let contexts = declaration.contexts.compactMap { context in
        context.name.flatMap { name in context.source.map { (name, $0) } }
      }
      return DeclaredImage(
        graph: declaration.graph, contexts: Dictionary(contexts) { first, _ in first },
        contextDirectory: image.contextDirectory, tags: [image.name], platforms: image.platforms,
        annotations: image.annotations)
    }
  }
}
