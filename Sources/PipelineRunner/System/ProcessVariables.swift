import Glibc

/// The environment this program was started with.
enum ProcessVariables {
  static subscript(name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// A variable's value, nil where it is unset or empty.
  static func nonEmpty(_ name: String) -> String? {
    guard let value = self[name], !value.isEmpty else { return nil }
    return value
  }
}
