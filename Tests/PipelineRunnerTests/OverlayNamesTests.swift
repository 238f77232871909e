import CLinux
import Glibc
import SystemPackage
import Testing

@testable import PipelineRunner

/// Overlays as kernels before Linux 6.7 take them; newer ones take them too.
@Suite struct OverlayNamesTests {
  private func mount(
    _ lowers: [FilePath], upper: FilePath? = nil, work: FilePath? = nil
  ) -> (mount: SharedDescriptor?, code: CInt) {
    let strings = lowers.map { strdup($0.string) } + [upper, work].map { strdup($0?.string ?? "") }
    defer { for string in strings { free(string) } }
    let pointers = strings.map { UnsafePointer($0) }
    let descriptor = clinux_overlay_by_names(
      pointers, lowers.count, upper == nil ? nil : pointers[lowers.count],
      work == nil ? nil : pointers[lowers.count + 1], 0,
      OverlayMark.isInUserNamespace ? 1 : 0)
    if descriptor < 0 { return (nil, errno) }
    return (SharedDescriptor(OwnedDescriptor(owning: descriptor)), 0)
  }

  @Test("layers lie over each other, with names that options would have to escape")
  func merged() throws {
    let tree = try TemporaryTree()
    for (name, content) in [("a:b", "upper"), ("c,d", "lower")] {
      try tree.file("\(name)/file", content)
      try tree.file("\(name)/\(content)", content)
    }
    let upper = try tree.directory("up:per")
    let work = try tree.directory("wo,rk")
    let (mount, _) = mount([tree["a:b"], tree["c,d"]], upper: upper, work: work)
    let root = try #require(mount)
    let path = FilePath("/proc/self/fd/\(root.raw)/.")
    #expect(try DirectoryTree.names(in: path).sorted() == ["file", "lower", "upper"])
    #expect(path.appending("file").text == "upper")
    try FileContent.write(path.appending("new"), [1])
    #expect(try DirectoryTree.names(in: upper) == ["new"])
  }

  @Test("a hundred layers fit, a thousand are an error")
  func many() throws {
    let tree = try TemporaryTree()
    let layers = try (0..<1000).map { try tree.directory("layer-\($0)") }
    for index in 0..<100 { try tree.file("layer-\(index)/\(index)") }
    let (mount, _) = mount(Array(layers[..<100]))
    let root = try #require(mount)
    let names = try DirectoryTree.names(in: FilePath("/proc/self/fd/\(root.raw)/."))
    #expect(Set(names) == Set((0..<100).map(String.init)))
    #expect(self.mount(layers).code == E2BIG)
  }
}
