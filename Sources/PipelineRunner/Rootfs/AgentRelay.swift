import CLinux
import Dispatch
import Glibc
import PipelineDSL
import Synchronization
import SystemPackage

/// Carries what a command says to an ssh agent to the agent of whoever builds.
///
/// The command gets a socket of its own, with the owner and mode that its mount asks for, and only
/// requests that list keys or sign with them pass: a step must not add keys, remove or lock them.
final class AgentRelay: Sendable {
  private struct State {
    var isStopped = false
    var open: Set<CInt> = []
  }

  private let listener: SharedDescriptor
  private let agent: FilePath
  private let state = Mutex(State())

  /// Serves a listening socket until ``stop()``.
  init(_ listener: SharedDescriptor, agent: FilePath) {
    self.listener = listener
    self.agent = agent
    relayQueue.async { self.serve() }
  }

  /// Ends every connection.
  func stop() {
    state.withLock { state in
      state.isStopped = true
      for descriptor in state.open { shutdown(descriptor, CInt(SHUT_RDWR)) }
    }
    shutdown(listener.raw, CInt(SHUT_RDWR))
  }

  private func serve() {
    while true {
      let connection = clinux_accept(listener.raw)
      if connection < 0 {
        if errno == EINTR || errno == ECONNABORTED { continue }
        return
      }
      guard register(connection) else { return }
      relayQueue.async {
        self.relay(connection)
        self.release(connection)
      }
    }
  }

  private func register(_ descriptor: CInt) -> Bool {
    let isStopped = state.withLock { state in
      if !state.isStopped { state.open.insert(descriptor) }
      return state.isStopped
    }
    if isStopped { close(descriptor) }
    return !isStopped
  }

  private func release(_ descriptor: CInt) {
    state.withLock { state in
      state.open.remove(descriptor)
      close(descriptor)
    }
  }

  // MARK: - The protocol

  /// Listing keys, signing, and extensions, which agents refuse by themselves where they know none.
  private static let passing: Set<UInt8> = [11, 13, 27]

  private static let failure: [UInt8] = [0, 0, 0, 1, 5]

  private func relay(_ connection: CInt) {
    let server = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard server >= 0, register(server) else { return }
    defer { release(server) }
    guard connect(server) else { return }
    while let request = Self.message(connection) {
      guard request.count > 4, Self.passing.contains(request[4]) else {
        guard Self.send(Self.failure, to: connection) else { return }
        continue
      }
      guard Self.send(request, to: server), let answer = Self.message(server),
        Self.send(answer, to: connection)
      else { return }
    }
  }

  private func connect(_ descriptor: CInt) -> Bool {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = agent.bytes
    guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }

  /// One message: its length in four bytes, and that many more.
  private static func message(_ descriptor: CInt) -> [UInt8]? {
    guard let header = receive(4, from: descriptor) else { return nil }
    let length = header.reduce(0) { $0 << 8 | Int($1) }
    // OpenSSH's own limit.
    guard length > 0, length <= 256 << 10, let body = receive(length, from: descriptor) else {
      return nil
    }
    return header + body
  }

  private static func receive(_ count: Int, from descriptor: CInt) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let length = bytes.withUnsafeMutableBytes {
        recv(descriptor, $0.baseAddress?.advanced(by: filled), count - filled, 0)
      }
      if length < 0 && errno == EINTR { continue }
      guard length > 0 else { return nil }
      filled += length
    }
    return bytes
  }

  private static func send(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let length = bytes.withUnsafeBytes {
        Glibc.send(
          descriptor, $0.baseAddress?.advanced(by: sent), bytes.count - sent,
          CInt(MSG_NOSIGNAL))
      }
      if length < 0 && errno == EINTR { continue }
      guard length > 0 else { return false }
      sent += length
    }
    return true
  }
}

/// Connections wait for each other's ends, so they have threads of their own.
private let relayQueue = DispatchQueue(label: "pipeline.agent", attributes: .concurrent)
