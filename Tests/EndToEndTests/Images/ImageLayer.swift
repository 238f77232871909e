/// A layer of an image: its archive, and the members in it.
struct ImageLayer: Sendable {
  var archive: [UInt8]
  /// Of the archive before compression.
  var digest: String
  var members: [TarMember]

  /// Reads a layer's blob, whatever it was compressed with.
  init(blob: [UInt8]) throws {
    archive = try Self.decompressed(blob)
    digest = "sha256:" + Checksum.hex(of: archive)
    members = try TarReader.members(of: archive)
  }

  private static func decompressed(_ blob: [UInt8]) throws -> [UInt8] {
    let program: [String]
    if blob.starts(with: [0x1F, 0x8B]) {
      program = ["gzip", "-dc"]
    } else if blob.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
      program = ["zstd", "-dcq"]
    } else {
      return blob
    }
    let run = try ProgramRun.wait(for: program[0], Array(program.dropFirst()), input: blob)
    guard run.status == 0 else {
      throw TarReader.Malformed(description: "\(program[0]): \(run.errors)")
    }
    return run.output
  }
}
