import Foundation
import PipelineDSL
import Testing

@Suite("Printing the examples")
struct ExamplePrintTests {
  @Test(
    "what an example prints reads to the same graph and prints alike",
    arguments: ["MyImage", "LightPython", "WheelTools", "Service", "TestMatrix"])
  func example(name: String) throws {
    // The example programs lie beside the test bundle.
    var directory = URL(filePath: ProcessInfo.processInfo.arguments[0])
    var program = directory
    repeat {
      directory.deleteLastPathComponent()
      program = directory.appending(path: name)
    } while directory.pathComponents.count > 1
      && !FileManager.default.isExecutableFile(atPath: program.path())
    let process = Process()
    process.executableURL = program
    process.arguments = ["dockerfile"]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let printed = String(decoding: output, as: UTF8.self)
    #expect(process.terminationStatus == 0)
    #expect(try DockerfilePrinter.print(readGraph(printed)) == printed)
  }
}
