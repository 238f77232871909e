import Glibc
import PipelineDSL
import SystemPackage

/// The named files of an image on disk: a directory, or a tar read in place.
enum ImageFiles: Sendable {
  case directory(FilePath)
  case tar(TarIndex)

  /// Where the files are, for messages.
  var place: FilePath {
    switch self {
    case .directory(let path): path
    case .tar(let index): index.file.path
    }
  }

  /// A regular file by name, nil where there is none.
  ///
  /// The name is fixed text, a checked digest, or from an archive that is read inside itself.
  func open(_ name: String) throws -> FileSlice? {
    switch self {
    case .tar(let index): return index.slice(name)
    case .directory(let path):
      do {
        return try FileSlice(opening: path.pushing(FilePath(name)))
      } catch {
        if error.code == ENOENT || error.code == ENOTDIR { return nil }
        throw error
      }
    }
  }

  /// A small document, which has to be there.
  func document(_ name: String) throws -> [UInt8] {
    guard let slice = try open(name) else {
      throw Diagnostic("'\(place)' has no '\(name)'")
    }
    guard slice.size <= ManifestDocument.largest else {
      throw Diagnostic(
        "'\(name)' in '\(place)' has \(slice.size) bytes; a document has at most \(ManifestDocument.largest)"
      )
    }
    return try slice.bytes()
  }
}
