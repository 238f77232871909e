import Glibc
import PipelineDSL

extension Platform {
  /// The platform this program runs on.
  static var current: Platform {
    #if arch(x86_64)
      Platform(architecture: "amd64")
    #elseif arch(arm64)
      Platform(architecture: "arm64")
    #else
      #error("name this processor as Go does")
    #endif
  }

  /// Reads `os/arch[/variant]`, an operating system or a processor alone, with the aliases that
  /// containerd's platforms package accepts.
  ///
  /// - Throws: a diagnostic naming the text.
  init(parsing text: String, at location: SourceLocation? = nil) throws(Diagnostic) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { $0.lowercased() }
    let isWord = parts.allSatisfy { part in
      !part.isEmpty
        && part.utf8.allSatisfy { byte in
          (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
    }
    guard isWord, (1...3).contains(parts.count) else {
      throw Self.malformed(text, location)
    }
    if parts.count == 1 {
      if Self.operatingSystems.contains(parts[0]) {
        self = .current
        os = parts[0]
        return
      }
      let (architecture, variant) = Self.normalize(parts[0], nil)
      guard Self.architectures.contains(architecture) else {
        throw Self.malformed(text, location)
      }
      self.init(architecture: architecture, variant: variant)
      return
    }
    let (architecture, variant) = Self.normalize(parts[1], parts.count == 3 ? parts[2] : nil)
    self.init(
      os: parts[0] == "macos" ? "darwin" : parts[0], architecture: architecture, variant: variant)
  }

  private static func malformed(_ text: String, _ location: SourceLocation?) -> Diagnostic {
    Diagnostic(
      "'\(text)' is not a platform", at: location,
      help: "write os/architecture, such as linux/amd64 or linux/arm64")
  }

  private static let operatingSystems: Set = [
    "aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux", "netbsd",
    "openbsd", "plan9", "solaris", "wasip1", "windows",
  ]

  private static let architectures: Set = [
    "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64",
    "ppc64le", "riscv64", "s390x", "wasm",
  ]

  private static func normalize(
    _ architecture: String, _ variant: String?
  ) -> (architecture: String, variant: String?) {
    switch (architecture, variant) {
    case ("i386", _), ("386", _): ("386", nil)
    case ("x86_64", _), ("x86-64", _), ("amd64", _): ("amd64", variant == "v1" ? nil : variant)
    case ("aarch64", _), ("arm64", _):
      ("arm64", variant == "v8" || variant == "8" ? nil : variant)
    case ("armhf", _): ("arm", "v7")
    case ("armel", _): ("arm", "v6")
    case ("arm", nil), ("arm", "7"): ("arm", "v7")
    case ("arm", "5"), ("arm", "6"), ("arm", "8"): ("arm", variant.map { "v\($0)" })
    default: (architecture, variant)
    }
  }
}
