import PipelineDSL
import Testing

/// What BuildKit's own checks say of the same files, from its tests of `docker build --check`.
@Suite("The checks of BuildKit")
struct BuildKitChecksTests {
  private static let ours: Set = [
    "InvalidExpansion", "InvalidMount", "UnknownCopySource", "LinkedOwnerName", "ArgHidesEnv",
    "LinkIgnored", "IgnoredFlag", "UnreachableStage", "HeredocHidesFailures", "RunWithoutEffect",
    "AptUpdateAlone", "PathReplaced", "PipeHidesFailures", "AptListsKept", "UnpinnedBase",
  ]

  private func findings(_ lines: [String], ignore: String? = nil) throws -> [String] {
    let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
    let result = DockerfileParser.parse(bytes, file: "Dockerfile")
    let graph = try #require(result.graph, "\(result.diagnostics)")
    let patterns = try ignore.map { try IgnorePatterns(file: Array($0.utf8), name: "ignore") }
    let input = CheckInput(graph, source: SourceText(bytes), ignore: patterns)
    return CheckReport(input, found: result.diagnostics).diagnostics.compactMap { diagnostic in
      diagnostic.id.flatMap { id in
        Self.ours.contains(id) ? nil : "\(diagnostic.location?.line ?? 0) \(id)"
      }
    }
  }

  @Test(
    "the same findings on the same lines",
    arguments: [
      (["#check=skip=all", "FROM scratch as base", "copy Dockerfile ."], []),
      (
        [
          "#check=skip=ConsistentInstructionCasing,FromAsCasing;error=true", "FROM scratch as base",
          "copy Dockerfile .",
        ], []
      ),
      (
        ["#check=skip=ConsistentInstructionCasing", "FROM scratch as base", "copy Dockerfile ."],
        ["2 FromAsCasing"]
      ),
      (
        ["FROM scratch AS BadStageName", "FROM scratch as base2", "FROM scratch AS base3"],
        ["1 StageNameCasing", "2 FromAsCasing"]
      ),
      (["from scratch AS base", "from scratch as base2"], ["1 FromAsCasing"]),
      (["From scratch as base", "FROM scratch AS base2"], ["1 ConsistentInstructionCasing"]),
      (["frOM scratch as base", "from scratch as base2"], ["1 ConsistentInstructionCasing"]),
      (
        ["FROM scratch", "copy Dockerfile /foo", "COPY Dockerfile /bar"],
        ["2 ConsistentInstructionCasing"]
      ),
      (
        ["from scratch", "COPY Dockerfile /foo", "copy Dockerfile /bar"],
        ["2 ConsistentInstructionCasing"]
      ),
      (
        ["FROM scratch", "copy Dockerfile /foo", "copy Dockerfile /bar"],
        ["1 ConsistentInstructionCasing"]
      ),
      (["from scratch", "copy Dockerfile /foo"], []),
      (["FROM alpine", "RUN <<'EOT'", "env", "EOT"], []),
      (["FROM scratch AS b", "FROM scratch AS b"], ["2 DuplicateStageName"]),
      (["FROM scratch AS b1", "FROM scratch AS b2"], []),
      (
        ["FROM scratch AS scratch", "FROM scratch AS context"],
        ["1 ReservedStageName", "2 ReservedStageName"]
      ),
      (["FROM scratch", "FROM scratch AS a"], []),
      (["FROM scratch", "CMD mycommand"], ["2 JSONArgsRecommended"]),
      (["FROM scratch", "ENTRYPOINT mycommand"], ["2 JSONArgsRecommended"]),
      (["FROM scratch", "SHELL [\"/usr/bin/customshell\"]", "CMD mycommand"], []),
      (
        [
          "FROM scratch AS base", "SHELL [\"/usr/bin/custom\"]", "FROM base",
          "ENTRYPOINT mycommand",
        ],
        []
      ),
      (["FROM scratch", "MAINTAINER me@example.org"], ["2 MaintainerDeprecated"]),
      (["ARG base=scratch", "FROM $base", "COPY Dockerfile ."], []),
      (["ARG BUILDPLATFORM=linux/amd64", "FROM --platform=$BUILDPLATFORM scratch"], []),
      (["FROM --platform=$BUILDPLATFORM scratch"], []),
      (["ARG DEBUG", "FROM scratch${DEBUG}"], []),
      (["ARG DEBUG", "FROM scra${DEBUG:-tch}"], []),
      (["ARG DEBUG=\"\"", "FROM scratch${DEBUG-@bogus}"], []),
      (["FROM --platform=$BULIDPLATFORM scratch"], ["1 UndefinedArgInFrom"]),
      (
        ["ARG MY_OS=linux", "ARG MY_ARCH=amd64", "FROM --platform=linux/${MYARCH} busybox"],
        ["3 UndefinedArgInFrom"]
      ),
      (["ARG tag=latest", "FROM busybox:${tag}${version} AS b"], ["2 UndefinedArgInFrom"]),
      (["FROM scratch", "WORKDIR app/"], ["2 WorkdirRelativePath"]),
      (["FROM scratch AS a", "WORKDIR /app", "FROM a AS b", "WORKDIR subdir/"], []),
      (["FROM scratch", "ARG foo", "COPY Dockerfile${foo} ."], []),
      (["FROM alpine AS base", "ARG foo=Dockerfile", "FROM base", "COPY $foo ."], []),
      (["FROM alpine", "RUN echo $PATH"], []),
      (["FROM alpine", "COPY $foo .", "ARG foo=bar", "RUN echo $foo"], ["2 UndefinedVar"]),
      (
        [
          "FROM alpine", "ARG DIR_BINARIES=binaries/", "ARG DIR_ASSETS=assets/",
          "ARG DIR_CONFIG=config/", "COPY $DIR_ASSET .",
        ], ["5 UndefinedVar"]
      ),
      (["FROM alpine", "ENV PATH=$PAHT:/tmp/bin"], ["2 UndefinedVar"]),
      (
        ["FROM scratch AS first", "COPY $foo .", "FROM scratch AS second", "COPY $bar ."],
        ["2 UndefinedVar", "4 UndefinedVar"]
      ),
      (
        [
          "FROM scratch", "ENTRYPOINT [\"/a\"]", "CMD [\"/a\"]", "HEALTHCHECK CMD [\"/a\"]",
          "COPY <<EOF /a.txt", "Hello, World!", "EOF", "ENTRYPOINT [\"/b\"]", "CMD [\"/b\"]",
          "HEALTHCHECK CMD [\"/b\"]",
        ],
        [
          "2 MultipleInstructionsDisallowed", "3 MultipleInstructionsDisallowed",
          "4 MultipleInstructionsDisallowed",
        ]
      ),
      (["FROM scratch AS a", "CMD [\"/a\"]", "FROM a AS b", "CMD [\"/b\"]"], []),
      (
        ["FROM scratch", "ENV testkey value", "LABEL key value"],
        ["2 LegacyKeyValueFormat", "3 LegacyKeyValueFormat"]
      ),
      (["FROM scratch", "ENV testkey=value", "LABEL key=value"], []),
      (["FROM --platform=$TARGETPLATFORM scratch"], ["1 RedundantTargetPlatform"]),
      (["FROM --platform=${TARGETPLATFORM} scratch"], ["1 RedundantTargetPlatform"]),
      (["ARG VERSION", "FROM busybox:$VERSION"], ["2 InvalidDefaultArgInFrom"]),
      (["ARG IMAGE", "FROM $IMAGE"], ["2 InvalidDefaultArgInFrom"]),
      (["ARG SFX=\"box:\"", "FROM busy${SFX}"], ["2 InvalidDefaultArgInFrom"]),
      (["ARG VERSION=\"latest\"", "FROM busybox:${VERSION}"], []),
      (["ARG BUSYBOX_VARIANT=\"\"", "FROM busybox:stable${BUSYBOX_VARIANT}"], []),
      (["ARG BUSYBOX_VARIANT", "FROM busybox:stable${BUSYBOX_VARIANT}"], []),
      (["FROM --platform=linux/amd64 scratch"], ["1 FromPlatformFlagConstDisallowed"]),
      (["FROM --platform=linux/amd64 scratch AS my_amd64_stage"], []),
      (["FROM --platform=linux/amd64 scratch AS linux"], []),
      (
        [
          "FROM scratch", "ARG SECRET_PASSPHRASE", "ENV SUPER_Secret=foo",
          "ENV password=bar secret=baz", "ARG super_duper_secret_token=foo auth=bar",
          "ENV apikey=bar sunflower=foo", "ENV git_key=", "ENV PUBLIC_KEY=", "ARG public_token",
        ],
        ["2", "3", "4", "4", "5", "5", "6", "7"].map { "\($0) SecretsUsedInArgOrEnv" }
      ),
      (
        [
          "# check=experimental=InvalidDefinitionDescription", "# foo this is the foo",
          "ARG foo=bar", "", "# base this is the base image", "FROM scratch AS base", "",
          "# version this is the version number", "ARG version=latest", "", "# baz this is the baz",
          "ARG foo=baz bar=qux baz=quux", "#", "ARG bit=bat", "", "# comment for something other",
          "COPY Dockerfile .",
        ], []
      ),
      (
        [
          "# check=experimental=InvalidDefinitionDescription", "# bar this is the bar",
          "ARG foo=bar", "# BasE this is the BasE image", "FROM scratch AS base",
          "# definitely a bad comment", "ARG version=latest", "# definitely a bad comment",
          "ARG foo=baz bar=qux baz=quux",
        ], ["3", "5", "7", "9"].map { "\($0) InvalidDefinitionDescription" }
      ),
    ])
  func sameFindings(lines: [String], expected: [String]) throws {
    #expect(try findings(lines) == expected)
  }

  @Test("copies of ignored files")
  func ignored() throws {
    let lines = ["FROM scratch", "COPY Dockerfile .", "ADD Dockerfile /windy"]
    #expect(
      try findings(lines, ignore: "Dockerfile\n") == ["2 CopyIgnoredFile", "3 CopyIgnoredFile"])
    let fromStage = [
      "FROM scratch AS base", "COPY Dockerfile /foobar", "ADD Dockerfile /windy", "FROM base",
      "COPY --from=base /foobar /Dockerfile",
    ]
    #expect(try findings(fromStage, ignore: "foobar\n") == [])
  }
}
