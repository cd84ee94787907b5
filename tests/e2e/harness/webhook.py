"""A receiver of web hooks that checks what a receiver checks (Standard Webhooks)."""

import base64
import hashlib
import hmac
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """https on 127.0.0.1 where a LISTENER is given, else http. Answers with the next of `answers`, or
    204; what came and was rightly signed is in `events`, what was not in `wrong`."""

    def __init__(self, secret, listener=None):
        self.secret = secret
        self.answers, self.events, self.wrong, self.ids = [], [], [], []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(self, body)

            def log_message(self, *words):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.scheme = "http"
        if listener:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(listener.certificate, listener.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self):
        return "%s://localhost:%d/hook?token=t0p5ecret" % (self.scheme, self.port)

    def take(self, request, body):
        headers = request.headers
        signed = b"%s.%s.%s" % (headers["webhook-id"].encode(),
                                headers["webhook-timestamp"].encode(), body)
        expected = base64.b64encode(hmac.new(self.secret, signed, hashlib.sha256).digest()).decode()
        status, more = self.answers.pop(0) if self.answers else (204, {})
        self.ids.append(headers["webhook-id"])
        good = headers["webhook-signature"] == "v1," + expected
        if status == 204:
            (self.events if good else self.wrong).append(json.loads(body))
        request.send_response(status)
        for name, value in more.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
