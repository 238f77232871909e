import CCurl
import Glibc
import PipelineDSL
import SystemPackage

/// Whose certificates a connection trusts, and which it shows.
struct TrustSettings: Hashable, Sendable {
  /// Files of authorities trusted beside the system's.
  var authorities: [FilePath] = []
  /// A client certificate and its key.
  var client: ClientCertificate?

  struct ClientCertificate: Hashable, Sendable {
    var certificate: FilePath
    var key: FilePath
  }

  func apply(to easy: UnsafeMutableRawPointer) {
    ccurl_set_long(easy, CURLOPT_SSL_VERIFYPEER, 1)
    ccurl_set_long(easy, CURLOPT_SSL_VERIFYHOST, 2)
    let system =
      ProcessVariables.nonEmpty("SSL_CERT_FILE")
      ?? ccurl_authorities(easy).map { String(cString: $0) }
    if authorities.isEmpty {
      if let system { ccurl_set_string(easy, CURLOPT_CAINFO, system) }
    } else {
      var bundle = system.flatMap { try? FileContent.readIfPresent(FilePath($0)) } ?? []
      for file in authorities {
        bundle += [UInt8(ascii: "\n")]
        bundle += (try? FileContent.read(file)) ?? []
      }
      bundle.withUnsafeBytes { bytes in
        _ = ccurl_set_blob(easy, CURLOPT_CAINFO_BLOB, bytes.baseAddress, bytes.count)
      }
    }
    if let client {
      ccurl_set_string(easy, CURLOPT_SSLCERT, client.certificate.string)
      ccurl_set_string(easy, CURLOPT_SSLKEY, client.key.string)
    }
  }
}

/// Directories in which a registry's certificates lie as docker keeps them:
/// `HOST:PORT/*.crt` are authorities, `HOST:PORT/NAME.cert` and `NAME.key` a client certificate.
struct CertificateDirectories: Hashable, Sendable {
  var directories: [FilePath]

  /// Docker's and Podman's directories, the user's own first.
  static var standard: CertificateDirectories {
    var directories: [FilePath] = []
    let configuration =
      ProcessVariables.nonEmpty("XDG_CONFIG_HOME").map { FilePath($0) }
      ?? ProcessVariables.nonEmpty("HOME").map { FilePath($0).appending(".config") }
    if let configuration {
      directories.append(configuration.appending("docker/certs.d"))
      directories.append(configuration.appending("containers/certs.d"))
    }
    return CertificateDirectories(
      directories: directories + ["/etc/docker/certs.d", "/etc/containers/certs.d"])
  }

  /// What connections to an origin trust.
  ///
  /// - Throws: a diagnostic where a certificate has no key, or a directory cannot be read.
  func settings(for origin: HTTPOrigin) throws(Diagnostic) -> TrustSettings {
    guard origin.isSecure else { return TrustSettings() }
    var settings = TrustSettings()
    var names = ["\(origin.host):\(origin.port)"]
    if origin.port == 443 { names.append(origin.host) }
    for directory in directories {
      for name in names { try add(directory.appending(name), to: &settings) }
    }
    return settings
  }

  private func add(_ directory: FilePath, to settings: inout TrustSettings) throws(Diagnostic) {
    let files: [String]
    do {
      files = try DirectoryTree.names(in: directory).sorted()
    } catch {
      if error.code == ENOENT || error.code == ENOTDIR { return }
      throw error.diagnostic("the registry's certificates cannot be read")
    }
    for file in files {
      if file.hasSuffix(".crt") {
        settings.authorities.append(directory.appending(file))
      } else if file.hasSuffix(".cert") {
        let key = file.dropLast("cert".count) + "key"
        guard files.contains(String(key)) else {
          throw Diagnostic(
            "the client certificate '\(directory.appending(file))' has no key beside it",
            help: "put it there as '\(key)'; files that end in .crt are authorities")
        }
        if settings.client == nil {
          settings.client = .init(
            certificate: directory.appending(file), key: directory.appending(String(key)))
        }
      }
    }
  }
}
