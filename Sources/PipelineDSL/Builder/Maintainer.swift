/// Names the image's author: `MAINTAINER`.
///
/// A label says the same and is what other tools read; this is for images that need the old field.
///
/// ```swift
/// Maintainer("Build Tools <tools@example.org>")
/// ```
public struct Maintainer: SingleStep {
  private let name: String

  /// Takes the author's name.
  public init(_ name: String) {
    self.name = name
  }

  public var step: Step { Step(.maintainer(name)) }
}
