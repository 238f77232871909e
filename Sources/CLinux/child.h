// What a child does between its beginning and execve, where that is not in sandbox.c: system calls
// only, as it is a copy of one thread.
#ifndef CLINUX_CHILD_H
#define CLINUX_CHILD_H

struct sock_fprog;

// Lets every signal do what it does by default.
void clinux_reset_signals(void);

// Loads a filter and sends the descriptor on which its calls arrive over a socket, which is closed.
int clinux_load_listened_filter(const struct sock_fprog *program, int to);

#endif
