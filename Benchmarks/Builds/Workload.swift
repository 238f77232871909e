import Foundation

/// A build that every engine does: a Dockerfile, the files it reads, and one edit to them.
struct Workload: Sendable {
  var name: String
  /// What is changed between the second and the third build, in words.
  var edit: String
  var dockerfile: String
  /// Writes the files that the Dockerfile copies.
  var prepare: @Sendable (URL) throws -> Void = { _ in }
  /// Changes one of them.
  var change: @Sendable (URL) throws -> Void

  /// Files that only a base image brings: a command in an image that has to be pulled first.
  static func pulling(_ reference: String) -> Workload {
    Workload(
      name: "RUN on a pulled base", edit: "a file copied after it",
      dockerfile: "FROM \(reference)\nRUN python3 --version > /version\nCOPY input /input\n",
      prepare: { try write("1\n", to: "input", in: $0) },
      change: { try write("2\n", to: "input", in: $0) })
  }

  /// The others start from Debian's static busybox, so that no engine has to pull.
  private static let base = """
    FROM scratch AS base
    COPY busybox /bin/busybox
    RUN ["/bin/busybox", "--install", "/bin"]
    FROM base

    """

  static let all = [chained, parallel, manyFiles, largeLayer, stages]

  private static let chained = Workload(
    name: "20 chained RUNs", edit: "a file that the tenth reads",
    dockerfile: base
      + (1...20).map { number in
        number == 10
          ? "COPY input /input\nRUN cat /input > /out.\(number)"
          : "RUN echo \(number) > /out.\(number)"
      }.joined(separator: "\n") + "\n",
    prepare: { try write("1\n", to: "input", in: $0) },
    change: { try write("2\n", to: "input", in: $0) })

  private static let parallel = Workload(
    name: "8 parallel stages", edit: "a file that one of them reads",
    dockerfile: base.replacingOccurrences(of: "FROM base\n", with: "")
      + (1...8).map { number in
        """
        FROM base AS s\(number)
        COPY input.\(number) /input
        RUN sleep 0.2; sha256sum /input > /out

        """
      }.joined()
      + "FROM base\n"
      + (1...8).map { "COPY --from=s\($0) /out /out.\($0)\n" }.joined(),
    prepare: { directory in
      for number in 1...8 { try write("\(number)\n", to: "input.\(number)", in: directory) }
    },
    change: { try write("changed\n", to: "input.3", in: $0) })

  private static let manyFiles = Workload(
    name: "COPY of 30,000 files", edit: "one of the files",
    dockerfile: base + "COPY tree /tree\n",
    prepare: { directory in
      for folder in 0..<300 {
        let path = directory.appendingPathComponent("tree/\(folder)")
        try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
        for file in 0..<100 {
          let filling = String(repeating: "x", count: (folder * 37 + file) % 4096)
          let text = "\(folder)/\(file)\n\(filling)"
          try write(text, to: "tree/\(folder)/\(file).txt", in: directory)
        }
      }
    },
    change: { try write("changed\n", to: "tree/150/50.txt", in: $0) })

  private static let largeLayer = Workload(
    name: "500 MB layer", edit: "a file copied after it",
    dockerfile: base
      + """
      RUN i=0; while [ $i -lt 50 ]; do head -c 10485760 /dev/urandom > /data.$i; i=$((i+1)); done
      COPY input /input

      """,
    prepare: { try write("1\n", to: "input", in: $0) },
    change: { try write("2\n", to: "input", in: $0) })

  /// Each stage has one layer: Docker's own store stacks no more than 125.
  private static let stages = Workload(
    name: "200 chained stages", edit: "the file that is handed on",
    dockerfile: "FROM scratch AS s0\nCOPY input /input\n"
      + (1...200).map { number in
        "FROM scratch AS s\(number)\nCOPY --from=s\(number - 1) /input /input\n"
      }.joined(),
    prepare: { try write("1\n", to: "input", in: $0) },
    change: { try write("2\n", to: "input", in: $0) })

  /// Writes everything that a build of this workload reads.
  func make(in directory: URL) throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      at: URL(fileURLWithPath: "/bin/busybox"), to: directory.appendingPathComponent("busybox"))
    try Self.write(dockerfile, to: "Dockerfile", in: directory)
    try prepare(directory)
  }

  private static func write(_ text: String, to name: String, in directory: URL) throws {
    try Data(text.utf8).write(to: directory.appendingPathComponent(name))
  }
}
