"""The web server: HTTP/1.1 with kept-alive connections, one thread each.

On SIGTERM it stops accepting, answers the requests that are running, closes idle connections
and ends with 0; a second signal, or DRAIN_SECONDS, ends it at once.
"""

import os
import signal
import socket
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import database
import pages

BODY_LIMIT = 16 * 1024
DRAIN_SECONDS = 25


class Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def __init__(self, address):
        super().__init__(address, Handler)
        self.draining = False
        self.lock = threading.Condition()
        # Every open connection's socket, and whether a request is running on it.
        self.connections = {}

    def drain(self):
        """Answers what is running, for DRAIN_SECONDS at most; returns what was left."""
        self.shutdown()
        self.server_close()
        with self.lock:
            self.draining = True
            for connection, busy in self.connections.items():
                if not busy:
                    hang_up(connection)
            self.lock.wait_for(lambda: not self.connections, DRAIN_SECONDS)
            return len(self.connections)

    def handle_error(self, request, client_address):
        # A client that went away is no error of ours.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def hang_up(connection):
    """Ends the wait for a next request; a running answer is not touched."""
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Longer than proxies keep an idle connection, so that they close it first.
    timeout = 120
    disable_nagle_algorithm = True
    # Head and body leave in one packet; flushed after each request.
    wbufsize = 64 * 1024

    def setup(self):
        super().setup()
        self.database = None
        self.mark(busy=False)

    def finish(self):
        try:
            super().finish()
        finally:
            if self.database:
                self.database.close()
            with self.server.lock:
                self.server.connections.pop(self.connection, None)
                self.server.lock.notify_all()

    def mark(self, busy):
        with self.server.lock:
            self.server.connections[self.connection] = busy
            # Accepted just before draining began: nobody else will hang up on it.
            if self.server.draining and not busy:
                hang_up(self.connection)

    def handle_one_request(self):
        self.mark(busy=False)
        # Idle until the first byte of a request is there.
        if not self.rfile.peek(1):
            self.close_connection = True
            return
        self.mark(busy=True)
        super().handle_one_request()

    def do_GET(self):
        self.answer(lambda: pages.get(self.route(), self.db()))

    do_HEAD = do_GET

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_LIMIT:
            self.close_connection = True
            too_long = length.isdigit()
            reason = f"at most {BODY_LIMIT} bytes" if too_long else "a Content-Length is needed"
            return self.send(pages.Reply(413 if too_long else 411, reason + "\n", "text/plain"))
        body = self.rfile.read(int(length)).decode("utf-8", "replace")
        form = dict(parse_qsl(body, keep_blank_values=True))
        self.answer(lambda: pages.post(self.route(), form, self.db()))

    def route(self):
        return urlsplit(self.path).path

    def db(self):
        if not self.database:
            self.database = database.connect()
        return self.database

    def answer(self, make):
        try:
            reply = make()
        except sqlite3.Error as error:
            log(f"{self.command} {self.route()}: {error}")
            reply = pages.Reply(503, f"the database says: {error}\n", "text/plain")
        self.send(reply)

    def send(self, reply):
        body = reply.body.encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.server.draining or self.close_connection:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self):
        return "guestbook"

    def log_request(self, code="-", size="-"):
        # The proxy in front keeps the access log; here only what went wrong is worth a line.
        if int(code) >= 500:
            log(f"{self.command} {self.route()} {int(code)}")

    def log_message(self, format, *args):
        log(format % args)


def log(line):
    print(time.strftime("%H:%M:%S"), line, flush=True)


def main():
    port = int(os.environ.get("PORT") or 8000)
    server = Server(("", port))
    asked_to_end = threading.Event()

    def on_signal(number, _frame):
        if asked_to_end.is_set():
            os._exit(128 + number)
        asked_to_end.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    log(f"guestbook {pages.VERSION} listens on port {port}, database {database.path()}")
    asked_to_end.wait()
    log("finishing what is running")
    left = server.drain()
    log(f"ended, {left} connections cut" if left else "ended")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
