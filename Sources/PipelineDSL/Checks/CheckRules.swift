/// The registry of rules.
package enum CheckRules {
  /// Every rule there is: BuildKit's first, in the order of its documentation, then our own.
  package static let all: [any CheckRule] = [
    StageNameCasing(),
    FromAsCasing(),
    NoEmptyContinuation(),
    ConsistentInstructionCasing(),
    DuplicateStageName(),
    ReservedStageName(),
    JSONArgsRecommended(),
    MaintainerDeprecated(),
    UndefinedArgInFrom(),
    WorkdirRelativePath(),
    UndefinedVar(),
    MultipleInstructionsDisallowed(),
    LegacyKeyValueFormat(),
    InvalidBaseImagePlatform(),
    RedundantTargetPlatform(),
    SecretsUsedInArgOrEnv(),
    InvalidDefaultArgInFrom(),
    FromPlatformFlagConstDisallowed(),
    CopyIgnoredFile(),
    InvalidDefinitionDescription(),
    ExposeProtoCasing(),
    ExposeInvalidFormat(),

    InvalidExpansion(),
    InvalidMount(),
    UnknownCopySource(),
    LinkedOwnerName(),
    ArgHidesEnv(),
    LinkIgnored(),
    IgnoredFlag(),
    UnreachableStage(),
    HeredocHidesFailures(),
    RunWithoutEffect(),
    AptUpdateAlone(),
    PathReplaced(),
    PipeHidesFailures(),
    AptListsKept(),
    UnpinnedBase(),
  ]

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })

  /// The rule of an identifier.
  package static func rule(named id: String) -> (any CheckRule)? { byName[id] }
}
