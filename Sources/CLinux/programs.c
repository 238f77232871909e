#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int clinux_try_program(int file, const char *root) {
  char *const arguments[] = {"true", NULL};
  char *const environment[] = {NULL};
  volatile int code = 0;
  // No handler of this program may run in the child.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  pid_t child = vfork();
  if (child == 0) {
    // Without CLOEXEC, as an interpreter could not open the file otherwise and the kernel would not
    // look for one.
    if (chroot(root) || chdir("/") || dup2(file, 0) < 0) {
      code = errno;
      _exit(127);
    }
    syscall(SYS_close_range, 1, ~0U, 0);
    syscall(SYS_execveat, 0, "", arguments, environment, AT_EMPTY_PATH);
    code = errno;
    _exit(127);
  }
  int failure = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (child < 0) return failure;
  int status;
  while (waitpid(child, &status, __WALL) < 0 && errno == EINTR) {
  }
  return code;
}
