/// Text for a shell, in which values are quoted and artifacts become paths.
///
/// Write it as a string. An interpolated value is one argument, or a part of one, whatever
/// characters it holds; an array is one argument for each element; ``Artifact`` and ``Cache`` are
/// mounted for this command and stand for the path they are mounted at. `\(raw:)` inserts text that
/// the shell reads itself.
///
/// ```swift
/// let packages = ["gcc", "libc6-dev"]
/// let author = "Dijkstra & sons"
/// Run("apt-get install -y \(packages)")                 // apt-get install -y gcc libc6-dev
/// Run("echo \(author) > /author")                       // echo 'Dijkstra & sons' > /author
/// Run("echo \"by \(author)\" > /author")                // inside quotes it is escaped for them
/// Run("pip install \(build.file("/out/tool.whl"))")     // mounts the wheel, installs its path
/// Run("PIP_CERT=\(pathOf: certificates) pip install flask")   // mounts the secret
/// Run("echo \(raw: "$HOME")")                           // the shell expands it
/// ```
///
/// Text of several lines is run as a script under `set -eu`: it ends at the first command that
/// fails and at the first variable that is not set, which a here-document alone would not do. A
/// script with a pipe also gets `set -o pipefail` where the shell has that. Text that starts with
/// `#!` names its own interpreter and is left as it is; so is text for a ``Shell`` that is none of
/// the usual ones.
///
/// ```swift
/// Run("""
///   ./configure --prefix=\(prefix)
///   make install
///   """)
/// ```
public struct ShellCommand: Sendable, ExpressibleByStringInterpolation {
  enum Piece: Sendable {
    /// Shell text as it is.
    case text(String)
    case value(String)
    case number(String)
    case list([String])
    case reference(Reference)
    case artifact(any ArtifactReference)
    case cache(Cache)
    case secretFile(Secret)
  }

  let pieces: [Piece]

  public init(stringLiteral value: String) {
    pieces = [.text(value)]
  }

  public init(stringInterpolation: StringInterpolation) {
    pieces = stringInterpolation.pieces
  }

  public struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var pieces: [Piece] = []

    public init(literalCapacity: Int, interpolationCount: Int) {}

    public mutating func appendLiteral(_ literal: String) {
      if !literal.isEmpty { pieces.append(.text(literal)) }
    }

    /// Inserts a value as one argument, or as a part of the argument it stands in.
    public mutating func appendInterpolation(_ value: some StringProtocol) {
      pieces.append(.value(String(value)))
    }

    /// Inserts a number.
    public mutating func appendInterpolation(_ value: some BinaryInteger) {
      pieces.append(.number(String(value)))
    }

    /// Inserts each value as an argument of its own.
    public mutating func appendInterpolation(_ values: [String]) {
      pieces.append(.list(values))
    }

    /// Inserts text that the shell reads itself: the one way around quoting.
    public mutating func appendInterpolation(raw text: String) {
      pieces.append(.text(text))
    }

    /// Inserts another command's text, with what it mounts.
    public mutating func appendInterpolation(_ command: ShellCommand) {
      pieces += command.pieces
    }

    /// Mounts an artifact for this command and inserts its path.
    public mutating func appendInterpolation(_ artifact: any ArtifactReference) {
      pieces.append(.artifact(artifact))
    }

    /// Mounts a cache for this command and inserts its path.
    public mutating func appendInterpolation(_ cache: Cache) {
      pieces.append(.cache(cache))
    }

    /// Inserts the value that an argument has when the command runs, as one argument.
    ///
    /// The stage declares the argument by itself.
    public mutating func appendInterpolation(_ argument: BuildArgument) {
      pieces.append(.reference(.argument(argument)))
    }

    /// Inserts the value that a variable has when the command runs, as one argument.
    public mutating func appendInterpolation(_ variable: Variable) {
      pieces.append(.reference(.variable(variable)))
    }

    /// Mounts a secret for this command and inserts the path of the file, not the secret.
    public mutating func appendInterpolation(pathOf secret: Secret) {
      pieces.append(.secretFile(secret))
    }

    @available(
      *, unavailable,
      message: """
        shell text is stored in the image's history: write '\\(pathOf: secret)' and let the command \
        read that file
        """
    )
    public mutating func appendInterpolation(_ secret: Secret) {}
  }
}
