import CLinux
import CSeccomp
import Glibc

/// The system calls that a command may make: those that builds need, less those that have only ever
/// helped to get out of a container.
///
/// It allows what the profile that docker documents allows to a container with the default
/// capabilities; every other call fails with EPERM, and calls newer than this list with ENOSYS, so
/// that C libraries fall back to older ones.
enum SeccompProfile {
  /// The profile as a BPF program, eight bytes an instruction; made once.
  static func program() throws(SystemError) -> [UInt8] {
    switch shared {
    case .success(let program): return program
    case .failure(let error): throw error
    }
  }

  private static let shared = Result { () throws(SystemError) in try make() }

  // MARK: - Rules

  /// Allowed whatever their arguments are.
  static let allowed = """
    accept accept4 access adjtimex alarm arch_prctl bind brk capget capset chdir chmod chown chown32
    chroot clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime
    clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect copy_file_range
    creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2
    epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2
    fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchown fchown32 fchownat
    fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64
    fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_time64 futex_waitv futimesat
    getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups
    getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid
    getresgid32 getresuid getresuid32 getrlimit get_robust_list getrusage getsid getsockname
    getsockopt get_thread_area gettid gettimeofday getuid getuid32 getxattr inotify_add_watch
    inotify_init inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy io_getevents
    io_pgetevents io_pgetevents_time64 ioprio_get ioprio_set io_setup io_submit ipc kill
    landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr link
    linkat listen listxattr llistxattr _llseek lremovexattr lseek lsetxattr lstat lstat64 madvise
    membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall
    mmap mmap2 modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive
    mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap msgctl msgget msgrcv
    msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat _newselect open
    openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect
    poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv
    process_vm_writev pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead
    readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages
    removexattr rename renameat renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending
    rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64
    rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max
    sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64
    sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select
    semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg
    sendto setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer
    setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
    setreuid32 setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address setuid
    setuid32 setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 sigprocmask
    sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statx symlink symlinkat sync
    sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun
    timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
    timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit
    umask uname unlink unlinkat utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid
    waitpid write writev
    """

  /// Numbers of allowed calls that the seccomp library of Debian 12 cannot name: cachestat,
  /// fchmodat2, map_shadow_stack, futex_wake, futex_wait, futex_requeue, mseal, setxattrat,
  /// getxattrat, listxattrat and removexattrat.
  ///
  /// Calls of this age have one number on every architecture.
  private static let newer: [UInt32] = [451, 452, 453, 454, 455, 456, 462, 463, 464, 465, 466]

  /// The last number that ``allowed`` was written with in mind.
  private static let lastKnown: UInt32 = 450

  /// The execution domains that only change how a program sees addresses or its version.
  private static let personalities: [UInt64] = [0, 0x8, 0x20000, 0x20008, 0xFFFF_FFFF]

  /// CLONE_NEWNS and the other namespaces, in the argument of `clone`.
  private static let namespaceFlags: UInt64 = 0x7E02_0000

  // MARK: - Compiling

  private static let allow: UInt32 = 0x7FFF_0000

  private static func fail(_ code: CInt) -> UInt32 { 0x0005_0000 | UInt32(code) }

  private static func make() throws(SystemError) -> [UInt8] {
    guard let context = seccomp_init(fail(EPERM)) else {
      throw SystemError("seccomp_init", code: ENOMEM)
    }
    defer { seccomp_release(context) }
    try check(seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2))
    for architecture in foreignArchitectures {
      let status = seccomp_arch_add(context, architecture)
      if status != -EEXIST { try check(status) }
    }
    for name in allowed.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
      try add(context, String(name))
    }
    for value in personalities {
      try add(context, "personality", [compare(0, SCMP_CMP_EQ, value)])
    }
    try add(context, "clone", [compare(0, SCMP_CMP_MASKED_EQ, namespaceFlags, 0)])
    // Its flags lie in memory that can change after a look at them; C libraries then use clone.
    try add(context, "clone3", action: fail(ENOSYS))
    // AF_VSOCK reaches the machine that this one runs on.
    try add(context, "socket", [compare(0, SCMP_CMP_NE, 40)])
    return prelude() + (try export(context))
  }

  /// The other instruction sets that this machine's kernel runs.
  private static var foreignArchitectures: [UInt32] {
    switch seccomp_arch_native() {
    case 0xC000_003E: [0x4000_0003, 0x4000_003E]  // x86-64: i386 and x32
    case 0xC000_00B7: [0x4000_0028]  // arm64: arm
    default: []
    }
  }

  private static func compare(
    _ argument: UInt32, _ operation: scmp_compare, _ first: UInt64, _ second: UInt64 = 0
  ) -> scmp_arg_cmp {
    scmp_arg_cmp(arg: argument, op: operation, datum_a: first, datum_b: second)
  }

  private static func add(
    _ context: scmp_filter_ctx, _ name: String, _ conditions: [scmp_arg_cmp] = [],
    action: UInt32 = allow
  ) throws(SystemError) {
    let number = seccomp_syscall_resolve_name(name)
    // An older library that does not know the name: the call stays forbidden.
    if number == -1 { return }
    try check(
      seccomp_rule_add_array(context, action, number, UInt32(conditions.count), conditions))
  }

  private static func check(_ status: CInt) throws(SystemError) {
    guard status == 0 else { throw SystemError("seccomp", code: -status) }
  }

  private static func export(_ context: scmp_filter_ctx) throws(SystemError) -> [UInt8] {
    let raw = clinux_memory_file("filter")
    guard raw >= 0 else { throw SystemError("memfd_create") }
    let file = OwnedDescriptor(owning: raw)
    try check(seccomp_export_bpf(context, file.raw))
    let size = lseek(file.raw, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: Int(size))
    guard pread(file.raw, &bytes, bytes.count, 0) == bytes.count else {
      throw SystemError("read")
    }
    return bytes
  }

  /// What decides about calls that the library has no names for, before its own program.
  private static func prelude() -> [UInt8] {
    let count = UInt8(newer.count)
    var code: [UInt8] = []
    func emit(_ operation: UInt16, _ isTrue: UInt8, _ isFalse: UInt8, _ value: UInt32) {
      withUnsafeBytes(of: operation) { code.append(contentsOf: $0) }
      code += [isTrue, isFalse]
      withUnsafeBytes(of: value) { code.append(contentsOf: $0) }
    }
    // The number of the call; x32 marks its own with a bit, and they are left to the program.
    emit(0x20, 0, 0, 0)
    emit(0x35, count + 3, 0, 0x4000_0000)
    for (index, number) in newer.enumerated() {
      emit(0x15, count - UInt8(index) + 1, 0, number)
    }
    emit(0x25, 0, 2, lastKnown)
    emit(0x06, 0, 0, fail(ENOSYS))
    emit(0x06, 0, 0, allow)
    return code
  }
}
