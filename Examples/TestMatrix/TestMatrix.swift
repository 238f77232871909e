import PipelineDSL
import PipelineRunner

/// One test run for each Python version, all at once; what comes out are the reports.
///
/// ```
/// swift run TestMatrix build -o type=local,dest=reports
/// ```
@main
struct TestMatrix: ContainerImage {
  var contextDirectory: String { Self.sourceDirectory() }

  func image() -> Stage {
    let versions = ["3.11", "3.12", "3.13"]
    let runs = versions.map { version in
      OutputStage("python-\(version)", TestRun(version: version, isStrict: version == "3.13"))
    }
    return Stage("reports", from: .scratch) {
      for (version, run) in zip(versions, runs) {
        Copy(run.report, to: "/python-\(version).txt")
      }
    }
  }
}

/// A stage that runs the tests on one version.
struct TestRun: StageTemplate {
  struct Outputs: Sendable {
    let report = Output.file("/report.txt")
  }

  let version: String
  /// Whether a warning of the interpreter is a failure.
  let isStrict: Bool

  var base: BaseImage { .image("python:\(version)-slim") }
  var outputs: Outputs { Outputs() }

  var steps: [Step] {
    WorkingDirectory("/src")
    Copy("tests", to: "tests")
    if isStrict {
      Env("PYTHONWARNINGS", "error")
    }
    Run("python3 -m unittest discover tests 2>&1 | tee /report.txt && grep -q ^OK /report.txt")
  }
}
