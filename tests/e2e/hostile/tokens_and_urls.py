"""Tokens that could become a path or a header, and URLs that are not https."""

import socket
import threading

import scripted_ca
from harness.ports import free_port
from scripted_ca import Answer

from .case import EVIL, SAYS_SIZE, add_row, bent, change_challenges, raw_text, row

# Tokens

TOKENS = {
    "path traversal": "../../../../" + EVIL,
    "path traversal of the right length": "../" * 8 + EVIL,
    "empty": "",
    "a megabyte": "a" * (1 << 20),
    "fifteen characters": "a" * 15,
    "513 characters": "a" * 513,
    "a line end": "a" * 20 + "\n" + EVIL,
    "a carriage return and a header": "a" * 20 + "\r\nX-Evil: 1",
    "quotes": 'aaaaaaaaaaaaaaaa"\'`',
    "a slash": "aaaaaaaaaaaaaaaaaaaa/" + EVIL,
    "base64 padding": "a" * 22 + "==",
    "base64 and not base64url": "a" * 20 + "+/",
    "a percent sign": "aaaaaaaaaaaaaaaaaaaa%2e%2e%2f",
    "a NUL": "a" * 20 + "\0" + "a" * 20,
    "letters that are not ASCII": "ä" * 20,
    "a shell command": "$(touch " + EVIL + ")aaaaaaaaaaaa",
    "a number": 12345678901234567890,
    "null": None,
    "an array": ["a" * 20],
}
for token_name, token_value in TOKENS.items():
    add_row("token: " + token_name, "token|" + SAYS_SIZE,
            bent("authz", change_challenges(lambda c, value=token_value: c.update(token=value))))
add_row("token: missing", "token", bent("authz", change_challenges(lambda c: c.pop("token"))))


@row("token: bytes that are not UTF-8", "token|UTF-8|JSON")
def _token_not_utf8(ca):
    def hook(request, answer):
        raw_text(answer, request.authz.token.encode(), b"aaaaaaaaaaaaaaaaaaaa\xff\xfe\xc3")
    ca.on("authz", hook)


# URLs that are not https

class PlainTrap:
    """A plain HTTP port on which nobody must ever call."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", free_port()))
        self.calls = 0
        self.url = "http://127.0.0.1:%d/%s" % (self.socket.getsockname()[1], EVIL)
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)  # ends accept() in the other thread; close does not
        self.socket.close()


def with_url(place, url):
    """A bend that puts URL (or what it makes of the CA) at PLACE."""
    def value(ca):
        return url(ca) if callable(url) else url

    def bend(ca):
        def hook(request, answer):
            if place in ("account Location", "order Location"):
                answer.set_header("Location", value(ca))
            elif place == "authorization":
                answer.change(authorizations=[value(ca)])
            elif place == "challenge":
                change_challenges(lambda c: c.update(url=value(ca)))(answer)
            elif place == "certificate":
                if answer.json()["status"] == "valid":
                    answer.change(certificate=value(ca))
            else:
                answer.change(**{place: value(ca)})
        resources = {"account Location": ["newAccount"], "order Location": ["newOrder"],
                     "authorization": ["newOrder", "order"], "challenge": ["authz"],
                     "certificate": ["order", "finalize"],
                     "finalize": ["newOrder", "order", "finalize"]}.get(place, ["directory"])
        for resource in resources:
            ca.on(resource, hook)
    return bend


URL_PLACES = ("newNonce", "newAccount", "newOrder", "account Location", "order Location",
              "authorization", "challenge", "finalize", "certificate")
SAYS_URL = "https|URL"
for url_place in URL_PLACES:
    add_row("http URL: " + url_place, SAYS_URL, with_url(url_place, lambda ca: ca.trap.url))
BAD_URLS = {
    "ftp": "ftp://127.0.0.1/" + EVIL,
    "file": "file:///etc/passwd",
    "javascript": "javascript:alert(1)",
    "without a scheme": "//127.0.0.1/" + EVIL,
    "relative": "/order/1",
    "without a host": "https://",
    "with a password": "https://user:password@127.0.0.1/" + EVIL,
    "with a line end": "https://127.0.0.1/a\r\nX-Evil: 1",
    "with a blank": "https://127.0.0.1/a b",
    "with an impossible port": "https://127.0.0.1:99999/a",
    "empty": "",
    "a megabyte long": "https://127.0.0.1/" + "a" * (1 << 20),
}
for url_name, bad_url in BAD_URLS.items():
    for url_place in ("newOrder", "finalize", "certificate"):
        add_row("URL %s: %s" % (url_name, url_place),
                SAYS_URL + "|" + SAYS_SIZE, with_url(url_place, bad_url))
add_row("no Location with the account", "Location|account",
        bent("newAccount", lambda a: a.set_header("Location", None)))
add_row("no Location with the order", "Location|order",
        bent("newOrder", lambda a: a.set_header("Location", None)))
for resource_name in scripted_ca.RESOURCES:
    for redirect_status in (301, 308) if resource_name in ("directory", "cert") else (302,):
        add_row("redirect %d: %s" % (redirect_status, resource_name), "redirect|%d" % redirect_status,
                lambda ca, r=resource_name, s=redirect_status: ca.on(r, lambda request, answer: Answer(
                    s, [("Location", ca.base + "/directory")])),
                timeout=4)
    add_row("redirect to plain http: " + resource_name, "redirect|307|http",
            lambda ca, r=resource_name: ca.on(r, lambda request, answer: Answer(
                307, [("Location", ca.trap.url)])),
            timeout=4)
