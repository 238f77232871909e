import Foundation

/// The Dockerfiles that mutations start from.
struct Corpus {
  var files: [[UInt8]]

  /// Reads the corpus of the parser's tests.
  static func read() throws -> Corpus {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Tests/PipelineDSLTests/Corpus")
    var files: [[UInt8]] = []
    for area in ["features", "whole"] {
      let directory = root.appending(path: area)
      for name in try FileManager.default.contentsOfDirectory(atPath: directory.path()).sorted() {
        files.append(Array(try Data(contentsOf: directory.appending(path: name))))
      }
    }
    return Corpus(files: files)
  }
}
