"""Serves a directory on loopback: files with their times, and repositories through git.

    server.py DIRECTORY PORT-FILE AGENT-SOCKET OWNER

Ends when the process OWNER does. On AGENT-SOCKET answers an agent for SSH that holds no keys.
The first part of a path may ask for a peculiarity of servers: /redirect/CODE/… leads to the rest,
/undated/… leaves Last-Modified out, /named/NAME/… proposes a file name, /status/CODE answers with
no more than that.
"""

import http.server
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, headers=(), body=b""):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        parts = path.split("/")[1:]
        headers = []
        is_dated = True
        while parts[0] in ("redirect", "undated", "named", "status"):
            kind = parts.pop(0)
            if kind == "redirect":
                code = int(parts.pop(0))
                return self.answer(code, [("Location", "/" + "/".join(parts))])
            if kind == "status":
                return self.answer(int(parts.pop(0)))
            if kind == "named":
                name = parts.pop(0)
                headers.append(("Content-Disposition", 'attachment; filename="%s"' % name))
            if kind == "undated":
                is_dated = False
        if any(part.endswith(".git") for part in parts[:-1]):
            return self.git("/" + "/".join(parts), query, b"")
        file = os.path.join(self.server.directory, *map(urllib.parse.unquote, parts))
        try:
            with open(file, "rb") as stream:
                body = stream.read()
        except OSError:
            return self.answer(404)
        if is_dated:
            headers.append(("Last-Modified", self.date_time_string(os.stat(file).st_mtime)))
        self.answer(200, headers, body)

    do_HEAD = do_GET

    def do_POST(self):
        path, _, query = self.path.partition("?")
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            body = b""
            while True:
                size = int(self.rfile.readline(), 16)
                body += self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    break
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.git(path, query, body)

    def git(self, path, query, body):
        environment = dict(
            os.environ,
            GIT_PROJECT_ROOT=self.server.directory,
            GIT_HTTP_EXPORT_ALL="1",
            GIT_CONFIG_COUNT="1",
            GIT_CONFIG_KEY_0="safe.directory",
            GIT_CONFIG_VALUE_0="*",
            PATH_INFO=path,
            QUERY_STRING=query,
            REQUEST_METHOD=self.command,
            CONTENT_TYPE=self.headers.get("Content-Type", ""),
            CONTENT_LENGTH=str(len(body)),
            HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding", ""),
            GIT_PROTOCOL=self.headers.get("Git-Protocol", ""),
        )
        result = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, stdout=subprocess.PIPE
        )
        head, _, content = result.stdout.partition(b"\r\n\r\n")
        status = 200
        headers = []
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(": ")
            if name == "Status":
                status = int(value.split()[0])
            elif name:
                headers.append((name, value))
        self.answer(status, headers, content)


class Agent(socketserver.BaseRequestHandler):
    def handle(self):
        while len(head := self.request.recv(4, socket.MSG_WAITALL)) == 4:
            self.request.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL)
            # SSH_AGENT_IDENTITIES_ANSWER, of none.
            self.request.sendall(b"\0\0\0\5\x0c\0\0\0\0")


def end_with(owner):
    while os.path.exists(f"/proc/{owner}"):
        time.sleep(1)
    os._exit(0)


def main():
    directory, port_file, agent_socket, owner = sys.argv[1:]
    threading.Thread(target=end_with, args=[owner], daemon=True).start()
    agent = socketserver.ThreadingUnixStreamServer(agent_socket, Agent)
    agent.daemon_threads = True
    threading.Thread(target=agent.serve_forever, daemon=True).start()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.directory = directory
    with open(port_file + ".new", "w") as stream:
        stream.write(str(server.server_port))
    os.rename(port_file + ".new", port_file)
    server.serve_forever()


main()
