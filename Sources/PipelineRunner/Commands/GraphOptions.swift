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
    let path = file.map { FilePath($0) } ?? FilePath(context ?? ".").appending("Dockerfile")
    let bytes: [UInt8]
    do {
      bytes = file == "-" ? try readInput() : try FileContent.read(path)
    } catch {
      throw CommandFailure.usage(
        "the Dockerfile '\(path)' cannot be read: \(error.reason)",
        help: "name it with -f, or give the directory that holds it as the last argument")
    }
    let name = path.lastComponent?.string ?? "Dockerfile"
    let result = DockerfileParser.parse(bytes, file: name, path: path.string)
    let errors = result.diagnostics.filter { $0.severity == .error }
    guard let graph = result.graph, errors.isEmpty else {
      throw CommandFailure.badInput(result.diagnostics)
    }
    Terminal.report(result.diagnostics)
    return DeclaredImage(graph: graph, contexts: [:], contextDirectory: ".", tags: [])
  }

  private func readInput() throws(SystemError) -> [UInt8] {
    try FileContent.read("/dev/stdin")
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
