"""A receiver of webhooks at an address that functions may send to. It checks every signature."""

import dataclasses
import http.server
import json
import threading
import time

import engine
import standardwebhooks

PORT = 8080


@dataclasses.dataclass
class Arrived:
    """A delivery that came."""

    path: str
    webhook_id: str
    status: int
    envelope: dict
    at: float


class Receiver:
    """Answers a path as often by 503 as it is told, then by 204, and remembers all that came."""

    def __init__(self):
        self.arrived, self.failures, self.secrets = [], {}, {}
        self.lock = threading.Lock()
        handler = type("Handler", (Handler,), {"receiver": self})
        self.server = http.server.ThreadingHTTPServer((engine.PUBLIC, PORT), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        """Lets another listen."""
        self.server.shutdown()
        self.server.server_close()

    def open(self, path, secret, failures=0):
        """Takes what is signed by a secret at a path, after so many failures."""
        with self.lock:
            self.secrets[path], self.failures[path] = secret, failures

    def at(self, path):
        """What came there."""
        with self.lock:
            return [arrived for arrived in self.arrived if arrived.path == path]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        receiver = self.receiver
        with receiver.lock:
            status = 503 if receiver.failures[self.path] else 204
            receiver.failures[self.path] -= status == 503
            # Raises at a wrong signature: the delivery then counts as one that never came.
            standardwebhooks.Webhook(receiver.secrets[self.path]).verify(body, dict(self.headers))
            envelope = json.loads(body)
            receiver.arrived.append(Arrived(self.path, self.headers["webhook-id"], status, envelope, time.monotonic()))
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass
