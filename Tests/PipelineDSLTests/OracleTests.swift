import Foundation
import PipelineDSL
import Testing

/// Compares ours with BuildKit's own parser, which the package `dockerfile` of PyPI binds.
///
/// For every file of the corpus that parser has to read the same from the original and from our
/// print of it. Before comparing, these are put to one form, because they mean the same:
/// - the order of different flags, `--link=true` and `--link`, flags that are false or empty;
/// - quotes in a mount's fields, and the case of their keys;
/// - the case of `AS`, of stage names and of the words after `HEALTHCHECK`;
/// - the JSON form of `COPY`, `ADD` and `VOLUME`, and blanks around a volume;
/// - how the name of a here-document is quoted in `COPY` and `ADD`.
///
/// `Tests/Oracles/setup.sh` installs the package. Where `CI` is set its absence is an error.
@Suite("BuildKit's parser as the judge")
struct OracleTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  private static let python = root.appending(path: ".build/oracles/bin/python")
  private static var isInstalled: Bool {
    FileManager.default.isExecutableFile(atPath: python.path())
  }
  private static var isRequired: Bool { ProcessInfo.processInfo.environment["CI"] != nil }

  @Test(
    "it reads the same from our print as from the original",
    .enabled(if: isInstalled || isRequired, "run Tests/Oracles/setup.sh to compare"))
  func corpus() throws {
    try #require(Self.isInstalled, "run Tests/Oracles/setup.sh first")
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "oracle-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    for file in CorpusFile.all {
      let graph = try #require(DockerfileParser.parse(file.bytes, file: file.name).graph)
      let printed = try DockerfilePrinter.print(graph)
      try Data(file.bytes).write(to: directory.appending(path: "\(file.name).original"))
      try Data(printed.utf8).write(to: directory.appending(path: "\(file.name).printed"))
    }
    let process = Process()
    process.executableURL = Self.python
    process.arguments = [
      Self.root.appending(path: "Tests/Oracles/compare_dockerfiles.py").path(), directory.path(),
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text == "")
    #expect(process.terminationStatus == 0)
  }
}
