import Glibc
import PipelineDSL
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite struct UserDatabaseTests {
  let tree: TemporaryTree
  let users: UserDatabase

  init() throws {
    tree = try TemporaryTree()
    try tree.file(
      "etc/passwd",
      """
      # comment:x:9:9::/:
      root:x:0:0:root:/root:/bin/sh
      app:x:1000:2000:App:/home/app:/bin/sh\r
      second:x:1000:3000::/second:/bin/sh
      broken:x:zero:zero::/broken:/bin/sh
      huge:x:4294967296:4294967295::/huge:/bin/sh
      nohome:x:77:78
      """)
    try tree.file(
      "etc/group",
      "root:x:0:\nwheel:x:10:root,app\naudio:x:29:app\nstaff:x:50:second\napps:x:2000:\n")
    users = try UserDatabase(root: TreeAccess.openDirectory(tree.path))
  }

  private func message(_ body: () throws -> some Any) -> String {
    do {
      _ = try body()
      return "no error"
    } catch let error as Diagnostic {
      return error.message
    } catch {
      return "\(error)"
    }
  }

  @Test("a name gives the primary group and every supplementary one (R4)")
  func name() throws {
    #expect(
      try users.process(user: "app")
        == .init(uid: 1000, gid: 2000, groups: [10, 29], home: Array("/home/app".utf8)))
  }

  @Test("a numeric uid that passwd knows has that entry's groups (R4)")
  func knownNumber() throws {
    #expect(
      try users.process(user: "1000")
        == .init(uid: 1000, gid: 2000, groups: [10, 29], home: Array("/home/app".utf8)))
  }

  @Test("a numeric uid that passwd does not know has gid 0 (R4)")
  func unknownNumber() throws {
    #expect(try users.process(user: "4711") == .init(uid: 4711, gid: 0, groups: [], home: nil))
  }

  @Test("with a group, only that group counts (R4)")
  func userAndGroup() throws {
    let home = Array("/home/app".utf8)
    #expect(
      try users.process(user: "app:audio") == .init(uid: 1000, gid: 29, groups: [], home: home))
    #expect(try users.process(user: "app:5") == .init(uid: 1000, gid: 5, groups: [], home: home))
    #expect(try users.process(user: "1000:5") == .init(uid: 1000, gid: 5, groups: [], home: home))
  }

  @Test("oddities read as runc reads them", arguments: [("0:", 0, 0), (":29", 0, 29), ("", 0, 0)])
  func oddities(user: String, uid: UInt32, gid: UInt32) throws {
    let identity = try users.process(user: user)
    #expect(identity.uid == uid)
    #expect(identity.gid == gid)
  }

  @Test("an unknown name is an error that names the file")
  func unknownName() {
    #expect(
      message { try users.process(user: "joe") } == "no user 'joe' in /etc/passwd of the image")
    #expect(
      message { try users.process(user: "app:joe") } == "no group 'joe' in /etc/group of the image")
    #expect(message { try users.owner("joe") } == "no user 'joe' in /etc/passwd of the image")
    #expect(message { try users.owner("0:joe") } == "no group 'joe' in /etc/group of the image")
    #expect(message { try users.owner("app:") } == "the group in 'app:' is empty")
    #expect(message { try users.owner(":0") } == "the user in ':0' is empty")
  }

  @Test(
    "numbers that are no ids are errors, never root (threat 21)",
    arguments: [
      "4294967296", "4294967295", "-1", "18446744073709551616", "99999999999999999999999",
    ])
  func badNumbers(text: String) {
    #expect(message { try users.process(user: text) } == "'\(text)' is no user or group id")
    #expect(message { try users.owner("0:\(text)") } == "'\(text)' is no user or group id")
  }

  @Test("2147483648 is itself (threat 21)")
  func highBit() throws {
    #expect(try users.process(user: "2147483648:0").uid == 2_147_483_648)
    #expect(try users.owner("2147483648").gid == 2_147_483_648)
  }

  @Test("passwd entries whose ids are no numbers do not exist", arguments: ["broken", "huge"])
  func brokenEntries(name: String) {
    #expect(
      message { try users.process(user: name) } == "no user '\(name)' in /etc/passwd of the image")
  }

  @Test("a file's owner: a lone number is also the group, a name has its primary group (C8)")
  func owners() throws {
    #expect(try users.owner("12") == (12, 12))
    #expect(try users.owner("app") == (1000, 2000))
    #expect(try users.owner("app:audio") == (1000, 29))
    #expect(try users.owner("12:audio") == (12, 29))
    #expect(try users.owner("root") == (0, 0))
    #expect(try users.owner("1000") == (1000, 1000))
  }

  @Test("a file's owner by numbers alone needs no file (X7)")
  func numericOwners() throws {
    #expect(try UserDatabase.numericOwner("root:5").map { [$0.uid, $0.gid] } == [0, 5])
    #expect(try UserDatabase.numericOwner("7").map { [$0.uid, $0.gid] } == [7, 7])
    #expect(try UserDatabase.numericOwner("app") == nil)
    #expect(try UserDatabase.numericOwner("7:app") == nil)
  }

  @Test("without files, root:root works and root does not (R4)")
  func scratch() throws {
    let empty = try TemporaryTree()
    let users = try UserDatabase(root: TreeAccess.openDirectory(empty.path))
    #expect(try users.process(user: "root:root") == .init(uid: 0, gid: 0, groups: [], home: nil))
    #expect(try users.process(user: "7") == .init(uid: 7, gid: 0, groups: [], home: nil))
    #expect(
      message { try users.process(user: "root") } == "no user 'root' in /etc/passwd of the image")
    #expect(try users.owner("root") == (0, 0))
  }

  @Test(
    "passwd as a fifo, a directory or too large is an error, and numbers still work (threat 21)")
  func hostileFiles() throws {
    let hostile = try TemporaryTree()
    try hostile.directory("etc")
    let users = try UserDatabase(root: TreeAccess.openDirectory(hostile.path))
    let passwd = hostile["etc/passwd"]
    passwd.withPlatformString { _ = mkfifo($0, 0o644) }
    #expect(message { try users.owner("app") } == "/etc/passwd of the image is not a regular file")
    #expect(try users.process(user: "5:6").uid == 5)
    TemporaryTree.remove(passwd)
    try hostile.directory("etc/passwd")
    #expect(message { try users.owner("app") } == "/etc/passwd of the image is not a regular file")
    TemporaryTree.remove(passwd)
    try hostile.file("etc/passwd", "app:x:1:1::/:\n")
    #expect(passwd.withPlatformString { truncate($0, 5 << 30) } == 0)
    #expect(
      message { try users.owner("app") }
        == "/etc/passwd of the image has 5368709120 bytes; more than 10 MiB are not read")
  }

  @Test("passwd as a link stays inside the root (threats 12 and 21)")
  func links() throws {
    let linked = try TemporaryTree()
    try linked.directory("etc")
    try linked.symlink("etc/passwd", to: "/../../../etc/passwd-elsewhere")
    try linked.file("etc/passwd-elsewhere", "inside:x:5:6::/:\n")
    try linked.symlink("etc/group", to: "/dev/zero")
    let users = try UserDatabase(root: TreeAccess.openDirectory(linked.path))
    #expect(try users.owner("inside") == (5, 6))
    #expect(message { try users.owner("0:g") } == "no group 'g' in /etc/group of the image")
    try linked.directory("dev")
    linked["dev/zero"].withPlatformString { _ = mknod($0, S_IFCHR | 0o666, 0x105) }
    #expect(message { try users.owner("0:g") } == "/etc/group of the image is not a regular file")
  }

  @Test("a group file of a million lines is read to its end (threat 21)")
  func longFile() throws {
    let long = try TemporaryTree()
    var text: [UInt8] = []
    for _ in 0..<1_000_000 { text += Array("g:x:1:\n".utf8) }
    text += Array("last:x:5:\n".utf8)
    try long.file(bytes: Array("etc/group".utf8), text)
    let users = try UserDatabase(root: TreeAccess.openDirectory(long.path))
    #expect(try users.owner("0:last") == (0, 5))
  }
}
