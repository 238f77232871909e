import PipelineDSL
import Testing

/// Whole texts of what reading a Dockerfile says, each to be read as a person would.
@Suite("Texts of reading errors")
struct ReadingErrorTextTests {
  private func texts(_ dockerfile: String) -> String {
    texts(Array(dockerfile.utf8))
  }

  private func texts(_ bytes: [UInt8]) -> String {
    let renderer = DiagnosticRenderer { _ in bytes }
    return DockerfileParser.parse(bytes, file: "Dockerfile").diagnostics
      .map(renderer.render).joined(separator: "\n")
  }

  @Test("files")
  func files() {
    // An empty file
    #expect(
      texts(
        #"""

        """#)
          == #"""
          error: the Dockerfile cannot be empty
            --> Dockerfile:1:1
          help: a Dockerfile starts with FROM

          """#)

    // A file of comments
    #expect(
      texts(
        #"""
        # nothing here

        """#)
          == #"""
          error: file with no instructions
            --> Dockerfile:1:1
          1 | # nothing here
            | ^
          help: a Dockerfile starts with FROM

          """#)

    // No stage
    #expect(
      texts(
        #"""
        ARG TAG=3

        """#)
          == #"""
          error: the file has no build stage
            --> Dockerfile:1:1
          1 | ARG TAG=3
            | ^
          help: add a FROM instruction

          """#)

    // Instructions before the first stage
    #expect(
      texts(
        #"""
        RUN make
        COPY a /b
        FROM alpine

        """#)
          == #"""
          error: RUN stands before the first FROM, in no build stage
            --> Dockerfile:1:1
          1 | RUN make
            | ^^^^^^^^
          help: start a stage with FROM; only ARG may come before it

          """#)

    // Bytes that are no text
    #expect(
      texts(Array("FROM alpine\nRUN echo caf".utf8) + [0xE9])
        == #"""
        error: the text is not UTF-8
          --> Dockerfile:2:13
        2 | RUN echo caf�
          |             ^
        help: save the file as UTF-8 text

        """#)

    // Several mistakes in one file
    #expect(
      texts(
        #"""
        FROM alpine AZ base
        RUNN make
        COPY --form=base a /b
        USER

        """#)
          == #"""
          error: FROM requires either one or three arguments
            --> Dockerfile:1:6
          1 | FROM alpine AZ base
            |      ^^^^^^^^^^^^^^
          help: write 'FROM image' or 'FROM image AS name'

          error: unknown instruction: 'RUNN'
            --> Dockerfile:2:1
          2 | RUNN make
            | ^^^^
          help: did you mean 'RUN'?

          error: unknown flag: '--form' of COPY
            --> Dockerfile:3:6
          3 | COPY --form=base a /b
            |      ^^^^^^^^^^^
          help: did you mean '--from'?

          error: USER requires exactly one argument
            --> Dockerfile:4:1
          4 | USER
            | ^^^^
          help: write 'USER VALUE'

          """#)
  }

  @Test("directives")
  func directives() {
    // A repeated directive
    #expect(
      texts(
        #"""
        # syntax=docker/dockerfile:1
        # syntax=docker/dockerfile:1.4
        FROM alpine

        """#)
          == #"""
          error: only one 'syntax' directive can be used
            --> Dockerfile:2:1
          2 | # syntax=docker/dockerfile:1.4
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          help: leave one of them out

          """#)

    // Another escape character
    #expect(
      texts(
        #"""
        # escape=^
        FROM alpine

        """#)
          == #"""
          error: invalid escape token '^' does not match ` or \
            --> Dockerfile:1:1
          1 | # escape=^
            | ^^^^^^^^^^
          help: write '# escape=`' or leave the directive out

          """#)
  }

  @Test("stages")
  func stages() {
    // No operand
    #expect(
      texts(
        #"""
        FROM

        """#)
          == #"""
          error: FROM requires either one or three arguments
            --> Dockerfile:1:1
          1 | FROM
            | ^^^^
          help: write 'FROM image' or 'FROM image AS name'

          """#)

    // A misspelt AS
    #expect(
      texts(
        #"""
        FROM alpine AZ base

        """#)
          == #"""
          error: FROM requires either one or three arguments
            --> Dockerfile:1:6
          1 | FROM alpine AZ base
            |      ^^^^^^^^^^^^^^
          help: write 'FROM image' or 'FROM image AS name'

          """#)

    // A comment at the end of the line
    #expect(
      texts(
        #"""
        FROM alpine AS base # the base

        """#)
          == #"""
          error: FROM requires either one or three arguments
            --> Dockerfile:1:6
          1 | FROM alpine AS base # the base
            |      ^^^^^^^^^^^^^^^^^^^^^^^^^
          help: a comment needs a line of its own

          """#)

    // A name that none can be
    #expect(
      texts(
        #"""
        FROM alpine AS 1st

        """#)
          == #"""
          error: invalid name for build stage: '1st', name can't start with a number or contain symbols
            --> Dockerfile:1:16
          1 | FROM alpine AS 1st
            |                ^^^
          help: start it with a letter, and use letters, digits, '-', '_' and '.' in it

          """#)

    // A name with capitals
    #expect(
      texts(
        #"""
        FROM alpine AS Base

        """#)
          == #"""
          warning: stage name 'Base' should be lowercase [StageNameCasing]
            --> Dockerfile:1:16
          1 | FROM alpine AS Base
            |                ^^^^
          help: the stage is known as 'base'

          """#)
  }

  @Test("instructions")
  func instructions() {
    // A misspelt keyword
    #expect(
      texts(
        #"""
        FROM alpine
        RUNN make

        """#)
          == #"""
          error: unknown instruction: 'RUNN'
            --> Dockerfile:2:1
          2 | RUNN make
            | ^^^^
          help: did you mean 'RUN'?

          """#)

    // A continuation that was forgotten
    #expect(
      texts(
        #"""
        FROM alpine
        RUN apt-get update &&
          apt-get install -y git

        """#)
          == #"""
          error: unknown instruction: 'apt-get'
            --> Dockerfile:3:3
          3 |   apt-get install -y git
            |   ^^^^^^^
          help: a line that belongs to the instruction above needs an escape character at the end of the line before it

          """#)

    // A continuation at the end of the file
    #expect(
      texts(
        #"""
        FROM alpine
        \

        """#)
          == #"""
          error: a line is continued, and nothing follows
            --> Dockerfile:2:1
          2 | \
            | ^

          """#)

    // An empty continuation line
    #expect(
      texts(
        #"""
        FROM alpine
        RUN apk add \

            git

        """#)
          == #"""
          warning: empty continuation line [NoEmptyContinuation]
            --> Dockerfile:3:1
          3 |
            | ^
          note: in the instruction that starts here
            --> Dockerfile:2:1
          help: remove the line, or make it a comment

          """#)

    // JSON with something else in it
    #expect(
      texts(
        #"""
        FROM alpine
        CMD ["serve", 80]

        """#)
          == #"""
          error: when using JSON array syntax, arrays must be comprised of strings only
            --> Dockerfile:2:5
          2 | CMD ["serve", 80]
            |     ^^^^^^^^^^^^^
          help: put quotes around every element

          """#)
  }

  @Test("flags")
  func flags() {
    // A misspelt flag
    #expect(
      texts(
        #"""
        FROM alpine
        COPY --form=build /a /b

        """#)
          == #"""
          error: unknown flag: '--form' of COPY
            --> Dockerfile:2:6
          2 | COPY --form=build /a /b
            |      ^^^^^^^^^^^^
          help: did you mean '--from'?

          """#)

    // A flag of another instruction
    #expect(
      texts(
        #"""
        FROM alpine
        ADD --network=none a /b

        """#)
          == #"""
          error: unknown flag: '--network' of ADD
            --> Dockerfile:2:5
          2 | ADD --network=none a /b
            |     ^^^^^^^^^^^^^^
          help: ADD has --chown, --chmod, --link, --keep-git-dir, --checksum, --unpack, --exclude

          """#)

    // A flag where there is none
    #expect(
      texts(
        #"""
        FROM alpine
        USER --group=app app

        """#)
          == #"""
          error: unknown flag: '--group' of USER
            --> Dockerfile:2:6
          2 | USER --group=app app
            |      ^^^^^^^^^^^
          help: USER has no flags

          """#)

    // An option of the command
    #expect(
      texts(
        #"""
        FROM alpine
        ENTRYPOINT --verbose serve

        """#)
          == #"""
          error: unknown flag: '--verbose' of ENTRYPOINT
            --> Dockerfile:2:12
          2 | ENTRYPOINT --verbose serve
            |            ^^^^^^^^^
          help: write '--' in front of it to make it a part of the command

          """#)

    // A flag without its value
    #expect(
      texts(
        #"""
        FROM alpine
        COPY --from build /a /b

        """#)
          == #"""
          error: missing a value on flag: '--from'
            --> Dockerfile:2:6
          2 | COPY --from build /a /b
            |      ^^^^^^
          help: write '--from=VALUE', without a blank

          """#)

    // A boolean that is none
    #expect(
      texts(
        #"""
        FROM alpine
        COPY --link=yes a /b

        """#)
          == #"""
          error: expecting boolean value for flag '--link', not: 'yes'
            --> Dockerfile:2:6
          2 | COPY --link=yes a /b
            |      ^^^^^^^^^^
          help: write '--link', '--link=true' or '--link=false'

          """#)

    // A flag twice, on a line of its own
    #expect(
      texts(
        #"""
        FROM alpine
        COPY --chown=1 \
             --chown=2 a /b

        """#)
          == #"""
          error: duplicate flag specified: '--chown'
            --> Dockerfile:3:6
          3 |      --chown=2 a /b
            |      ^^^^^^^^^

          """#)

    // A flag that is ignored
    #expect(
      texts(
        #"""
        FROM alpine
        STOPSIGNAL --now SIGINT

        """#)
          == #"""
          warning: flag '--now' of STOPSIGNAL is ignored [IgnoredFlag]
            --> Dockerfile:2:12
          2 | STOPSIGNAL --now SIGINT
            |            ^^^^^
          help: STOPSIGNAL has no flags

          """#)

    // A variable for a stage
    #expect(
      texts(
        #"""
        FROM alpine
        COPY --from=$STAGE /a /b

        """#)
          == #"""
          error: variable expansion is not supported for '--from'
            --> Dockerfile:2:6
          2 | COPY --from=$STAGE /a /b
            |      ^^^^^^^^^^^^^
          help: add a stage 'FROM $STAGE AS name' before this one, with ARG before the first FROM, and write '--from=name'

          """#)

    // A mount with an empty field
    #expect(
      texts(
        #"""
        FROM alpine
        RUN --mount=type=cache,,target=/x make

        """#)
          == #"""
          error: a field of --mount is empty
            --> Dockerfile:2:5
          2 | RUN --mount=type=cache,,target=/x make
            |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          help: write fields as 'key=value', with one comma between two of them

          """#)

    // A mount with misplaced quotes
    #expect(
      texts(
        #"""
        FROM alpine
        RUN --mount=type=bind,source=\"a\" make

        """#)
          == #"""
          error: the quotes in '--mount=type=bind,source="a"' are not in order
            --> Dockerfile:2:5
          2 | RUN --mount=type=bind,source=\"a\" make
            |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          help: put quotes around a whole field, and double those inside it

          """#)
  }

  @Test("operands")
  func operands() {
    // A copy without a destination
    #expect(
      texts(
        #"""
        FROM alpine
        COPY requirements.txt

        """#)
          == #"""
          error: COPY requires at least two arguments, but only one was provided. Destination could not be determined
            --> Dockerfile:2:6
          2 | COPY requirements.txt
            |      ^^^^^^^^^^^^^^^^
          help: write 'COPY SOURCE… DESTINATION'

          """#)

    // An assignment without a sign
    #expect(
      texts(
        #"""
        FROM alpine
        ENV A=1 B

        """#)
          == #"""
          error: can't find = in 'B'
            --> Dockerfile:2:9
          2 | ENV A=1 B
            |         ^
          help: write name=value, with quotes around a value that has blanks

          """#)

    // An assignment with a comment
    #expect(
      texts(
        #"""
        FROM alpine
        ENV A=1 # the first

        """#)
          == #"""
          error: can't find = in '#'
            --> Dockerfile:2:9
          2 | ENV A=1 # the first
            |         ^
          help: a comment needs a line of its own

          """#)

    // A name without a value
    #expect(
      texts(
        #"""
        FROM alpine
        ENV PATH

        """#)
          == #"""
          error: ENV must have two arguments
            --> Dockerfile:2:5
          2 | ENV PATH
            |     ^^^^
          help: write 'ENV PATH=value'

          """#)

    // A value without a name
    #expect(
      texts(
        #"""
        FROM alpine
        LABEL =x

        """#)
          == #"""
          error: LABEL names can not be blank
            --> Dockerfile:2:7
          2 | LABEL =x
            |       ^^

          """#)

    // No argument
    #expect(
      texts(
        #"""
        FROM alpine
        WORKDIR

        """#)
          == #"""
          error: WORKDIR requires exactly one argument
            --> Dockerfile:2:1
          2 | WORKDIR
            | ^^^^^^^
          help: write 'WORKDIR VALUE'

          """#)

    // A shell that is no array
    #expect(
      texts(
        #"""
        FROM alpine
        SHELL /bin/bash -c

        """#)
          == #"""
          error: SHELL requires the arguments to be in JSON form
            --> Dockerfile:2:7
          2 | SHELL /bin/bash -c
            |       ^^^^^^^^^^^^
          help: write 'SHELL ["/bin/sh", "-c"]'

          """#)

    // A check of an unknown kind
    #expect(
      texts(
        #"""
        FROM alpine
        HEALTHCHECK curl -f http://localhost/

        """#)
          == #"""
          error: unknown type 'curl' in HEALTHCHECK
            --> Dockerfile:2:13
          2 | HEALTHCHECK curl -f http://localhost/
            |             ^^^^
          help: write 'HEALTHCHECK CMD command' or 'HEALTHCHECK NONE'

          """#)

    // A check that is off and on
    #expect(
      texts(
        #"""
        FROM alpine
        HEALTHCHECK NONE curl

        """#)
          == #"""
          error: HEALTHCHECK NONE takes no arguments
            --> Dockerfile:2:18
          2 | HEALTHCHECK NONE curl
            |                  ^^^^

          """#)

    // A trigger that starts a stage
    #expect(
      texts(
        #"""
        FROM alpine
        ONBUILD FROM alpine

        """#)
          == #"""
          error: FROM isn't allowed as an ONBUILD trigger
            --> Dockerfile:2:9
          2 | ONBUILD FROM alpine
            |         ^^^^

          """#)
  }

  @Test("here-documents")
  func hereDocuments() {
    // No end
    #expect(
      texts(
        #"""
        FROM alpine
        RUN <<EOF
        echo hello

        """#)
          == #"""
          error: unterminated heredoc: no line after line 2 is 'EOF'
            --> Dockerfile:2:1
          2 | RUN <<EOF
            | ^^^^^^^^^
          help: end the text with a line that holds 'EOF' and nothing else

          """#)

    // An end with blanks
    #expect(
      texts(
        #"""
        FROM alpine
        RUN <<EOF
          echo hello
          EOF
        RUN make

        """#)
          == #"""
          error: unterminated heredoc: no line after line 2 is 'EOF'
            --> Dockerfile:2:1
          2 | RUN <<EOF
            | ^^^^^^^^^
          note: 'EOF' stands here, with blanks around it
            --> Dockerfile:4:3
          help: remove the blanks; after '<<-EOF' tabs in front of it do not count

          """#)

    // As a destination
    #expect(
      texts(
        #"""
        FROM alpine
        COPY motd <<EOF
        hello
        EOF

        """#)
          == #"""
          error: COPY cannot accept a heredoc as a destination
            --> Dockerfile:2:6
          2 | COPY motd <<EOF
            |      ^^^^^^^^^^
          help: write the path of the new file after '<<EOF'

          """#)
  }
}
