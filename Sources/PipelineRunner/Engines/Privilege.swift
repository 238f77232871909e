import ArgumentParser
import Glibc
import PipelineDSL

/// What the local engine needs from the kernel: to be root, on the machine or in a user namespace.
enum Privilege {
  /// Makes sure of it; who is not root continues in a user namespace.
  ///
  /// There the whole program runs once more, as the namespace's root over the user's subordinate
  /// ids, so that nothing else has to know. Who has none gets a namespace with one id, where files
  /// keep a record of the owner they are to have (``FileRecord``).
  ///
  /// - Throws: a diagnostic that says what to set up, or the status of the program that ran.
  static func require() async throws {
    guard geteuid() != 0 else { return }
    throw ExitCode(try await UserNamespace().runAgain())
  }
}
