/// Leaves steps to the builds that start from this image: `ONBUILD`.
///
/// ```swift
/// OnBuild {
///   Copy(".", to: "/src")
///   Run("make -C /src")
/// }
/// ```
public struct OnBuild: Steps {
  private let triggers: [Step]

  /// Declares one trigger for each step.
  public init(@StepBuilder steps: () -> [Step]) {
    triggers = steps()
  }

  public var steps: [Step] {
    for trigger in triggers {
      [Step(.onBuild([trigger]), at: trigger.location)]
    }
  }
}
