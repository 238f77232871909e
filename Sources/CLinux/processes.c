#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

void clinux_reset_signals(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < 65; number++) sigaction(number, &action, NULL);
}

int clinux_spawn_in_user_namespace(const char *path, const char *const *arguments,
                                   const char *const *environment, int ready,
                                   int keeps_groups, pid_t *process_id) {
  int process = -1;
  struct clone_args clone = {
      .flags = CLONE_PIDFD | CLONE_NEWUSER | CLONE_NEWNS,
      .pidfd = (uint64_t)(uintptr_t)&process,
      .exit_signal = SIGCHLD,
  };
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  long result = syscall(SYS_clone3, &clone, sizeof clone);
  if (result == 0) {
    clinux_reset_signals();
    char byte;
    if (read(ready, &byte, 1) != 1) _exit(127);
    if (syscall(SYS_setresgid, 0, 0, 0) ||
        (!keeps_groups && syscall(SYS_setgroups, 0, NULL)) || syscall(SYS_setresuid, 0, 0, 0)) {
      _exit(126);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    sigprocmask(SIG_SETMASK, &before, NULL);
    syscall(SYS_execve, path, arguments, environment);
    _exit(127);
  }
  int code = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = code;
  *process_id = (pid_t)result;
  return result < 0 ? -1 : process;
}

int clinux_wait(int process) {
  siginfo_t info;
  for (;;) {
    if (waitid((idtype_t)3, (id_t)process, &info, WEXITED | __WALL) == 0) {
      return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    }
    if (errno != EINTR) return -1;
  }
}

int clinux_reap(int process) {
  siginfo_t info;
  for (;;) {
    // P_PIDFD
    if (waitid((idtype_t)3, (id_t)process, &info, WEXITED | __WALL) == 0) return 0;
    if (errno != EINTR) return -1;
  }
}

int clinux_kill(int process) {
  return (int)syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
}

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
