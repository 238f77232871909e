import CLinux

/// The kernel's groups of processes, which count and limit what they use.
enum ControlGroups {
  /// Whether this machine has the one hierarchy of version 2 and nothing else.
  static let isUnified = clinux_file_system_type("/sys/fs/cgroup") == CLINUX_CGROUP2
}
