# Receives webhooks on a port, 0 for any, and says what came:  WEBHOOK_SECRET=whsec_… python3 verify.py 8080

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        # Verify the bytes that came. JSON that was parsed and written again is not what was signed.
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            # Refuses what is not signed with the secret, and what is older than five minutes.
            envelope = webhook.verify(body, dict(self.headers))
        except (WebhookVerificationError, ValueError) as error:
            self.answer(401, {"ok": False, "error": str(error)})
        else:
            # A delivery may come twice: remember the eventId.
            # Answer first and work later: after 30 seconds it counts as failed.
            self.answer(204, {"ok": True, "event": envelope["event"], "eventId": envelope["eventId"]})

    def answer(self, status, line):
        print(json.dumps(line), flush=True)
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
server = ThreadingHTTPServer(("", port), Receiver)
print("listening", server.server_port, flush=True)
server.serve_forever()
