import Glibc

/// How often a request is tried again, and how long to wait before.
struct RetryPolicy: Sendable {
  /// Tries of one request, the first included.
  var attempts = 5
  /// The longest wait that a server may ask for.
  var longestWait = 60.0
  /// Waits; tests note the time instead.
  var wait: @Sendable (_ seconds: Double) throws -> Void = RetryPolicy.sleep

  /// Answers that may be another one a moment later.
  static let transientStatuses: Set = [408, 429, 500, 502, 503, 504]

  /// Seconds before the try after `attempt`; nil where the server asks for more than we wait.
  func delay(after attempt: Int, response: HTTPResponse?) -> Double? {
    if let header = response?["retry-after"], let asked = Self.seconds(header) {
      return asked <= longestWait ? max(asked, 0) : nil
    }
    return min(0.25 * Double(1 << min(attempt, 10)), 8)
  }

  /// The value of `Retry-After`: seconds, or a date (RFC 9110 section 10.2.3).
  static func seconds(_ header: String, now: Int = Int(time(nil))) -> Double? {
    if let seconds = Int(header) { return Double(seconds) }
    return HTTPDate.seconds(header).map { Double($0 - now) }
  }

  private static func sleep(_ seconds: Double) throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      try Cancellation.check()
      usleep(50_000)
    }
  }
}

/// Times as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
  /// Seconds since 1970; nil for another form.
  static func seconds(_ text: String) -> Int? {
    let words = text.split(whereSeparator: { " ,-:".contains($0) })
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    guard words.count == 8, words[7] == "GMT", let day = Int32(words[1]),
      let month = months.firstIndex(of: String(words[2])), let year = Int32(words[3]),
      let hour = Int32(words[4]), let minute = Int32(words[5]), let second = Int32(words[6]),
      (1...31).contains(day), (1900...9999).contains(year), (0...23).contains(hour),
      (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    var parts = tm()
    parts.tm_mday = day
    parts.tm_mon = Int32(month)
    parts.tm_year = year - 1900
    parts.tm_hour = hour
    parts.tm_min = minute
    parts.tm_sec = second
    return timegm(&parts)
  }
}
