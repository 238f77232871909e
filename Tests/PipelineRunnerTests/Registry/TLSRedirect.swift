import Glibc
import PipelineDSL
import SystemPackage

@testable import PipelineRunner

/// A server with a certificate that answers one request, with a redirect, and ends.
struct TLSRedirect {
  let host: String

  private static let script = """
    import http.server, os, ssl, sys
    certificate, key, location, port = sys.argv[1:]
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(302)
            self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()
        def log_message(self, *arguments):
            pass
    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    server.timeout = 60
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    open(port + ".new", "w").write(str(server.server_port))
    os.rename(port + ".new", port)
    server.handle_request()
    """

  init(_ authority: TestAuthority, to location: String) throws {
    let portFile = authority.path.appending("port")
    let script = try authority.directory.write("redirect.py", Self.script)
    let output = try ChildProcess.run([
      "/bin/sh", "-c", "python3 \"$0\" \"$@\" </dev/null >/dev/null 2>&1 &", script.string,
      authority.path.appending("server.pem").string, authority.path.appending("server.key").string,
      location, portFile.string,
    ])
    guard output.status == 0 else { throw Diagnostic("python3: \(output.errors)") }
    for _ in 0..<1000 where portFile.withPlatformString({ access($0, R_OK) }) != 0 {
      usleep(10_000)
    }
    host = try "127.0.0.1:" + String(decoding: FileContent.read(portFile), as: UTF8.self)
  }
}
