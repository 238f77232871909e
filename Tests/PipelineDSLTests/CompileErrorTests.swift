import Testing

/// Each file of `Tests/CompileErrors` holds a mistake, and in the lines above it what the compiler
/// says about it.
@Suite("Mistakes that do not compile")
struct CompileErrorTests {
  private static let directory = Compiler.packageDirectory + "/Tests/CompileErrors"

  private struct Message: Hashable, CustomStringConvertible {
    var line: Int
    var text: String

    var description: String { "\(line): \(text)" }
  }

  @Test("There are sources to check")
  func sourcesExist() throws {
    #expect(try Compiler.names(in: Self.directory).count > 20)
  }

  @Test(
    "The compiler says what the source expects",
    arguments: try Compiler.names(in: directory).filter { $0.hasSuffix(".swift") })
  func messages(name: String) throws {
    let path = Self.directory + "/" + name
    let expected = Self.expectedMessages(try Compiler.read(path))
    #expect(!expected.isEmpty)
    #expect(Self.actualMessages(try Compiler.check(path), path) == expected)
  }

  /// Comments that start with a severity belong to the next line that is none.
  private static func expectedMessages(_ source: String) -> [Message] {
    var messages: [Message] = []
    var pending: [String] = []
    for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false)
      .enumerated()
    {
      let text = line.drop { $0 == " " }
      if text.hasPrefix("// error: ") || text.hasPrefix("// warning: ") {
        pending.append(String(text.dropFirst(3)))
      } else {
        messages += pending.map { Message(line: index + 1, text: $0) }
        pending = []
      }
    }
    return messages
  }

  /// Errors and warnings without notes, columns and the names of diagnostic groups.
  private static func actualMessages(_ output: String, _ path: String) -> [Message] {
    output.split(separator: "\n").compactMap { line in
      guard line.hasPrefix(path + ":") else { return nil }
      let parts = line.dropFirst(path.count + 1).split(separator: ":", maxSplits: 2)
      guard parts.count == 3, let number = Int(parts[0]) else { return nil }
      var text = parts[2].dropFirst()
      guard text.hasPrefix("error: ") || text.hasPrefix("warning: ") else { return nil }
      if text.hasSuffix("]"), let group = text.lastIndex(of: "["), group > text.startIndex {
        text = text[..<text.index(before: group)]
      }
      return Message(line: number, text: String(text))
    }
  }
}
