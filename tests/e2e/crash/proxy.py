"""A proxy before a CA that ends TLS on both sides and spoils one request, the n-th of a run.

The Host header passes through, so that the CA's URLs lead back here.
"""

import socket
import ssl
import threading
import time

TOO_SOON = 1  # seconds of Retry-After


def _answer(status, reason, body, kind, *headers):
    lines = ["HTTP/1.1 %d %s" % (status, reason), "Content-Type: " + kind, *headers,
             "Content-Length: %d" % len(body), "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def _problem(status, reason, kind, *headers):
    body = b'{"type": "urn:ietf:params:acme:error:%s", "detail": "spoiled"}' % kind.encode()
    return _answer(status, reason, body, "application/problem+json", *headers)


_RETRY = "Retry-After: %d" % TOO_SOON
_PAGE = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
ANSWERS = {
    "500": _problem(500, "Internal Server Error", "serverInternal"),
    "503": _problem(503, "Service Unavailable", "serverInternal", _RETRY),
    "429": _problem(429, "Too Many Requests", "rateLimited", _RETRY),
    "html": _answer(200, "OK", _PAGE, "text/html"),
    "html 502": _answer(502, "Bad Gateway", _PAGE, "text/html"),
    "empty 200": _answer(200, "OK", b"", "application/json"),
}
# "drop" ends the connection before the CA has seen the request, "lost" after it; "delay" holds the
# request back; "cut" ends the connection in the middle of the answer. Of the answers above, those with
# "after" come in the place of the CA's own, which it has given.
FAULTS = ("drop", "lost", "delay", "cut", *ANSWERS, "500 after", "html after", "empty 200 after")
REACHES_THE_CA = tuple(fault for fault in FAULTS
                       if fault in ("lost", "cut") or fault.endswith(" after"))
DELAY = 2.0


class FaultProxy:
    """Listens from the constructor on. `spoil` chooses what happens to the n-th request from then on."""

    def __init__(self, listener, upstream_port, host="127.0.0.1"):
        self._upstream_port = upstream_port
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.load_cert_chain(listener.certificate, listener.key)
        self._client = ssl.create_default_context(cafile=str(listener.root))
        self._lock = threading.Lock()
        self.fault, self.at, self.seen, self.hit = None, 0, 0, ""
        self._socket = socket.create_server((host, 0), backlog=128)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def spoil(self, fault, at):
        with self._lock:
            self.fault, self.at, self.seen, self.hit = fault, at, 0, ""

    def stop(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self):
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        try:
            plain.settimeout(60)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._server.wrap_socket(plain, server_side=True) as stream:
                while self._exchange(stream):
                    pass
        except (OSError, ValueError):
            pass  # whoever goes away first
        finally:
            plain.close()

    def _exchange(self, stream):
        request = _read(stream)
        if request is None:
            return False
        with self._lock:
            self.seen += 1
            fault = self.fault if self.seen == self.at else None
            if fault:
                self.hit = request.split(b" HTTP/", 1)[0].decode("latin-1")
        if fault == "drop":
            return False
        if fault in ANSWERS:
            stream.sendall(ANSWERS[fault])
            return False
        if fault == "delay":
            time.sleep(DELAY)
        answer = self._forward(request)
        if fault == "lost":
            return False
        if fault == "cut":
            stream.sendall(answer[:-max(1, len(answer) // 4)])
            return False
        if fault and fault.endswith(" after"):
            stream.sendall(ANSWERS[fault[:-len(" after")]])
            return False
        stream.sendall(answer)
        return True

    def _forward(self, request):
        with socket.create_connection(("127.0.0.1", self._upstream_port), timeout=60) as plain:
            with self._client.wrap_socket(plain, server_hostname="127.0.0.1") as upstream:
                upstream.sendall(request)
                return _read(upstream, request.startswith(b"HEAD "))


def _read(stream, head_only=False):
    """One message as it came; None at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = stream.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    if fields.get(b"transfer-encoding", b"").strip() == b"chunked":
        while not data.endswith(b"0\r\n\r\n"):
            piece = stream.recv(65536)
            if not piece:
                return data
            data += piece
        return data
    length = 0 if head_only else int(fields.get(b"content-length", b"0"))
    while len(body) < length:
        piece = stream.recv(65536)
        if not piece:
            return None
        body += piece
        data += piece
    return data
