#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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

// What configures everything but the directories.
static int configure_rest(int context, int is_volatile, int userxattr) {
  if (is_volatile && configure(context, fsconfig_set_flag, "volatile", NULL)) return -1;
  // With any of these on, an upper directory is not self-contained, and a crafted attribute in a
  // layer reads files of other layers (threat 7).
  if (configure(context, fsconfig_set_string, "redirect_dir", "nofollow") ||
      configure(context, fsconfig_set_string, "metacopy", "off") ||
      configure(context, fsconfig_set_string, "index", "off")) {
    return -1;
  }
  return userxattr ? configure(context, fsconfig_set_flag, "userxattr", NULL) : 0;
}

// One lower a call: an option string is cut silently at a page, and a cut can name another directory
// that exists (threat 30). From Linux 6.7 on.
static int configure_directories(int context, const char *const *lowers, size_t count,
                                 const char *upper, const char *work) {
  for (size_t index = 0; index < count; index++) {
    if (configure(context, fsconfig_set_string, "lowerdir+", lowers[index])) return -1;
  }
  if (!upper) return 0;
  return configure(context, fsconfig_set_string, "upperdir", upper) ||
         configure(context, fsconfig_set_string, "workdir", work);
}

// Older kernels take all lowers as one value of 255 bytes, and say so where it is longer. They get
// links of one or two letters, in a directory that nobody else sees.
static int make_names(const char *const *lowers, size_t count, const char *upper,
                      const char *work, char *value, size_t size) {
  static const char letters[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  int directory = clinux_file_system("tmpfs", NULL, NULL, 0, 0);
  if (directory < 0) return -1;
  size_t length = 0;
  int failed = upper && (symlinkat(upper, directory, "-upper") ||
                         symlinkat(work, directory, "-work"));
  for (size_t index = 0; index < count && !failed; index++) {
    char name[3] = {letters[index % 62], 0, 0};
    if (index >= 62) {
      name[0] = letters[index / 62 - 1];
      name[1] = letters[index % 62];
    }
    size_t wanted = strlen(name) + (index > 0);
    if (index >= 62 * 63 || length + wanted >= size) {
      errno = E2BIG;
      failed = 1;
      break;
    }
    if (index > 0) value[length++] = ':';
    memcpy(value + length, name, strlen(name) + 1);
    length += strlen(name);
    failed = symlinkat(lowers[index], directory, name);
  }
  if (!failed) return directory;
  int code = errno;
  close(directory);
  errno = code;
  return -1;
}

// Configures and creates the file system in a directory that the names are relative to: in a child,
// as threads share their working directory.
static int create_in(int directory, int context, const char *lowers, int has_upper,
                     int userxattr) {
  volatile int code = 0;
  pid_t child = vfork();
  if (child == 0) {
    if (fchdir(directory) || configure(context, fsconfig_set_string, "lowerdir", lowers) ||
        (has_upper && (configure(context, fsconfig_set_string, "upperdir", "-upper") ||
                       configure(context, fsconfig_set_string, "workdir", "-work"))) ||
        configure_rest(context, has_upper, userxattr) ||
        configure(context, fsconfig_cmd_create, NULL, NULL)) {
      code = errno;
    }
    _exit(0);
  }
  if (child < 0) return -1;
  while (waitpid(child, NULL, __WALL) < 0 && errno == EINTR) {
  }
  errno = code;
  return code ? -1 : 0;
}

static int make_mount(int context, int failed, uint64_t attributes, char *message,
                      size_t message_size) {
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

int clinux_overlay_by_names(const char *const *lowers, size_t count, const char *upper,
                            const char *work, uint64_t attributes, int userxattr) {
  char value[256];
  int directory = make_names(lowers, count, upper, work, value, sizeof value);
  if (directory < 0) return -1;
  int context = (int)syscall(SYS_fsopen, "overlay", fsopen_cloexec);
  int failed = context < 0 || create_in(directory, context, value, upper != NULL, userxattr);
  int mount = context < 0 ? -1 : make_mount(context, failed, attributes, NULL, 0);
  int code = errno;
  close(directory);
  errno = code;
  return mount;
}

int clinux_overlay(const char *const *lowers, size_t count, const char *upper, const char *work,
                   uint64_t attributes, int userxattr, char *message, size_t message_size) {
  // Set once the kernel is known to be an old one.
  static atomic_int takes_names;
  if (message_size > 0) message[0] = 0;
  int code = 0;
  if (!atomic_load(&takes_names)) {
    int context = (int)syscall(SYS_fsopen, "overlay", fsopen_cloexec);
    if (context < 0) return -1;
    int failed = configure_directories(context, lowers, count, upper, work) ||
                 configure_rest(context, upper != NULL, userxattr) ||
                 configure(context, fsconfig_cmd_create, NULL, NULL);
    int mount = make_mount(context, failed, attributes, message, message_size);
    if (mount >= 0 || errno != EINVAL) return mount;
    code = errno;
  }
  int mount = clinux_overlay_by_names(lowers, count, upper, work, attributes, userxattr);
  if (mount >= 0) {
    atomic_store(&takes_names, 1);
    if (message_size > 0) message[0] = 0;
  } else if (code && (errno != E2BIG || count > 500)) {
    // The newer way's own words say more.
    errno = code;
  }
  return mount;
}
