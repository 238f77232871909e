/// Reads the instructions of a file one after another: lines, directives, here-documents.
///
/// What is wrong is noted and the reading goes on with the next instruction, so that one run tells
/// everything.
struct DockerfileReader {
  /// An instruction, or nil where it is wrong, with what belongs to it.
  struct Item {
    var content: InstructionReader.Content?
    var keyword: String
    var location: SourceLocation
    var comments: [String]
    var innerComments: [InnerComment]
  }

  private(set) var diagnostics: [Diagnostic] = []
  private(set) var errorCount = 0
  /// Comment and blank lines that no instruction has followed so far.
  private(set) var comments: [String] = []
  var directives: StageGraph.Directives { directiveReader.directives }

  private var lines: LineReader
  private var directiveReader = DirectiveReader()
  private let place: InstructionPlace
  private var bytes: [UInt8] { lines.bytes }

  init(_ bytes: [UInt8], place: InstructionPlace) {
    lines = LineReader(bytes)
    self.place = place
  }

  /// Reads instructions out of the middle of a file whose directives are known.
  init(_ text: String, directives: StageGraph.Directives) {
    self.init(Array(text.utf8), place: .fixed(nil))
    directiveReader = DirectiveReader(directives)
  }

  /// The next instruction, nil at the end of the file.
  mutating func next() -> Item? {
    while let first = nextLine() {
      let start = Blanks.trimmedStart(first.content, in: bytes)
      if bytes[start].first == UInt8(ascii: "#") {
        readComment(start, of: first)
        continue
      }
      directiveReader.finish()
      let (part, continues) = withoutContinuation(start)
      if part.isEmpty, !continues {
        if comments.last?.isEmpty != true { comments.append("") }
        continue
      }
      var line = LogicalLine()
      line.append(part, of: first, in: bytes)
      let last = continues ? join(to: &line, after: first) : first
      return readInstruction(line, first: first, last: last)
    }
    return nil
  }

  // MARK: - Lines

  private mutating func nextLine() -> LineReader.Line? {
    guard let line = lines.next() else { return nil }
    if line.isTooLong(in: bytes) {
      note(
        Diagnostic(
          "the line is longer than \(LineReader.longestLine) bytes",
          at: location(line.content.prefix(1), of: line),
          help: "break it with the escape character"))
    }
    return line
  }

  private mutating func readComment(_ range: Range<Int>, of line: LineReader.Line) {
    do {
      if try directiveReader.read(bytes[range], number: line.number) { return }
    } catch {
      var diagnostic = error
      diagnostic.location = location(range, of: line)
      note(diagnostic)
      return
    }
    comments.append(commentText(range))
  }

  private func commentText(_ range: Range<Int>) -> String {
    String(decoding: bytes[Blanks.trimmed(range, in: bytes)], as: UTF8.self)
  }

  /// A line's content up to an escape character at its end, and whether there is one (L3).
  private func withoutContinuation(_ content: Range<Int>) -> (Range<Int>, Bool) {
    let escape = directiveReader.escape
    var end = content.upperBound
    while end > content.lowerBound, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
    guard end > content.lowerBound, bytes[end - 1] == escape,
      end - 1 == content.lowerBound || bytes[end - 2] != escape
    else { return (content, false) }
    return (content.lowerBound..<end - 1, true)
  }

  /// Joins continuation lines; comment lines among them vanish, and so do empty ones (L4).
  private mutating func join(
    to line: inout LogicalLine, after first: LineReader.Line
  ) -> LineReader.Line {
    var last = first
    while let next = nextLine() {
      let trimmed = Blanks.trimmedStart(next.content, in: bytes)
      if trimmed.isEmpty {
        line.emptyLine = line.emptyLine ?? next.number
        continue
      }
      if bytes[trimmed].first == UInt8(ascii: "#") {
        line.append(comment: commentText(trimmed))
        continue
      }
      last = next
      let (part, continues) = withoutContinuation(next.content)
      line.append(part, of: next, in: bytes)
      if !continues { break }
    }
    return last
  }

  // MARK: - Instructions

  private mutating func readInstruction(
    _ line: LogicalLine, first: LineReader.Line, last: LineReader.Line
  ) -> Item {
    var reader = InstructionReader(line, escape: directiveReader.escape, place: place)
    var item = Item(
      content: nil, keyword: reader.keyword,
      location: place.location(0..<line.text.count, in: line),
      comments: comments,
      innerComments: line.innerComments)
    comments = []
    var isReadable = checkText(line)
    var end = last
    for word in reader.heredocWords {
      if let heredoc = readBody(word, line: line, last: &end) {
        reader.heredocs.append(heredoc)
      } else {
        isReadable = false
        break
      }
    }
    extend(&item.location, to: end)
    warnAboutEmptyLine(line, item.location)
    guard isReadable else { return item }
    do {
      item.content = try reader.read()
    } catch {
      note(error)
    }
    for warning in reader.warnings { note(warning) }
    return item
  }

  /// Reads the lines up to the terminator; nil where there is none, or where they are no text.
  private mutating func readBody(
    _ word: HeredocWord, line: LogicalLine, last: inout LineReader.Line
  ) -> Heredoc? {
    let terminator = Array(word.name.utf8)
    let start = lines.number
    var body: Range<Int>?
    /// The first line that is the terminator but for blanks around it.
    var nearMiss: SourceLocation?
    while let next = nextLine() {
      last = next
      var compared = bytes[next.content]
      if word.stripsTabs { compared = compared.drop { $0 == 0x09 } }
      if compared.elementsEqual(terminator) {
        let content = bytes[body ?? next.start..<next.start]
        let text = String(decoding: content, as: UTF8.self)
        guard text.utf8.elementsEqual(content) else {
          note(
            Diagnostic(
              "the here-document '\(word.name)' is not UTF-8 text",
              at: place.location(0..<line.text.count, in: line),
              help: "put the file into the build context and copy it"))
          return nil
        }
        return Heredoc(word, body: text)
      }
      body = (body?.lowerBound ?? next.start)..<next.whole.upperBound
      let trimmed = Blanks.trimmed(next.content, in: bytes)
      if nearMiss == nil, bytes[trimmed].elementsEqual(terminator) {
        nearMiss = location(trimmed, of: next)
      }
    }
    note(
      Diagnostic(
        "unterminated heredoc: no line after line \(start) is '\(word.name)'",
        at: place.location(0..<line.text.count, in: line),
        notes: nearMiss.map {
          [Diagnostic.Note("'\(word.name)' stands here, with blanks around it", at: $0)]
        } ?? [],
        help: nearMiss == nil
          ? "end the text with a line that holds '\(word.name)' and nothing else"
          : "remove the blanks; after '<<-\(word.name)' tabs in front of it do not count"))
    return nil
  }

  /// Notes what no instruction can hold.
  private mutating func checkText(_ line: LogicalLine) -> Bool {
    if line.text.allSatisfy({ $0 < 0x80 && $0 != 0 }) { return true }
    let text = String(decoding: line.text, as: UTF8.self)
    var problem: (offset: Int, message: String)?
    if !text.utf8.elementsEqual(line.text) {
      let same = zip(text.utf8, line.text).prefix { $0 == $1 }.count
      problem = (min(same, line.text.count - 1), "the text is not UTF-8")
    } else if let offset = line.text.firstIndex(of: 0) {
      problem = (offset, "the text holds a zero byte")
    }
    guard let problem else { return true }
    note(
      Diagnostic(
        problem.message,
        at: place.location(problem.offset..<problem.offset + 1, in: line),
        help: "save the file as UTF-8 text"))
    return false
  }

  private mutating func note(_ diagnostic: Diagnostic) {
    if diagnostic.severity == .error { errorCount += 1 }
    diagnostics.append(diagnostic)
  }

  private mutating func warnAboutEmptyLine(_ line: LogicalLine, _ location: SourceLocation) {
    guard let number = line.emptyLine, case .file(let name, let path) = place else { return }
    note(
      Diagnostic(
        "empty continuation line", severity: .warning, id: "NoEmptyContinuation",
        at: SourceLocation(file: name, path: path, line: number, column: 1),
        notes: [Diagnostic.Note("in the instruction that starts here", at: location)],
        help: "remove the line, or make it a comment"))
  }

  // MARK: - Places

  private func extend(_ location: inout SourceLocation, to line: LineReader.Line) {
    guard case .file = place, line.number > location.endLine else { return }
    location.endLine = line.number
    location.endColumn = line.content.count + 1
  }

  private func location(_ range: Range<Int>, of line: LineReader.Line) -> SourceLocation {
    var whole = LogicalLine()
    whole.append(line.content, of: line, in: bytes)
    let offset = range.lowerBound - line.start
    return place.location(offset..<offset + range.count, in: whole)
  }
}
