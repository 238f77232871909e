/// A package that a package manager says is installed in a root file system.
struct InstalledPackage: Hashable, Sendable {
  enum Manager: String, Hashable, Sendable {
    case deb
    case apk
    case pypi
  }

  var manager: Manager
  var name: String
  var version: String
  var architecture: String?
  /// As the package says, which need not be an SPDX expression.
  var license: String?

  /// The package's name among those of all kinds.
  func url(distribution: Distribution) -> String {
    let version = PackageURL.escaped(version)
    switch manager {
    case .pypi:
      let normalized = String(name.lowercased().map { $0 == "_" || $0 == "." ? "-" : $0 })
      return "pkg:pypi/\(PackageURL.escaped(normalized))@\(version)"
    case .deb, .apk:
      var url =
        "pkg:\(manager.rawValue)/\(PackageURL.escaped(distribution.id))/\(PackageURL.escaped(name))@\(version)"
      var qualifiers: [String] = []
      if let architecture { qualifiers.append("arch=\(PackageURL.escaped(architecture))") }
      if !distribution.version.isEmpty {
        qualifiers.append(
          "distro=\(PackageURL.escaped("\(distribution.id)-\(distribution.version)"))")
      }
      if !qualifiers.isEmpty { url += "?\(qualifiers.joined(separator: "&"))" }
      return url
    }
  }

  /// What `/etc/os-release` says of a system.
  struct Distribution: Hashable, Sendable {
    var id = "linux"
    var version = ""

    init() {}

    /// Reads `NAME=value` lines, values perhaps in quotes.
    init(osRelease text: String) {
      for line in text.split(separator: "\n") {
        let (name, value) = String(line).splitAtEqualsSign
        let plain = value.filter { $0 != "\"" && $0 != "'" && $0 != "\r" }
        if name == "ID" { id = plain }
        if name == "VERSION_ID" { version = plain }
      }
    }
  }

  // MARK: - Databases

  /// Packages in the text of `/var/lib/dpkg/status`, or of a file in `status.d`.
  ///
  /// What is removed but for its settings is not installed.
  static func dpkg(_ text: String) -> [InstalledPackage] {
    paragraphs(text, separator: ": ").compactMap { fields in
      guard let name = fields["Package"], let version = fields["Version"] else { return nil }
      if let status = fields["Status"], !status.hasSuffix(" installed") { return nil }
      return InstalledPackage(
        manager: .deb, name: name, version: version, architecture: fields["Architecture"],
        license: nil)
    }
  }

  /// Packages in the text of `/lib/apk/db/installed`.
  static func apk(_ text: String) -> [InstalledPackage] {
    paragraphs(text, separator: ":").compactMap { fields in
      guard let name = fields["P"], let version = fields["V"] else { return nil }
      return InstalledPackage(
        manager: .apk, name: name, version: version, architecture: fields["A"],
        license: fields["L"])
    }
  }

  /// The package of a `METADATA` file in a `.dist-info` directory.
  static func python(_ text: String) -> InstalledPackage? {
    // The headers end at the first empty line; the description follows.
    guard let fields = paragraphs(text, separator: ": ").first, let name = fields["Name"],
      let version = fields["Version"]
    else { return nil }
    return InstalledPackage(
      manager: .pypi, name: name, version: version, architecture: nil,
      license: fields["License-Expression"] ?? fields["License"])
  }

  /// Fields of paragraphs that empty lines part; of a repeated field the first counts, and
  /// continued lines are left out.
  private static func paragraphs(_ text: String, separator: String) -> [[String: String]] {
    var result: [[String: String]] = []
    var fields: [String: String] = [:]
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let line = line.hasSuffix("\r") ? line.dropLast() : line
      if line.isEmpty {
        if !fields.isEmpty { result.append(fields) }
        fields = [:]
        continue
      }
      guard line.first != " ", line.first != "\t", let colon = line.firstIndex(of: ":"),
        line[colon...].hasPrefix(separator)
      else { continue }
      let name = String(line[..<colon])
      let value = String(line[colon...].dropFirst(separator.count))
      if fields[name] == nil { fields[name] = value }
    }
    if !fields.isEmpty { result.append(fields) }
    return result
  }
}
