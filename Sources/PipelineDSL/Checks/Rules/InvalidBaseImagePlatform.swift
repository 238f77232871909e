/// The base image is for another platform than the one that is built.
///
/// That is known only once the image is read: the planner reports it when a build is planned, and a
/// check without a build cannot.
struct InvalidBaseImagePlatform: CheckRule {
  let id = "InvalidBaseImagePlatform"
  let summary = "The base image should be for the platform that is built"

  func check(_ input: CheckInput) -> [Diagnostic] { [] }
}
