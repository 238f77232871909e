/// Starting a command in namespaces of its own, and the mounts it sees.
#ifndef CLINUX_SANDBOX_H
#define CLINUX_SANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// MOUNT_ATTR_* of mount_setattr(2), as constants that Swift can see.
static const uint64_t CLINUX_MOUNT_READ_ONLY = 0x01;
static const uint64_t CLINUX_MOUNT_NOSUID = 0x02;
static const uint64_t CLINUX_MOUNT_NODEV = 0x04;
static const uint64_t CLINUX_MOUNT_NOEXEC = 0x08;

/// Makes a file system that is attached nowhere, from `count` pairs of option and value; an option
/// with a null value is a flag.
int clinux_file_system(const char *type, const char *const *options, const char *const *values,
                       size_t count, uint64_t attributes);

/// A private copy of the mount that a descriptor lies in, beginning at what the descriptor names;
/// with what is mounted below it where `recursive` is set.
int clinux_clone_mount(int fd, int recursive, uint64_t attributes);

/// pipe2(2) and accept4(2) with close-on-exec.
int clinux_pipe(int ends[2]);
int clinux_accept(int listener);

/// The f_type of statfs(2) for a path, -1 where there is none.
long clinux_file_system_type(const char *path);
static const long CLINUX_CGROUP2 = 0x63677270;

/// CLONE_NEW* of clone(2).
static const uint64_t CLINUX_NEW_MOUNTS = 0x00020000;
static const uint64_t CLINUX_NEW_CGROUP = 0x02000000;
static const uint64_t CLINUX_NEW_UTS = 0x04000000;
static const uint64_t CLINUX_NEW_IPC = 0x08000000;
static const uint64_t CLINUX_NEW_USER = 0x10000000;
static const uint64_t CLINUX_NEW_PID = 0x20000000;
static const uint64_t CLINUX_NEW_NET = 0x40000000;

/// The terminal's other end for the master `fd` (TIOCGPTPEER).
int clinux_terminal_peer(int fd);
/// Unlocks a terminal's other end.
int clinux_unlock_terminal(int fd);
/// Copies the window size of one terminal to another.
int clinux_copy_window_size(int from, int to);

/// How a mount of the sandbox comes to be.
enum clinux_mount_kind {
  /// The detached mount `fd`.
  CLINUX_MOUNT_ATTACH,
  /// The detached mount `fd`, attached aside, so that parts of it can be mounted.
  CLINUX_MOUNT_STAGE,
  /// What `source` names inside `fd`, which was staged before.
  CLINUX_MOUNT_PART,
  /// These need the new namespaces, so the child makes them.
  CLINUX_MOUNT_PROC,
  CLINUX_MOUNT_SYSFS,
  CLINUX_MOUNT_QUEUES,
  CLINUX_MOUNT_GROUPS,
  /// Hides a path: a file behind the null device, a directory behind an empty one. Skipped where
  /// nothing is there.
  CLINUX_MOUNT_MASK,
  /// Makes a path read-only. Skipped where nothing is there.
  CLINUX_MOUNT_PROTECT,
};

struct clinux_mount {
  int kind;
  int fd;
  /// Relative to the root of `fd`.
  const char *source;
  /// A path in the new root without any link in it.
  const char *target;
  uint64_t attributes;
};

/// A command and everything that its process is given.
///
/// All of it is prepared before the process exists: the child makes system calls only, as it is
/// the copy of one thread of a program whose locks may be held by others.
struct clinux_sandbox {
  /// CLONE_NEW* of clone(2).
  uint64_t namespaces;
  /// The root file system, a detached mount, and directories to attach it and other mounts at
  /// meanwhile.
  ///
  /// Paths, as a descriptor opened by the caller belongs to the caller's mount namespace.
  int root;
  const char *root_staging;
  const char *staging;
  const struct clinux_mount *mounts;
  size_t mount_count;
  /// Null in a UTS namespace that is shared.
  const char *hostname;
  /// Whether the loopback interface has to be brought up.
  int raises_loopback;

  /// Where the command starts.
  const char *directory;
  /// The files to try in order, for a name that is looked up in PATH.
  const char *const *programs;
  const char *const *arguments;
  const char *const *environment;
  uint32_t uid;
  uint32_t gid;
  const uint32_t *groups;
  size_t group_count;
  /// One bit a capability; the only ones the command can ever have.
  uint64_t capabilities;
  /// A seccomp program of `filter_length` instructions, null for none.
  const void *filter;
  size_t filter_length;
  /// A socket for the descriptor on which calls arrive that the filter leaves to somebody else
  /// (clinux_next_call); -1 where it leaves none.
  int listener;
  /// The lines of `uid_map` and `gid_map` of a user namespace that the command gets for itself, in
  /// which its user is the only one; null where it stays in this one.
  const char *user_map;
  const char *group_map;

  /// Standard input, output and error of the command.
  int input;
  int output;
  int error;
  /// Whether the input becomes the controlling terminal.
  int has_terminal;
  /// Where `struct clinux_report`s are written.
  int report;
  /// A directory of a cgroup v2 hierarchy to start in, -1 for the caller's.
  int cgroup;
  /// Files named `tasks` of cgroup v1 hierarchies to enter.
  const int *task_files;
  size_t task_file_count;

  /// The descriptors above, ascending and without duplicates; the child closes all others.
  const int *kept;
  size_t kept_count;
};

/// What the child was doing when a call failed.
enum clinux_stage {
  CLINUX_STAGE_START = 1,
  CLINUX_STAGE_GROUP,
  CLINUX_STAGE_PRIVATE,
  CLINUX_STAGE_ROOT,
  CLINUX_STAGE_MOUNT_SOURCE,
  CLINUX_STAGE_MOUNT_TARGET,
  CLINUX_STAGE_MOUNT_FORBIDDEN,
  CLINUX_STAGE_MOUNT,
  CLINUX_STAGE_PIVOT,
  CLINUX_STAGE_HOSTNAME,
  CLINUX_STAGE_LOOPBACK,
  CLINUX_STAGE_DIRECTORY,
  CLINUX_STAGE_TERMINAL,
  CLINUX_STAGE_STREAMS,
  CLINUX_STAGE_CAPABILITIES,
  CLINUX_STAGE_IDENTITY,
  CLINUX_STAGE_NAMESPACE,
  CLINUX_STAGE_FILTER,
  CLINUX_STAGE_EXECUTE,
  /// Not a failure: the command ended, and `code` is its wait status.
  CLINUX_STAGE_ENDED,
};

struct clinux_report {
  int32_t stage;
  /// errno.
  int32_t code;
  /// Which mount it was.
  int32_t index;
};

/// Starts the command below a PID 1 that reaps, and returns that process's descriptor.
///
/// Killing it kills everything in its namespace; it dies with the calling thread.
int clinux_spawn(const struct clinux_sandbox *sandbox);

/// Starts a program in a user and a mount namespace of its own and returns its process's
/// descriptor; -1 where the kernel gives none.
///
/// With `keeps_groups` it has the caller's supplementary groups, as the kernel lets nobody drop
/// them where a user maps an id without anybody's help. It becomes the namespace's root and executes
/// `path` once a byte can be read from `ready`, by when its ids have to be mapped. It dies with the
/// calling thread.
int clinux_spawn_in_user_namespace(const char *path, const char *const *arguments,
                                   const char *const *environment, int ready, int keeps_groups,
                                   pid_t *process_id);

/// Waits for the end of a process of clinux_spawn_in_user_namespace; its exit status, or 128 and
/// the signal.
int clinux_wait(int process);

/// Executes a file in a root directory, with no other descriptor and no argument, and waits for its
/// end: 0 where the kernel took it, else the error of execveat(2).
int clinux_try_program(int file, const char *root);

/// Waits for the end of a process that clinux_spawn started.
int clinux_reap(int process);

/// Kills a process that clinux_spawn started, with everything in its namespace.
int clinux_kill(int process);

#endif
