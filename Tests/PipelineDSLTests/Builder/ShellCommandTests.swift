import PipelineDSL
import Testing

@Suite("Shell text")
struct ShellCommandTests {
  @Test("Values are quoted where they need it, arrays become arguments, raw text stays")
  func values() {
    let version = BuildArgument("VERSION")
    assertSteps {
      Run("install \("gcc") \("libc6-dev") \("it's") \("a b") \("") \("$HOME") \(7)")
      Run("apt-get install -y \(["gcc", "g++", "a b"]) && rm -rf \(raw: "/var/lib/apt/lists/*")")
      Run("echo \(Variable("HOME")) \(version)")
      Run("\("if") \("FOO=bar") \("~") \("#x")")
      Run("echo \(2)>/number \("3")>/other \("x")>/third")
      Run("prefix/\("a b")/suffix --opt=\("c d")")
    } dockerfile: {
      """
      RUN install gcc libc6-dev 'it'\\''s' 'a b' '' '$HOME' 7
      RUN apt-get install -y gcc g++ 'a b' && rm -rf /var/lib/apt/lists/*
      ARG VERSION
      RUN echo "${HOME}" "${VERSION}"
      RUN 'if' 'FOO=bar' '~' '#x'
      RUN echo '2'>/number '3'>/other x>/third
      RUN prefix/'a b'/suffix --opt='c d'
      """
    }
  }

  @Test("A value between quotes is escaped for those quotes")
  func valuesInQuotes() {
    let version = BuildArgument("VERSION")
    assertSteps {
      Run("echo \"by \("D & \"sons\" $x `y` \\")\" > /author")
      Run("sed -i 's/NAME/\("it's")/' /file")
      Run("echo \"$(basename \("a b"))\" \"version \(version)\"")
      Run("echo $((1 + \(2) * (\(version) + 3)))")
    } dockerfile: {
      """
      RUN echo "by D & \\"sons\\" \\$x \\`y\\` \\\\" > /author
      RUN sed -i 's/NAME/it'\\''s/' /file
      ARG VERSION
      RUN echo "$(basename 'a b')" "version ${VERSION}"
      RUN echo $((1 + 2 * (${VERSION} + 3)))
      """
    }
  }

  @Test("Text of several lines is a script that ends at its first failure")
  func scripts() {
    let prefix = "/opt/my app"
    assertSteps {
      Run(
        """
        ./configure --prefix=\(prefix)
        make install
        """)
      Run(
        """
        curl https://example.org | sh
        echo done
        """)
      Run(
        """
        true || false
        echo 'a | b' "c | d"
        """)
      Run(
        """
        #!/usr/bin/env python3
        print("no shell")
        """)
      Run(
        """
        cat > /x <<EOF
        $HOME
        EOF
        """)
      Run("echo \("two\nlines")")
    } dockerfile: {
      """
      RUN <<EOF
      set -eu
      ./configure --prefix='/opt/my app'
      make install
      EOF
      RUN <<EOF
      set -eu
      (set -o pipefail) 2>/dev/null && set -o pipefail
      curl https://example.org | sh
      echo done
      EOF
      RUN <<EOF
      set -eu
      true || false
      echo 'a | b' "c | d"
      EOF
      RUN <<EOF
      #!/usr/bin/env python3
      print("no shell")
      EOF
      RUN <<EOF2
      set -eu
      cat > /x <<EOF
      $HOME
      EOF
      EOF2
      RUN <<EOF
      echo 'two
      lines'
      EOF
      """
    }
  }

  @Test("A script is written for the shell that the stage has chosen")
  func shells() {
    let script: ShellCommand = """
      first
      second
      """
    let base = Stage("base", from: .image("debian:12")) {
      Run(script)
      Shell("/bin/bash", "-c")
      Run(script)
    }
    assertImage {
      Stage(from: base) {
        Run(script)
        Shell("/usr/bin/python3", "-c")
        Run(script)
      }
    } dockerfile: {
      """
      FROM debian:12 AS base
      RUN <<EOF
      set -eu
      first
      second
      EOF
      SHELL ["/bin/bash", "-c"]
      RUN <<EOF
      set -euo pipefail
      first
      second
      EOF

      FROM base
      RUN <<EOF
      set -euo pipefail
      first
      second
      EOF
      SHELL ["/usr/bin/python3", "-c"]
      RUN <<EOF
      first
      second
      EOF
      """
    }
  }

  @Test("What no line of a Dockerfile can hold goes into a here-document")
  func unusualText() {
    assertSteps {
      Run("[\"not\", \"json for us\"]")
      Run("echo $(( 1 <<2 ))")
      Run("echo \("carriage\rreturn")")
      Run("echo \\\\")
      Run("  blanks around  ")
      Run("--version")
    } dockerfile: {
      """
      RUN <<EOF
      ["not", "json for us"]
      EOF
      RUN <<EOF
      echo $(( 1 <<2 ))
      EOF
      RUN <<EOF
      echo 'carriage\rreturn'
      EOF
      RUN <<EOF
      echo \\\\
      EOF
      RUN blanks around
      RUN -- --version
      """
    }
  }

  @Test("Commands can be put together, with what they mount")
  func composition() {
    let pip = Cache("pip", at: "/pip")
    let token = Secret("token")
    let install: ShellCommand = "TOKEN=$(cat \(pathOf: token)) pip --cache-dir \(pip) install"
    assertSteps {
      Run("\(install) flask && \(install) \("x y")")
    } dockerfile: {
      """
      RUN --mount=type=secret,id=token --mount=type=cache,id=pip,target=/pip \\
          TOKEN=$(cat /run/secrets/token) pip --cache-dir /pip install flask\\
       && TOKEN=$(cat /run/secrets/token) pip --cache-dir /pip install 'x y'
      """
    }
  }

  @Test(
    "A value is refused where no spelling of it is safe",
    arguments: [
      (
        "echo `cat \("x")`",
        """
        a value stands between backquotes, where no quoting is safe
        help: write '$(…)' in place of the backquotes
        """
      ),
      (
        "echo ${x:-\("x")}",
        """
        a value stands inside '${…}', where its quotes would be text
        help: insert it with '\\(raw:)'
        """
      ),
      (
        "true # \("x")",
        """
        a value stands in a comment of the shell
        help: insert it with '\\(raw:)'
        """
      ),
      (
        "cat <<END\n\("x")\nEND\n",
        """
        a value stands inside a here-document of the shell, where its quotes would be text
        help: pass it to the command as an argument, or insert it with '\\(raw:)'
        """
      ),
      ("cat <<\("x")", "a value stands where '<<' wants the end of a here-document"),
      (
        "echo \\\("x")",
        """
        a value stands right after '\\', which would change its meaning
        help: put the character into quotes, or insert the value with '\\(raw:)'
        """
      ),
      (
        "echo \"$\("HOME")\"",
        """
        a value stands right after '$', which would change its meaning
        help: put the character into quotes, or insert the value with '\\(raw:)'
        """
      ),
      (
        "echo $((\("x") + 1))",
        """
        text stands inside '$((…))', where only a number is safe
        help: insert a number, or text with '\\(raw:)'
        """
      ),
      (
        "echo '\(Variable("HOME"))'",
        """
        'HOME' stands inside single quotes, where the shell replaces no variable
        help: use double quotes
        """
      ),
      (
        "make --with=\(["a", "b"])",
        """
        a list of values stands inside a word, but each of its values is a word of its own
        help: put blanks around it, or join the values into one first
        """
      ),
      (
        "make \(["a", "b"])>/log",
        """
        a list of values stands inside a word, but each of its values is a word of its own
        help: put blanks around it, or join the values into one first
        """
      ),
      (
        "echo \"$(case x in x) echo \("y");; esac)\"",
        """
        a value stands after 'case' inside '$(…)'
        help: insert it with '\\(raw:)'
        """
      ),
      (
        "echo $'it\\'s' \("y")",
        """
        a value stands after "$'", which shells read in different ways
        help: insert it with '\\(raw:)'
        """
      ),
      (
        "#!/usr/bin/env -S python3\nprint(\("y"))",
        """
        a value stands after a first line with '#!', whose language is not that of a shell
        help: insert it with '\\(raw:)'
        """
      ),
      ("  \n ", "the command is empty"),
    ] as [(ShellCommand, String)])
  func refusals(command: ShellCommand, error: String) {
    assertRefusal {
      Stage(from: .scratch) { Run(command) }
    } error: {
      error
    }
  }
}
