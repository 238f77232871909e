import PipelineDSL
import Testing

@Suite("Ignore patterns")
struct IgnorePatternsTests {
  private func patterns(_ text: String) throws(Diagnostic) -> IgnorePatterns {
    try IgnorePatterns(file: Array(text.utf8), name: ".dockerignore")
  }

  private func excluded(_ text: String, _ path: String) throws(Diagnostic) -> Bool {
    try patterns(text).excludes(Array(path.utf8))
  }

  @Test(
    "I4: one pattern, one path",
    arguments: [
      ("foo", "foo", true), ("foo", "foo/bar", true), ("foo", "foobar", false),
      ("foo", "a/foo", false), ("foo/bar", "foo", false), ("foo/bar", "foo/bar/baz", true),
      ("*", "a", true), ("*", "a/b", true), ("*.o", "a.o", true), ("*.o", "src/a.o", false),
      ("*.o", "a.o/b", true), ("src/*.o", "src/a.o", true), ("src/*.o", "src/x/a.o", false),
      ("*/a", "x/a", true), ("*/a", "a", false), ("*/*/a", "x/y/a", true),
      ("?1", "a1", true), ("?1", "ab1", false), ("?1", "/1", false), ("a?c", "a/c", false),
      ("?", "\u{E9}", true), ("[a-c]2", "b2", true), ("[a-c]2", "d2", false),
      ("[^a-c]2", "d2", true), ("[^a-c]2", "b2", false), ("[\u{E0}-\u{E9}]", "\u{E5}", true),
      ("[!a]", "!", true), ("[!a]", "b", false), ("[a\\-z]", "-", true), ("[a\\]]", "]", true),
      ("\\*", "*", true), ("\\*", "a", false), ("\\#x", "#x", true), ("a\\?", "a?", true),
      ("**", "a", true), ("**", "a/b/c", true), ("**/foo", "foo", true),
      ("**/foo", "a/b/foo", true), ("**/foo", "a/foo/c", true), ("**/foo", "xfoo", false),
      ("**/*.o", "a.o", true), ("**/*.o", "x/y/a.o", true), ("**/*.o", "x/y/a.c", false),
      ("foo/**", "foo", false), ("foo/**", "foo/a", true), ("foo/**", "foo/a/b", true),
      ("a/**/b", "a/b", true), ("a/**/b", "a/x/y/b", true), ("a/**/b", "a/xb", false),
      ("a**b", "ab", true), ("a**b", "a/b", true), ("a**b", "axb", false), ("a**b", "ax/b", true),
      ("**foo", "xfoo", true), ("**foo", "a/xfoo", true), ("**foo*", "xfoo", false),
      ("**foo*", "a/foox", true), ("foo**", "foobar/baz", true), ("foo**", "foo", true),
      ("**/foo/**", "a/foo/b", true), ("**/foo/**", "foo", false), ("*/**", "a", false),
      ("*/**", "a/b", true), ("a.b", "axb", false), ("a+", "a+", true), ("(a)", "(a)", true),
      ("a$", "a$", true), ("^a", "^a", true), ("a|b", "a", false), ("{a,b}", "{a,b}", true),
      (".", "a", false), ("..", "a", false), ("../a", "a", false), ("/", "a", false),
    ])
  func single(pattern: String, path: String, isExcluded: Bool) throws {
    #expect(try excluded(pattern, path) == isExcluded)
  }

  @Test(
    "I2: lines are trimmed and paths cleaned",
    arguments: [
      ("  foo \t", "foo"), ("/foo", "foo"), ("./foo", "foo"), ("x/../up", "up"), ("tr/", "tr"),
      ("a//b", "a/b"), ("a/./b", "a/b"), (" #x", "#x"), ("foo\r", "foo"), ("//foo", "foo"),
      ("\u{FEFF}foo", "foo"), ("*\n! /foo\nfoo", "foo"),
      ("/ foo", "foo"), ("/*\n/!foo\nfoo", "foo"), ("**/ /", "x"),
    ])
  func cleaning(text: String, path: String) throws {
    #expect(try excluded(text, path))
  }

  @Test("I1: a comment begins in the first column only, blank lines count for nothing")
  func comments() throws {
    let read = try patterns("\u{FEFF}#a\n\n  \n b \n#c\r\nd\r\n")
    #expect(read.lines == ["b", "d"])
    #expect(try patterns("# nothing\n").isEmpty)
    #expect(try patterns("").isEmpty)
  }

  @Test("I2: the last matching pattern decides")
  func order() throws {
    let text = "*\n!src\n!keep.txt\nsrc/*.o\n!src/important.o\n"
    for (path, isExcluded) in [
      ("drop", true), ("keep.txt", false), ("src", false), ("src/a.c", false), ("src/a.o", true),
      ("src/important.o", false), ("other/src", true),
    ] {
      #expect(try excluded(text, path) == isExcluded, "\(path)")
    }
  }

  @Test("I3: a child of an excluded directory may come back")
  func exceptionBelow() throws {
    let text = "node_modules\n!node_modules/kept\n"
    #expect(try excluded(text, "node_modules"))
    #expect(try excluded(text, "node_modules/x/y"))
    #expect(try !excluded(text, "node_modules/kept"))
    #expect(try !excluded(text, "node_modules/kept/y"))
    #expect(try !excluded("**\n!**/*.go\n", "a/b/c.go"))
    #expect(try excluded("**\n!**/*.go\n", "a/b/c.py"))
  }

  @Test("an exception that is not asked about a directory does not count below it")
  func unaskedException() throws {
    // BuildKit walks from the top: `!a` says nothing while `a` is not excluded, and is not asked
    // about `a` again for `a/b`.
    #expect(try excluded("a/b\n!a\n", "a/b"))
    #expect(try excluded("a/b\n!a\n", "a/b/c"))
    #expect(try !excluded("a/b\n!a\n", "a/c"))
    // The second `a` is not asked while the first one holds, so it is gone once `!a/b` has spoken.
    #expect(try !excluded("a\n!a/b\na\n", "a/b"))
    #expect(try !excluded("a\n!a/b\na\n", "a/b/c"))
  }

  @Test("only directories that an exception can reach have to be walked")
  func reach() throws {
    let read = try patterns("*\n!src/lib\n!docs/*.md\n")
    #expect(read.hasExceptions)
    for (path, isReached) in [
      ("src", true), ("src/lib", false), ("node_modules", false), ("docs", true),
      ("docs/sub", false), ("sr", false),
    ] {
      #expect(read.mayExcept(below: Array(path.utf8)) == isReached, "\(path)")
    }
    #expect(try patterns("*\n!**/*.md\n").mayExcept(below: Array("a/b".utf8)))
    #expect(try !patterns("*\n").hasExceptions)
  }

  @Test("names that are not UTF-8 are bytes")
  func bytes() throws {
    let read = try IgnorePatterns(file: [0x61, 0xFF, 0x0A], name: "x")
    #expect(read.excludes([0x61, 0xFF]))
    #expect(!read.excludes([0x61, 0xFE]))
    #expect(try patterns("a?").excludes([0x61, 0xFE]))
    #expect(try patterns("a?c*").excludes([0x61, 0xFE, 0x63, 0xC3]))
  }

  @Test("a pattern longer than a machine word has states")
  func longPattern() throws {
    let name = String(repeating: "abc", count: 50)
    #expect(try excluded("*\(name)?\(name)*z", "x\(name)-\(name)yyz"))
    #expect(try !excluded("*\(name)?\(name)*z", "x\(name)-\(name)yyy"))
  }

  @Test(
    "I2: malformed patterns are errors at their line",
    arguments: [
      ("a\n!\n", "illegal exclusion pattern: '!'", 2, 1),
      ("  ! \n", "illegal exclusion pattern: '!'", 1, 3),
      ("!/", "illegal exclusion pattern: '!/'", 1, 1),
      ("a\nb\n[a", "syntax error in pattern '[a': missing ']'", 3, 1),
      (
        "[]a]", "syntax error in pattern '[]a]': '-' and ']' in brackets need a '\\' before them",
        1,
        1
      ),
      (
        "[a-]", "syntax error in pattern '[a-]': '-' and ']' in brackets need a '\\' before them",
        1,
        1
      ),
      ("a\\", "syntax error in pattern 'a\\': nothing follows the escape '\\'", 1, 1),
      (
        "[z-a]", "syntax error in pattern '[z-a]': the range in brackets runs backwards", 1, 1
      ),
    ])
  func malformed(text: String, message: String, line: Int, column: Int) {
    do {
      _ = try patterns(text)
      Issue.record("no error")
    } catch {
      #expect(error.message == message)
      #expect(error.location?.file == ".dockerignore")
      #expect(error.location?.line == line)
      #expect(error.location?.column == column)
    }
  }

  @Test("C11: --exclude takes the same patterns, and '#' is a name there")
  func excludes() throws {
    let read = try IgnorePatterns(excludes: ["*.o", "#x", " ", "!a.o"], at: nil)
    #expect(read.lines == ["*.o", "#x", "!a.o"])
    #expect(read.excludes(Array("b.o".utf8)))
    #expect(!read.excludes(Array("a.o".utf8)))
    #expect(read.excludes(Array("#x".utf8)))
    let location = PipelineDSL.SourceLocation(file: "Dockerfile", line: 2, column: 1)
    #expect(throws: Diagnostic.self) { try IgnorePatterns(excludes: ["["], at: location) }
  }
}
