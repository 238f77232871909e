import CSeccomp

/// The system calls that a command may make: those that builds need, less those that have only ever
/// helped to get out of a container.
///
/// It allows what the profile that docker documents allows to a container with the default
/// capabilities; every other call fails with EPERM, and calls newer than this list with ENOSYS, so
/// that C libraries fall back to older ones.
enum SeccompProfile {
  /// The profile as a BPF program, eight bytes an instruction; made once.
  ///
  /// The seccomp library makes the same from the same rules in 13 ms for two instruction sets,
  /// which is longer than everything else that a step needs; it is asked for numbers only.
  static let program: [UInt8] = {
    let sets = instructionSets.map { (architecture: $0, rules: rules(for: $0)) }
    return FilterProgram(sets).bytes
  }()

  /// The profile, or one that allows everything, for a command whose ``RecordedCall``s are answered
  /// by a ``CallRecorder``.
  static func program(asking calls: [RecordedCall], allowsEverything: Bool) -> [UInt8] {
    let names = calls.flatMap(\.names)
    let sets = instructionSets.map {
      (architecture: $0, rules: rules(for: $0, asking: names, allowsEverything: allowsEverything))
    }
    return FilterProgram(sets).bytes
  }

  /// The numbers that calls have in each instruction set.
  static func numbers(of calls: [RecordedCall]) -> [CallNumber: (call: RecordedCall, name: String)]
  {
    var numbers: [CallNumber: (call: RecordedCall, name: String)] = [:]
    for architecture in instructionSets {
      for call in calls {
        for name in call.names {
          let number = seccomp_syscall_resolve_name_arch(architecture, name)
          if number >= 0 {
            numbers[CallNumber(architecture: architecture, number: number)] = (call, name)
          }
        }
      }
    }
    return numbers
  }

  /// A system call as the kernel names it.
  struct CallNumber: Hashable {
    var architecture: UInt32
    var number: Int32
  }

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
  private static let personalities: [UInt32] = [0, 0x8, 0x20000, 0x20008, 0xFFFF_FFFF]

  /// CLONE_NEWNS and the other namespaces, in the argument of `clone`.
  private static let namespaceFlags: UInt32 = 0x7E02_0000

  /// AF_VSOCK, which reaches the machine that this one runs on.
  private static let hostSockets: UInt32 = 40

  /// What is decided otherwise than by the name alone.
  private static let special: [(name: String, rule: FilterProgram.Rule)] = [
    ("clone", .allowUnlessAnyBit(namespaceFlags)),
    // Its flags lie in memory that can change after a look at them; C libraries then use clone.
    ("clone3", .missing),
    ("personality", .allowIf(personalities)),
    ("socket", .allowUnless(hostSockets)),
  ]

  // MARK: - Numbers

  /// This machine's instruction set and the 32-bit one that its kernel runs too.
  private static var instructionSets: [UInt32] {
    let native = seccomp_arch_native()
    return switch native {
    case 0xC000_003E: [native, 0x4000_0003]  // x86-64 and i386
    case 0xC000_00B7: [native, 0x4000_0028]  // arm64 and arm
    default: [native]
    }
  }

  /// The rules of one instruction set: where a new one begins to hold, ascending.
  private static func rules(
    for architecture: UInt32, asking: [String] = [], allowsEverything: Bool = false
  ) -> [FilterProgram.Entry] {
    var byNumber: [UInt32: FilterProgram.Rule] = [:]
    func set(_ name: String, _ rule: FilterProgram.Rule) {
      // Negative where this instruction set has no such call, or the library is too old to know.
      let number = seccomp_syscall_resolve_name_arch(architecture, name)
      if number >= 0 { byNumber[UInt32(number)] = rule }
    }
    if !allowsEverything {
      for name in allowed.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
        set(String(name), .allow)
      }
      for (name, rule) in special { set(name, rule) }
      for number in newer { byNumber[number] = .allow }
    }
    for name in asking { set(name, .ask) }
    var entries: [FilterProgram.Entry] = []
    func begin(_ number: UInt32, _ rule: FilterProgram.Rule) {
      if entries.last?.first == number { entries.removeLast() }
      if entries.last?.rule != rule { entries.append(.init(first: number, rule: rule)) }
    }
    begin(0, allowsEverything ? .allow : .refuse)
    for number in byNumber.keys.sorted() {
      if allowsEverything {
        begin(number, .ask)
        begin(number + 1, .allow)
        continue
      }
      if number > lastKnown { begin(max(entries.last?.first ?? 0, lastKnown + 1), .missing) }
      begin(number, byNumber[number] ?? .refuse)
      begin(number + 1, number >= lastKnown ? .missing : .refuse)
    }
    return entries
  }
}
