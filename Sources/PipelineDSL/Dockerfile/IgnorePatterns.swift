/// The patterns of a `.dockerignore` file or of `--exclude` (section 8 of the reference).
public struct IgnorePatterns: Sendable {
  /// Patterns as written that survived, for display.
  public let lines: [String]

  private let patterns: [IgnorePattern]

  /// Compiles patterns once; a path that no exception concerns is matched without allocation.
  ///
  /// - Throws: a diagnostic at the line of a malformed pattern or a lone `!` (I2).
  public init(file bytes: [UInt8], name: String, path: String = "") throws(Diagnostic) {
    var lines: [String] = []
    var patterns: [IgnorePattern] = []
    let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
    var number = 0
    for line in bytes.dropFirst(hasMark ? 3 : 0).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    {
      number += 1
      // Only in the first column: `\#name` and ` #name` are names (I1).
      guard line.first != UInt8(ascii: "#") else { continue }
      let text = PatternPath.trimmed(line)
      guard !text.isEmpty else { continue }
      let indent = text.startIndex - line.startIndex
      let location = SourceLocation(
        file: name, path: path, line: number, column: indent + 1,
        endColumn: indent + 1 + text.count)
      patterns.append(try Self.compile(Self.fileLine(text), writtenAs: text, at: location))
      lines.append(String(decoding: text, as: UTF8.self))
    }
    self.lines = lines
    self.patterns = patterns
  }

  /// Compiles the values of `--exclude`, in which a leading slash matches nothing (C11).
  ///
  /// - Throws: a diagnostic for a malformed pattern or a lone `!`.
  public init(excludes: [String], at location: SourceLocation?) throws(Diagnostic) {
    var lines: [String] = []
    var patterns: [IgnorePattern] = []
    for exclude in excludes {
      let text = PatternPath.trimmed(Array(exclude.utf8)[...])
      guard !text.isEmpty else { continue }
      patterns.append(try Self.compile(text, writtenAs: text, at: location))
      lines.append(String(decoding: text, as: UTF8.self))
    }
    self.lines = lines
    self.patterns = patterns
  }

  /// True where nothing can match.
  public var isEmpty: Bool { patterns.isEmpty }

  /// True where any pattern starts with `!`, so that an excluded directory may still be walked.
  public var hasExceptions: Bool { patterns.contains(where: \.isException) }

  /// Whether a path, relative with `/` between components and no leading one, is excluded.
  ///
  /// A path is also excluded by a pattern that matches one of its parents (I3).
  public func excludes(_ path: [UInt8]) -> Bool {
    guard !patterns.isEmpty, !path.isEmpty else { return false }
    return path.withUnsafeBufferPointer { path in
      var isMatched = false
      for pattern in patterns where pattern.isException == isMatched && pattern.matches(path) {
        guard !pattern.isException else { return excludesByLevel(path) }
        isMatched = true
      }
      return isMatched
    }
  }

  /// Whether something below an excluded directory may be brought back by an exception.
  ///
  /// Where it is false, the directory need not be walked.
  public func mayExcept(below directory: [UInt8]) -> Bool {
    patterns.contains { $0.isException && $0.mayMatch(below: directory) }
  }

  /// Decides where patterns and exceptions both apply, as BuildKit does while it walks.
  ///
  /// From the first component down, each directory hands the patterns that matched it on to what is
  /// in it. A pattern is only asked where it could change the answer: an exception where the path is
  /// matched so far, any other where it is not. So a pattern that was not asked about a directory
  /// does not count for what is below, even if it would have matched.
  private func excludesByLevel(_ path: UnsafeBufferPointer<UInt8>) -> Bool {
    let ends = path.indices.filter { path[$0] == UInt8(ascii: "/") } + [path.count]
    let levels = patterns.map { $0.matchedEnds(path) }
    var inherited = [Bool](repeating: false, count: patterns.count)
    var isMatched = false
    for end in ends {
      isMatched = false
      for (index, pattern) in patterns.enumerated() {
        if !inherited[index] {
          guard pattern.isException == isMatched, levels[index].contains(end) else { continue }
          inherited[index] = true
        }
        isMatched = !pattern.isException
      }
    }
    return isMatched
  }

  /// A line of a file cleaned and without its leading slash, its `!` in front.
  ///
  /// moby cleans twice, when it reads the file and when it compiles the lines; what the removal of
  /// a leading slash uncovers is read anew, so that `/!a` is an exception.
  private static func fileLine(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let mark = UInt8(ascii: "!")
    let isException = text.first == mark
    let name = isException ? PatternPath.trimmed(text.dropFirst()) : text
    var path: [UInt8] = []
    if !name.isEmpty {
      path = PatternPath.clean(name)
      if path.count > 1, path.first == UInt8(ascii: "/") { path.removeFirst() }
    }
    if isException { path.insert(mark, at: 0) }
    return path[...]
  }

  private static func compile(
    _ line: ArraySlice<UInt8>, writtenAs text: ArraySlice<UInt8>, at location: SourceLocation?
  ) throws(Diagnostic) -> IgnorePattern {
    var path = PatternPath.clean(PatternPath.trimmed(line))
    let shown = String(decoding: text, as: UTF8.self)
    let isException = path.first == UInt8(ascii: "!")
    if isException { path.removeFirst() }
    guard !path.isEmpty else {
      throw Diagnostic(
        "illegal exclusion pattern: '\(shown)'", at: location,
        help: "write the path to keep after the '!', or remove the line")
    }
    do {
      return try IgnorePattern(path[...], isException: isException)
    } catch {
      throw Diagnostic(
        "syntax error in pattern '\(shown)': \(error.reason)", at: location,
        help: "put '\\' before a character that is meant as itself")
    }
  }
}
