#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container engine's socket that does what the path says.

usage: engine.py --dir DIR

Listens at DIR/engine.sock, says so with one line, and ends when its standard input does. What it
was sent goes to DIR/log.jsonl.
"""
import argparse
import hashlib
import http.server
import json
import os
import pathlib
import socketserver
import sys
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log = None

    def log_message(self, *_):
        pass

    def body(self):
        """(length, digest) of a body in chunks."""
        n, digest = 0, hashlib.sha256()
        while True:
            size = int(self.rfile.readline(), 16)
            data = self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return n, "sha256:" + digest.hexdigest()
            n += size
            digest.update(data)

    def say(self, status, body, media="application/json; charset=utf-8"):
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.log.write(json.dumps({"method": self.command, "path": self.path,
                                   "headers": {k.lower(): v for k, v in self.headers.items()}})
                       + "\n")
        what, _, number = self.path.lstrip("/").partition("/")
        try:
            getattr(self, "do_" + what)(int(number or 0))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_POST = do_GET

    def do_take(self, _):
        self.say(200, json.dumps(self.body()).encode())

    def do_give(self, n):
        self.say(200, b"x" * n, "Application/X-Tar")

    def do_status(self, n):
        self.say(n, json.dumps({"message": "y" * 10000}).encode())

    def do_early(self, n):
        """An answer before the body was read, which then nobody reads."""
        self.say(n, b'{"message":"no space left"}')
        self.close_connection = True

    def do_silent(self, n):
        time.sleep(n)
        self.say(200, b"{}")

    def do_cut(self, n):
        self.send_response(200)
        self.send_header("Content-Length", str(2 * n))
        self.end_headers()
        self.wfile.write(b"x" * n)
        self.close_connection = True

    def do_elsewhere(self, n):
        self.send_response(307)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True)
    folder = pathlib.Path(parser.parse_args().dir)
    Handler.log = open(folder / "log.jsonl", "a", buffering=1, encoding="utf-8")
    server = Server(str(folder / "engine.sock"), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("engine=1", flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
