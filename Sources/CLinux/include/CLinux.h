/// The system calls that Swift cannot make by itself. Each returns what the kernel returns, -1 with
/// errno on failure.
#ifndef CLINUX_H
#define CLINUX_H

#include <stdint.h>
#include <sys/types.h>

/// openat2(2) with O_CLOEXEC added.
int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

#endif
