/// The root file system that a list of layers makes, as the image specification merges them.
struct FileTree {
  /// What a name leads to; several names may share one.
  final class File {
    var member: TarMember
    /// Digest or text of a regular file; nil for others.
    let content: [UInt8]?
    var children: [String: File]?

    init(_ member: TarMember, content: [UInt8]? = nil) {
      self.member = member
      self.content = content
      children = member.kind == .directory ? [:] : nil
    }
  }

  private(set) var root = File(Self.directory)
  /// What no reader should have to forgive.
  private(set) var problems: [String] = []

  /// Puts a layer over the tree: its deletions first, as they speak of the layers below only.
  mutating func apply(_ layer: ImageLayer) {
    let members = layer.members.map { (path: Self.components($0.name), member: $0) }
    let added = Set(members.map { $0.path.joined(separator: "/") })
    for (path, _) in members {
      guard let name = path.last, name.hasPrefix(".wh.") else { continue }
      let parent = lookUp(path.dropLast())
      if name == ".wh..wh..opq" {
        parent?.children = [:]
      } else {
        let hidden = String(name.dropFirst(4))
        if added.contains((path.dropLast() + [hidden]).joined(separator: "/")) {
          problems.append("a layer both has and deletes \(path.joined(separator: "/"))")
        }
        if parent?.children?.removeValue(forKey: hidden) == nil {
          problems.append("a layer deletes \(path.joined(separator: "/")), which nothing has")
        }
      }
    }
    for (path, member) in members { add(path, member, layer) }
  }

  private mutating func add(_ path: [String], _ member: TarMember, _ layer: ImageLayer) {
    if path.contains("..") { problems.append("a layer has the name \(member.name)") }
    guard let name = path.last else {
      root.member = member
      return
    }
    guard !name.hasPrefix(".wh.") else { return }
    guard let parent = lookUp(path.dropLast(), making: true), parent.children != nil else {
      return problems.append("nothing can hold \(member.name)")
    }
    switch member.kind {
    case .hardLink:
      let target = Self.components(member.target)
      guard let file = lookUp(target.dropLast())?.children?[target.last ?? ""],
        file.children == nil
      else { return problems.append("\(member.name) is a link to \(member.target), which is not") }
      parent.children?[name] = file
    case .directory:
      if let old = parent.children?[name], old.children != nil {
        old.member = member
      } else {
        parent.children?[name] = File(member)
      }
    default:
      let content = member.kind == .file ? Array(layer.archive[member.content]) : nil
      parent.children?[name] = File(member, content: content)
    }
  }

  /// The file of a path, through symbolic links, inside the root.
  private func lookUp(_ path: some Sequence<String>, making: Bool = false) -> File? {
    var trail = [root]
    var rest = Array(path)
    var hops = 0
    while !rest.isEmpty {
      let name = rest.removeFirst()
      if name == ".." {
        if trail.count > 1 { trail.removeLast() }
        continue
      }
      let directory = trail[trail.count - 1]
      guard directory.children != nil else { return nil }
      guard let next = directory.children?[name] else {
        guard making else { return nil }
        let made = File(Self.directory)
        directory.children?[name] = made
        trail.append(made)
        continue
      }
      if next.member.kind == .symbolicLink {
        hops += 1
        if hops > 40 { return nil }
        if next.member.target.hasPrefix("/") { trail = [root] }
        rest = Self.components(next.member.target) + rest
        continue
      }
      trail.append(next)
    }
    return trail.last
  }

  /// Every path with its file, parents first.
  var files: [(path: String, file: File)] {
    var found: [(path: String, file: File)] = [("/", root)]
    func visit(_ directory: File, _ prefix: String) {
      for (name, file) in directory.children ?? [:] {
        found.append((path: prefix + name, file: file))
        visit(file, prefix + name + "/")
      }
    }
    visit(root, "/")
    return found.sorted { $0.path < $1.path }
  }

  private static let directory = TarMember(
    kind: .directory, name: "", mode: 0o755, uid: 0, gid: 0, modified: 0, content: 0..<0)

  private static func components(_ name: String) -> [String] {
    name.split(separator: "/").filter { $0 != "." }.map(String.init)
  }
}
