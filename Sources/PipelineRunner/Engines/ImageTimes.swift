import Glibc

/// Times of an image's history (H1–H3).
enum ImageTimes {
  /// Gives every history entry its time and every layer its entry.
  ///
  /// `created` tells when a layer was made; with an epoch every new entry has that time.
  static func history(
    _ planned: [PlannedHistory], epoch: Int?, layerCount: Int,
    created: (OperationID) -> Int?
  ) -> [ImageConfiguration.History] {
    var entries = planned.map { item in
      var entry = item.entry
      if let operation = item.operation { entry.created = created(operation).map(text) }
      if let epoch, !item.isInherited { entry.created = text(epoch) }
      return entry
    }
    fillTimes(&entries)
    matchLayers(&entries, layerCount)
    return entries
  }

  /// Metadata steps take the first new layer's time, or that of the layer before them, as
  /// BuildKit's exporter does.
  private static func fillTimes(_ entries: inout [ImageConfiguration.History]) {
    var current: String?
    var sawMissing = false
    for entry in entries {
      if let time = entry.created {
        current = time
        if sawMissing { break }
      } else {
        sawMissing = true
      }
    }
    sawMissing = false
    for index in entries.indices {
      if let time = entries[index].created {
        if sawMissing { current = time }
      } else {
        sawMissing = true
        entries[index].created = current
      }
    }
  }

  private static func matchLayers(_ entries: inout [ImageConfiguration.History], _ count: Int) {
    var left = count
    for index in entries.indices where entries[index].emptyLayer != true {
      if left == 0 { entries[index].emptyLayer = true } else { left -= 1 }
    }
    for _ in 0..<left {
      entries.append(
        .init(created: entries.last?.created, createdBy: nil, comment: "buildkit.dockerfile.v0"))
    }
  }

  /// Seconds since 1970 in the form of RFC 3339, in UTC.
  static func text(_ seconds: Int) -> String {
    var value = time_t(seconds)
    var parts = tm()
    gmtime_r(&value, &parts)
    var buffer = [CChar](repeating: 0, count: 32)
    let length = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
    return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
