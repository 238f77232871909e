#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

// The C library of Debian 12 has headers for these calls and no wrappers for some of them; the
// numbers and constants are the kernel's ABI (linux/mount.h).
enum {
  fsopen_cloexec = 1,
  fsmount_cloexec = 1,
  fsconfig_set_flag = 0,
  fsconfig_set_string = 1,
  fsconfig_cmd_create = 6,
};

static int configure(int context, unsigned command, const char *key, const char *value) {
  return (int)syscall(SYS_fsconfig, context, command, key, value, 0);
}

int clinux_overlay(const char *const *lowers, size_t count, const char *upper, const char *work,
                   uint64_t attributes, int userxattr, char *message, size_t message_size) {
  if (message_size > 0) message[0] = 0;
  int context = (int)syscall(SYS_fsopen, "overlay", fsopen_cloexec);
  if (context < 0) return -1;
  int failed = 0;
  // One lower a call: an option string is cut silently at a page, and a cut can name another
  // directory that exists (threat 30).
  for (size_t index = 0; index < count && !failed; index++) {
    failed = configure(context, fsconfig_set_string, "lowerdir+", lowers[index]);
  }
  if (!failed && upper) {
    failed = configure(context, fsconfig_set_string, "upperdir", upper) ||
             configure(context, fsconfig_set_string, "workdir", work) ||
             configure(context, fsconfig_set_flag, "volatile", NULL);
  }
  // With any of these on, an upper directory is not self-contained, and a crafted attribute in a
  // layer reads files of other layers (threat 7).
  if (!failed) {
    failed = configure(context, fsconfig_set_string, "redirect_dir", "nofollow") ||
             configure(context, fsconfig_set_string, "metacopy", "off") ||
             configure(context, fsconfig_set_string, "index", "off");
  }
  if (!failed && userxattr) failed = configure(context, fsconfig_set_flag, "userxattr", NULL);
  if (!failed) failed = configure(context, fsconfig_cmd_create, NULL, NULL);
  int mount = -1;
  if (!failed) mount = (int)syscall(SYS_fsmount, context, fsmount_cloexec, attributes);
  int code = errno;
  if (mount < 0 && message_size > 1) {
    ssize_t length = read(context, message, message_size - 1);
    message[length > 0 ? length : 0] = 0;
  }
  close(context);
  errno = code;
  return mount;
}
