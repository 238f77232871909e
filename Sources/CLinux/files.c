#include "CLinuxFiles.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

ssize_t clinux_list_attributes(int fd, char *names, size_t size) {
  return flistxattr(fd, names, size);
}

ssize_t clinux_get_attribute(int fd, const char *name, void *value, size_t size) {
  return fgetxattr(fd, name, value, size);
}

int clinux_set_attribute(int fd, const char *name, const void *value, size_t size) {
  return fsetxattr(fd, name, value, size, 0);
}

ssize_t clinux_list_attributes_at(const char *path, char *names, size_t size) {
  return llistxattr(path, names, size);
}

ssize_t clinux_get_attribute_at(const char *path, const char *name, void *value, size_t size) {
  return lgetxattr(path, name, value, size);
}

ssize_t clinux_get_attribute_of(const char *path, const char *name, void *value, size_t size) {
  return getxattr(path, name, value, size);
}

int clinux_set_attribute_of(const char *path, const char *name, const void *value, size_t size) {
  return setxattr(path, name, value, size, 0);
}

ssize_t clinux_get_attribute_in(int directory, const char *file, const char *name, void *value,
                                size_t size) {
  // getxattrat(2) is there from Linux 6.13 only.
  char path[320];
  int length = snprintf(path, sizeof path, "/proc/self/fd/%d/%s", directory, file);
  if (length < 0 || (size_t)length >= sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return lgetxattr(path, name, value, size);
}

int clinux_clone(int target, int source) { return ioctl(target, FICLONE, source); }

ssize_t clinux_copy_range(int source, int target, size_t count) {
  return copy_file_range(source, NULL, target, NULL, count, 0);
}

off_t clinux_seek_data(int fd, off_t offset) { return lseek(fd, offset, SEEK_DATA); }

off_t clinux_seek_hole(int fd, off_t offset) { return lseek(fd, offset, SEEK_HOLE); }

int clinux_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int clinux_process(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

unsigned clinux_major(dev_t device) { return major(device); }

unsigned clinux_minor(dev_t device) { return minor(device); }

dev_t clinux_device(unsigned major_number, unsigned minor_number) {
  return makedev(major_number, minor_number);
}
