"""Backends for routes: servers that tell what they were asked, and clients that ask through Traefik."""

import http.client
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo:
    """Answers everything with JSON: its own name, the path, the headers (names in lower case).

    tls: a harness.pki.Listener. With `token` it answers 401 unless the header X-Token is that one,
    and tells who it is in X-User: what a forward auth asks.
    """

    def __init__(self, name="", tls=None, token=None):
        echo = self
        self.asked = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802
                headers = {key.lower(): value for key, value in self.headers.items()}
                seen = {"name": name, "path": self.path, "headers": headers}
                echo.asked.append(seen)
                allowed = token is None or headers.get("x-token") == token
                body = json.dumps(seen).encode()
                self.send_response(200 if allowed else 401)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-Backend", "secret")
                if token is not None:
                    self.send_header("X-User", "alice")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.scheme = "https" if tls else "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % (self.scheme, self._server.server_port)

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


class Answer:
    def __init__(self, answer):
        self.status = answer.status
        self.headers = {key.lower(): value for key, value in answer.getheaders()}
        self.text = answer.read().decode(errors="replace")

    @property
    def seen(self):
        """What the backend was asked."""
        return json.loads(self.text)

    def __repr__(self):
        return "%d %r %s" % (self.status, self.headers, self.text[:200])


class _NamedTls(http.client.HTTPConnection):
    """To loopback, with the SNI of a host that has no address; whoever signed the certificate."""

    def __init__(self, port, name):
        super().__init__("127.0.0.1", port, timeout=10)
        self._name = name

    def connect(self):
        super().connect()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname=self._name)


def ask(traefik, host, path="/", tls=False, headers=None):
    """GET through Traefik, without following redirects."""
    connection = (_NamedTls(traefik.https_port, host) if tls
                  else http.client.HTTPConnection("127.0.0.1", traefik.http_port, timeout=10))
    try:
        connection.request("GET", path, headers={"Host": host, **(headers or {})})
        return Answer(connection.getresponse())
    finally:
        connection.close()
