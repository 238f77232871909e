import CArchive
import Glibc
import PipelineDSL
import SystemPackage

/// Reads a file as an image: an OCI layout, a docker archive or a root file system.
enum ArchiveImage {
  static func resolve(
    _ path: FilePath, _ selection: ImageSelection, platform: Platform
  ) throws -> ResolvedImage {
    let file: SharedFile
    do {
      file = try SharedFile(opening: path)
    } catch {
      throw error.diagnostic("the image '\(path)' cannot be read")
    }
    let head = try file.read(at: 0, count: 512)
    let compression = Compression(of: head)
    // What is compressed cannot be read in place: its layers would have to be found again and again.
    let plain = compression == .none ? file : try ArchiveFilter.expand(file)
    let first = compression == .none ? head : try plain.read(at: 0, count: 512)
    guard TarIndex.isTar(first) else {
      throw Diagnostic(
        "'\(path)' is no image: it is not a tar archive",
        help: "give an OCI layout, a docker archive or the tar of a root file system")
    }
    let index = try TarIndex(plain)
    if index["oci-layout"] != nil, index["index.json"] != nil {
      return try OCILayoutReader(files: .tar(index)).resolve(selection, platform: platform)
    }
    if index["manifest.json"] != nil {
      return try DockerArchive(files: .tar(index)).resolve(selection, platform: platform)
    }
    guard selection == .whole else {
      throw Diagnostic("'\(path)' is a root file system, which has no image '\(selection)'")
    }
    return try RootfsImage.resolve(tar: file, plain: plain, compression, platform: platform)
  }
}

/// Undoes the compression of a whole file.
enum ArchiveFilter {
  /// The content as a file of its own that has no name, so that nothing is left of it whatever
  /// happens.
  static func expand(_ file: SharedFile) throws -> SharedFile {
    let folder = FilePath(ProcessVariables.nonEmpty("TMPDIR") ?? "/var/tmp")
    let target = try UnnamedFile.make(in: folder)
    try file.withDescriptor { source in
      try copy(from: source, to: target.raw, file.path)
    }
    return try SharedFile(target, path: file.path)
  }

  private static func copy(from source: CInt, to target: CInt, _ path: FilePath) throws {
    guard let archive = archive_read_new() else { throw SystemError("archive_read_new") }
    defer { archive_read_free(archive) }
    archive_read_support_format_raw(archive)
    archive_read_support_filter_gzip(archive)
    archive_read_support_filter_zstd(archive)
    archive_read_support_filter_xz(archive)
    archive_read_support_filter_bzip2(archive)
    var entry: OpaquePointer?
    guard lseek(source, 0, SEEK_SET) == 0,
      archive_read_open_fd(archive, source, 1 << 17) == ARCHIVE_OK,
      archive_read_next_header(archive, &entry) == ARCHIVE_OK,
      archive_read_data_into_fd(archive, target) == ARCHIVE_OK
    else {
      let reason = archive_error_string(archive).map { String(cString: $0) } ?? "unknown error"
      throw Diagnostic("'\(path)' cannot be decompressed: \(reason)")
    }
  }
}

/// Files that exist only as long as their descriptor.
enum UnnamedFile {
  static func make(in folder: FilePath) throws(SystemError) -> OwnedDescriptor {
    let name = folder.appending(".pipeline-\(Store.uniqueName())")
    let raw = name.withPlatformString { open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
    guard raw >= 0 else { throw SystemError("open", path: name.bytes) }
    _ = name.withPlatformString { unlink($0) }
    return OwnedDescriptor(owning: raw)
  }
}
