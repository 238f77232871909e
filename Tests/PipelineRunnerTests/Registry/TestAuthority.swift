import PipelineDSL
import SystemPackage

@testable import PipelineRunner

/// A private authority made by openssl, with certificates for a server on loopback and a client.
final class TestAuthority: Sendable {
  let directory: TemporaryDirectory
  var path: FilePath { directory.path }

  init() throws {
    directory = try TemporaryDirectory()
    try directory.write("server.cnf", "subjectAltName=IP:127.0.0.1\n")
    try directory.write("client.cnf", "extendedKeyUsage=clientAuth\n")
    try openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test-authority -keyout ca.key -out ca.crt"
    )
    for name in ["server", "client"] {
      try openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=\(name) -keyout \(name).key -out \(name).csr"
      )
      try openssl(
        "x509 -req -in \(name).csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile \(name).cnf -out \(name).pem"
      )
    }
  }

  private func openssl(_ arguments: String) throws {
    _ = try Self.openssl(arguments, in: path)
  }

  /// Runs openssl in a directory, with words separated by spaces.
  static func openssl(
    _ arguments: String, in directory: FilePath, input: [UInt8] = []
  ) throws -> String {
    let output = try ChildProcess.run(
      ["/bin/sh", "-c", "cd '\(directory)' && openssl \(arguments)"], input: input)
    guard output.status == 0 else { throw Diagnostic("openssl: \(output.errors)") }
    return output.text
  }

  /// Puts the authority, and the client's certificate, where docker looks for those of a host.
  func install(
    for host: String, in directory: TemporaryDirectory, under folder: String = "certs.d",
    withClient: Bool
  ) throws {
    func copy(_ source: String, _ target: String) throws {
      try directory.write(
        "\(folder)/\(host)/\(target)",
        String(decoding: FileContent.read(path.appending(source)), as: UTF8.self))
    }
    try copy("ca.crt", "ca.crt")
    guard withClient else { return }
    try copy("client.pem", "client.cert")
    try copy("client.key", "client.key")
  }
}
