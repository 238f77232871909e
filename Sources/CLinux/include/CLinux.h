/// The system calls that Swift cannot make by itself. Each returns what the kernel returns, -1 with
/// errno on failure.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "CLinuxCalls.h"
#include "CLinuxFiles.h"
#include "CLinuxSandbox.h"

/// openat2(2) with O_CLOEXEC added.
int clinux_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);

/// RESOLVE_* of openat2(2), as constants that Swift can see.
static const uint64_t CLINUX_RESOLVE_NO_XDEV = 0x01;
static const uint64_t CLINUX_RESOLVE_NO_MAGICLINKS = 0x02;
static const uint64_t CLINUX_RESOLVE_NO_SYMLINKS = 0x04;
static const uint64_t CLINUX_RESOLVE_BENEATH = 0x08;
static const uint64_t CLINUX_RESOLVE_IN_ROOT = 0x10;

/// Makes an overlay that is attached nowhere and lives as long as the descriptor returned.
///
/// `lowers` lists directories top first, at least two when `upper` is null. With an upper the
/// overlay is volatile. `attributes` are MOUNT_ATTR_* of fsmount(2). When the kernel refuses, its
/// own words are left in `message`.
int clinux_overlay(const char *const *lowers, size_t count, const char *upper, const char *work,
                   uint64_t attributes, int userxattr, char *message, size_t message_size);

/// The same for kernels before Linux 6.7, which clinux_overlay does by itself; E2BIG for more than
/// about a hundred lowers.
int clinux_overlay_by_names(const char *const *lowers, size_t count, const char *upper,
                            const char *work, uint64_t attributes, int userxattr);

#endif
