/// Calls on files that the C library of Debian 12 declares for GNU programs only, or where Swift
/// cannot see them.
#ifndef CLINUX_FILES_H
#define CLINUX_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// flistxattr(2), fgetxattr(2) and fsetxattr(2).
ssize_t clinux_list_attributes(int fd, char *names, size_t size);
ssize_t clinux_get_attribute(int fd, const char *name, void *value, size_t size);
int clinux_set_attribute(int fd, const char *name, const void *value, size_t size);

/// llistxattr(2) and lgetxattr(2), for what cannot be opened.
ssize_t clinux_list_attributes_at(const char *path, char *names, size_t size);
ssize_t clinux_get_attribute_at(const char *path, const char *name, void *value, size_t size);

/// getxattr(2) and setxattr(2), which follow links: those of /proc to an open file too.
ssize_t clinux_get_attribute_of(const char *path, const char *name, void *value, size_t size);
int clinux_set_attribute_of(const char *path, const char *name, const void *value, size_t size);

/// lgetxattr(2) of a name in a directory.
ssize_t clinux_get_attribute_in(int directory, const char *file, const char *name, void *value,
                                size_t size);

/// ioctl(FICLONE): shares the blocks of one file with another.
int clinux_clone(int target, int source);

/// copy_file_range(2) from and to the current offsets.
ssize_t clinux_copy_range(int source, int target, size_t count);

/// Where data begins or ends at or after an offset: SEEK_DATA and SEEK_HOLE of lseek(2).
off_t clinux_seek_data(int fd, off_t offset);
off_t clinux_seek_hole(int fd, off_t offset);

/// memfd_create(2): an empty file in memory, with CLOEXEC.
int clinux_memory_file(const char *name);

/// pidfd_open(2).
int clinux_process(pid_t process);

/// The parts of a device number, and the number of two parts.
unsigned clinux_major(dev_t device);
unsigned clinux_minor(dev_t device);
dev_t clinux_device(unsigned major_number, unsigned minor_number);

#endif
