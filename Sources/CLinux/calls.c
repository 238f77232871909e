#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "child.h"

int clinux_socket_pair(int ends[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

int clinux_receive_descriptor(int from) {
  char byte;
  struct iovec content = {.iov_base = &byte, .iov_len = 1};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {
      .msg_iov = &content,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control,
  };
  for (;;) {
    ssize_t length = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
    if (length < 0 && errno == EINTR) continue;
    struct cmsghdr *header = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!header || header->cmsg_type != SCM_RIGHTS) return -1;
    int descriptor;
    memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
  }
}

int clinux_load_listened_filter(const struct sock_fprog *program, int to) {
  // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, from Linux 5.19: a signal does not break off a call
  // that is being answered.
  unsigned killable = 1U << 5;
  int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                              SECCOMP_FILTER_FLAG_NEW_LISTENER | killable, program);
  if (listener < 0 && errno == EINVAL) {
    listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                            SECCOMP_FILTER_FLAG_NEW_LISTENER, program);
  }
  if (listener < 0) return -1;
  char byte = 0;
  struct iovec content = {.iov_base = &byte, .iov_len = 1};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {
      .msg_iov = &content,
      .msg_iovlen = 1,
      .msg_control = &control,
      .msg_controllen = sizeof control,
  };
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(&control.header), &listener, sizeof listener);
  if (syscall(SYS_sendmsg, to, &message, MSG_NOSIGNAL) < 0) return -1;
  close(listener);
  close(to);
  return 0;
}

int clinux_next_call(int listener, struct clinux_call *call) {
  for (;;) {
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    if (poll(&waiting, 1, -1) < 0) {
      if (errno == EINTR) continue;
      return 0;
    }
    // Every process that the filter holds for has ended.
    if (!(waiting.revents & POLLIN)) return 0;
    struct seccomp_notif notification;
    memset(&notification, 0, sizeof notification);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification)) {
      // ENOENT: the process was killed meanwhile.
      if (errno == EINTR || errno == ENOENT) continue;
      return 0;
    }
    call->id = notification.id;
    call->task = (pid_t)notification.pid;
    call->architecture = notification.data.arch;
    call->number = notification.data.nr;
    memcpy(call->arguments, notification.data.args, sizeof call->arguments);
    return 1;
  }
}

int clinux_answer_call(int listener, uint64_t id, int64_t value, int code) {
  struct seccomp_notif_resp response = {.id = id, .val = value, .error = -code};
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

int clinux_pass_call(int listener, uint64_t id) {
  struct seccomp_notif_resp response = {
      .id = id,
      .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
  };
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

int clinux_is_waiting(int listener, uint64_t id) {
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

ssize_t clinux_read_text(pid_t process, uint64_t address, char *text, size_t size) {
  size_t length = 0;
  while (length < size) {
    // Up to the end of the page, as the next one may not be there.
    size_t count = 4096 - (address & 4095);
    if (count > size - length) count = size - length;
    struct iovec target = {.iov_base = text + length, .iov_len = count};
    struct iovec source = {.iov_base = (void *)(uintptr_t)address, .iov_len = count};
    ssize_t copied = process_vm_readv(process, &target, 1, &source, 1, 0);
    if (copied <= 0) {
      errno = EFAULT;
      return -1;
    }
    char *end = memchr(text + length, 0, (size_t)copied);
    if (end) return end - text;
    length += (size_t)copied;
    address += (size_t)copied;
  }
  errno = ENAMETOOLONG;
  return -1;
}

int clinux_write_memory(pid_t process, uint64_t address, const void *bytes, size_t size) {
  struct iovec source = {.iov_base = (void *)bytes, .iov_len = size};
  struct iovec target = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
  return process_vm_writev(process, &source, 1, &target, 1, 0) == (ssize_t)size ? 0 : -1;
}

int clinux_read_memory(pid_t process, uint64_t address, void *bytes, size_t size) {
  struct iovec target = {.iov_base = bytes, .iov_len = size};
  struct iovec source = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
  return process_vm_readv(process, &target, 1, &source, 1, 0) == (ssize_t)size ? 0 : -1;
}

int clinux_own_directories(void) { return unshare(CLONE_FS); }

int clinux_change_owner(int fd, uid_t uid, gid_t gid) {
  return fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
}
