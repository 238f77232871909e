#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "mounts.h"

int clinux_file_system(const char *type, const char *const *options, const char *const *values,
                       size_t count, uint64_t attributes) {
  int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
  if (context < 0) return -1;
  long failed = 0;
  for (size_t index = 0; index < count && !failed; index++) {
    unsigned command = values[index] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
    failed = syscall(SYS_fsconfig, context, command, options[index], values[index], 0);
  }
  if (!failed) failed = syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  int mount = -1;
  if (!failed) mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
  int code = errno;
  close(context);
  errno = code;
  return mount;
}

int clinux_clone_mount(int fd, int recursive, uint64_t attributes) {
  unsigned depth = recursive ? AT_RECURSIVE : 0;
  int mount = (int)syscall(SYS_open_tree, fd, "",
                           OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | depth);
  if (mount < 0) return -1;
  // A copy of a shared mount is shared too: what the command mounts below it would appear on the
  // machine.
  struct mount_attr change = {.attr_set = attributes, .propagation = clinux_private};
  if (syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | depth, &change, sizeof change)) {
    int code = errno;
    close(mount);
    errno = code;
    return -1;
  }
  return mount;
}

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int clinux_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }

long clinux_file_system_type(const char *path) {
  struct statfs status;
  return statfs(path, &status) ? -1 : (long)status.f_type;
}

int clinux_terminal_peer(int fd) {
  return ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

int clinux_unlock_terminal(int fd) {
  int lock = 0;
  return ioctl(fd, TIOCSPTLCK, &lock);
}

int clinux_copy_window_size(int from, int to) {
  struct winsize size;
  if (ioctl(from, TIOCGWINSZ, &size)) return -1;
  return ioctl(to, TIOCSWINSZ, &size);
}
