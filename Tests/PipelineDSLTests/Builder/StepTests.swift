import PipelineDSL
import Testing

@Suite("Each step prints as one instruction")
struct StepTests {
  @Test("Run: shell text, and a vector of arguments")
  func run() {
    assertSteps {
      Run("apt-get update && apt-get install -y gcc")
      Run("/bin/busybox", "--install", "/bin")
      Run(arguments: ["/bin/echo", "one argument", "a \"quoted\" one", ""])
      Run("make test").network(.none).security(.insecure).using(device: "vendor.com/gpu=all")
    } dockerfile: {
      """
      RUN apt-get update && apt-get install -y gcc
      RUN ["/bin/busybox", "--install", "/bin"]
      RUN ["/bin/echo", "one argument", "a \\"quoted\\" one", ""]
      RUN --network=none --security=insecure --device=vendor.com/gpu=all make test
      """
    }
  }

  @Test("Copy: paths, wildcards, flags")
  func copy() {
    assertSteps {
      Copy("requirements.txt", to: "/src/")
      Copy("a", "b", "*.txt", to: "/dst/")
      Copy("name with blanks", to: "/dst/")
      Copy("src", to: "/src").owned(by: .id(1000)).withMode(0o640)
      Copy("src", to: "/src").owned(by: .id(1000, group: 50)).linked()
      Copy("src", to: "/src").owned(by: .user("www-data", group: "www-data"))
      Copy("src", to: "/src").owned(by: .spelled("\(Variable("APP_USER"))"))
      Copy("run.sh", to: "/usr/bin/").withMode("u=rwX,go=rX")
    } dockerfile: {
      """
      COPY requirements.txt /src/
      COPY a b *.txt /dst/
      COPY ["name with blanks", "/dst/"]
      COPY --chown=1000 --chmod=640 src /src
      COPY --chown=1000:50 --link src /src
      COPY --chown=www-data:www-data src /src
      COPY --chown=${APP_USER} src /src
      COPY --chmod=u=rwX,go=rX run.sh /usr/bin/
      """
    }
  }

  @Test("Copy with flags that older engines do not know names its syntax")
  func copySyntax() {
    assertImage {
      Stage(from: .scratch) {
        Copy("src/./a/*.c", to: "/x/").keepingParents().excluding("*.o", "**/tmp")
      }
    } dockerfile: {
      """
      # syntax=docker/dockerfile:1

      FROM scratch
      COPY --parents --exclude=*.o --exclude=**/tmp src/./a/*.c /x/
      """
    }
  }

  @Test("Copy of a text of the program is literal, whatever is in it")
  func copyContent() {
    assertSteps {
      Copy(content: "nameserver 9.9.9.9\n", to: "/etc/resolv.conf")
      Copy(content: "no line feed", to: "/a")
      Copy(content: "$HOME \\ `x`\n", to: "/b")
      Copy(content: "EOF\nEOF2\r\n", to: "/c")
      Copy(content: "windows\r\n", to: "/d")
      Copy(content: "", to: "/e")
    } dockerfile: {
      """
      COPY <<EOF /etc/resolv.conf
      nameserver 9.9.9.9
      EOF
      COPY <<EOF /a
      no line feed
      EOF
      COPY <<'EOF' /b
      $HOME \\ `x`
      EOF
      COPY <<EOF3 /c
      EOF
      EOF2\r
      EOF3
      COPY <<EOF /d
      windows\r
      EOF
      COPY <<EOF /e
      EOF
      """
    }
  }

  @Test("A copy that need not be there is a wildcard that only the path matches")
  func copyIfPresent() {
    assertSteps {
      Copy("settings.json", to: "/etc/app/").ifPresent()
      Copy("conf/", to: "/etc/app/").ifPresent()
      Copy("Ünicod\u{e9}", "x^", to: "/").ifPresent()
      Copy(BaseImage.image("nginx:1").file("/etc/nginx/nginx.conf"), to: "/x").ifPresent()
    } dockerfile: {
      """
      COPY settings.jso[n] /etc/app/
      COPY con[f] /etc/app/
      COPY Ünicod[\u{e9}] [x]^ /
      COPY --from=nginx:1 /etc/nginx/nginx.con[f] /x
      """
    }
  }

  @Test("Add: archives, downloads, repositories")
  func add() {
    assertImage {
      Stage(from: .scratch) {
        Add("rootfs.tar.xz", to: "/")
        Add("https://example.org/tool", to: "/usr/bin/tool").checked("sha256:00").withMode(0o755)
        Add("https://example.org/app.git#v1.2", to: "/src").keepingGitDirectory()
        Add("a.tar", to: "/x").unpacking(.nothing).owned(by: .id(7)).linked()
        Add("https://example.org/a.tar", to: "/x").unpacking(.archives).excluding("*.o")
      }
    } dockerfile: {
      """
      # syntax=docker/dockerfile:1

      FROM scratch
      ADD rootfs.tar.xz /
      ADD --chmod=755 --checksum=sha256:00 https://example.org/tool /usr/bin/tool
      ADD --keep-git-dir https://example.org/app.git#v1.2 /src
      ADD --chown=7 --link --unpack=false a.tar /x
      ADD --unpack --exclude=*.o https://example.org/a.tar /x
      """
    }
  }

  @Test("Env and Label: one assignment, or one a line")
  func assignments() {
    assertSteps {
      Env("LANG", "C.UTF-8")
      Env("PATH", "/opt/venv/bin:\(Variable("PATH"))")
      Env(["HOST": "0.0.0.0", "PORT": "\(8080)", "EMPTY": ""])
      Env("TEXT", "a \"b\" $c \\ 'd'")
      Label("org.opencontainers.image.title", "Light Python")
      Label(["team": "build tools", "two words": "x"])
    } dockerfile: {
      """
      ENV LANG=C.UTF-8
      ENV PATH=/opt/venv/bin:${PATH}
      ENV HOST=0.0.0.0 \\
          PORT=8080 \\
          EMPTY=""
      ENV TEXT="a \\"b\\" \\$c \\\\ 'd'"
      LABEL org.opencontainers.image.title="Light Python"
      LABEL team="build tools" \\
            "two words"=x
      """
    }
  }

  @Test("What a container runs")
  func start() {
    assertSteps {
      Entrypoint("python", "-m", "app")
      Entrypoint(arguments: [])
      Entrypoint(shell: "exec app --port \(raw: "$PORT")")
      Command("serve")
      Command(arguments: ["a", "b"])
      Command(shell: "exec app --name \("it's me")")
      Healthcheck("curl -f http://localhost/", every: .seconds(30), timeout: .milliseconds(1500))
      Healthcheck(arguments: ["/check"], startPeriod: .zero, startInterval: .seconds(1), retries: 3)
      Healthcheck("true", every: .microseconds(1500), timeout: .nanoseconds(2_000_001))
      Healthcheck.none
      StopSignal("SIGQUIT")
    } dockerfile: {
      """
      ENTRYPOINT ["python", "-m", "app"]
      ENTRYPOINT []
      ENTRYPOINT exec app --port $PORT
      CMD ["serve"]
      CMD ["a", "b"]
      CMD exec app --name 'it'\\''s me'
      HEALTHCHECK --interval=30s --timeout=1500ms CMD curl -f http://localhost/
      HEALTHCHECK --start-period=0s --start-interval=1s --retries=3 CMD ["/check"]
      HEALTHCHECK --interval=1500us --timeout=2000001ns CMD true
      HEALTHCHECK NONE
      STOPSIGNAL SIGQUIT
      """
    }
  }

  @Test("Settings of the stage")
  func settings() {
    assertSteps {
      WorkingDirectory("/src dir")
      User("app")
      User("app", group: "www-data")
      User(id: 1000, group: 50)
      Expose(80, 443, .udp(53), .tcp(8000...8010), .sctp(9), .spelled("\(Variable("PORT"))/tcp"))
      Volume("/var/lib/data", "/with blank")
      Shell("/bin/bash", "-o", "pipefail", "-c")
      Maintainer("Build Tools <tools@example.org>")
    } dockerfile: {
      """
      WORKDIR "/src dir"
      USER app
      USER app:www-data
      USER 1000:50
      EXPOSE 80 443 53/udp 8000-8010 9/sctp ${PORT}/tcp
      VOLUME ["/var/lib/data", "/with blank"]
      SHELL ["/bin/bash", "-o", "pipefail", "-c"]
      MAINTAINER Build Tools <tools@example.org>
      """
    }
  }

  @Test("OnBuild: one trigger for each step, here-documents and arguments included")
  func onBuild() {
    let flavour = BuildArgument("FLAVOUR", default: "plain")
    assertSteps {
      OnBuild {
        Copy(".", to: "/src")
        for target in ["all", "install"] { Run("make -C /src \(target)") }
        Run("echo \(flavour)")
        Run(
          """
          make -C /src
          make -C /src install
          """)
      }
    } dockerfile: {
      """
      ONBUILD COPY . /src
      ONBUILD RUN make -C /src all
      ONBUILD RUN make -C /src install
      ONBUILD ARG FLAVOUR=plain
      ONBUILD RUN echo "${FLAVOUR}"
      ONBUILD RUN <<EOF
      set -eu
      make -C /src
      make -C /src install
      EOF
      """
    }
  }

  @Test("A step can be an instruction of the graph, for a spelling that nothing else offers")
  func instruction() {
    assertSteps {
      Step(.environment(Assignments([Assignment("A", Word(raw: "b c"))], isLegacyForm: true)))
    } dockerfile: {
      "ENV A b c"
    }
  }
}
