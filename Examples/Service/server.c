// A web server that tells its version, and a client that asks it: `server PORT`,
// `server --check PORT`.
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT(x) TEXT_(x)
#define TEXT_(x) #x

static int fail(const char *what) {
  perror(what);
  return 1;
}

static int check(int peer, const struct sockaddr_in *address) {
  static const char request[] = "GET / HTTP/1.0\r\n\r\n";
  char answer[256];
  if (connect(peer, (const struct sockaddr *)address, sizeof *address)) return fail("connect");
  if (write(peer, request, sizeof request - 1) < 0) return fail("write");
  ssize_t count = read(peer, answer, sizeof answer - 1);
  if (count <= 0) return fail("read");
  answer[count] = 0;
  puts(answer);
  return strncmp(answer, "HTTP/1.0 200", 12) != 0;
}

static int serve(int listener, const struct sockaddr_in *address) {
  static const char answer[] =
      "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nversion " TEXT(VERSION) "\n";
  int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (const struct sockaddr *)address, sizeof *address)) return fail("bind");
  if (listen(listener, 16)) return fail("listen");
  for (;;) {
    char request[1024];
    int peer = accept(listener, NULL, NULL);
    if (peer < 0) return fail("accept");
    if (read(peer, request, sizeof request) > 0 && write(peer, answer, sizeof answer - 1) < 0)
      perror("write");
    close(peer);
  }
}

int main(int count, char **arguments) {
  int checks = count == 3 && !strcmp(arguments[1], "--check");
  if (count != 2 && !checks) return fprintf(stderr, "usage: server [--check] PORT\n"), 64;
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_port = htons((unsigned short)atoi(arguments[count - 1]));
  address.sin_addr.s_addr = htonl(checks ? INADDR_LOOPBACK : INADDR_ANY);
  signal(SIGPIPE, SIG_IGN);
  int endpoint = socket(AF_INET, SOCK_STREAM, 0);
  if (endpoint < 0) return fail("socket");
  return checks ? check(endpoint, &address) : serve(endpoint, &address);
}
