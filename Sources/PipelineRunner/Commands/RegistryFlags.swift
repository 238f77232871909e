import ArgumentParser
import PipelineDSL

/// How registries are reached.
struct RegistryFlags: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Speak plain HTTP to this registry; those on loopback need no such word.", valueName: "host"))
  var plainHttp: [String] = []

  @Option(
    help: ArgumentHelp(
      "Read a registry's images from another server first, such as docker.io=https://mirror.example.",
      valueName: "host=url"))
  var registryMirror: [String] = []

  /// The flags as options.
  func options() throws(CommandFailure) -> RegistryOptions {
    var options = RegistryOptions(plainHosts: Set(plainHttp))
    for text in registryMirror {
      let (host, url) = text.splitAtEqualsSign
      guard let address = WebAddress(url), !host.isEmpty else {
        throw CommandFailure.usage(
          "--registry-mirror wants HOST=URL, such as docker.io=https://mirror.example, not '\(text)'"
        )
      }
      guard options.allowsPlain(address.origin) || address.origin.isSecure else {
        throw CommandFailure.usage(
          "the mirror '\(address)' is not encrypted",
          help: "allow it with --plain-http \(address.origin.authority)")
      }
      options.mirrors[host, default: []].append(address)
    }
    return options
  }
}
