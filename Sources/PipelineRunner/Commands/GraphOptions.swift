import ArgumentParser
import Glibc
import PipelineDSL
import SystemPackage

/// What is to be built: the program's own declaration, or a Dockerfile.
struct GraphOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "Read this Dockerfile (default: Dockerfile in the context).")
  var file: String?

  /// The image to build.
  ///
  /// - Throws: every mistake found, with the status for bad input.
  func load(context: String?) throws -> DeclaredImage {
    if let declaration = Declaration.current {
      guard file == nil else {
        throw CommandFailure.usage(
          "-f names a Dockerfile, and this program declares its image itself",
          help: "use 'pipeline build -f …' for a Dockerfile")
      }
      do {
        return try declaration.makeImage()
      } catch let error as Diagnostic {
        throw CommandFailure.badInput([error])
      } catch let errors as Diagnostics {
        throw CommandFailure.badInput(errors.all)
      } catch {
        throw CommandFailure.badInput([Diagnostic("the image cannot be declared: \(error)")])
      }
    }
    let (bytes, path) = try dockerfile(context: context)
    let result = Self.parse(bytes, path)
    let errors = result.diagnostics.filter { $0.severity == .error }
    guard let graph = result.graph, errors.isEmpty else {
      throw CommandFailure.badInput(result.diagnostics)
    }
    return DeclaredImage(
      graph: graph, contexts: [:], contextDirectory: ".", tags: [], source: SourceText(bytes),
      found: result.diagnostics)
  }

  /// The bytes of the Dockerfile and where they come from.
  func dockerfile(context: String?) throws(CommandFailure) -> ([UInt8], FilePath) {
    let path =
      file.map { FilePath($0) } ?? context.map { FilePath($0).appending("Dockerfile") }
      ?? "Dockerfile"
    do {
      return (file == "-" ? try readInput() : try FileContent.read(path), path)
    } catch {
      throw CommandFailure.usage(
        "the Dockerfile '\(path)' cannot be read: \(error.reason)",
        help: "name it with -f, or give the directory that holds it as the last argument")
    }
  }

  /// Reads the bytes of a Dockerfile, named in messages by the last part of its path.
  static func parse(_ bytes: [UInt8], _ path: FilePath) -> DockerfileParser.Result {
    path == "-"
      ? DockerfileParser.parse(bytes, file: "<stdin>")
      : DockerfileParser.parse(
        bytes, file: path.lastComponent?.string ?? "Dockerfile", path: path.string)
  }

  private func readInput() throws(SystemError) -> [UInt8] {
    try FileContent.read("/dev/stdin")
  }

  /// The bytes of the ignore file beside the Dockerfile; nil where there is none (I1).
  func ownIgnoreFile() throws -> [UInt8]? {
    guard Declaration.current == nil, let file, file != "-" else { return nil }
    return try FileContent.readIfPresent(FilePath(file + ".dockerignore"))
  }

  /// The ignore file that goes with the Dockerfile, else the context's own (I1).
  func ignorePatterns(context: FilePath) throws(CommandFailure) -> IgnorePatterns? {
    var candidates = [context.appending(".dockerignore")]
    if Declaration.current == nil, let file, file != "-" {
      candidates.insert(FilePath(file + ".dockerignore"), at: 0)
    }
    for candidate in candidates {
      do {
        guard let bytes = try FileContent.readIfPresent(candidate) else { continue }
        return try IgnorePatterns(
          file: bytes, name: candidate.lastComponent?.string ?? "", path: candidate.string)
      } catch let error as Diagnostic {
        throw CommandFailure.badInput([error])
      } catch {
        throw CommandFailure.badInput([
          Diagnostic("the ignore file '\(candidate)' cannot be read: \(error)")
        ])
      }
    }
    return nil
  }
}
