public import PipelineDSL

extension ContainerImage {
  /// Builds the image: what `swift run` of the program does.
  public static func main() async {}
}
