import PipelineDSL
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite("A real shell reads quoted values back as they were")
struct ShellQuotingTests {
  private static let alphabet: [Unicode.Scalar] = [
    "a", "Z", "0", "9", " ", "\t", "\n", "\r", "'", "\"", "\\", "$", "`", "(", ")", "{", "}", "[",
    "]", "<", ">", "|", "&", ";", "*", "?", "#", "~", "!", "=", "-", "+", "%", "^", ",", ".", "/",
    ":", "@", "_", "ä", "\u{301}", "€", "\u{1F600}", "\u{7F}", "\u{1}", "\u{A0}", "\u{2028}",
  ]

  /// Places for a value: each command prints the value, and a byte of its own behind it.
  private static let places: [@Sendable (String) -> ShellCommand] = [
    { "printf '%s\\001' \($0)" },
    { "printf '%s\\001' \"\($0)\"" },
    { "printf '%s\\001' '\($0)'" },
    { "printf '%s\\001' pre\($0)post | sed '1s/^pre//; s/post\u{1}/\u{1}/'" },
    { "x=\($0); printf '%s\\001' \"$x\"" },
    { "printf '%s\\001' \"$(printf '%s.' \($0))\" | sed 's/\\.\u{1}/\u{1}/'" },
    { "printf '%s\\001' \"$(printf '%s.' \"$(printf %s \"\($0)\")\")\" | sed 's/\\.\u{1}/\u{1}/'" },
    { "(printf '%s\\001' \($0)) # a comment: don't" },
    { "cat <<'END' >/dev/null && printf '%s\\001' \($0)\nit's \"open\nEND" },
    { "printf '%s\\001' \($0)>&1" },
    { "printf '%s\\001' \([$0])" },
  ]

  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }
  }

  @Test(
    "Random strings, in every place a value may stand", arguments: 1...4, ["/bin/sh", "/bin/bash"])
  func randomStrings(seed: UInt64, shell: String) throws {
    var generator = Generator(state: seed)
    var wanted: [UInt8] = []
    var script = ""
    for _ in 0..<30 {
      for (index, place) in Self.places.enumerated() {
        var value = ""
        for _ in 0..<Int.random(in: 0...12, using: &generator) {
          let scalar = Self.alphabet.randomElement(using: &generator) ?? "a"
          // A command substitution drops line feeds at its end, and sed sees lines.
          if index >= 3, index <= 6, scalar == "\n" || scalar == "\u{1}" { continue }
          value.unicodeScalars.append(scalar)
        }
        let step = try StageGraph(target: Stage(from: .scratch) { Run(place(value)) })
        script += try text(of: step.stages[0].steps[0].instruction) + "\n"
        wanted += Array(value.utf8) + [1]
      }
    }
    let printed = try run(shell, script)
    #expect(printed == wanted)
  }

  /// The text that the shell of the stage would be given.
  private func text(of instruction: Instruction) throws -> String {
    guard case .run(let run) = instruction, case .shell(let text) = run.command else { return "" }
    return run.heredocs.first?.body ?? text
  }

  private func run(_ shell: String, _ script: String) throws -> [UInt8] {
    let path = "/tmp/shell-quoting-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    let file = try #require(fopen(path, "w"))
    script.withCString { _ = fputs($0, file) }
    fclose(file)
    defer { remove(path) }
    let pipe = try #require(popen("\(shell) \(path)", "r"))
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&buffer, 1, buffer.count, pipe)
      guard count > 0 else { break }
      output += buffer[..<count]
    }
    #expect(pclose(pipe) == 0)
    return output
  }
}
