"""A CA that is odd but legal must do: each row changes an answer in a way that RFC 8555 allows."""

import datetime
import email.utils

import pytest
from harness import pki
from harness.certwright import Certwright
from harness.ports import free_port
from scripted_ca import Answer, ScriptedCa, b64

NAME = "a.example.test"


def other_host(ca):
    """Every URL in every answer names localhost; the directory was asked by address."""
    def rename(request, answer):
        mine, other = ca.base.encode(), ca.base.replace("127.0.0.1", "localhost").encode()
        answer.body = answer.body.replace(mine, other)
        if answer.header("Location"):
            answer.set_header("Location", answer.header("Location").replace("127.0.0.1", "localhost"))
    ca.on("*", rename)


def every_json(change):
    """Applies CHANGE(dict) to every JSON object that the CA answers, the directory included."""
    def bend(ca):
        def hook(request, answer):
            if "json" in (answer.header("Content-Type") or ""):
                value = answer.json()
                change(value)
                answer.set_json(value)
        ca.on("*", hook)
    return bend


def extra_fields(value):
    value["extra"] = {"deep": [1, 2.5, None, {"a": "\u00fc"}], "newOrder": "http://127.0.0.1/"}
    for challenge in value.get("challenges", []):
        challenge["extra"] = [True]


def unknown_challenges(value):
    if "challenges" in value:
        value["challenges"] = [
            {"type": "dns-persist-01", "url": "https://127.0.0.1/p", "status": "pending"},
            {"type": "future-99", "status": "dreaming", "nested": {"token": 7}},
        ] + value["challenges"] + [{"type": "dns-account-01", "token": "../..",
                                    "url": "https://127.0.0.1/q", "status": "pending"}]


def nonce_only_from_new_nonce(ca):
    ca.on("*", lambda request, answer: answer.set_header("Replay-Nonce", None) and None
          if request.resource != "newNonce" else None)


def valid_at_once(ca):
    """As step-ca: the challenge is looked at before its POST is answered."""
    def hook(request, answer):
        if request.payload is not None:
            request.authz.status = request.authz.challenge_status = "valid"
            answer.change(status="valid")
    ca.on("challenge", hook)


def reused_authorizations(ca):
    def hook(request, answer):
        for authz in request.order.authzs:
            authz.status = authz.challenge_status = "valid"
        answer.change(status="ready")
    ca.on("newOrder", hook)


def header(resource, name, value):
    return lambda ca: ca.on(resource, lambda request, answer: answer.set_header(name, value) and None)


def processing_with(retry_after, seconds=0.5):
    def bend(ca):
        ca.processing = seconds
        for resource in ("finalize", "order"):
            header(resource, "Retry-After", retry_after)(ca)
    return bend


def lower_case_headers(ca):
    def hook(request, answer):
        answer.headers = [(name.lower(), value) for name, value in answer.headers]
    ca.on("*", hook)


def chunked(ca):
    def hook(request, answer):
        if request.method == "HEAD":
            return
        body = b"".join(b"%x\r\n%s\r\n" % (len(answer.body[i:i + 100]), answer.body[i:i + 100])
                        for i in range(0, len(answer.body), 100)) + b"0\r\n\r\n"
        answer.set_header("Transfer-Encoding", "chunked")

        def send(stream, _):
            stream.sendall(answer.encoded(omit_length=True).replace(b"keep-alive", b"close") + body)
        answer.send = send
    ca.on("*", hook)


def until_close(ca):
    """Neither a length nor chunks: the body ends with the connection (RFC 9112 section 6.3)."""
    def hook(request, answer):
        def send(stream, _):
            stream.sendall(answer.encoded(omit_length=True).replace(b"keep-alive", b"close"))
            stream.sendall(answer.body)
            stream.unwrap()  # TLS's own end; without it the body could be a cut one
        if request.method != "HEAD":
            answer.send = send
    ca.on("*", hook)


def order_turned_round(ca):
    def hook(request, answer):
        value = answer.json()
        value["identifiers"].reverse()
        value["authorizations"].reverse()
        answer.set_json(value)
    for resource in ("newOrder", "order", "finalize"):
        ca.on(resource, hook)


def leaf(**options):
    """The leaf is signed again with OPTIONS of pki.Authority.sign."""
    def bend(ca):
        def hook(request, answer):
            moments = {key: pki.now() + value for key, value in options.items()
                       if isinstance(value, datetime.timedelta)}
            order = request.order
            names = [identifier["value"] for identifier in order.identifiers]
            answer.body = ca.chain(ca.issuer.sign(
                names, order.csr.public_key(), **dict(options, **moments)))
        ca.on("cert", hook)
    return bend


def pem_change(change):
    return lambda ca: ca.on("cert", lambda request, answer: setattr(
        answer, "body", change(answer.body)))


def retry_date(seconds):
    return email.utils.formatdate(pki.now().timestamp() + seconds, usegmt=True)


MINUTE = datetime.timedelta(minutes=1)
ROWS = {
    "other hosts in URLs": other_host,
    "unknown challenge types, one without a token": every_json(unknown_challenges),
    "no nonce but from newNonce": nonce_only_from_new_nonce,
    "extra fields everywhere": every_json(extra_fields),
    "meta is null": lambda ca: ca.on("directory", lambda r, a: a.set_json(
        dict(a.json(), meta=None)) and None),
    "no meta, no keyChange, no revokeCert": lambda ca: ca.on("directory", lambda r, a: a.change(
        meta=None, keyChange=None, revokeCert=None) and None),
    "newNonce answers 204": lambda ca: ca.on("newNonce", lambda r, a: setattr(a, "status", 204)),
    "a nonce as long as a sentence": lambda ca: ca.on("*", lambda r, a: a.set_header(
        "Replay-Nonce", _long_nonce(ca)) and None),
    "validated within the challenge's POST": valid_at_once,
    "authorizations reused": reused_authorizations,
    "identifiers and authorizations in another order": order_turned_round,
    "no expires": every_json(lambda value: value.pop("expires", None)),
    "no contact and orders in the account": lambda ca: ca.on("newAccount", lambda r, a: a.change(
        contact=None, orders=None) and None),
    "content type with parameters": header("directory", "Content-Type",
                                           "application/json; charset=utf-8"),
    "chain with parameters in its type": header(
        "cert", "Content-Type", "application/pem-certificate-chain; charset=utf-8"),
    "header names in lower case": lower_case_headers,
    "chunked answers": chunked,
    "answers that end with the connection": until_close,
    "every connection closed": lambda ca: ca.on("*", lambda r, a: setattr(a, "close", True)),
    "several Link headers": lambda ca: ca.on("cert", lambda r, a: a.headers.extend([
        ("Link", '<https://127.0.0.1/x>;rel="alternate"'),
        ("Link", '<%s>; rel="index", <https://127.0.0.1/y>; rel=up' % ca.directory_url)])),
    "processing for half a second": processing_with(None),
    "processing with Retry-After 1": processing_with("1"),
    "processing with Retry-After as a date": processing_with(retry_date(1)),
    "processing with Retry-After in the past": processing_with(retry_date(-3600)),
    "processing with Retry-After 0": processing_with("0"),
    "processing with Retry-After negative": processing_with("-5"),
    "processing with Retry-After that is no number": processing_with("soon"),
    "processing with Retry-After empty": processing_with(""),
    "leaf that is valid in half an hour": leaf(not_before=30 * MINUTE),
    "leaf backdated a day": leaf(not_before=-1440 * MINUTE),
    "leaf for six days": leaf(not_before=-60 * MINUTE, not_after=6 * 1440 * MINUTE),
    "leaf with a CN": leaf(common_name=NAME),
    "line ends of another system in the chain": pem_change(lambda b: b.replace(b"\n", b"\r\n")),
    "no line end after the chain": pem_change(lambda b: b.rstrip(b"\n")),
    "blank lines in the chain": pem_change(
        lambda b: b"\n" + b.replace(b"-----\n-----", b"-----\n\n-----") + b"\n\n"),
    "the root in the chain": lambda ca: ca.on("cert", lambda r, a: setattr(
        a, "body", a.body + pki.pem(ca.root.certificate))),
    "words that are not ASCII": lambda ca: ca.on("directory", lambda r, a: a.change(
        meta={"website": "https://example.test/", "x": "\u00fcber \U0001f600"}) and None),
    "newAccount answers 200 for a new account": lambda ca: ca.on(
        "newAccount", lambda r, a: setattr(a, "status", 200)),
}


def _long_nonce(ca):
    nonce = b64(b"n" * 90) + ca.new_nonce()
    ca._nonces.add(nonce)
    return nonce


@pytest.fixture
def scripted(workdir, listener):
    """(a CA that validates for real, a Certwright that knows it)"""
    port = free_port()
    ca = ScriptedCa(listener, http_port=port)
    certwright = Certwright(workdir / "cw", {
        "acme": {"directory": ca.directory_url, "ca_bundle": str(listener.root), "exchange_timeout": 5},
        "http01": {"listen": "127.0.0.1:%d" % port},
    })
    yield ca, certwright
    ca.stop()


@pytest.mark.parametrize("bend", ROWS.values(), ids=ROWS.keys())
def test_works(bend, scripted):
    ca, certwright = scripted
    bend(ca)
    certwright.ok("issue", NAME, "b.example.test", "--timeout", "15")
    (held,) = certwright.certificates()
    assert sorted(held["names"]) == [NAME, "b.example.test"]
    assert ca.broken == []
    assert ca.count("newOrder") == 1


# One answer spoiled, once: the same run gets through, and orders once where that can be seen.

SPOILED = {
    "dropped": lambda a: setattr(a, "send", lambda stream, answer: None),
    "cut": lambda a: setattr(a, "send", lambda stream, answer: stream.sendall(
        answer.encoded() + answer.body[:len(answer.body) // 2])),
    "500": lambda a: Answer(500, [("Content-Type", "text/plain")], b"oops"),
    "503": lambda a: Answer(503, [("Retry-After", "1")]),
    "429": lambda a: Answer(429, [("Content-Type", "application/problem+json"), ("Retry-After", "1")],
                            b'{"type": "urn:ietf:params:acme:error:rateLimited", "detail": "slower"}'),
    "HTML": lambda a: Answer(502, [("Content-Type", "text/html")], b"<html>Bad gateway</html>"),
}
PLACES = ("directory", "newNonce", "newAccount", "newOrder", "order", "authz", "challenge",
          "finalize", "cert")


@pytest.mark.parametrize("place", PLACES)
def test_gets_through_one_lost_request(place, scripted):
    """The request never reaches the CA: nothing has happened there."""
    ca, certwright = scripted
    ca.lose(place, times=1)
    certwright.ok("issue", NAME, "--timeout", "30")
    assert len(certwright.certificates()) == 1
    assert len(ca.orders) == 1


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("fault", SPOILED)
def test_gets_through_one_spoiled_answer(fault, place, scripted):
    ca, certwright = scripted
    ca.on(place, lambda request, answer: SPOILED[fault](answer), times=1)
    certwright.ok("issue", NAME, "--timeout", "30")
    assert len(certwright.certificates()) == 1
    # Only where the answer to newOrder itself was spoiled can nobody know that there is an order.
    assert ca.count("newOrder") <= (2 if place == "newOrder" else 1)
