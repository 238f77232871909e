import PipelineDSL
import Testing

@Suite("Mounts of a Run")
struct MountTests {
  @Test("A cache is mounted at its own path, at another, or where text names it")
  func cache() {
    let pip = Cache("pip", at: "/root/.cache/pip")
    let seed = BaseImage.image("alpine:3").directory("/etc/apk")
    let locked = Cache(
      "apk", sharing: .locked, access: .readOnly, startingWith: seed,
      ownership: MountOwnership(user: 7, group: 8, mode: 0o700))
    assertSteps {
      Run("pip install flask").mounting(pip)
      Run("pip install flask").mounting(pip, at: "/cache")
      Run("pip install --cache-dir \(pip) flask && ls \(pip)")
      Run("pip install --cache-dir \(pip) flask").mounting(pip)
      Run("apk add gcc").mounting(locked)
    } dockerfile: {
      """
      RUN --mount=type=cache,id=pip,target=/root/.cache/pip pip install flask
      RUN --mount=type=cache,id=pip,target=/cache pip install flask
      RUN --mount=type=cache,id=pip,target=/root/.cache/pip \\
          pip install --cache-dir /root/.cache/pip flask && ls /root/.cache/pip
      RUN --mount=type=cache,id=pip,target=/root/.cache/pip \\
          pip install --cache-dir /root/.cache/pip flask
      RUN --mount=type=cache,from=alpine:3,id=apk,target=/run/caches/apk,sharing=locked,\
      source=/etc/apk,ro,uid=7,gid=8,mode=0700 \\
          apk add gcc
      """
    }
  }

  @Test("Artifacts in text are mounted for the command and stand for their paths")
  func artifactsInText() {
    let build = Stage("build", from: .image("python:3")) { Run("make wheel") }
    let wheel = build.file("/out/tool.whl")
    assertImage {
      Stage(from: .image("python:3-slim")) {
        Run("pip install \(wheel) && pip check \(wheel)")
        Run("cp -r \(build.directory("/")) /all")
        Run("sh \(BuildContext.main.file("my script.sh"))")
      }
    } dockerfile: {
      """
      FROM python:3 AS build
      RUN make wheel

      FROM python:3-slim
      RUN --mount=type=bind,from=build,source=/out/tool.whl,target=/run/artifacts/1/tool.whl \\
          pip install /run/artifacts/1/tool.whl && pip check /run/artifacts/1/tool.whl
      RUN --mount=type=bind,from=build,source=/,target=/run/artifacts/1/root \\
          cp -r /run/artifacts/1/root /all
      RUN --mount="type=bind,\\"source=\\"\\"my script.sh\\"\\"\\",\\"target=\\"\\"/run/artifacts/1/my script.sh\\"\\"\\"" \\
          sh '/run/artifacts/1/my script.sh'
      """
    }
  }

  @Test("Parts of other trees, memory, secrets and agents")
  func otherMounts() {
    let token = Secret("token")
    let key = Secret(
      "key", at: "/key", presence: .required, ownership: MountOwnership(user: 1, mode: 0o440))
    assertSteps {
      Run("make").mounting(BuildContext.main.directory("."), at: "/src")
      Run("make").mounting(
        BaseImage.image("gcc:14").directory("/usr"), at: "/gcc", access: .discardingWrites)
      Run("sort big").mountingMemory(at: "/tmp", megabytes: 64).mountingMemory(at: "/scratch")
      Run("curl -H @\(token.path) https://example.org").reading(token)
      Run("curl -H @\(pathOf: token) https://example.org")
      Run("fetch").reading(key)
      Run("fetch").reading(token, as: "TOKEN")
      Run("git clone git@example.org:app.git").using(SSHAgent())
      Run("git fetch").using(SSHAgent("work", at: "/agent", presence: .required))
    } dockerfile: {
      """
      RUN --mount=type=bind,source=.,target=/src make
      RUN --mount=type=bind,from=gcc:14,source=/usr,target=/gcc,rw make
      RUN --mount=type=tmpfs,target=/tmp,size=64m --mount=type=tmpfs,target=/scratch sort big
      RUN --mount=type=secret,id=token curl -H @/run/secrets/token https://example.org
      RUN --mount=type=secret,id=token curl -H @/run/secrets/token https://example.org
      RUN --mount=type=secret,id=key,target=/key,required,uid=1,mode=0440 fetch
      RUN --mount=type=secret,id=token,env=TOKEN fetch
      RUN --mount=type=ssh git clone git@example.org:app.git
      RUN --mount=type=ssh,id=work,target=/agent,required git fetch
      """
    }
  }
}
