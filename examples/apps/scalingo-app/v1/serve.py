"""The web server: `/` for people, `/state` for programs. Ends on SIGTERM when all are answered."""

import html
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import markers
from version import VERSION

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Postdeploy</title>
<style>:root {{ color-scheme: light dark }} body {{ max-width: 38rem; margin: 0 auto; padding: 1.5rem;
font: 17px/1.55 system-ui, sans-serif }} </style>
<h1>Version {version}</h1>
<p>The tasks that ran before a version served:</p>
<ul>{tasks}</ul>
"""


class Server(ThreadingHTTPServer):
    # With these, closing waits for the requests that are running.
    daemon_threads = False
    block_on_close = True


class Handler(BaseHTTPRequestHandler):
    # One request a connection (HTTP/1.0), and this long for it.
    timeout = 20

    def do_GET(self):
        if self.path == "/":
            self.send(200, "text/html; charset=utf-8", page())
        elif self.path == "/state":
            here = {"version": VERSION, **markers.surroundings()}
            self.send(200, "application/json", json.dumps({**here, "markers": markers.read()}) + "\n")
        else:
            self.send(404, "text/plain", "nothing here\n")

    def send(self, status, kind, text):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


def page():
    shown = (f"{m['task']}, of version {m['version']}, commit {m['commit'][:12]}" for m in markers.read())
    tasks = "".join(f"<li>{html.escape(line)}</li>" for line in shown) or "<li>none</li>"
    return PAGE.format(version=html.escape(VERSION), tasks=tasks)


def main():
    port = int(os.environ.get("PORT") or 8000)
    server = Server(("", port), Handler)
    # shutdown() waits for serve_forever, which this very thread runs: hence another one.
    end = threading.Thread(target=server.shutdown)
    signal.signal(signal.SIGTERM, lambda *_: end.start() if not end.ident else None)
    print(f"version {VERSION} listens on port {port}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    sys.exit(main())
