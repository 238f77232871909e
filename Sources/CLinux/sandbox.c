#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "mounts.h"

// Everything between clinux_spawn's clone3 and execve runs in a copy of one thread: system calls
// only, no allocation, no lock, no call of the C library that keeps state. Of the calls that change
// ids the raw form is used, as the library's asks every thread of the program to take part.

// The arguments of this program, where the kernel shows them.
static char *arguments_start;
static size_t arguments_length;

__attribute__((constructor)) static void remember_arguments(int count, char **arguments) {
  if (count < 1 || !arguments || !arguments[0]) return;
  arguments_start = arguments[0];
  char *last = arguments[count - 1];
  arguments_length = (size_t)(last - arguments_start) + strlen(last);
}

static _Noreturn void fail(const struct clinux_sandbox *sandbox, int stage, int index) {
  struct clinux_report report = {.stage = stage, .code = errno, .index = index};
  (void)!write(sandbox->report, &report, sizeof report);
  _exit(127);
}

static int open_in(int root, const char *path, uint64_t flags, uint64_t resolve) {
  while (*path == '/') path++;
  struct open_how how = {
      .flags = flags | O_CLOEXEC,
      .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
  };
  for (;;) {
    int fd = (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return fd;
  }
}

static int move_mount(int mount, int target) {
  return (int)syscall(SYS_move_mount, mount, "", target, "",
                      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

// Attaches a mount at a directory that the caller chose.
static int stage(int mount, const char *directory) {
  return (int)syscall(SYS_move_mount, mount, "", AT_FDCWD, directory, MOVE_MOUNT_F_EMPTY_PATH);
}

static int change_mount(int mount, uint64_t attributes) {
  struct mount_attr change = {.attr_set = attributes};
  return (int)syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &change, sizeof change);
}

static int copy_mount(int fd) {
  return (int)syscall(SYS_open_tree, fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
}

// Closes what was inherited and is not needed: locks and other steps' pipes would live on here.
static void close_others(const struct clinux_sandbox *sandbox) {
  unsigned next = 3;
  for (size_t index = 0; index < sandbox->kept_count; index++) {
    unsigned kept = (unsigned)sandbox->kept[index];
    if (kept < next) continue;
    if (kept > next) syscall(SYS_close_range, next, kept - 1, 0);
    next = kept + 1;
  }
  syscall(SYS_close_range, next, ~0U, 0);
}

// What hides a path: the null device for a file, an empty directory for a directory.
static int make_mask(const struct clinux_sandbox *sandbox, int target) {
  struct stat status;
  if (fstat(target, &status)) return -1;
  if (S_ISDIR(status.st_mode)) {
    return clinux_file_system("tmpfs", NULL, NULL, 0,
                              MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
  }
  // The null device of the /dev that was made for this command, never one of the image
  // (CVE-2025-31133).
  int null = open_in(sandbox->root, "dev/null", O_PATH, RESOLVE_NO_SYMLINKS);
  if (null < 0) return -1;
  if (fstat(null, &status)) return -1;
  if (!S_ISCHR(status.st_mode) || status.st_rdev != 0x103) {
    errno = ENODEV;
    return -1;
  }
  int mask = copy_mount(null);
  close(null);
  return mask;
}

static int make_mount(const struct clinux_sandbox *sandbox, const struct clinux_mount *mount,
                      int target, int index) {
  uint64_t quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  int fd = -1;
  switch (mount->kind) {
    case CLINUX_MOUNT_ATTACH: return mount->fd;
    case CLINUX_MOUNT_PART: {
      int source = open_in(mount->fd, mount->source, O_PATH, 0);
      if (source < 0) fail(sandbox, CLINUX_STAGE_MOUNT_SOURCE, index);
      fd = copy_mount(source);
      close(source);
      break;
    }
    case CLINUX_MOUNT_PROC: fd = clinux_file_system("proc", NULL, NULL, 0, quiet); break;
    case CLINUX_MOUNT_SYSFS: fd = clinux_file_system("sysfs", NULL, NULL, 0, quiet); break;
    case CLINUX_MOUNT_QUEUES: fd = clinux_file_system("mqueue", NULL, NULL, 0, quiet); break;
    case CLINUX_MOUNT_GROUPS: fd = clinux_file_system("cgroup2", NULL, NULL, 0, quiet); break;
    case CLINUX_MOUNT_MASK: fd = make_mask(sandbox, target); break;
    case CLINUX_MOUNT_PROTECT: fd = copy_mount(target); break;
  }
  if (fd >= 0 && mount->attributes && change_mount(fd, mount->attributes)) return -1;
  return fd;
}

static void mount_all(const struct clinux_sandbox *sandbox) {
  for (size_t index = 0; index < sandbox->mount_count; index++) {
    const struct clinux_mount *mount = &sandbox->mounts[index];
    if (mount->kind == CLINUX_MOUNT_STAGE) {
      // A part of a mount can be copied only once the mount is in this namespace.
      if (stage(mount->fd, sandbox->staging)) {
        fail(sandbox, CLINUX_STAGE_MOUNT, (int)index);
      }
      continue;
    }
    int is_ours = mount->kind == CLINUX_MOUNT_MASK || mount->kind == CLINUX_MOUNT_PROTECT;
    int target = open_in(sandbox->root, mount->target, O_PATH, RESOLVE_NO_SYMLINKS);
    if (target < 0) {
      if (is_ours && (errno == ENOENT || errno == EACCES)) continue;
      fail(sandbox, CLINUX_STAGE_MOUNT_TARGET, (int)index);
    }
    // A file of the kernel's that was covered would say what the image wants it to say.
    struct statfs kind;
    if (!is_ours && !fstatfs(target, &kind) && kind.f_type == PROC_SUPER_MAGIC) {
      errno = EPERM;
      fail(sandbox, CLINUX_STAGE_MOUNT_FORBIDDEN, (int)index);
    }
    int fd = make_mount(sandbox, mount, target, (int)index);
    if (fd < 0 || move_mount(fd, target)) fail(sandbox, CLINUX_STAGE_MOUNT, (int)index);
    close(target);
    if (fd != mount->fd) close(fd);
  }
}

static void raise_loopback(const struct clinux_sandbox *sandbox) {
  int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq request;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (socket_fd < 0 || ioctl(socket_fd, SIOCSIFFLAGS, &request)) {
    fail(sandbox, CLINUX_STAGE_LOOPBACK, 0);
  }
  close(socket_fd);
}

static void limit_capabilities(const struct clinux_sandbox *sandbox) {
  for (unsigned capability = 0; capability < 64; capability++) {
    if (sandbox->capabilities >> capability & 1) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)) {
      if (errno == EINVAL) break;
      fail(sandbox, CLINUX_STAGE_CAPABILITIES, 0);
    }
  }
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data)) fail(sandbox, CLINUX_STAGE_CAPABILITIES, 0);
  for (int word = 0; word < 2; word++) {
    uint32_t mask = (uint32_t)(sandbox->capabilities >> (32 * word));
    data[word].permitted &= mask;
    data[word].effective = data[word].permitted;
    // What is inheritable can be gained again by a file of the image (CVE-2022-27650).
    data[word].inheritable = 0;
  }
  if (syscall(SYS_capset, &header, data)) fail(sandbox, CLINUX_STAGE_CAPABILITIES, 0);
}

static int write_file(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t written = write(file, text, strlen(text));
  int code = errno;
  close(file);
  errno = code;
  return written < 0 ? -1 : 0;
}

// A namespace in which the command's user is the only one: the kernel lets a process map its own id
// to any other, and to one alone.
static void become_only_user(const struct clinux_sandbox *sandbox) {
  if (syscall(SYS_unshare, CLONE_NEWUSER) || write_file("/proc/self/setgroups", "deny") ||
      write_file("/proc/self/uid_map", sandbox->user_map) ||
      write_file("/proc/self/gid_map", sandbox->group_map)) {
    fail(sandbox, CLINUX_STAGE_NAMESPACE, 0);
  }
}

static _Noreturn void run_command(const struct clinux_sandbox *sandbox) {
  if (setsid() < 0) fail(sandbox, CLINUX_STAGE_STREAMS, 0);
  if (sandbox->has_terminal && ioctl(sandbox->input, TIOCSCTTY, 0)) {
    fail(sandbox, CLINUX_STAGE_TERMINAL, 0);
  }
  int directory = open_in(sandbox->root, sandbox->directory, O_PATH | O_DIRECTORY, 0);
  if (directory < 0 || fchdir(directory)) fail(sandbox, CLINUX_STAGE_DIRECTORY, 0);
  // A directory outside of the root shows up as "(unreachable)…" (CVE-2024-21626).
  char path[4096];
  long length = syscall(SYS_getcwd, path, sizeof path);
  if (length < 1 || path[0] != '/') {
    if (length >= 1) errno = EXDEV;
    // Longer than a page is no reason to refuse: only the beginning matters.
    if (length >= 1 || errno != ERANGE) fail(sandbox, CLINUX_STAGE_DIRECTORY, 0);
  }
  umask(022);
  if (dup2(sandbox->input, 0) < 0 || dup2(sandbox->output, 1) < 0 ||
      dup2(sandbox->error, 2) < 0) {
    fail(sandbox, CLINUX_STAGE_STREAMS, 0);
  }
  if (sandbox->user_map) become_only_user(sandbox);
  // Loading a filter without giving up setuid programs takes CAP_SYS_ADMIN, so it comes first.
  if (sandbox->filter) {
    struct sock_fprog program = {
        .len = (unsigned short)sandbox->filter_length,
        .filter = (struct sock_filter *)sandbox->filter,
    };
    int status = sandbox->listener < 0
                     ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0)
                     : clinux_load_listened_filter(&program, sandbox->listener);
    if (status) {
      fail(sandbox, CLINUX_STAGE_FILTER, 0);
    }
  }
  limit_capabilities(sandbox);
  // Where the user is the only one there is nobody else to become.
  if (!sandbox->user_map && sandbox->group_count &&
      syscall(SYS_setgroups, sandbox->group_count, sandbox->groups)) {
    fail(sandbox, CLINUX_STAGE_IDENTITY, 0);
  }
  if (syscall(SYS_setresgid, sandbox->gid, sandbox->gid, sandbox->gid) ||
      syscall(SYS_setresuid, sandbox->uid, sandbox->uid, sandbox->uid)) {
    fail(sandbox, CLINUX_STAGE_IDENTITY, 0);
  }
  if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC)) {
    fail(sandbox, CLINUX_STAGE_STREAMS, 0);
  }
  int code = ENOENT;
  for (size_t index = 0; sandbox->programs[index]; index++) {
    syscall(SYS_execve, sandbox->programs[index], sandbox->arguments, sandbox->environment);
    if (errno == EACCES) {
      code = EACCES;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      code = errno;
      break;
    }
  }
  errno = code;
  fail(sandbox, CLINUX_STAGE_EXECUTE, 0);
}

// PID 1 of the namespace: it makes the root, starts the command, and reaps.
static _Noreturn void run_init(const struct clinux_sandbox *sandbox) {
  clinux_reset_signals();
  close_others(sandbox);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // The parent may have died before that; then nobody reads the reports.
  struct pollfd reader = {.fd = sandbox->report, .events = POLLOUT};
  if (poll(&reader, 1, 0) == 1 && reader.revents & POLLERR) _exit(127);
  // This process is a copy of the builder, secrets included: the command may not look into it, and
  // its arguments, which anybody may read, are overwritten.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  prctl(PR_SET_NAME, "init", 0, 0, 0);
  if (arguments_start) {
    memset(arguments_start, 0, arguments_length);
    if (arguments_length >= 4) memcpy(arguments_start, "init", 4);
  }
  for (size_t index = 0; index < sandbox->task_file_count; index++) {
    if (write(sandbox->task_files[index], "0", 1) < 0) {
      fail(sandbox, CLINUX_STAGE_GROUP, (int)index);
    }
  }
  setsid();
  // KEYCTL_JOIN_SESSION_KEYRING: the keys of whoever runs the build stay out of reach.
  syscall(SYS_keyctl, 1, NULL);
  struct mount_attr private = {.propagation = clinux_private};
  if (syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof private)) {
    fail(sandbox, CLINUX_STAGE_PRIVATE, 0);
  }
  if (stage(sandbox->root, sandbox->root_staging)) fail(sandbox, CLINUX_STAGE_ROOT, 0);
  mount_all(sandbox);
  if (sandbox->hostname &&
      syscall(SYS_sethostname, sandbox->hostname, strlen(sandbox->hostname))) {
    fail(sandbox, CLINUX_STAGE_HOSTNAME, 0);
  }
  if (sandbox->raises_loopback) raise_loopback(sandbox);
  // The old root is stacked on the new one and then let go, so no directory is needed for it.
  if (fchdir(sandbox->root) || syscall(SYS_pivot_root, ".", ".") ||
      syscall(SYS_umount2, ".", 2 /* MNT_DETACH */) || chdir("/")) {
    fail(sandbox, CLINUX_STAGE_PIVOT, 0);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  pid_t command = vfork();
  if (command == 0) run_command(sandbox);
  if (command < 0) fail(sandbox, CLINUX_STAGE_START, 0);
  for (int stream = 0; stream < 3; stream++) close(stream);
  int report = sandbox->report;
  if (report > 3) syscall(SYS_close_range, 3, report - 1, 0);
  syscall(SYS_close_range, report < 3 ? 3 : report + 1, ~0U, 0);
  for (;;) {
    int status;
    pid_t ended = waitpid(-1, &status, __WALL);
    if (ended < 0 && errno != EINTR) _exit(127);
    if (ended != command) continue;
    struct clinux_report end = {.stage = CLINUX_STAGE_ENDED, .code = status};
    (void)!write(report, &end, sizeof end);
    // The kernel kills whatever else is in the namespace.
    _exit(0);
  }
}

int clinux_spawn(const struct clinux_sandbox *sandbox) {
  int process = -1;
  struct clone_args arguments = {
      .flags = CLONE_PIDFD | sandbox->namespaces,
      .pidfd = (uint64_t)(uintptr_t)&process,
      .exit_signal = SIGCHLD,
  };
  if (sandbox->cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = (uint64_t)sandbox->cgroup;
  }
  // No handler of this program may run in the child.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  long result = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (result == 0) run_init(sandbox);
  int code = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = code;
  return result < 0 ? -1 : process;
}
