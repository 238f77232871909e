import PipelineDSL
import Testing

@Suite("Expansion of operands")
struct WordExpansionTests {
  static let environment = [
    "S": "set", "E": "", "A": "one", "B": "two", "ä": "umlaut", "_x1": "under",
    "P": "/usr/local/lib/file.tar.gz", "D": "a-b-c", "N": "line1\nline2", "L": "80 443/tcp",
    "STAR": "a*b?c", "Q": "'quoted' \"text\"", "SLASH": "x/y}z",
  ]

  private func expand(_ text: String, escape: Unicode.Scalar = "\\") throws(Diagnostic) -> String {
    try WordExpansion(escape: escape) { Self.environment[$0] }.expand(Word(raw: text))
  }

  private func failure(_ text: String) -> Diagnostic? {
    do {
      _ = try expand(text)
      return nil
    } catch {
      return error
    }
  }

  @Test(
    "V: the plain and the conditional forms",
    arguments: [
      ("$S", "set"), ("${S}", "set"), ("$U", ""), ("[${U}]", "[]"), ("$A-${B}", "one-two"),
      ("$A$B", "onetwo"), ("${A}x", "onex"), ("$Ax", ""), ("a$", "a$"), ("$", "$"), ("$.x", "$.x"),
      ("${S:-d}", "set"), ("${E:-d}", "d"), ("${U:-d}", "d"),
      ("${S-d}", "set"), ("[${E-d}]", "[]"), ("${U-d}", "d"),
      ("${S:+d}", "d"), ("[${E:+d}]", "[]"), ("[${U:+d}]", "[]"),
      ("${S+d}", "d"), ("${E+d}", "d"), ("[${U+d}]", "[]"),
      ("${S:?m}", "set"), ("${S?m}", "set"), ("[${E?m}]", "[]"),
      ("${U:-$A}", "one"), ("${U:-${V:-${W:-deep}}}", "deep"), ("${U:-a b}", "a b"),
      ("${U:-\"q}\"}", "q}"), ("${U:-'$A'}", "$A"), ("${U:-\\}}", "}"), ("${S+}", ""),
    ])
  func plainForms(text: String, value: String) throws {
    #expect(try expand(text) == value)
  }

  @Test(
    "V3: trimming takes the shortest or the longest match",
    arguments: [
      ("${P#*/}", "usr/local/lib/file.tar.gz"), ("${P##*/}", "file.tar.gz"),
      ("${P%.*}", "/usr/local/lib/file.tar"), ("${P%%.*}", "/usr/local/lib/file"),
      ("${P%/*}", "/usr/local/lib"), ("${P%%/*}", ""), ("${P%nomatch}", environment["P"] ?? ""),
      ("${P%?}", "/usr/local/lib/file.tar.g"), ("${P#?}", "usr/local/lib/file.tar.gz"),
      ("${P#}", environment["P"] ?? ""), ("${U#x}", ""), ("${S##}", "set"), ("${S#*}", "set"),
      ("${S##*}", ""), ("${S%%*}", ""), ("${STAR#a\\*}", "b?c"), ("${STAR%\\?c}", "a*b"),
      ("${SLASH#x\\/y}", "}z"), ("${SLASH%\\}z}", "x/y"), ("${D#*-*-}", "c"), ("${D##*-}", "c"),
      ("${N#*2}", "line1\nline2"), ("${N#line1}", "\nline2"), ("${S#${S}}", ""),
      ("${P#/usr/*/*/}", "file.tar.gz"),
    ])
  func trimming(text: String, value: String) throws {
    #expect(try expand(text) == value)
  }

  @Test(
    "V3, X9: replacing is greedy, and the replacement literal",
    arguments: [
      ("${D/-/_}", "a_b-c"), ("${D//-/_}", "a_b_c"), ("${D//-/}", "abc"), ("${D/x/y}", "a-b-c"),
      ("${D/a*b/x}", "x-c"), ("${D//*/x}", "x"), ("${D//?/x}", "xxxxx"),
      ("${D///x}", "xax-xbx-xcx"),
      ("${D//-/$A}", "aonebonec"), ("${D//b/$1}", "a--c"), ("${D/b/'$1'}", "a-$1-c"),
      ("${D//b/'$1'}", "a-$1-c"), ("${U/a/b}", ""), ("${SLASH/\\//-}", "x-y}z"),
      ("${STAR//\\*/x}", "axb?c"), ("${STAR/\\?/x}", "a*bxc"), ("${N//*/x}", "x\nx"),
      ("${D/-*-/}", "ac"), ("${D//-?/}", "a"), ("${D/b/\\x}", "a-\\x-c"),
    ])
  func replacing(text: String, value: String) throws {
    #expect(try expand(text) == value)
  }

  @Test(
    "V4: names are letters, digits and _, or one special character, which is unset",
    arguments: [
      ("$ä!", "umlaut!"), ("${_x1}", "under"), ("$_x1", "under"), ("$12a", "a"), ("$1$A", "one"),
      ("$$", ""), ("$$A", "A"), ("$@|$*|$#|$?|$-|$!", "|||||"), ("$A!", "one!"), ("$Aé", ""),
      ("${A}é", "one\u{E9}"), ("$0x", "x"), ("${#}", ""), ("${12}", ""),
    ])
  func names(text: String, value: String) throws {
    #expect(try expand(text) == value)
  }

  @Test(
    "V5: quotes and escapes",
    arguments: [
      ("'$A'", "$A"), ("'a\\b'", "a\\b"), ("'a\"b'", "a\"b"), ("\"$A\"", "one"),
      ("\"a'b\"", "a'b"), ("\"\\$A\"", "$A"), ("\"\\\"\"", "\""), ("\"\\\\\"", "\\"),
      ("\"\\n\"", "\\n"), ("\\$A", "$A"), ("\\n", "n"), ("\\\\", "\\"), ("a\\", "a"),
      ("a\\ b", "a b"), ("a b", "a b"), ("\"\"", ""), ("$Q", "'quoted' \"text\""),
      ("$STAR", "a*b?c"), ("a'b c'd", "ab cd"), ("\"${U:-\"x\"}\"", "x"),
    ])
  func quotes(text: String, value: String) throws {
    #expect(try expand(text) == value)
  }

  @Test(
    "V5: the escape character is the one the directive sets",
    arguments: [
      ("`$A", "$A"), ("\\$A", "\\one"), ("\"`$A\"", "$A"), ("a` b", "a b"), ("C:\\x", "C:\\x"),
      ("\"a`b\"", "a`b"), ("``", "`"), ("${U:-`}}", "}"),
    ])
  func backtick(text: String, value: String) throws {
    #expect(try expand(text, escape: "`") == value)
  }

  @Test(
    "V2: what cannot be expanded",
    arguments: [
      ("${}", "failed to process '${}': syntax error: bad substitution"),
      ("${:-x}", "failed to process '${:-x}': syntax error: bad substitution"),
      ("${{x}", "failed to process '${{x}': syntax error: bad substitution"),
      ("${", "failed to process '${': syntax error: missing '}'"),
      ("${A", "failed to process '${A': syntax error: missing '}'"),
      ("${A:", "failed to process '${A:': syntax error: missing '}'"),
      ("${A:-x", "failed to process '${A:-x': syntax error: missing '}'"),
      ("${A:#x}", "failed to process '${A:#x}': unsupported modifier (:#) in substitution"),
      ("${A:%x}", "failed to process '${A:%x}': unsupported modifier (:%) in substitution"),
      ("${A:=x}", "failed to process '${A:=x}': unsupported modifier (:=) in substitution"),
      ("${A^}", "failed to process '${A^}': unsupported modifier (^) in substitution"),
      ("${A/x}", "failed to process '${A/x}': syntax error: missing '/' in ${}"),
      ("${A/x/y", "failed to process '${A/x/y': syntax error: missing '}'"),
      (
        "'a",
        "failed to process ''a': unexpected end of statement while looking for matching single-quote"
      ),
      (
        "a\"b",
        "failed to process 'a\"b': unexpected end of statement while looking for matching double-quote"
      ),
      ("${U?}", "failed to process '${U?}': U: is not allowed to be unset"),
      ("${U:?}", "failed to process '${U:?}': U: is not allowed to be unset"),
      ("${E:?}", "failed to process '${E:?}': E: is not allowed to be empty"),
      ("${U?give it}", "failed to process '${U?give it}': U: give it"),
      ("${S:-${U:?}}", "failed to process '${S:-${U:?}}': U: is not allowed to be unset"),
      (
        "${A#\\x}",
        "failed to process '${A#\\x}': invalid pattern (\\x) in substitution: invalid escape '\\x'"
      ),
    ])
  func mistakes(text: String, message: String) {
    #expect(failure(text)?.message == message)
  }

  @Test("an error in a long word shows it from where the trouble begins")
  func excerpt() {
    let text = String(repeating: "a", count: 100) + "${U:?}" + String(repeating: "b", count: 100)
    let shown = "${U:?}" + String(repeating: "b", count: 66)
    #expect(
      failure(text)?.message == "failed to process '…\(shown)…': U: is not allowed to be unset")
  }

  @Test(
    "V6: in EXPOSE a value splits at unquoted blanks",
    arguments: [
      ("$L", ["80", "443/tcp"]), ("\"$L\"", ["80 443/tcp"]), ("a${L}b", ["a80", "443/tcpb"]),
      ("$U", []), ("\"\"", []), ("80", ["80"]), ("${U:-1 2}", ["1", "2"]), ("1\\ 2", ["1 2"]),
      ("'1 2' 3", ["1 2", "3"]), ("  1  ", ["1"]), ("$U 1 $U", ["1"]),
    ])
  func splitting(text: String, values: [String]) throws {
    let expansion = WordExpansion { Self.environment[$0] }
    #expect(try expansion.expandToList(Word(raw: text)) == values)
  }

  @Test(
    "V9: in a here-document quotes are text and the escape is a backslash",
    arguments: [
      ("say \"$A\" and '$B'\n", "say \"one\" and 'two'\n"), ("\\$A\n", "$A\n"), ("\\\\\n", "\\\n"),
      ("it's\n", "it's\n"), ("`$A`\n", "`one`\n"), ("${U:-\"d\"}\n", "\"d\"\n"),
      ("a\tb\n", "a\tb\n"),
    ])
  func heredocs(body: String, text: String) throws {
    let expansion = WordExpansion(escape: "`") { Self.environment[$0] }
    #expect(try expansion.expandHeredoc(body) == text)
  }

  @Test("names come in the order of their use, each once")
  func listedNames() {
    #expect(
      WordExpansion.names(in: Word(raw: "$A-${B:-$C}${A}${D/$E/$F}'$G'\\$H${I?x}"))
        == ["A", "C", "B", "E", "F", "D", "I"])
    #expect(WordExpansion.names(in: Word(raw: "$A`$B"), escape: "`") == ["A"])
    #expect(WordExpansion.names(in: Word(raw: "$A ${B ")) == ["A"])
  }

  @Test("a reference that says what happens without a value is guarded")
  func guards() {
    let references = WordExpansion.references(in: Word(raw: "$A${B:-x}${C+y}${D?z}${E#w}"))
    #expect(
      references == [
        .init("A"), .init("B", isGuarded: true), .init("C", isGuarded: true),
        .init("D", isGuarded: true), .init("E"),
      ])
  }

  @Test("a literal word expands to itself, with either escape character")
  func literals() throws {
    for value in ["", "a b", "$A", "'", "\"", "\\", "a\\$b\"c", "ü\n", "${", "`"] {
      #expect(try expand(Word(literal: value).raw) == value)
    }
  }

  @Test("values that grow without end are refused")
  func growth() {
    let mega = String(repeating: "x", count: 1 << 20)
    let expansion = WordExpansion { _ in mega }
    let word = Word(raw: String(repeating: "$A", count: 20))
    #expect(throws: Diagnostic.self) { _ = try expansion.expand(word) }
    #expect(throws: Diagnostic.self) { _ = try expansion.expand(Word(raw: "${A//x/$A}")) }
  }

  @Test("nesting without end is refused, and never a crash")
  func nesting() {
    let text = String(repeating: "${A:-", count: 20_000) + String(repeating: "}", count: 20_000)
    #expect(
      failure(text)?.message.hasSuffix("substitutions are nested more than 100 deep") == true)
    #expect(failure(String(repeating: "\"${A:-", count: 5_000)) != nil)
  }

  @Test("patterns that make others run for ever are done at once")
  func hardPatterns() throws {
    let value = String(repeating: "a", count: 5_000)
    let expansion = WordExpansion { _ in value }
    let pattern = String(repeating: "*a", count: 30) + "b"
    #expect(try expansion.expand(Word(raw: "${V#\(pattern)}")) == value)
    #expect(try expansion.expand(Word(raw: "${V//\(pattern)/x}")) == value)
  }
}
