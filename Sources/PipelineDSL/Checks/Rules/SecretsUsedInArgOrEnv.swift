/// What ARG and ENV hold can be read from the image by anyone who has it.
struct SecretsUsedInArgOrEnv: CheckRule {
  let id = "SecretsUsedInArgOrEnv"
  let summary = "Secrets should not be in ARG or ENV"

  func check(_ input: CheckInput) -> [Diagnostic] {
    input.steps.flatMap { placed in
      placed.step.instruction.declaredNames.filter(SecretName.matches).map { name in
        let keyword = placed.step.instruction.keyword
        return finding(
          "\(keyword) should not hold sensitive data: '\(name)'",
          at: input.place(of: name, in: placed.location),
          label: keyword == "ENV" ? "is readable in the image's config" : "is kept in the history",
          help: "use 'RUN --mount=type=secret,id=\(name.lowercased()),env=\(name)', and --secret")
      }
    }
  }
}
