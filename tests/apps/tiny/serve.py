"""Serves its version; the file `behaviour` may make it a bad app."""

import json
import os
import pathlib
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = pathlib.Path("version").read_text().strip()
BEHAVIOUR = pathlib.Path("behaviour").read_text().strip() if os.path.exists("behaviour") else ""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 120

    def do_GET(self):
        if self.path == "/slow":
            time.sleep(1)
        body = json.dumps(dict(os.environ)) if self.path == "/env" else f"version {VERSION}\n"
        self.send_response(int(BEHAVIOUR.removeprefix("answer-")) if BEHAVIOUR.startswith("answer-") else 200)
        self.send_header("Content-Length", str(len(body.encode())))
        self.send_header("X-Version", VERSION)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def main():
    print(f"tiny {VERSION} starts", flush=True)
    if BEHAVIOUR == "exit-at-once":
        print("no configuration: giving up", file=sys.stderr)
        return 7
    if BEHAVIOUR == "never-listen":
        signal.pause()
    server = ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)
    return 0


if __name__ == "__main__":
    sys.exit(main())
