import SystemPackage

/// The content digest of a finished upper directory.
enum LayerContent {
  static func id(of upper: FilePath) throws -> LayerID {
    throw SystemError("being written")
  }
}
