import Dispatch
import Glibc
import SystemPackage
import Testing

@testable import PipelineRunner

@Suite struct AgentRelayTests {
  /// A socket that listens at a path.
  private func listener(at path: FilePath) throws -> SharedDescriptor {
    let socket = try address(of: path) { descriptor, address, size in
      bind(descriptor, address, size) == 0 && listen(descriptor, 4) == 0
    }
    return SharedDescriptor(OwnedDescriptor(owning: socket))
  }

  private func connection(to path: FilePath) throws -> SharedDescriptor {
    let socket = try address(of: path) { connect($0, $1, $2) == 0 }
    return SharedDescriptor(OwnedDescriptor(owning: socket))
  }

  private func address(
    of path: FilePath, _ body: (CInt, UnsafePointer<sockaddr>, socklen_t) -> Bool
  ) throws -> CInt {
    let raw = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.bytes) }
    let isDone = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard isDone else { throw SystemError("socket", path: path.bytes) }
    return raw
  }

  private func receive(_ descriptor: CInt, _ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let length = bytes.withUnsafeMutableBytes {
        recv(descriptor, $0.baseAddress?.advanced(by: filled), count - filled, 0)
      }
      guard length > 0 else { return Array(bytes[..<filled]) }
      filled += length
    }
    return bytes
  }

  @Test("requests to list and sign reach the agent, requests to add or remove keys do not")
  func filter() throws {
    let tree = try TemporaryTree()
    let agent = try listener(at: tree["agent"])
    let relay = AgentRelay(try listener(at: tree["relay"]), agent: tree["agent"])
    defer { relay.stop() }
    let client = try connection(to: tree["relay"])
    let server = SharedDescriptor(OwnedDescriptor(owning: accept(agent.raw, nil, nil)))
    func send(_ bytes: [UInt8], to descriptor: CInt) {
      #expect(Glibc.send(descriptor, bytes, bytes.count, 0) == bytes.count)
    }
    // SSH_AGENTC_ADD_IDENTITY, REMOVE_ALL_IDENTITIES and LOCK: answered with failure.
    for request: [UInt8] in [[0, 0, 0, 2, 17, 9], [0, 0, 0, 1, 19], [0, 0, 0, 3, 22, 1, 1]] {
      send(request, to: client.raw)
      #expect(receive(client.raw, 5) == [0, 0, 0, 1, 5])
    }
    // SSH_AGENTC_REQUEST_IDENTITIES: the agent's first request is this one.
    send([0, 0, 0, 1, 11], to: client.raw)
    #expect(receive(server.raw, 5) == [0, 0, 0, 1, 11])
    send([0, 0, 0, 5, 12, 0, 0, 0, 0], to: server.raw)
    #expect(receive(client.raw, 9) == [0, 0, 0, 5, 12, 0, 0, 0, 0])
    relay.stop()
    #expect(receive(client.raw, 1) == [])
  }
}
