"""A hostile or broken CA: each row bends one answer of an otherwise correct CA.

Whatever comes, `issue` ends in time with exit code 3 and one clear error, keeps little in memory,
sends nothing in the clear, prints no control characters, and leaves no certificate in the store.
"""

import base64
import datetime
import gzip
import json
import re
import socket
import threading
from dataclasses import dataclass, field

import pytest
import scripted_ca
from cryptography.hazmat.primitives import serialization
from harness import pki
from harness.certwright import Certwright
from harness.ports import free_port
from scripted_ca import Answer, ScriptedCa, problem

NAME = "a.example.test"
EVIL = "evil-cafe"  # a mark that would be found again in a file name
MEMORY_LIMIT = 50 << 20


@dataclass
class Case:
    name: str
    bend: object  # bend(ca)
    says: str  # what stderr names, as a pattern
    names: tuple = (NAME,)
    config: dict = field(default_factory=dict)
    timeout: int = 6  # --timeout
    most: dict = field(default_factory=dict)  # {resource: how many requests at most}


CASES = []


def row(name, says, **options):
    def add(bend):
        CASES.append(Case(name, bend, says, **options))
        return bend
    return add


def add_row(name, says, bend, **options):
    CASES.append(Case(name, bend, says, **options))


def bent(resource, change):
    """A bend that applies CHANGE(answer) to every answer of RESOURCE."""
    def bend(ca):
        ca.on(resource, lambda request, answer: change(answer) and None)
    return bend


def replaced(resource, make):
    """A bend that gives MAKE(ca) in place of every answer of RESOURCE."""
    def bend(ca):
        ca.on(resource, lambda request, answer: make(ca))
    return bend


def sent(resource, sender):
    """A bend by which SENDER(ca) writes in place of every answer of RESOURCE."""
    def bend(ca):
        def hook(request, answer):
            answer.send = sender(ca)
        ca.on(resource, hook)
    return bend


def change_challenges(change):
    """A change of an authorization that applies CHANGE(challenge) to its http-01 challenge."""
    def apply(answer):
        value = answer.json()
        for challenge in value["challenges"]:
            if challenge["type"] == "http-01":
                change(challenge)
        answer.set_json(value)
    return apply


def raw_text(answer, old, new):
    """Puts the bytes NEW where the JSON body has the text OLD."""
    assert old in answer.body, answer.body
    answer.body = answer.body.replace(old, new)


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
    add_row("token: " + token_name, "token|too large|larger|limit|too long|64 KiB",
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
                SAYS_URL + "|too large|larger|limit|too long|64 KiB", with_url(url_place, bad_url))
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


# Size

JSON_RESOURCES = ("directory", "newAccount", "newOrder", "order", "authz", "challenge", "finalize")
WITH_BODY = JSON_RESOURCES + ("cert",)
SAYS_SIZE = "large|larger|limit|too long|too big|too many|more than|KiB|MiB|exceed|deep"
SAYS_CUT_OFF = (r"time|did not (answer|end|finish)|no answer|cut|closed|ended|connection|network|"
                "incomplete|reach|read|lost|" + SAYS_SIZE)


for resource_name in JSON_RESOURCES:
    add_row("JSON of 300 KiB: " + resource_name, SAYS_SIZE,
            bent(resource_name, lambda a: a.change(filler="a" * 300_000)))
    add_row("nesting of 40: " + resource_name, SAYS_SIZE + "|nest",
            bent(resource_name, lambda a: setattr(
                a, "body", b'{"x": ' + b"[" * 40 + b"]" * 40 + b"," + a.body[1:])))
    add_row("nesting of 20,000: " + resource_name, SAYS_SIZE + "|nest|JSON",
            bent(resource_name, lambda a: setattr(
                a, "body", b'{"x": ' + b"[" * 20_000 + b"]" * 20_000 + b"," + a.body[1:])))
for resource_name in WITH_BODY:
    add_row("200 MB: " + resource_name, SAYS_CUT_OFF,
            sent(resource_name, lambda ca: scripted_ca.huge_body(ca, 200_000_000)), timeout=4)
    add_row("endless body: " + resource_name, SAYS_CUT_OFF,
            sent(resource_name, scripted_ca.endless_body), timeout=4)
    add_row("endless chunked body: " + resource_name, SAYS_CUT_OFF,
            sent(resource_name, lambda ca: scripted_ca.endless_body(ca, chunked=True)), timeout=4)
add_row("chain of 2 MiB", SAYS_SIZE, bent("cert", lambda a: setattr(
    a, "body", a.body + b"\n" * (2 << 20))))
add_row("chain of 11 certificates", SAYS_SIZE + "|11|10 cert", lambda ca: ca.on(
    "cert", lambda request, answer: setattr(
        answer, "body", answer.body + 9 * pki.pem(ca.issuer.certificate))))
for resource_name in scripted_ca.RESOURCES:
    add_row("endless header lines: " + resource_name, SAYS_CUT_OFF + "|header",
            sent(resource_name, scripted_ca.endless_headers), timeout=4)
    add_row("header line without end: " + resource_name, SAYS_CUT_OFF + "|header",
            sent(resource_name, scripted_ca.endless_header_line), timeout=4)
add_row("header of 40 KiB", SAYS_SIZE + "|header", bent(
    "directory", lambda a: a.set_header("X-Filler", "a" * 40_000)), timeout=4)
add_row("150 headers", SAYS_SIZE + "|header", bent(
    "directory", lambda a: a.headers.extend([("X-Filler", "a")] * 150)), timeout=4)
add_row("10,000 small headers", SAYS_SIZE + "|header", bent(
    "newOrder", lambda a: a.headers.extend([("X", "")] * 10_000)), timeout=4)
add_row("gzip where none was asked for", "encod|JSON|gzip", bent(
    "directory", lambda a: setattr(a.set_header("Content-Encoding", "gzip"), "body",
                                   gzip.compress(a.body))))
add_row("gzip bomb", "encod|JSON|gzip|" + SAYS_SIZE, bent(
    "directory", lambda a: setattr(a.set_header("Content-Encoding", "gzip"), "body",
                                   gzip.compress(b" " * 60_000_000))))


# Time

for resource_name in scripted_ca.RESOURCES:
    slow = {"timeout": 3, "config": {"acme": {"exchange_timeout": 1}}}
    add_row("no answer: " + resource_name, SAYS_CUT_OFF, sent(resource_name, scripted_ca.silence),
            **slow)
    add_row("connection dropped: " + resource_name, SAYS_CUT_OFF,
            sent(resource_name, lambda ca: scripted_ca.drop), **slow)
    add_row("headers a byte at a time: " + resource_name, SAYS_CUT_OFF,
            sent(resource_name, lambda ca: scripted_ca.drip_headers(ca, 0.4)), **slow)
    if resource_name in WITH_BODY:
        add_row("body a byte at a time: " + resource_name, SAYS_CUT_OFF,
                sent(resource_name, lambda ca: scripted_ca.drip_body(ca, 0.4)), **slow)
        add_row("body cut in half: " + resource_name, SAYS_CUT_OFF,
                sent(resource_name, lambda ca: scripted_ca.cut), **slow)
add_row("a byte a second", SAYS_CUT_OFF, sent("directory", scripted_ca.drip_body), timeout=5)
add_row("no TLS handshake", SAYS_CUT_OFF, lambda ca: setattr(ca, "handshake", False),
        timeout=3, config={"acme": {"exchange_timeout": 1}})


def raw_answer(data, forever=False):
    def make(ca):
        def send(stream, answer):
            stream.sendall(data)
            while forever and not ca.closing.wait(0.01):
                stream.sendall(data)
        return send
    return make


RAW_ANSWERS = {
    "interim answers without end": (b"HTTP/1.1 100 Continue\r\n\r\n", True),
    "not HTTP": (b"220 mail.example.test ESMTP\r\n\r\n", False),
    "status that is no number": (b"HTTP/1.1 two OK\r\nContent-Length: 2\r\n\r\n{}", False),
    "status of 20 digits": (b"HTTP/1.1 20000000000000000000 OK\r\nContent-Length: 2\r\n\r\n{}", False),
    "negative length": (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}", False),
    "length that overflows": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n{}", False),
    "chunk size that overflows": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        False),
    "chunk size that is none": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n", False),
    "NULs only": (b"\0" * 4096, False),
    "nothing but line ends": (b"\r\n" * 10_000, False),
}
for raw_name, (raw_data, raw_forever) in RAW_ANSWERS.items():
    add_row("bytes: " + raw_name, ".", sent("directory", raw_answer(raw_data, raw_forever)),
            timeout=3, config={"acme": {"exchange_timeout": 1}})


# JSON that is not what the resource is

HTML = b"<!DOCTYPE html><html><head><title>Captive portal</title></head><body>Log in</body></html>"
for resource_name in JSON_RESOURCES:
    if resource_name != "challenge":
        add_row("HTML with 200: " + resource_name, "JSON|HTML", replaced(
            resource_name, lambda ca: Answer(200, [("Content-Type", "text/html")], HTML)))
        add_row("empty body: " + resource_name, "JSON|empty", replaced(
            resource_name, lambda ca: Answer(200, [("Content-Type", "application/json")], b"")))
    add_row("HTML with 502: " + resource_name, "502|server", replaced(
        resource_name, lambda ca: Answer(502, [("Content-Type", "text/html")], HTML)), timeout=3)
for json_name, json_body in {"an array": b"[]", "null": b"null", "a number": b"1", "a text": b'"x"',
                             "two values": b"{} {}", "cut short": b'{"status": "pend',
                             "a byte order mark": b"\xef\xbb\xbf{}", "NaN": b'{"status": NaN}',
                             "an empty object": b"{}"}.items():
    for resource_name in ("directory", "newOrder", "authz"):
        add_row("JSON is %s: %s" % (json_name, resource_name), ".",
                bent(resource_name, lambda a, body=json_body: setattr(a, "body", body)))

WRONG_TYPES = [
    ("directory", "newOrder", 1), ("directory", "newNonce", None), ("directory", "newAccount", {}),
    ("newOrder", "status", 5), ("newOrder", "status", None), ("newOrder", "identifiers", NAME),
    ("newOrder", "identifiers", [NAME]), ("newOrder", "identifiers", {"type": "dns", "value": NAME}),
    ("newOrder", "identifiers", [{"type": "dns", "value": 7}]), ("newOrder", "authorizations", {}),
    ("newOrder", "authorizations", "https://127.0.0.1/authz/0"), ("newOrder", "authorizations", [7]),
    ("newOrder", "finalize", ["https://127.0.0.1/f"]), ("order", "status", True),
    ("authz", "status", 1), ("authz", "identifier", NAME), ("authz", "identifier", None),
    ("authz", "identifier", {"type": "dns", "value": [NAME]}), ("authz", "challenges", {}),
    ("authz", "challenges", "http-01"), ("authz", "challenges", ["http-01"]),
    ("authz", "challenges", None),
]
for wrong_resource, wrong_member, wrong_value in WRONG_TYPES:
    add_row("type: %s of %s is %s" % (wrong_member, wrong_resource, json.dumps(wrong_value)[:30]),
            wrong_member.rstrip("s") + "|" + wrong_member, bent(wrong_resource, lambda a, m=wrong_member,
                                                                v=wrong_value: _set(a, m, v)))


def _set(answer, member, value):
    content = answer.json()
    content[member] = value
    answer.set_json(content)


add_row("type: url of the challenge is a number", "URL|url", bent(
    "authz", change_challenges(lambda c: c.update(url=7))))
add_row("type: certificate is an array", "certificate", bent(
    "finalize", lambda a: a.change(status="valid", certificate=["https://127.0.0.1/c"])))
for twice_resource, twice_text in {
        "directory": b'{"newOrder": "https://127.0.0.1/x", ', "newOrder": b'{"status": "ready", ',
        "order": b'{"status": "valid", ', "authz": b'{"status": "valid", '}.items():
    add_row("duplicate key: " + twice_resource, "duplicate|twice|JSON", bent(
        twice_resource, lambda a, text=twice_text: setattr(a, "body", text + a.body[1:])))
add_row("duplicate key: token", "duplicate|twice|JSON", bent("authz", lambda a: raw_text(
    a, b'"token":', b'"token": "aaaaaaaaaaaaaaaaaaaaaaaa", "token":')))


# The chain

SAYS_LEAF = "certificate|chain"


def new_leaf(make):
    """A bend by which MAKE(ca, order) is the whole chain, PEM."""
    def bend(ca):
        ca.on("cert", lambda request, answer: setattr(answer, "body", make(ca, request.order)))
    return bend


def names_of(order):
    return [identifier["value"] for identifier in order.identifiers]


def signed(ca, order, names=None, key=None, **options):
    return ca.issuer.sign(names or names_of(order), key or order.csr.public_key(), **options)


def ago(**span):
    return pki.now() - datetime.timedelta(**span)


add_row("leaf with another key", "key", new_leaf(
    lambda ca, o: ca.chain(signed(ca, o, key=pki.new_key().public_key()))))
add_row("leaf with another key type", "key", new_leaf(
    lambda ca, o: ca.chain(signed(ca, o, key=pki.new_key("rsa2048").public_key()))))
add_row("leaf for another name", "name|other.example.test", new_leaf(
    lambda ca, o: ca.chain(signed(ca, o, names=["other.example.test"]))))
add_row("leaf with one more name", "name|extra.example.test", new_leaf(
    lambda ca, o: ca.chain(signed(ca, o, names=names_of(o) + ["extra.example.test"]))))
add_row("leaf with one name too few", "name|b.example.test", new_leaf(
    lambda ca, o: ca.chain(signed(ca, o, names=names_of(o)[:1]))),
    names=(NAME, "b.example.test"))
add_row("leaf with the name in CN only", "name|SAN", new_leaf(
    lambda ca, o: ca.chain(ca.issuer.sign([], o.csr.public_key(), common_name=NAME))))
add_row("leaf for a wildcard of the name", "name", new_leaf(
    lambda ca, o: ca.chain(signed(ca, o, names=["*.example.test"]))))
add_row("leaf with a NUL in the name", "name|certificate", new_leaf(
    lambda ca, o: ca.chain(signed(ca, o, names=[NAME + "\0.evil.test"]))))
add_row("leaf that is expired", "expired|valid", new_leaf(
    lambda ca, o: ca.chain(signed(ca, o, not_before=ago(days=90), not_after=ago(minutes=5)))))
add_row("leaf that is valid in two hours", "valid", new_leaf(
    lambda ca, o: ca.chain(signed(ca, o, not_before=ago(hours=-2)))))
add_row("leaf that ends before it begins", "valid|expired", new_leaf(
    lambda ca, o: ca.chain(_upside_down(ca, o))))


def _upside_down(ca, order):
    # The library refuses to build one: two times of the same length change places in the DER, and
    # the signature (which nobody could have made otherwise either) is no longer right.
    leaf = signed(ca, order, not_before=ago(days=2), not_after=ago(days=-30))
    der = leaf.public_bytes(serialization.Encoding.DER)
    first, second = (moment.strftime("%y%m%d%H%M%SZ").encode()
                     for moment in (leaf.not_valid_before, leaf.not_valid_after))
    position = der.index(first)
    end = der.index(second, position)
    swapped = bytearray(der)
    swapped[position:position + 13], swapped[end:end + 13] = second, first
    return _FakeCertificate(bytes(swapped))


class _FakeCertificate:
    def __init__(self, der):
        self.der = der

    def public_bytes(self, encoding):
        return pem_block(b"CERTIFICATE", self.der)


def pem_block(label, data):
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label, base64.encodebytes(data), label)


def stranger():
    return pki.pem(pki.Authority.root("Stranger").certificate)


def own_key(order):
    return pki.key_pem(pki.new_key())


CHAINS = {
    "issuer first": lambda ca, o: pki.pem(ca.issuer.certificate) + pki.pem(signed(ca, o)),
    "root before issuer": lambda ca, o: pki.pem(signed(ca, o)) + pki.pem(
        ca.root.certificate) + pki.pem(ca.issuer.certificate),
    "another issuer": lambda ca, o: pki.pem(signed(ca, o)) + stranger(),
    "a stranger at the end": lambda ca, o: ca.chain(signed(ca, o)) + stranger(),
    "the leaf twice": lambda ca, o: 2 * pki.pem(signed(ca, o)) + pki.pem(ca.issuer.certificate),
    "same issuer name, another key": lambda ca, o: pki.pem(signed(ca, o)) + pki.pem(
        ca.root.intermediate("Scripted Issuing CA").certificate),
    "a leaf as issuer": lambda ca, o: pki.pem(signed(ca, o)) + pki.pem(
        ca.issuer.sign(["ca.example.test"], ca.issuer.key.public_key())),
    "empty": lambda ca, o: b"",
    "line ends only": lambda ca, o: b"\n\n\n",
    "HTML": lambda ca, o: HTML,
    "JSON": lambda ca, o: b'{"certificate": "none"}',
    "DER": lambda ca, o: signed(ca, o).public_bytes(serialization.Encoding.DER),
    "base64 that is none": lambda ca, o: b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
    "base64 of something else": lambda ca, o: pem_block(b"CERTIFICATE", b"hello"),
    "empty block": lambda ca, o: pem_block(b"CERTIFICATE", b""),
    "no end line": lambda ca, o: ca.chain(signed(ca, o))[:-30],
    "a key after the chain": lambda ca, o: ca.chain(signed(ca, o)) + own_key(o),
    "a key before the chain": lambda ca, o: own_key(o) + ca.chain(signed(ca, o)),
    "an EC key in the chain": lambda ca, o: ca.chain(signed(ca, o)) + pki.new_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption()),
    "a request in the chain": lambda ca, o: ca.chain(signed(ca, o)) + o.csr.public_bytes(
        serialization.Encoding.PEM),
    "bytes after the certificate's end": lambda ca, o: pem_block(b"CERTIFICATE", signed(
        ca, o).public_bytes(serialization.Encoding.DER) + b"\0" * 16) + pki.pem(ca.issuer.certificate),
}
for chain_name, chain_make in CHAINS.items():
    add_row("chain: " + chain_name, SAYS_LEAF, new_leaf(chain_make))


@row("chain: HTML with its own content type", SAYS_LEAF)
def _chain_html(ca):
    ca.on("cert", lambda request, answer: Answer(200, [("Content-Type", "text/html")], HTML))


@row("chain: a signature that is wrong", "sign|chain|issuer")
def _chain_bad_signature(ca):
    def make(ca, order):
        der = bytearray(signed(ca, order).public_bytes(serialization.Encoding.DER))
        der[-1] ^= 1
        return pem_block(b"CERTIFICATE", bytes(der)) + pki.pem(ca.issuer.certificate)
    new_leaf(make)(ca)


# Orders and authorizations that are not what was asked for

ORDERS = {
    "another identifier": ({"identifiers": [{"type": "dns", "value": "other.example.test"}]}, "identifier|name"),
    "one more identifier": ({"identifiers": [{"type": "dns", "value": NAME},
                                             {"type": "dns", "value": "b.example.test"}]}, "identifier|name"),
    "no identifiers": ({"identifiers": []}, "identifier|name"),
    "identifiers missing": ({"identifiers": None}, "identifier|name"),
    "another identifier type": ({"identifiers": [{"type": "ip", "value": NAME}]}, "identifier|name"),
    "no authorizations": ({"authorizations": []}, "authorization"),
    "authorizations missing": ({"authorizations": None}, "authorization"),
    "finalize missing": ({"finalize": None}, "finalize"),
    "status missing": ({"status": None}, "status"),
    "status unknown": ({"status": "perhaps"}, "status|perhaps"),
    "status empty": ({"status": ""}, "status"),
    "10,000 authorizations": ({"authorizations": ["https://127.0.0.1/authz/%d" % i
                                                  for i in range(10_000)]}, "authorization|" + SAYS_SIZE),
    "300 authorizations": ({"authorizations": ["https://127.0.0.1:1/authz/%d" % i
                                               for i in range(300)]}, "authorization|" + SAYS_SIZE),
    "valid without certificate": ({"status": "valid"}, "certificate"),
    "invalid without a reason": ({"status": "invalid"}, "invalid"),
}
for order_name, (order_change, order_says) in ORDERS.items():
    add_row("order: " + order_name, order_says,
            bent("newOrder", lambda a, change=order_change: a.change(**change)))
add_row("order: the same authorization twice", "authorization", bent(
    "newOrder", lambda a: a.change(authorizations=2 * a.json()["authorizations"][:1])),
    names=(NAME, "b.example.test"))
add_row("order: other identifiers when polled", "identifier|name", bent(
    "order", lambda a: a.change(identifiers=[{"type": "dns", "value": "other.example.test"}])))
add_row("order: valid without certificate after finalize", "certificate", bent(
    "finalize", lambda a: a.change(status="valid", certificate=None)))
add_row("order: unknown status after finalize", "status|perhaps", bent(
    "finalize", lambda a: a.change(status="perhaps")))
add_row("order: back to pending after finalize", "status|pending|back", bent(
    "finalize", lambda a: a.change(status="pending")))
add_row("order: invalid after finalize", "invalid", bent(
    "finalize", lambda a: a.change(status="invalid")))
add_row("order: processing for ever", "time|processing", lambda ca: setattr(ca, "processing", 1e6),
        timeout=3)
add_row("order: pending for ever", "time|pending|wait", lambda ca: (
    ca.on("order", lambda request, answer: answer.change(status="pending") and None)), timeout=3)


@row("order: back to pending after processing", "status|pending|back", timeout=4)
def _order_backwards(ca):
    ca.processing = 0.5
    ca.on("order", lambda request, answer: answer.change(status="pending") and None
          if request.order.chain else None)


AUTHZS = {
    "another name": ({"identifier": {"type": "dns", "value": "other.example.test"}}, "name|identifier|other"),
    "another type": ({"identifier": {"type": "ip", "value": "127.0.0.1"}}, "name|identifier"),
    "status unknown": ({"status": "perhaps"}, "status|perhaps"),
    "status missing": ({"status": None}, "status"),
    "no challenges": ({"challenges": []}, "challenge|http-01"),
    "no HTTP-01": ({"challenges": [{"type": "dns-01", "url": "https://127.0.0.1/d", "status": "pending",
                                    "token": "a" * 32}]}, "http-01"),
    "revoked": ({"status": "revoked"}, "revoked|authorization"),
    "deactivated": ({"status": "deactivated"}, "deactivated|authorization"),
    "expired": ({"status": "expired"}, "expired|authorization"),
}
for authz_name, (authz_change, authz_says) in AUTHZS.items():
    add_row("authorization: " + authz_name, authz_says,
            bent("authz", lambda a, change=authz_change: a.change(**change)))
add_row("challenge: status unknown", "status|challenge", bent(
    "authz", change_challenges(lambda c: c.update(status="perhaps"))))
add_row("challenge: refused after it was looked for", "unauthorized|found|validation|CA", lambda ca: (
    setattr(ca, "http_port", free_port())))


# Nonces and Retry-After

NONCES = {
    "not base64url": "a+b/c=", "with blanks": "aaaa bbbb", "empty": "", "with quotes": 'a"b',
    "a header of 30 KiB": "a" * 30_000,
}
for nonce_name, nonce_value in NONCES.items():
    add_row("nonce: " + nonce_name, "nonce|header|" + SAYS_SIZE, lambda ca, value=nonce_value: ca.on(
        "*", lambda request, answer: answer.set_header("Replay-Nonce", value) and None))
add_row("nonce: none at all", "nonce", lambda ca: ca.on(
    "*", lambda request, answer: answer.set_header("Replay-Nonce", None) and None), timeout=4)
for resource_name in ("newAccount", "newOrder", "finalize", "cert"):
    add_row("badNonce for ever: " + resource_name, "nonce", replaced(
        resource_name, lambda ca: problem("badNonce", "and again").set_header(
            "Replay-Nonce", ca.new_nonce())), timeout=6, most={resource_name: 40})
LATER = {"huge": "1000000000000", "400 digits": "9" * 400, "a day": "86400",
         "in a thousand years": "Thu, 01 Jan 3026 00:00:00 GMT"}
for later_name, later_value in LATER.items():
    add_row("Retry-After %s: processing" % later_name, "time|processing|retry|later|wait",
            lambda ca, value=later_value: (setattr(ca, "processing", 1e6), ca.on(
                "order", lambda request, answer: answer.set_header("Retry-After", value) and None),
                ca.on("finalize", lambda request, answer: answer.set_header("Retry-After", value)
                      and None)), timeout=3)
    add_row("Retry-After %s: 503" % later_name, "503|server|busy|later", replaced(
        "newOrder", lambda ca, value=later_value: problem("serverInternal", "busy", 503).set_header(
            "Retry-After", value)), timeout=3)
    add_row("Retry-After %s: rateLimited" % later_name, "rate|too many", replaced(
        "newOrder", lambda ca, value=later_value: problem("rateLimited", "too many orders", 429).set_header(
            "Retry-After", value)), timeout=5, most={"newOrder": 2})


# Words of the CA that end up on a terminal

WORDS = {
    "an escape sequence": "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "line ends": "first\r\nerror: forged second line",
    "a NUL": "before\0after",
    "a bell and backspaces": "a\x07\b\b\b",
    "C1 controls": "\x9b31m\x85\x90",
    "DEL": "a\x7fb",
    "bidirectional overrides": "abc\u202edef\u2066x",
    "60,000 letters": "x" * 60_000,
}
for words_name, words_text in WORDS.items():
    add_row("words with %s: detail" % words_name, ".", replaced("newOrder", lambda ca, text=words_text: (
        problem("rejectedIdentifier", text, 403))))
    add_row("words with %s: subproblem" % words_name, ".", replaced(
        "newOrder", lambda ca, text=words_text[:5000]: problem(
            "compound", "several", 403, subproblems=[
                {"type": "urn:ietf:params:acme:error:caa" + text, "detail": text,
                 "identifier": {"type": "dns", "value": text}}])))
    add_row("words with %s: type" % words_name, ".", replaced(
        "newOrder", lambda ca, text=words_text[:5000]: problem(text, "no", 403)))
add_row("words with an escape sequence: challenge error", "no such", lambda ca: ca.on(
    "order", lambda request, answer: answer.change(
        status="invalid", error={"type": "urn:ietf:params:acme:error:connection",
                                 "detail": "no such \x1b[31mhost\x1b[0m"}) and None))
add_row("words with an escape sequence: status", "status", bent(
    "newOrder", lambda a: a.change(status="\x1b[31mperhaps")))
add_row("words with an escape sequence: terms", "terms", lambda ca: ca.on(
    "directory", lambda request, answer: answer.change(
        meta={"termsOfService": "https://example.test/\x1b[31mterms"}) and None),
    config={"acme": {"agree_to_terms": False}})
add_row("words with an escape sequence: HTML", ".", replaced("newOrder", lambda ca: Answer(
    500, [("Content-Type", "text/html")], b"<h1>\x1b[31mno\x1b[0m</h1>")), timeout=3)
add_row("words that are not UTF-8: detail", ".", replaced("newOrder", lambda ca: Answer(
    403, [("Content-Type", "application/problem+json")],
    b'{"type": "urn:ietf:params:acme:error:caa", "detail": "caf\xe9 \xff\xfe"}')))
add_row("words with raw control bytes: detail", ".", replaced("newOrder", lambda ca: Answer(
    403, [("Content-Type", "application/problem+json")],
    b'{"type": "urn:ietf:params:acme:error:caa", "detail": "a\x1b[31m\0b"}')))


def test_every_case_has_its_own_name():
    assert len({case.name for case in CASES}) == len(CASES)


FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_is_refused(case, workdir, listener, sanitized):
    port = free_port()
    ca = ScriptedCa(listener, http_port=port)
    ca.trap = PlainTrap()
    case.bend(ca)
    config = {
        "acme": {"directory": ca.directory_url, "ca_bundle": str(listener.root), "exchange_timeout": 2},
        "http01": {"listen": "127.0.0.1:%d" % port},
    }
    certwright = Certwright(workdir / "cw", config)
    certwright.write_config(case.config)
    try:
        result = certwright.run("issue", *case.names, "--timeout", str(case.timeout),
                                measure=not sanitized, timeout=60)
    finally:
        ca.stop()
        ca.trap.socket.close()
    assert result.code == 3, str(result)
    assert re.search(case.says, result.stderr, re.IGNORECASE), str(result)
    assert not FORBIDDEN.search(result.raw.decode("utf-8", "strict")), str(result)
    assert len(result.stderr) < 10_000, str(result)
    assert not re.search(r"^(\S*: )?error: forged", result.stderr, re.MULTILINE), str(result)
    assert result.wall < case.timeout + (8 if sanitized else 4), str(result)
    assert ca.trap.calls == 0, "it called in the clear: " + str(result)
    for resource, most in case.most.items():
        assert ca.count(resource) <= most, str(result)
    if not sanitized:
        assert result.peak_rss < MEMORY_LIMIT, "%d KiB\n%s" % (result.peak_rss // 1024, result)
    assert not [file for file in workdir.rglob("*" + EVIL + "*")]
    assert certwright.certificates() == []
