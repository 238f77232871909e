import Foundation
import Testing

/// The Dockerfiles in `Corpus`: one feature a file, and whole ones as people write them.
struct CorpusFile: CustomTestStringConvertible, Sendable {
  var name: String
  var bytes: [UInt8]

  var testDescription: String { name }

  /// Every file, in the order of their names.
  static let all: [CorpusFile] = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Corpus")
    return ["features", "whole"].flatMap { area -> [CorpusFile] in
      let directory = root.appending(path: area)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path())) ?? []
      return names.filter { $0.hasSuffix(".dockerfile") }.sorted().compactMap { name in
        let bytes = try? Data(contentsOf: directory.appending(path: name))
        return bytes.map { CorpusFile(name: String(name.dropLast(11)), bytes: Array($0)) }
      }
    }
  }()
}
