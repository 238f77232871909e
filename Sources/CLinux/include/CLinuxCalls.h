/// Answering system calls of other processes (seccomp_unotify(2)).
#ifndef CLINUX_CALLS_H
#define CLINUX_CALLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A call that waits for its answer.
struct clinux_call {
  uint64_t id;
  /// The thread that made it.
  pid_t task;
  /// AUDIT_ARCH_*.
  uint32_t architecture;
  int32_t number;
  uint64_t arguments[6];
};

/// Two connected sockets with close-on-exec.
int clinux_socket_pair(int ends[2]);

/// Waits for a descriptor sent over a socket; -1 where the other end was closed.
int clinux_receive_descriptor(int from);

/// Waits for the next call: 1, or 0 when no process is left that could make one.
int clinux_next_call(int listener, struct clinux_call *call);

/// Ends a call: with a value where `code` is 0, else with that error.
int clinux_answer_call(int listener, uint64_t id, int64_t value, int code);

/// Leaves a call to the kernel.
///
/// What its arguments point to can change between a look at it and this, so it may depend on
/// numbers alone.
int clinux_pass_call(int listener, uint64_t id);

/// Whether a call still waits, so that its thread is the one that it was.
int clinux_is_waiting(int listener, uint64_t id);

/// Reads a string of another process; its length without the NUL.
ssize_t clinux_read_text(pid_t process, uint64_t address, char *text, size_t size);

/// Reads and writes bytes of another process, all of them or none that count.
int clinux_read_memory(pid_t process, uint64_t address, void *bytes, size_t size);
int clinux_write_memory(pid_t process, uint64_t address, const void *bytes, size_t size);

/// Gives the calling thread a root, a working directory and a umask of its own.
int clinux_own_directories(void);

/// fchownat(2) of what a descriptor names, one opened with O_PATH as well.
int clinux_change_owner(int fd, uid_t uid, gid_t gid);

#endif
