import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite struct ProgramTrialTests {
  @Test("a machine runs its own programs, and amd64 those for 386")
  func own() throws {
    let directory = try TemporaryDirectory()
    let empty = directory.path
    let own = Platform.current.architecture
    #expect(ProgramTrial.outcome(own, empty: empty) == .runs)
    if own == "amd64" { #expect(ProgramTrial.outcome("386", empty: empty) == .runs) }
    #expect(ProgramTrial.outcome("mips64le", empty: empty) == .refused)
    #expect(ProgramTrial.outcome("pdp11", empty: empty) == .unknown)
  }
}
