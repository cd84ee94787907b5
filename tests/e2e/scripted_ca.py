"""A scripted ACME CA over real TLS.

Left alone it is a correct RFC 8555 server: it hands out nonces and takes each once, knows accounts
by their key, fetches HTTP-01 tokens from a port of this machine, and signs what a CSR asks for with
an issuing CA of its own. Of JWS it verifies those of an account with a P-256 key (Pebble does the
rest), and it records every request.

A test bends it with `on(resource, hook)`: the hook gets the request and the correct answer, and
changes the answer, gives another one, or takes over the connection (`Answer.send`) to be hostile
byte by byte. Raw sockets and one thread a connection, because http.server is too polite for that.

Resources: directory, newNonce, newAccount, account, keyChange, revokeCert, newOrder, order, authz,
challenge, finalize, cert, renewalInfo, and "*" for every answer (after the resource's own hooks).

Renewal information (RFC 9773) is off until `renewal_info` is set. Then every certificate that was
issued has a window, a third of its lifetime before its end or what `suggest` says, and newOrder
checks `replaces`: `Order.replaces` and `replaced` say what came of it.
"""

import base64
import hashlib
import json
import secrets
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from harness import pki

RESOURCES = ("directory", "newNonce", "newAccount", "newOrder", "order", "authz", "challenge",
             "finalize", "cert")
_REASONS = {200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 400: "Bad Request"}


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def thumbprint(jwk):
    """RFC 7638, section 3."""
    members = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}[jwk["kty"]]
    canonical = json.dumps({name: jwk[name] for name in members}, separators=(",", ":"), sort_keys=True)
    return b64(hashlib.sha256(canonical.encode()).digest())


def verifies(jws, jwk):
    """Whether a flattened JWS is that key's; of other keys than P-256 nothing is said."""
    if jwk.get("crv") != "P-256":
        return True
    x, y = (int.from_bytes(unb64(jwk[name]), "big") for name in "xy")
    signature = unb64(jws["signature"])
    numbers = (int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    text = ("%s.%s" % (jws["protected"], jws["payload"])).encode()
    try:
        ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key().verify(
            encode_dss_signature(*numbers), text, ec.ECDSA(hashes.SHA256()))
        return True
    except InvalidSignature:
        return False


def cert_id(certificate):
    """RFC 9773, section 4.1."""
    key = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    serial = certificate.serial_number
    # The content octets of a DER INTEGER: a leading zero where the first bit would be a sign.
    octets = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    return "%s.%s" % (b64(key.key_identifier), b64(octets))


@dataclass
class Request:
    """One request as it came, and what of the CA's state it is about."""

    method: str
    path: str
    headers: dict  # names in lower case
    body: bytes
    time: float
    resource: str = ""
    protected: dict = field(default_factory=dict)
    payload: object = None  # decoded JSON; None for POST-as-GET and where there is no JWS
    account: object = None
    order: object = None
    authz: object = None


@dataclass
class Answer:
    status: int = 200
    headers: list = field(default_factory=list)  # [(name, value)], sent as they are
    body: bytes = b""
    close: bool = False
    # send(stream, answer): writes whatever it likes instead of the answer; then the connection ends.
    send: object = None

    def json(self):
        return json.loads(self.body)

    def set_json(self, value):
        self.body = json.dumps(value).encode()
        return self

    def change(self, **members):
        """Changes members of the JSON body; None removes one."""
        value = self.json()
        for name, member in members.items():
            if member is None:
                value.pop(name, None)
            else:
                value[name] = member
        return self.set_json(value)

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def set_header(self, name, value):
        """Replaces a header; None removes it."""
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))
        return self

    def encoded(self, omit_length=False):
        lines = ["HTTP/1.1 %d %s" % (self.status, _REASONS.get(self.status, "Status"))]
        lines += ["%s: %s" % pair for pair in self.headers]
        if not omit_length and self.header("Content-Length") is None:
            lines.append("Content-Length: %d" % len(self.body))
        lines.append("Connection: close" if self.close else "Connection: keep-alive")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"


def problem(kind, detail, status=400, **members):
    body = dict({"type": "urn:ietf:params:acme:error:" + kind, "detail": detail, "status": status},
                **members)
    return Answer(status, [("Content-Type", "application/problem+json")]).set_json(body)


def already_replaced():
    return problem("alreadyReplaced", "the certificate is replaced by another order", 409)


def _usual_window(leaf):
    start = leaf.not_valid_after - (leaf.not_valid_after - leaf.not_valid_before) / 3
    texts = [time.strftime("%Y-%m-%dT%H:%M:%SZ", moment.timetuple())
             for moment in (start, start + 2 * pki.DAY)]
    return {"suggestedWindow": {"start": texts[0], "end": texts[1]}}


class Order:
    def __init__(self, number, identifiers, account):
        self.number, self.identifiers, self.account = number, identifiers, account
        self.authzs = []
        self.status = "pending"
        self.chain = None  # PEM, once it is issued
        self.leaf = None
        self.replaces = None  # certID of the certificate that it renews
        self.processing_until = 0.0

    def current_status(self):
        states = [authz.status for authz in self.authzs]
        if self.status == "pending":
            if "invalid" in states or "deactivated" in states:
                self.status = "invalid"
            elif all(state == "valid" for state in states):
                self.status = "ready"
        elif self.status == "processing" and time.monotonic() >= self.processing_until:
            self.status = "valid"
        return self.status


class Authz:
    def __init__(self, number, identifier, account):
        self.number, self.identifier, self.account = number, identifier, account
        self.status = "pending"
        self.challenge_status = "pending"
        self.token = secrets.token_urlsafe(32)
        self.error = None


class ScriptedCa:
    """Listens on a free loopback port from the constructor on; stop() ends all its connections.

    http_port: where HTTP-01 is looked for; None accepts every challenge unseen.
    processing: seconds that an order stays `processing` after finalize.
    """

    def __init__(self, listener, http_port=None, processing=0.0, host="127.0.0.1"):
        self.http_port, self.processing, self.host = http_port, processing, host
        self.root = pki.Authority.root("Scripted Root")
        self.issuer = self.root.intermediate("Scripted Issuing CA")
        self.requests, self.accounts, self.orders, self.authzs = [], {}, [], []
        self.revoked = {}  # serial number -> reason code
        self.validations, self._accounts_made = 0, 0
        self.broken = []  # what hooks raised: a fault of the test, never of the client
        self.closing = threading.Event()
        self._hooks, self._nonces = {}, set()
        self._lock = threading.RLock()
        self._connections = set()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(listener.certificate, listener.key)
        # Resources that answer and do nothing: their challenges are not looked at, their orders stay.
        self.inert = set()
        self._lost = {}
        self.renewal_info = False  # whether the directory offers it, and newOrder knows `replaces`
        self.renewal_retry_after = 21600  # seconds, or whatever the header is to say; None: no header
        self.windows = {}  # certID -> the members of the answer, set by `suggest`
        self.replaced = {}  # certID -> the latest order that replaces it
        self.refuses_replaces = None  # () -> the answer to each newOrder that has it: no order is made
        self.handshake = True  # False: the TCP connection is taken, and nothing is ever said
        self._socket = socket.create_server((host, 0), backlog=128)
        self.port = self._socket.getsockname()[1]
        self.base = "https://%s:%d" % (host, self.port)
        threading.Thread(target=self._accept, daemon=True).start()

    # What tests use

    @property
    def directory_url(self):
        return self.base + "/directory"

    def on(self, resource, hook, times=None):
        """HOOK(request, answer) -> another Answer or None (then ANSWER, changed or not, is sent).

        times: only for the first so many requests of this resource.
        """
        self._hooks.setdefault(resource, []).append([hook, times])
        return self

    def suggest(self, certificate_id, start, end, explanation=None):
        """The window of one certificate, also of one that is not known: texts, sent as they are."""
        self.windows[certificate_id] = {"suggestedWindow": {"start": start, "end": end}}
        if explanation is not None:
            self.windows[certificate_id]["explanationURL"] = explanation

    def lose(self, resource, times):
        """The next so many requests of this resource end with the connection, unseen by the CA."""
        self._lost[resource] = times
        return self

    def count(self, resource):
        return sum(request.resource == resource for request in self.requests)

    def posts(self):
        return sum(request.method == "POST" for request in self.requests)

    def stop(self):
        self.closing.set()
        self._socket.shutdown(socket.SHUT_RDWR)  # ends accept() in its thread; close does not
        self._socket.close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            try:
                # Its own thread closes it: the descriptor may be another CA's as soon as it is free,
                # and that thread would take that one's bytes.
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def new_nonce(self):
        nonce = secrets.token_urlsafe(16)
        with self._lock:
            self._nonces.add(nonce)
        return nonce

    # Connections

    def _accept(self):
        while not self.closing.is_set():
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        with self._lock:
            self._connections.add(plain)
        stream = plain
        try:
            if not self.handshake:
                self.closing.wait(120)
                return
            plain.settimeout(120)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = self._context.wrap_socket(plain, server_side=True)
            with self._lock:
                self._connections.add(stream)
            while not self.closing.is_set() and self._exchange(stream):
                pass
        except (OSError, ValueError):
            pass  # a client that goes away, at whatever byte
        finally:
            with self._lock:
                self._connections -= {plain, stream}
            stream.close()
            plain.close()

    def _exchange(self, stream):
        request = _read_request(stream)
        if request is None:
            return False
        answer = self._answer(request)
        if answer.send is not None:
            answer.send(stream, answer)
            return False
        body = b"" if request.method == "HEAD" else answer.body
        stream.sendall(answer.encoded() + body)
        return not answer.close

    # The CA

    def _answer(self, request):
        words = request.path.strip("/").split("/")
        request.resource = "finalize" if words[0] == "order" and len(words) == 3 else words[0]
        with self._lock:
            if self._lost.get(request.resource, 0) > 0:
                self._lost[request.resource] -= 1
                return Answer(send=drop)
            answer = self._correct_answer(request)
            self.requests.append(request)
            if answer.header("Replay-Nonce") is None and (
                    request.method == "POST" or request.resource == "newNonce"):
                answer.set_header("Replay-Nonce", self.new_nonce())
            answer.headers.append(("Link", '<%s>;rel="index"' % self.directory_url))
            hooks = [entry for name in (request.resource, "*") for entry in self._hooks.get(name, [])]
            for entry in hooks:
                if entry[1] is not None:
                    if entry[1] <= 0:
                        continue
                    entry[1] -= 1
                try:
                    answer = entry[0](request, answer) or answer
                except Exception as fault:
                    self.broken.append("%s of %s: %r" % (request.resource, request.path, fault))
        return answer

    def _correct_answer(self, request):
        rest = request.path.strip("/").split("/")[1:]
        handler = getattr(self, "_on_" + request.resource, None)
        if handler is None:
            return problem("malformed", "no such resource", 404)
        if request.resource in ("directory", "newNonce"):
            return handler(request)
        if request.resource == "renewalInfo":
            return handler(request, *rest)
        if request.method != "POST":
            return problem("malformed", "GET is not allowed here", 405)
        refusal = self._decode(request)
        if refusal is not None:
            return refusal
        numbers = [int(word) for word in rest if word.isdigit()]
        try:
            return handler(request, *numbers[:1])
        except (IndexError, TypeError):
            return problem("malformed", "no such object", 404)

    def _decode(self, request):
        try:
            jws = json.loads(request.body)
            request.protected = json.loads(unb64(jws["protected"]))
            payload = unb64(jws["payload"])
            request.payload = json.loads(payload) if payload else None
        except (ValueError, KeyError, TypeError):
            return problem("malformed", "not a flattened JWS")
        if request.headers.get("content-type") != "application/jose+json":
            return problem("malformed", "the content type is not application/jose+json", 415)
        nonce = request.protected.get("nonce")
        if nonce not in self._nonces:
            return problem("badNonce", "unknown nonce")
        self._nonces.discard(nonce)
        if request.protected.get("url") != "https://" + request.headers["host"] + request.path:
            return problem("unauthorized", "the url in the protected header is another one", 403)
        if "jwk" in request.protected:
            print_of_key = thumbprint(request.protected["jwk"])
            request.account = self.accounts.get(print_of_key)
        else:
            by_url = {account["url"]: account for account in self.accounts.values()}
            request.account = by_url.get(request.protected.get("kid"))
            if request.account is None:
                return problem("accountDoesNotExist", "unknown account URL")
            if not verifies(jws, request.account["jwk"]):
                return problem("malformed", "the signature is not by the account's key", 401)
        if request.account is not None and request.account["status"] != "valid":
            return problem("unauthorized", "the account is deactivated", 401)
        return None

    def _base(self, request):
        return "https://" + request.headers.get("host", "")

    def _json(self, value, status=200, **headers):
        pairs = [("Content-Type", "application/json")]
        pairs += [(name.replace("_", "-"), text) for name, text in headers.items()]
        return Answer(status, pairs).set_json(value)

    def _on_directory(self, request):
        base = self._base(request)
        names = ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange")
        names += ("renewalInfo",) if self.renewal_info else ()
        value = {name: "%s/%s" % (base, name) for name in names}
        value["meta"] = {"termsOfService": base + "/terms", "website": base}
        return self._json(value)

    def _on_newNonce(self, request):
        return Answer(200 if request.method == "HEAD" else 204, [("Cache-Control", "no-store")])

    def _on_renewalInfo(self, request, certificate_id="", *more):
        """RFC 9773, section 4: anybody may ask, and nobody signs."""
        if request.method != "GET" or request.body:
            return problem("malformed", "renewal information is asked for by an empty GET", 405)
        window = self.windows.get(certificate_id)
        order = self._issued(certificate_id)
        if not self.renewal_info or more or (window is None and order is None):
            return problem("malformed", "no certificate has the certID %.80r" % certificate_id, 404)
        headers = {}
        if self.renewal_retry_after is not None:
            headers["Retry_After"] = str(self.renewal_retry_after)
        return self._json(window or _usual_window(order.leaf), **headers)

    def _issued(self, certificate_id):
        return next((order for order in self.orders
                     if order.leaf is not None and cert_id(order.leaf) == certificate_id), None)

    def _refusal_of_replaces(self, request, identifiers):
        """RFC 9773, section 5: the same account, a name in common, not replaced yet."""
        if self.refuses_replaces is not None:
            return self.refuses_replaces()
        certificate_id = request.payload["replaces"]
        before = self._issued(certificate_id)
        if before is None:
            return problem("malformed", "no certificate has the certID %.80r" % (certificate_id,), 404)
        if before.account is not request.account:
            return problem("unauthorized", "the certificate to replace is another account's", 403)
        if not any(identifier in before.identifiers for identifier in identifiers):
            return problem("malformed", "the certificate to replace has none of these names")
        successor = self.replaced.get(certificate_id)
        if successor is not None and successor.current_status() != "invalid":
            return already_replaced()
        return None

    def _on_newAccount(self, request):
        jwk = request.protected.get("jwk")
        if jwk is None:
            return problem("malformed", "newAccount is signed with a jwk")
        known = request.account
        if known is None and request.payload.get("onlyReturnExisting"):
            return problem("accountDoesNotExist", "no account has this key")
        if known is None:
            self._accounts_made += 1
            url = "%s/account/%d" % (self._base(request), self._accounts_made)
            request.account = {"url": url, "jwk": jwk, "status": "valid",
                               "contact": request.payload.get("contact", [])}
            self.accounts[thumbprint(jwk)] = request.account
        body = {"status": "valid", "contact": request.account["contact"],
                "orders": request.account["url"] + "/orders"}
        return self._json(body, 200 if known else 201, Location=request.account["url"])

    def _on_account(self, request, number=0):
        if isinstance(request.payload, dict) and "contact" in request.payload:
            request.account["contact"] = request.payload["contact"]
        if isinstance(request.payload, dict) and request.payload.get("status") == "deactivated":
            request.account["status"] = "deactivated"
        return self._json({"status": request.account["status"],
                           "contact": request.account["contact"]})

    def _on_keyChange(self, request):
        """RFC 8555, section 7.3.5."""
        inner = request.payload
        header, payload = (json.loads(unb64(inner[part])) for part in ("protected", "payload"))
        jwk, account = header["jwk"], request.account
        if (not verifies(inner, jwk) or payload["account"] != account["url"]
                or payload["oldKey"] != account["jwk"] or "nonce" in header
                or header["url"] != request.protected["url"]):
            return problem("malformed", "not a key change of this account")
        if thumbprint(jwk) in self.accounts:
            return problem("conflict", "an account has this key", 409)
        del self.accounts[thumbprint(account["jwk"])]
        account["jwk"] = jwk
        self.accounts[thumbprint(jwk)] = account
        return self._json({"status": "valid", "contact": account["contact"]})

    def _on_revokeCert(self, request):
        """RFC 8555, section 7.6: by the account that ordered it, or by its own key."""
        der = unb64(request.payload["certificate"])
        leaf = x509.load_der_x509_certificate(der)
        order = next((order for order in self.orders if order.leaf == leaf), None)
        if order is None:
            return problem("malformed", "this CA has not issued that certificate", 404)
        jwk = request.protected.get("jwk")
        if jwk is None and request.account is not order.account:
            return problem("unauthorized", "another account ordered it", 403)
        if jwk is not None:
            numbers = leaf.public_key().public_numbers()
            if unb64(jwk["x"]) != numbers.x.to_bytes(32, "big"):
                return problem("unauthorized", "not the certificate's key", 403)
        if leaf.serial_number in self.revoked:
            return problem("alreadyRevoked", "it is revoked already")
        self.revoked[leaf.serial_number] = request.payload.get("reason", 0)
        return Answer(200)

    def _on_newOrder(self, request):
        identifiers = request.payload["identifiers"]
        replaces = request.payload.get("replaces") if self.renewal_info else None
        if replaces is not None:
            refusal = self._refusal_of_replaces(request, identifiers)
            if refusal is not None:
                return refusal
        order = Order(len(self.orders), identifiers, request.account)
        if replaces is not None:
            order.replaces = replaces
            self.replaced[replaces] = order
        for identifier in identifiers:
            authz = Authz(len(self.authzs), identifier, request.account)
            self.authzs.append(authz)
            order.authzs.append(authz)
        self.orders.append(order)
        request.order = order
        return self._json(self._order_body(request, order), 201,
                          Location="%s/order/%d" % (self._base(request), order.number))

    def _order_body(self, request, order):
        base = self._base(request)
        body = {
            "status": order.current_status(),
            "expires": "2099-01-01T00:00:00Z",
            "identifiers": order.identifiers,
            "authorizations": ["%s/authz/%d" % (base, authz.number) for authz in order.authzs],
            "finalize": "%s/order/%d/finalize" % (base, order.number),
        }
        if order.status == "valid":
            body["certificate"] = "%s/cert/%d" % (base, order.number)
        if order.replaces is not None:
            body["replaces"] = order.replaces
        errors = [authz.error for authz in order.authzs if authz.error]
        if errors:
            body["error"] = errors[0]
        return body

    def _on_order(self, request, number):
        request.order = self.orders[number]
        return self._json(self._order_body(request, request.order))

    def _on_authz(self, request, number):
        request.authz = authz = self.authzs[number]
        if isinstance(request.payload, dict) and request.payload.get("status") == "deactivated":
            authz.status = "deactivated"
        return self._json(self._authz_body(request, authz))

    def _authz_body(self, request, authz):
        return {
            "status": authz.status,
            "expires": "2099-01-01T00:00:00Z",
            "identifier": authz.identifier,
            "challenges": [
                {"type": "dns-01", "url": "%s/dns/%d" % (self._base(request), authz.number),
                 "status": "pending", "token": secrets.token_urlsafe(32)},
                self._challenge_body(request, authz),
            ],
        }

    def _challenge_body(self, request, authz):
        body = {"type": "http-01", "status": authz.challenge_status, "token": authz.token,
                "url": "%s/challenge/%d" % (self._base(request), authz.number)}
        if authz.error:
            body["error"] = authz.error
        return body

    def _on_challenge(self, request, number):
        request.authz = authz = self.authzs[number]
        wanted = request.payload is not None and "challenge" not in self.inert
        if wanted and authz.challenge_status == "pending":
            authz.challenge_status = "processing"
            threading.Thread(target=self._validate, args=(authz,), daemon=True).start()
        return self._json(self._challenge_body(request, authz),
                          Link='<%s/authz/%d>;rel="up"' % (self._base(request), authz.number))

    def _validate(self, authz):
        expected = authz.token + "." + thumbprint(authz.account["jwk"])
        try:
            found = expected if self.http_port is None else self._fetch(authz)
        except OSError as reason:
            found = "nothing (%s)" % reason
        with self._lock:
            self.validations += 1
            good = found.strip() == expected
            authz.status = authz.challenge_status = "valid" if good else "invalid"
            if not good:
                authz.error = problem("unauthorized", "expected the key authorization, found %.80r"
                                      % found, 403).json()

    def _fetch(self, authz):
        host = authz.identifier["value"]
        text = ("GET /.well-known/acme-challenge/%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
                "User-Agent: scripted-ca\r\n\r\n" % (authz.token, host))
        with socket.create_connection(("127.0.0.1", self.http_port), timeout=10) as plain:
            plain.sendall(text.encode())
            data = b""
            while piece := plain.recv(65536):
                data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        if head.split(b" ")[1:2] != [b"200"]:
            return head.split(b"\r\n")[0].decode(errors="replace")
        return body.decode(errors="replace")

    def _on_finalize(self, request, number):
        request.order = order = self.orders[number]
        if order.current_status() != "ready":
            return problem("orderNotReady", "the order is %s" % order.status, 403)
        try:
            csr = x509.load_der_x509_csr(unb64(request.payload["csr"]))
        except ValueError:
            return problem("badCSR", "the CSR does not parse")
        names = [identifier["value"] for identifier in order.identifiers]
        asked = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if sorted(str(name.value) for name in asked) != sorted(names):
            return problem("badCSR", "the CSR asks for other names than the order")
        if "finalize" in self.inert:
            return self._json(self._order_body(request, order))
        order.csr = csr
        order.leaf = self.issuer.sign(names, csr.public_key())
        order.chain = self.chain(order.leaf)
        order.processing_until = time.monotonic() + self.processing
        order.status = "processing"
        return self._json(self._order_body(request, order),
                          Location="%s/order/%d" % (self._base(request), order.number))

    def chain(self, leaf):
        """LEAF and the issuing CA's certificate, as PEM."""
        return pki.pem(leaf) + pki.pem(self.issuer.certificate)

    def _on_cert(self, request, number):
        request.order = order = self.orders[number]
        if order.chain is None:
            return problem("malformed", "there is no certificate yet", 404)
        return Answer(200, [("Content-Type", "application/pem-certificate-chain")], order.chain)


def _read_request(stream):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = stream.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    while len(body) < length:
        piece = stream.recv(65536)
        if not piece:
            return None
        body += piece
    return Request(method, path, headers, body, time.monotonic())


# Ways to be hostile: senders for Answer.send

def silence(ca):
    """Says nothing at all."""
    def send(stream, answer):
        ca.closing.wait(120)
    return send


def drop(stream, answer):
    """Closes the connection instead of answering."""


def cut(stream, answer):
    """Half of the body, then the end of the connection."""
    stream.sendall(answer.encoded() + answer.body[:len(answer.body) // 2])


def drip_body(ca, seconds=1.0):
    """The body, a byte at a time."""
    def send(stream, answer):
        stream.sendall(answer.encoded())
        _drip(ca, stream, answer.body, seconds)
    return send


def drip_headers(ca, seconds=1.0):
    """Everything, a byte at a time."""
    def send(stream, answer):
        _drip(ca, stream, answer.encoded() + answer.body, seconds)
    return send


def _drip(ca, stream, data, seconds):
    for position in range(len(data)):
        if ca.closing.wait(seconds):
            return
        stream.sendall(data[position:position + 1])


def endless_headers(ca):
    """Header lines as fast as they are taken."""
    def send(stream, answer):
        stream.sendall(b"HTTP/1.1 200 OK\r\n")
        _pour(ca, stream, b"X-Filler: " + b"a" * 1000 + b"\r\n", None)
    return send


def endless_header_line(ca):
    """One header line without an end."""
    def send(stream, answer):
        stream.sendall(b"HTTP/1.1 200 OK\r\nX-Filler: ")
        _pour(ca, stream, b"a" * 4096, None)
    return send


def endless_body(ca, chunked=False):
    """A body that does not end, as fast as it is taken, with valid JSON or PEM never complete."""
    def send(stream, answer):
        if chunked:
            answer.set_header("Transfer-Encoding", "chunked")
        stream.sendall(answer.encoded(omit_length=True).replace(b"keep-alive", b"close"))
        piece = b" " * 65536
        _pour(ca, stream, b"10000\r\n" + piece + b"\r\n" if chunked else piece, None)
    return send


def huge_body(ca, size):
    """SIZE bytes, announced in Content-Length."""
    def send(stream, answer):
        answer.set_header("Content-Length", str(size))
        stream.sendall(answer.encoded())
        _pour(ca, stream, b" " * 65536, size)
    return send


def _pour(ca, stream, piece, size):
    sent, deadline = 0, time.monotonic() + 60
    while (size is None or sent < size) and not ca.closing.is_set() and time.monotonic() < deadline:
        stream.sendall(piece)
        sent += len(piece)
