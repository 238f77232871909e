import PipelineDSL
import Testing

@Suite("Reading of mounts")
struct MountSpecificationTests {
  private let location = PipelineDSL.SourceLocation(file: "Dockerfile", line: 3, column: 1)

  private func read(_ text: String) throws(Diagnostic) -> MountSpecification {
    let fields = text.split(separator: ",").map { field in
      let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return Mount.Field(String(parts[0]), parts.count > 1 ? Word(raw: String(parts[1])) : nil)
    }
    let expansion = WordExpansion { ["DIR": "/cache", "KIND": "cache"][$0] }
    return try MountSpecification(Mount(fields), at: location) { (word) throws(Diagnostic) in
      try expansion.expand(word)
    }
  }

  private func failure(_ text: String) -> Diagnostic? {
    do {
      _ = try read(text)
      return nil
    } catch {
      return error
    }
  }

  @Test("R5, R6: a bind mount is the default, of the context and read-only")
  func bind() throws {
    #expect(
      try read("target=/src")
        == .bind(from: nil, source: "", target: "/src", isReadOnly: true))
    #expect(
      try read("type=bind,from=build,source=/out,dst=/in,rw")
        == .bind(from: "build", source: "/out", target: "/in", isReadOnly: false))
    #expect(
      try read("src=a,destination=b,readwrite=true")
        == .bind(from: nil, source: "a", target: "b", isReadOnly: false))
    #expect(
      try read("TYPE=BIND,Target=/x,ro=0")
        == .bind(from: nil, source: "", target: "/x", isReadOnly: false))
  }

  @Test("R7: a cache mount is writable, shared and 0755")
  func cache() throws {
    #expect(
      try read("type=cache,target=/c")
        == .cache(
          .init(
            id: nil, target: "/c", from: nil, source: "", isReadOnly: false, sharing: .shared,
            mode: 0o755, uid: 0, gid: 0)))
    #expect(
      try read(
        "type=$KIND,target=${DIR}/pip,id=pip,sharing=LOCKED,mode=1777,uid=10,gid=20,from=a,src=/s,ro"
      )
        == .cache(
          .init(
            id: "pip", target: "/cache/pip", from: "a", source: "/s", isReadOnly: true,
            sharing: .locked, mode: 0o1777, uid: 10, gid: 20)))
  }

  @Test(
    "R8: tmpfs sizes take units",
    arguments: [
      ("1000", 1000), ("1b", 1), ("1k", 1024), ("64m", 64 << 20), ("64MB", 64 << 20),
      ("2GiB", 2 << 30), ("0.5k", 512), ("1 kb", 1024), ("1t", 1 << 40), ("1.", 1),
    ] as [(String, Int64)])
  func sizes(text: String, size: Int64) throws {
    #expect(try read("type=tmpfs,target=/t,size=\(text)") == .tmpfs(target: "/t", size: size))
  }

  @Test(
    "R8: what is no size",
    arguments: ["", "m", "-1", "1x", "1kbb", "1bb", "1e3k", "..", "inf", "99999999t", "1  k"])
  func badSizes(text: String) {
    #expect(
      failure("type=tmpfs,target=/t,size=\(text)")?.message == "invalid value for size: '\(text)'")
  }

  @Test("R8: a tmpfs needs no size, and 0 is none")
  func unlimited() throws {
    #expect(try read("type=tmpfs,target=/t") == .tmpfs(target: "/t", size: nil))
    #expect(try read("type=tmpfs,target=/t,size=0") == .tmpfs(target: "/t", size: nil))
  }

  @Test("R8: where a secret's name and place come from")
  func secrets() throws {
    func secret(
      _ id: String, _ target: String?, variable: String? = nil, isRequired: Bool = false
    ) -> MountSpecification {
      .secret(
        .init(
          id: id, target: target, variable: variable, isRequired: isRequired, mode: 0o400, uid: 0,
          gid: 0))
    }
    #expect(try read("type=secret,id=t") == secret("t", "/run/secrets/t"))
    #expect(try read("type=secret,source=t") == secret("t", "/run/secrets/t"))
    #expect(try read("type=secret,id=a/b") == secret("a/b", "/run/secrets/b"))
    #expect(try read("type=secret,target=/etc/key") == secret("key", "/etc/key"))
    #expect(try read("type=secret,id=t,env=T") == secret("t", nil, variable: "T"))
    #expect(try read("env=T,type=secret,id=t") == secret("t", nil, variable: "T"))
    #expect(try read("type=secret,id=t,env=") == secret("t", nil, variable: "t"))
    #expect(try read("type=secret,id=t,env=T,target=/t") == secret("t", "/t", variable: "T"))
    #expect(
      try read("type=secret,id=t,required") == secret("t", "/run/secrets/t", isRequired: true))
    #expect(
      try read("type=secret,id=t,required=true,mode=0444,uid=1,gid=2")
        == .secret(
          .init(
            id: "t", target: "/run/secrets/t", variable: nil, isRequired: true, mode: 0o444, uid: 1,
            gid: 2)))
  }

  @Test("R8: an ssh mount")
  func ssh() throws {
    #expect(
      try read("type=ssh")
        == .ssh(
          .init(id: "default", target: nil, isRequired: false, mode: 0o600, uid: 0, gid: 0)))
    #expect(
      try read("type=ssh,id=gh,target=/s,required=1,mode=0660,uid=7")
        == .ssh(.init(id: "gh", target: "/s", isRequired: true, mode: 0o660, uid: 7, gid: 0)))
  }

  @Test(
    "R5: what is refused, and what to do about it",
    arguments: [
      ("sorce=a", "unexpected key 'sorce' in 'sorce=a'", "did you mean 'source'?"),
      ("type=cahce", "unsupported mount type 'cahce'", "did you mean 'cache'?"),
      (
        "type=volume", "unsupported mount type 'volume'",
        "the types are bind, cache, tmpfs, secret and ssh"
      ),
      ("target", "invalid field 'target' must be a key=value pair", "write target=…"),
      ("shraing", "unexpected key 'shraing' in 'shraing'", "did you mean 'sharing'?"),
      (
        "size=1,type=tmpfs,target=/t", "unexpected key 'size' for mount type 'bind'",
        "size belongs to type=tmpfs, which stands before it"
      ),
      (
        "required,type=secret", "unexpected key 'required' for mount type 'bind'",
        "required belongs to type=secret or type=ssh, which stands before it"
      ),
      (
        "env=X,target=/x", "env not allowed for 'bind' type mounts",
        "env belongs to type=secret: the variable that holds the secret"
      ),
      ("target=/", "invalid mount target '/'", "mount it on a directory below the root"),
      ("target=/a/..", "invalid mount target '/a/..'", "mount it on a directory below the root"),
      (
        "target=/x,mode=1", "mode not allowed for 'bind' type mounts",
        "mode, uid and gid belong to cache, secret and ssh mounts"
      ),
      (
        "type=tmpfs,target=/x,gid=1", "gid not allowed for 'tmpfs' type mounts",
        "mode, uid and gid belong to cache, secret and ssh mounts"
      ),
      ("target=/x,ro=yes", "invalid value for ro: 'yes'", "write true or false"),
      (
        "type=cache,target=/x,mode=999", "invalid value '999' for mode",
        "write up to four octal digits, such as 0755"
      ),
      (
        "type=cache,target=/x,uid=-1", "invalid value '-1' for uid",
        "write a number, such as 1000"
      ),
      (
        "type=cache,target=/x,sharing=privat", "unsupported sharing value 'privat'",
        "did you mean 'private'?"
      ),
      (
        "target=/x,sharing=shared", "invalid cache sharing set for bind mount",
        "only type=cache has sharing; write the type too"
      ),
      (
        "type=secret", "invalid secret mount. one of source, target required",
        "say which secret with id=NAME"
      ),
      (
        "type=secret,id=a,source=b", "both source and id can't be set",
        "they are two words for the same; keep id"
      ),
      (
        "type=secret,id=a,from=b", "secret mount should not have a from",
        "secrets come from --secret id=…"
      ),
      ("type=ssh,source=a", "ssh does not support source", "name the agent with id=…"),
      (
        "from=$DIR,target=/x", "'from' doesn't support variable expansion: '$DIR'",
        "define an alias stage, 'FROM $DIR AS name', and write from=name"
      ),
    ])
  func mistakes(text: String, message: String, help: String) {
    let diagnostic = failure(text)
    #expect(diagnostic?.message == message)
    #expect(diagnostic?.help == help)
    #expect(diagnostic?.location == location)
  }

  @Test("a value that cannot be expanded is reported at the step")
  func badValue() {
    let diagnostic = failure("target=${X:?set it}")
    #expect(diagnostic?.message == "failed to process '${X:?set it}': X: set it")
    #expect(diagnostic?.location == location)
  }
}
