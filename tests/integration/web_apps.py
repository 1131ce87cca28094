"""Small web apps, run as ``python web_apps.py NAME …``: what a module team may bring along."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def dial(host: str, port: str) -> bytes:
    """What whoever listens there says first, or why nobody can be asked."""
    try:
        with socket.create_connection((host, int(port)), 60) as connection:
            return connection.recv(100)
    except OSError as error:
        return str(error).encode()


class Handler(BaseHTTPRequestHandler):
    """Answers ``/status/NNN`` with NNN, and the rest with what it was asked.

    ``/dial/HOST/PORT`` answers with what it was told there.
    """

    def do_GET(self) -> None:
        status = int(self.path.rpartition("/")[2]) if "/status/" in self.path else 200
        body = f"{self.path}\n{self.headers['Host']}\n".encode()
        if "/dial/" in self.path:
            body = dial(*self.path.split("/")[-2:])
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        say(format % args)


def tcp(host: str, port: str) -> None:
    """Listens on ``host`` and ``port``."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    Server((host, int(port)), Handler).serve_forever()


def unix(path: str) -> None:
    """Listens on a unix socket, whose file it leaves behind."""

    class Server(HTTPServer):
        address_family = socket.AF_UNIX

        def server_bind(self) -> None:
            self.socket.bind(path)

    class UnixHandler(Handler):
        def address_string(self) -> str:
            return "here"

    Server(("", 0), UnixHandler).serve_forever()


def stubborn(port: str) -> None:
    """Waits for a port that somebody else has, for ever."""
    with socket.socket() as sock:
        while True:
            try:
                sock.bind(("127.0.0.1", int(port)))
            except OSError:
                signal.sigtimedwait({signal.SIGUSR1}, 0.05)
            else:
                break
    tcp("127.0.0.1", port)


def wrapped(port: str) -> None:
    """Starts the app as a child and waits for it, as a script without exec does."""
    subprocess.run([sys.executable, __file__, "tcp", "127.0.0.1", port], check=False)


def environment(port: str) -> None:
    """Prints its environment, then listens."""
    for name, value in sorted(os.environ.items()):
        say(f"{name}={value}")
    tcp("127.0.0.1", port)


if __name__ == "__main__":
    apps = {app.__name__: app for app in (tcp, unix, stubborn, wrapped, environment)}
    apps[sys.argv[1]](*sys.argv[2:])
