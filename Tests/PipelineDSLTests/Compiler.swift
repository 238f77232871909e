import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The Swift compiler, over sources that use this package's modules.
enum Compiler {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// The directory of the package.
  static let packageDirectory = {
    let components = #filePath.split(separator: "/").dropLast(3)
    return "/" + components.joined(separator: "/")
  }()

  /// Checks a file without making code of it, and gives what the compiler said.
  static func check(_ path: String) throws -> String {
    let modules = try executableDirectory() + "/Modules"
    let command =
      "swiftc -swift-version 6 -typecheck -parse-as-library -diagnostic-style=llvm"
      + " -enable-upcoming-feature MemberImportVisibility -I '\(modules)' '\(path)' 2>&1"
    guard let pipe = popen(command, "r") else { throw Failure(description: "no shell") }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&buffer, 1, buffer.count, pipe)
      guard count > 0 else { break }
      output += buffer[..<count]
    }
    let text = String(decoding: output, as: UTF8.self)
    let status = pclose(pipe)
    guard status == 0 || text.contains("error: ") else {
      throw Failure(description: "swiftc failed: \(text)")
    }
    return text
  }

  /// The modules lie beside the program that runs the tests.
  private static func executableDirectory() throws -> String {
    #if os(Linux)
      var buffer = [CChar](repeating: 0, count: 4096)
      let count = readlink("/proc/self/exe", &buffer, buffer.count)
      guard count > 0 else { throw Failure(description: "the test program is not known") }
      let path = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    #else
      let path = CommandLine.arguments[0]
    #endif
    return path.split(separator: "/").dropLast().map { "/" + $0 }.joined()
  }

  /// The whole text of a file.
  static func read(_ path: String) throws -> String {
    guard let file = fopen(path, "r") else { throw Failure(description: "cannot read \(path)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while true {
      let byte = fgetc(file)
      guard byte >= 0 else { break }
      bytes.append(UInt8(truncatingIfNeeded: byte))
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Makes a file of a text.
  static func write(_ text: String, to path: String) throws {
    guard let file = fopen(path, "w") else { throw Failure(description: "cannot write \(path)") }
    defer { fclose(file) }
    let bytes = Array(text.utf8)
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
      throw Failure(description: "cannot write \(path)")
    }
  }

  /// The names in a directory, sorted.
  static func names(in directory: String) throws -> [String] {
    guard let stream = opendir(directory) else {
      throw Failure(description: "cannot list \(directory)")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }
}
