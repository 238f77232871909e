import PipelineDSL
import Testing

@Suite("A declaration that contradicts itself is refused, at the line that is wrong")
struct DeclarationErrorTests {
  private func assertStepRefused(
    @StepBuilder _ steps: () -> [Step], error: String,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) {
    let steps = steps()
    assertRefusal(
      { Stage(from: .scratch) { steps } }, error: { error }, sourceLocation: sourceLocation)
  }

  @Test("Steps that name nothing")
  func emptySteps() {
    assertStepRefused(
      { Copy(to: "/x") },
      error: "'Copy' has no source\nhelp: name what is to be copied before 'to:'")
    assertStepRefused(
      { Copy("", to: "/x") },
      error: "a source of 'Copy' is empty\nhelp: the whole context is \".\"")
    assertStepRefused(
      { Copy("x", to: "") },
      error: "the destination of 'Copy' is empty\nhelp: the working directory is \".\"")
    assertStepRefused(
      { Add(to: "/x") }, error: "'Add' has no source\nhelp: name what is to be copied before 'to:'")
    assertStepRefused({ Run("") }, error: "the command is empty")
    assertStepRefused({ Run(arguments: []) }, error: "'Run' names no program")
    assertStepRefused({ Run("", "x") }, error: "'Run' names no program")
    assertStepRefused({ Entrypoint("") }, error: "'Entrypoint' names no program")
    assertStepRefused({ Command(shell: " ") }, error: "the command is empty")
    assertStepRefused(
      { Healthcheck(arguments: []) }, error: "'Healthcheck' names no program")
    assertStepRefused({ Shell() }, error: "'Shell' names no program")
    assertStepRefused({ Env([:]) }, error: "'Env' assigns nothing")
    assertStepRefused({ Env("", "x") }, error: "a name in 'Env' is empty")
    assertStepRefused({ Env("A=B", "x") }, error: "the name A=B in 'Env' has a '='")
    assertStepRefused({ Label([:]) }, error: "'Label' assigns nothing")
    assertStepRefused({ Expose() }, error: "'Expose' has no port")
    assertStepRefused({ Volume() }, error: "'Volume' has no path")
    assertStepRefused({ Volume("/a", "") }, error: "a path of 'Volume' is empty")
    assertStepRefused({ User("") }, error: "a user of 'User' is empty")
    assertStepRefused({ WorkingDirectory("") }, error: "a path of 'WorkingDirectory' is empty")
    assertStepRefused({ StopSignal("") }, error: "a signal of 'StopSignal' is empty")
  }

  @Test("Values that no system and no Dockerfile can hold")
  func impossibleValues() {
    assertStepRefused(
      { Run("echo \("\0")") }, error: "a text holds a zero byte, which no system can take")
    assertStepRefused(
      { Env("A", "x\0y") }, error: "a text holds a zero byte, which no system can take")
    assertStepRefused(
      { Copy(content: "\0", to: "/x") },
      error: "a text holds a zero byte, which no system can take")
    assertStepRefused(
      { Env("A", "two\nlines") },
      error: "the text holds a line feed\nhelp: no Dockerfile can say this")
  }

  @Test("Owners, modes, durations")
  func wrongOptions() {
    assertStepRefused(
      { Copy("x", to: "/x").withMode(755) },
      error: "the mode 755 is a decimal number\nhelp: write '0o755' for the octal one")
    assertStepRefused(
      { Add("x", to: "/x").withMode(0o10000) },
      error: "the mode 0o10000 has more than four octal digits\nhelp: the largest mode is 0o7777")
    assertStepRefused(
      { Copy("x", to: "/x").owned(by: .user("app")).linked() },
      error: """
        a linked copy cannot look up its owner by name
        help: give numbers, as in '.owned(by: .id(1000))', or leave out '.linked()'
        """)
    assertStepRefused(
      { Healthcheck("true", every: .microseconds(10)) },
      error: """
        a duration of 'Healthcheck' is out of range
        help: give zero, or a millisecond or more
        """)
    assertStepRefused(
      { Healthcheck("true", every: .seconds(Int64.max)) },
      error: """
        a duration of 'Healthcheck' is out of range
        help: give zero, or a millisecond or more
        """)
    assertStepRefused(
      { Healthcheck("true", retries: -1) }, error: "the retries of 'Healthcheck' are negative")
    assertStepRefused(
      { Copy("*.json", to: "/x").ifPresent() },
      error: """
        '*.json' cannot be copied only if it is there
        help: name one file or directory, without variables, quotes and wildcards
        """)
  }

  @Test("Mounts")
  func mounts() {
    assertStepRefused(
      { Run("x").mounting(Cache("a"), at: "/c").mounting(Cache("b"), at: "/c") },
      error: "two things are mounted at '/c'")
    assertStepRefused(
      { Run("x").mounting(Cache("a"), at: "/") },
      error: "nothing can be mounted over the whole stage, at '/'")
    assertStepRefused({ Run("x").reading(Secret("")) }, error: "the id of a mount is empty")
    assertStepRefused(
      { Entrypoint(shell: "cat \(Cache("a"))") },
      error: """
        ENTRYPOINT runs in a container, where nothing of the build is mounted
        help: copy the artifact into the stage and write the path it has there
        """)
    assertStepRefused(
      { Command(shell: "a\nb") },
      error: """
        the text of CMD does not fit on one line
        help: copy a script into the stage and start that
        """)
  }

  @Test("Plain text with something in it that plain text cannot hold")
  func plainText() {
    // What stands in plain text by its name would warn here.
    let marker = "\0the secret 'token'\0"
    assertStepRefused(
      { Run("echo", "\(marker)") },
      error: "the secret 'token' stands in plain text, which cannot hold it")
  }

  @Test("Trees that cannot be what they are used for")
  func trees() {
    assertStepRefused(
      { Copy("x", from: .scratch, to: "/x") },
      error: "'.scratch' is empty: there is nothing to copy")
    assertRefusal {
      Stage(from: BuildContext.main) {}
    } error: {
      """
      a stage cannot start from the main build context
      help: start from '.scratch' and copy what is needed
      """
    }
    assertRefusal {
      Stage(from: BaseImage.scratch.tagged("3")) {}
    } error: {
      "only an image of a registry can have a tag"
    }
    assertRefusal {
      Stage(from: BuildContext("Main Context")) {}
    } error: {
      """
      'Main Context' cannot be the name of a build context
      help: use small letters, digits, '-', '_' and '.', and not digits alone
      """
    }
  }

  @Test("Artifacts")
  func artifacts() {
    let build = Stage("build", from: .image("gcc:14")) { Run("make") }
    assertStepRefused(
      { Copy(build.file("out/app"), to: "/x") },
      error: """
        'out/app' is not an absolute path
        help: an artifact of a stage is named by its path from '/'
        """)
    assertStepRefused(
      { Entrypoint(build.executable("/app")) },
      error: """
        '/app' is not in this stage
        note: the executable is declared here
        help: copy it first: 'Copy(…, to: "/usr/bin/…")'
        """)
    assertStepRefused(
      {
        Copy(build.executable("/app"), to: "bin/")
        Entrypoint(build.executable("/app"))
      },
      error: """
        the executable's path is not known: it was copied to 'bin/'
        help: copy it to an absolute path
        """)
  }

  @Test(
    "Image references",
    arguments: [
      ("", "an image reference is empty"),
      ("scratch", "'scratch' is not an image: write '.scratch'"),
      ("python 3", "'python 3' has a character that no image reference has"),
      ("Python:3", "'Python:3' has capital letters: repository names have none"),
      ("python:", "'python:' has no proper tag after ':'"),
      ("a//b", "'a//b' has an empty part"),
      ("a@b@c", "'a@b@c' has more than one '@'"),
      ("a@x", "'x' is not a digest such as 'sha256:' and 64 hexadecimal digits"),
      (
        "a@sha256:00112233445566778899aabbccddeeff",
        "'sha256:00112233445566778899aabbccddeeff' has 32 digits after 'sha256:', not 64"
      ),
    ])
  func imageReferences(reference: String, error: String) {
    assertRefusal {
      Stage(from: .image("\(reference)")) {}
    } error: {
      error
    }
  }

  @Test("References that registries know are taken")
  func goodReferences() throws {
    for reference in [
      "python", "python:3-alpine", "library/python:3", "registry.example.org/team/app:1.2",
      "localhost:5000/app_x/y:V1", "[::1]:5000/a", "Example.org/a",
      "a@sha256:" + String(repeating: "0", count: 64),
    ] {
      let graph = try StageGraph(target: Stage(from: .image("\(reference)")))
      #expect(graph.stages[0].base.raw == reference)
    }
  }

  @Test("Triggers")
  func triggers() {
    let build = Stage("build", from: .image("gcc:14")) { Run("make") }
    assertStepRefused(
      { OnBuild { Copy(build.file("/x"), to: "/x") } },
      error: """
        a trigger runs in other builds, which do not have this build's stages
        help: copy what it needs into this stage
        """)
    assertStepRefused(
      { OnBuild { OnBuild { Run("x") } } }, error: "ONBUILD cannot be a trigger")
    assertStepRefused({ OnBuild { Run("") } }, error: "the command is empty")
  }
}
