"""Answers that are too large, too slow, cut off, or no HTTP."""

import gzip

import scripted_ca
from harness import pki

from .case import (JSON_RESOURCES, SAYS_CUT_OFF, SAYS_SIZE, WITH_BODY, add_row, bent, sent)

# Size



for resource_name in JSON_RESOURCES:
    add_row("JSON of 300 KiB: " + resource_name, SAYS_SIZE,
            bent(resource_name, lambda a: a.change(filler="a" * 300_000)))
# What the order tells anyway (the answers to a challenge and to finalize) may be left unread.
for resource_name in ("directory", "newOrder", "order", "authz"):
    for depth in (40, 20_000):
        add_row("nesting of %d: %s" % (depth, resource_name), SAYS_SIZE + "|nest",
                bent(resource_name, lambda a, d=depth: setattr(
                    a, "body", b'{"x": ' + b"[" * d + b"]" * d + b"," + a.body[1:])))
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
