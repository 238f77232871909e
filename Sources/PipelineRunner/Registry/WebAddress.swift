import CCurl

/// Who answers at an address: what credentials are for, and what a redirect may leave.
struct HTTPOrigin: Hashable, Sendable {
  var isSecure: Bool
  /// In lower case; an IPv6 address has its brackets.
  var host: String
  var port: Int

  /// The host, and the port where it is not the scheme's own.
  var authority: String {
    port == (isSecure ? 443 : 80) ? host : "\(host):\(port)"
  }

  /// Whether the address stays on this machine, by its form and not by what a name resolves to.
  var isLoopback: Bool {
    if host == "localhost" || host == "[::1]" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }
}

extension HTTPOrigin: CustomStringConvertible {
  var description: String { "\(isSecure ? "https" : "http")://\(authority)" }
}

/// An absolute `http` or `https` URL.
///
/// Read and resolved by libcurl, which later connects to it: two readers could differ on which
/// host a crafted one names.
struct WebAddress: Hashable, Sendable {
  /// The whole address without a fragment.
  let text: String
  let origin: HTTPOrigin
  /// Percent-encoded, with its first `/`.
  let path: String
  let query: String?

  /// Reads an address; nil where it is none, is of another scheme, or holds credentials.
  init?(_ text: String) {
    guard let handle = curl_url() else { return nil }
    defer { curl_url_cleanup(handle) }
    guard text.contains("://"), Self.set(handle, CURLUPART_URL, text) else { return nil }
    self.init(handle)
  }

  /// Reads an address that may hold a login as `USER:PASSWORD@`.
  static func splittingLogin(_ text: String) -> (address: WebAddress, login: String?)? {
    guard let handle = curl_url() else { return nil }
    defer { curl_url_cleanup(handle) }
    guard text.contains("://"), set(handle, CURLUPART_URL, text) else { return nil }
    let decode = UInt32(CURLU_URLDECODE)
    let user = get(handle, CURLUPART_USER, decode)
    let password = get(handle, CURLUPART_PASSWORD, decode)
    curl_url_set(handle, CURLUPART_USER, nil, 0)
    curl_url_set(handle, CURLUPART_PASSWORD, nil, 0)
    guard let address = WebAddress(handle) else { return nil }
    return (address, user.map { "\($0):\(password ?? "")" })
  }

  private init?(_ handle: OpaquePointer) {
    guard Self.get(handle, CURLUPART_USER) == nil, Self.get(handle, CURLUPART_PASSWORD) == nil,
      let scheme = Self.get(handle, CURLUPART_SCHEME)?.lowercased(),
      scheme == "http" || scheme == "https",
      let host = Self.get(handle, CURLUPART_HOST)?.lowercased(), !host.isEmpty,
      let port = Self.get(handle, CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT)).flatMap({ Int($0) }),
      curl_url_set(handle, CURLUPART_FRAGMENT, nil, 0) == CURLUE_OK,
      let text = Self.get(handle, CURLUPART_URL)
    else { return nil }
    self.text = text
    origin = HTTPOrigin(isSecure: scheme == "https", host: host, port: port)
    path = Self.get(handle, CURLUPART_PATH) ?? "/"
    query = Self.get(handle, CURLUPART_QUERY)
  }

  /// What a `Location` header means here, absolute or relative.
  func resolving(_ location: String) -> WebAddress? {
    change { Self.set($0, CURLUPART_URL, location) }
  }

  /// The address with a path below this one's.
  func appending(path more: String) -> WebAddress? {
    let base = path.hasSuffix("/") ? String(path.dropLast()) : path
    return change { Self.set($0, CURLUPART_PATH, base + more) }
  }

  /// The address with one query field more, its value percent-encoded.
  func appendingQuery(_ name: String, _ value: String) -> WebAddress? {
    change { handle in
      let flags = UInt32(CURLU_APPENDQUERY) | UInt32(CURLU_URLENCODE)
      return curl_url_set(handle, CURLUPART_QUERY, "\(name)=\(value)", flags) == CURLUE_OK
    }
  }

  private func change(_ body: (OpaquePointer) -> Bool) -> WebAddress? {
    guard let handle = curl_url() else { return nil }
    defer { curl_url_cleanup(handle) }
    guard Self.set(handle, CURLUPART_URL, text), body(handle) else { return nil }
    return WebAddress(handle)
  }

  private static func set(_ handle: OpaquePointer, _ part: CURLUPart, _ value: String) -> Bool {
    // A NUL would end the C string early.
    guard !value.utf8.contains(0) else { return false }
    return curl_url_set(handle, part, value, UInt32(CURLU_PATH_AS_IS)) == CURLUE_OK
  }

  private static func get(
    _ handle: OpaquePointer, _ part: CURLUPart, _ flags: UInt32 = 0
  ) -> String? {
    var value: UnsafeMutablePointer<CChar>?
    guard curl_url_get(handle, part, &value, flags) == CURLUE_OK, let value else { return nil }
    defer { curl_free(value) }
    return String(cString: value)
  }
}

extension WebAddress: CustomStringConvertible {
  /// Without the query, which in signed addresses is a secret.
  var description: String { "\(origin)\(path)" }
}
