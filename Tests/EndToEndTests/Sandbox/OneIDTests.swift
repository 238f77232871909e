import Foundation
import Testing

/// Building as a user who has no subordinate ids, so that every file there is the same user's.
@Suite("Building with one id")
struct OneIDTests {
  /// A base whose files have all kinds of owners, devices and capabilities.
  private static let foreign = """
    FROM base
    RUN mkdir -p /etc /srv/d /home/app && chmod 1777 /srv && \\
      printf 'root:x:0:0::/:/bin/sh\\napp:x:1000:1000::/home/app:/bin/sh\\n' > /etc/passwd && \\
      printf 'root:x:0:\\napp:x:1000:\\nstaff:x:50:app\\n' > /etc/group && \\
      printf x > /srv/f && ln -s f /srv/l && mkfifo /srv/p && touch /srv/d/e && \\
      mknod /srv/c c 1 3 && mknod -m 600 /srv/b b 7 0 && chown -hR 5:6 /srv/d /srv/f && \\
      chown -h 7:8 /srv/l && chown 9:10 /srv/p /srv/c && chown app:app /home/app && \\
      mkdir /srv/staff && chown 0:50 /srv/staff && chmod 2775 /srv/staff && \\
      cp /bin/busybox /srv/su && chown 3:4 /srv/su && chmod 6755 /srv/su

    """

  private static let dockerfile = """
    FROM foreign AS again
    FROM foreign
    COPY --from=again /srv /copy
    COPY --chown=app:staff files /files
    RUN chown 11:12 /files/a && chown -h 13:14 /files/l && chown 5:15 /srv/f && rm /srv/d/e && \\
      mv /srv/l /srv/m && ln /srv/f /srv/g && mknod /null c 1 3 && mkfifo -m 600 /fifo
    RUN touch /srv/staff/f && mkdir /srv/staff/d && ln -s x /srv/staff/d/l && \\
      touch /srv/staff/r && chown 0:0 /srv/staff/r && chmod 4755 /bin/vi
    USER app
    WORKDIR /home/app/w
    RUN id -u > id && mkdir d && touch d/f && ln -s f d/l && ln d/f d/g && chgrp staff d/f && \\
      echo x > /srv/mine && echo y >> /files/d/a && ! chown 0 d/f
    RUN --mount=type=secret,id=s,uid=1000,mode=0400 cat /run/secrets/s > s
    COPY --chown=1:2 <<text /here
      text
    text
    ADD --chown=16:17 files.tar /unpacked/
    USER 0:50
    RUN id -g > /group && touch /of-group
    """

  private func makeSite() throws -> BuildSite {
    let site = try BuildSite()
    let script = """
      mkdir -p files/d && echo a > files/a && ln -s a files/l && ln files/a files/b
      echo c > files/d/a && tar cf files.tar --owner=1:1 --group=2:2 files && chmod -R a+rX .
      """
    let made = try ProgramRun.wait(for: "sh", ["-ec", script], in: site.context)
    try #require(made.status == 0, "\(made.errors)")
    return site
  }

  private static let options = [
    "-t", "app", "--source-date-epoch", "1000", "--secret", "id=s,env=HOME",
  ]

  /// What a build says that it made.
  private static func digest(_ run: ProgramRun) throws -> Substring {
    try #require(run.status == 0, "\(run.errors)")
    return try #require(run.errors.split(separator: "\n").first { $0.hasPrefix("built sha256:") })
      .split(separator: " ")[1]
  }

  @Test("the image is root's, again from the cache, and with subordinate ids in the same place")
  func sameDigest() async throws {
    let site = try makeSite()
    try site.write(BuildSite.base + Self.foreign, to: "Foreign")
    try site.write(Self.dockerfile, to: "Dockerfile")
    let layout = site.path("foreign")
    let made = try await BuiltProgram.run(
      "pipeline",
      [
        "build", "-f", "\(site.context)/Foreign", "--source-date-epoch", "1000", "-o",
        "type=oci,tar=false,dest=\(layout)", site.context,
      ], state: site.state)
    try #require(made.status == 0, "\(made.errors)")
    let options = Self.options + ["--build-context", "foreign=oci-layout://\(layout)"]
    func outputs(_ name: String) -> [String] {
      ["-o", "type=tar,dest=\(site.path("user"))/\(name).tar"]
    }
    var user = try OrdinaryUser(site, subordinate: OrdinaryUser.noIDs)
    // HOME is the secret's value.
    let asRoot = try await BuiltProgram.run(
      "pipeline",
      ["build", "--progress", "plain"] + options + outputs("root") + [site.context],
      state: site.state, environment: ["HOME": user.state])
    let wanted = try Self.digest(asRoot)
    let first = try await user.build(options + outputs("one"))
    #expect(try Self.digest(first) == wanted)
    let notice = """
      warning: this build has one id: 'e2e-builder' has no subordinate ids in /etc/subuid and \
      /etc/subgid; other owners of files are recorded for the image, and a command that changes to \
      another user goes on as root
      help: for more, have root run: usermod --add-subuids 100000-165535 --add-subgids \
      100000-165535 e2e-builder

      """
    #expect(first.errors.components(separatedBy: notice).count == 2, "\(first.errors)")
    let second = try await user.build(options)
    #expect(try Self.digest(second) == wanted)
    #expect(second.errors.contains(": 0 ran, "), "\(second.errors)")
    user.subordinate = OrdinaryUser.ids
    let third = try await user.build(options + outputs("many"))
    #expect(try Self.digest(third) == wanted)
    #expect(!third.errors.contains("one id"), "\(third.errors)")
    user.subordinate = OrdinaryUser.noIDs
    let fourth = try await user.build(options)
    #expect(try Self.digest(fourth) == wanted)
    #expect(fourth.errors.contains(": 0 ran, "), "\(fourth.errors)")
    // A directory is the user's own, without what only a layer needs.
    let directory = "\(user.state)/out"
    let fifth = try await user.build(options + ["-o", directory])
    #expect(fifth.status == 0, "\(fifth.errors)")
    let found = try ProgramRun.wait(
      for: "sh",
      [
        "-c",
        "getfattr -R -d -m user.pipeline \(directory); find \(directory) ! -user \(OrdinaryUser.id)"
          + " -o -type c; cat \(directory)/files/l; ls \(directory)/srv",
      ])
    #expect(found.text == "a\nd\nf\ng\nm\nmine\np\nstaff\nsu\n", "\(found.errors)")
    // The whole root file system, layers merged by each of them.
    let files = try ["root", "one", "many"].map {
      try Data(contentsOf: URL(fileURLWithPath: "\(user.state)/\($0).tar"))
    }
    #expect(files[0] == files[1])
    #expect(files[0] == files[2])
  }

  @Test("commands that change to another user go on, and are told")
  func otherUsers() async throws {
    let site = try makeSite()
    let user = try OrdinaryUser(site, subordinate: OrdinaryUser.noIDs)
    try site.write(
      BuildSite.base + Self.foreign + """
        RUN su app -c 'id -u; id -g; ! su root -c true' && id -u && su app -c 'id -G'
        RUN id -u && chown app /srv/f && stat -c %u /srv/f
        RUN chgrp 50 /srv/f && mknod /srv/n c 1 3 && test ! -c /srv/n -a -f /srv/n
        RUN chown 5 /dev/stdout && chown 5 /proc/self/fd/1 && ! chown 5 /missing
        """, to: "Dockerfile")
    let output = "\(user.state)/out.tar"
    let run = try await user.build(["-o", "type=tar,dest=\(output)"])
    try #require(run.status == 0, "\(run.errors)")
    let listing = try ProgramRun.wait(for: "tar", ["tvf", output, "--numeric-owner"]).text
    // busybox says which user the file has with every change of the group.
    #expect(listing.contains("-rw-r--r-- 0/50 "), "\(listing)")
    #expect(listing.contains("crw-r--r-- 0/0 "), "\(listing)")
    let printed = run.errors.split(separator: "\n").compactMap { line in
      line.components(separatedBy: " | ").dropFirst().first
    }
    #expect(
      printed == [
        "1000", "1000", "su: must be suid to work properly", "0", "1000 50",
        "note: this command changed to the ids 1000 and went on as root all the same: this build"
          + " has one id", "0", "0", "chown: /missing: No such file or directory",
      ])
  }

  @Test("recording an owner reaches nothing outside of the root")
  func containment() async throws {
    let site = try makeSite()
    let user = try OrdinaryUser(site, subordinate: OrdinaryUser.noIDs)
    let program = try user.program()
    let canary = "\(user.state)/canary"
    let made = try ProgramRun.wait(
      for: "sh", ["-ec", "echo x > \(canary); chown \(OrdinaryUser.id) \(canary) \(program)"])
    try #require(made.status == 0, "\(made.errors)")
    try site.write(
      BuildSite.base + """
        RUN ln -s \(canary) /out; ln -s /proc/1/exe /exe; ln -s /proc/1/root\(canary) /root; \\
          for i in /out /exe /root /proc/1/exe /proc/1/root\(canary) /proc/self/exe \\
            /proc/1/cwd/../../../..\(canary) /../..\(canary) /proc/sys/kernel/hostname; do \\
            chown 77 $i; chown -h 77 $i; mknod $i c 1 3; mknod $i/x c 1 3; done; true
        RUN --mount=type=bind,target=/context ! chown 77 /context/busybox
        RUN mkdir /jail && cp /bin/busybox /jail && cd /jail && ln -s /bin/sh sh && \\
          chroot /jail /busybox sh -c '/busybox chown 88 /busybox ../../bin/busybox; \\
          /busybox chown 88 /sh'; cd /bin && chown 89 ../bin/vi
        """, to: "Dockerfile")
    let output = "\(user.state)/out.tar"
    let run = try await user.build(["-o", "type=tar,dest=\(output)"])
    try #require(run.status == 0, "\(run.errors)")
    for file in [canary, program, "\(site.context)/busybox"] {
      let attributes = try ProgramRun.wait(for: "getfattr", ["-d", "-m", "-", file])
      #expect(attributes.text == "", "\(file)")
    }
    #expect(try String(contentsOfFile: canary, encoding: .utf8) == "x\n")
    let listing = try ProgramRun.wait(for: "tar", ["tvf", output, "--numeric-owner"]).text
      .split(separator: "\n")
    func owner(_ name: String) -> Substring? {
      listing.first { $0.contains(" \(name)") }?.split(separator: " ")[1]
    }
    // Links themselves were given away, where chown -h named them.
    #expect(owner("exe ->") == "77/0")
    #expect(owner("jail/busybox") == "88/0")
    #expect(owner("bin/busybox") == "0/0")
    #expect(owner("bin/vi") == "89/0")
  }

  @Test("without newuidmap there is one id too")
  func noProgram() async throws {
    let site = try makeSite()
    var user = try OrdinaryUser(site, subordinate: OrdinaryUser.ids)
    user.path = "/nowhere"
    try site.write(BuildSite.base, to: "Dockerfile")
    let run = try await user.build([])
    #expect(run.status == 0, "\(run.errors)")
    #expect(
      run.errors.hasPrefix(
        "warning: this build has one id: the program 'newuidmap' is not installed; other owners"))
  }

  @Test("a file system that keeps no records is refused")
  func unusable() async throws {
    let site = try makeSite()
    var user = try OrdinaryUser(site, subordinate: OrdinaryUser.noIDs)
    user.preparation =
      "mount -t ramfs none \(user.state); chown \(OrdinaryUser.id) \(user.state)"
    try site.write(BuildSite.base, to: "Dockerfile")
    let run = try await user.build([])
    #expect(run.status == 1)
    #expect(
      run.errors.hasSuffix(
        """
        error: the file system of the state directory '\(user.state)/one-id' cannot keep the owners \
        of files
        help: give a directory on ext4, XFS or Btrfs with --state-dir, or have subordinate ids

        """), "\(run.errors)")
  }

  @Test("a failure says what one id has to do with it")
  func failure() async throws {
    let site = try makeSite()
    let user = try OrdinaryUser(site, subordinate: OrdinaryUser.noIDs)
    try site.write(BuildSite.base + "RUN false\n", to: "Dockerfile")
    let run = try await user.build([])
    #expect(run.status == 1)
    #expect(
      run.errors.contains(
        "note: this build has one id: a command that needs another user's cannot work in it"),
      "\(run.errors)")
  }
}
