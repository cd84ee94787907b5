"""The scripted CA, left alone, is a correct one: a minimal client gets a certificate from it."""

import http.server
import json
import ssl
import threading
import urllib.error
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from harness import pki
from scripted_ca import Answer, ScriptedCa, already_replaced, b64, cert_id, problem, thumbprint


class MiniClient:
    """The smallest ACME client that can be: one account, everything one after the other."""

    def __init__(self, ca, listener):
        self.key = ec.generate_private_key(ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        self.jwk = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32, "big")),
                    "y": b64(numbers.y.to_bytes(32, "big"))}
        context = ssl.create_default_context(cafile=str(listener.root))
        self.opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        self.directory = json.loads(self.fetch(ca.directory_url).read())
        self.kid = None
        self.nonce = self.fetch(self.directory["newNonce"], method="HEAD").headers["Replay-Nonce"]

    def fetch(self, url, data=None, method=None):
        headers = {"Content-Type": "application/jose+json"} if data else {}
        return self.opener.open(urllib.request.Request(url, data, headers, method=method), timeout=10)

    def post(self, url, payload):
        protected = {"alg": "ES256", "nonce": self.nonce, "url": url}
        protected.update({"kid": self.kid} if self.kid else {"jwk": self.jwk})
        head = b64(json.dumps(protected).encode())
        body = "" if payload is None else b64(json.dumps(payload).encode())
        der = self.key.sign(("%s.%s" % (head, body)).encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(der)
        signature = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        answer = self.fetch(url, json.dumps(
            {"protected": head, "payload": body, "signature": signature}).encode())
        self.nonce = answer.headers["Replay-Nonce"]
        return answer

    def register(self):
        account = self.post(self.directory["newAccount"], {"termsOfServiceAgreed": True})
        self.kid = account.headers["Location"]

    def order(self, name, **members):
        return self.post(self.directory["newOrder"],
                         dict({"identifiers": [{"type": "dns", "value": name}]}, **members))

    def obtain(self, name, tokens, **members):
        if self.kid is None:
            self.register()
        answer = self.order(name, **members)
        url, order = answer.headers["Location"], json.loads(answer.read())
        authz = json.loads(self.post(order["authorizations"][0], None).read())
        challenge = next(c for c in authz["challenges"] if c["type"] == "http-01")
        tokens[challenge["token"]] = challenge["token"] + "." + thumbprint(self.jwk)
        self.post(challenge["url"], {})
        while order["status"] == "pending":
            order = json.loads(self.post(url, None).read())
        if order["status"] == "invalid":
            return order
        key = pki.new_key()
        csr = (x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
               .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
               .sign(key, hashes.SHA256()))
        self.post(order["finalize"],
                  {"csr": b64(csr.public_bytes(serialization.Encoding.DER))})
        while order["status"] != "valid":
            order = json.loads(self.post(url, None).read())
        return self.post(order["certificate"], None).read()


@pytest.fixture
def responder():
    """A plain HTTP server that answers tokens; yields (port, tokens)."""
    tokens = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer = tokens.get(self.path.rsplit("/", 1)[-1])
            self.send_response(200 if answer else 404)
            self.end_headers()
            self.wfile.write((answer or "no").encode())

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], tokens
    server.shutdown()
    server.server_close()


def test_issues_to_a_client_that_does_it_right(listener, responder):
    port, tokens = responder
    ca = ScriptedCa(listener, http_port=port, processing=0.1)
    chain = MiniClient(ca, listener).obtain("a.example.test", tokens)
    ca.stop()
    first, second = chain.split(b"-----END CERTIFICATE-----\n")[:2]
    leaf = x509.load_pem_x509_certificate(first + b"-----END CERTIFICATE-----\n")
    issuer = x509.load_pem_x509_certificate(second + b"-----END CERTIFICATE-----\n")
    assert leaf.issuer == issuer.subject
    issuer.public_key().verify(leaf.signature, leaf.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256()))
    assert [ca.count(name) for name in ("newAccount", "newOrder", "finalize", "cert")] == [1] * 4
    assert ca.validations == 1


def test_refuses_a_challenge_that_nobody_answers(listener, responder):
    port, _ = responder
    ca = ScriptedCa(listener, http_port=port)
    order = MiniClient(ca, listener).obtain("a.example.test", {})
    ca.stop()
    assert order["status"] == "invalid"
    assert order["error"]["type"].endswith(":unauthorized")


def test_hooks_change_answers_for_as_long_as_they_are_asked_to(listener):
    ca = ScriptedCa(listener)
    ca.on("directory", lambda request, answer: answer.change(extra=1), times=1)
    client = MiniClient(ca, listener)
    again = json.loads(client.fetch(ca.directory_url).read())
    ca.stop()
    assert client.directory["extra"] == 1 and "extra" not in again


def test_takes_each_nonce_once(listener):
    ca = ScriptedCa(listener)
    client = MiniClient(ca, listener)
    used = client.nonce
    client.post(client.directory["newAccount"], {"termsOfServiceAgreed": True})
    client.nonce = used
    with pytest.raises(urllib.error.HTTPError) as refused:
        client.post(client.directory["newAccount"], {"termsOfServiceAgreed": True})
    ca.stop()
    assert json.loads(refused.value.read())["type"] == "urn:ietf:params:acme:error:badNonce"


def first_of(chain):
    return x509.load_pem_x509_certificate(chain)


def refusal_of(act):
    """(status, type without its prefix) of the problem that ACT is answered with."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        act()
    return refused.value.code, json.loads(refused.value.read())["type"].rsplit(":", 1)[-1]


class Renewing:
    """A CA with renewal information, a client, and the certID of what it holds."""

    def __init__(self, listener):
        self.ca = ScriptedCa(listener)
        self.ca.renewal_info = True
        self.listener = listener
        self.client = self.new_client()
        self.leaf = first_of(self.client.obtain("a.example.test", {}))
        self.id = cert_id(self.leaf)

    def new_client(self):
        client = MiniClient(self.ca, self.listener)
        client.register()
        return client

    def window(self, certificate_id):
        answer = self.client.fetch(self.client.directory["renewalInfo"] + "/" + certificate_id)
        return answer.headers["Retry-After"], json.loads(answer.read())

    def order(self, replaces, name="a.example.test", client=None):
        client = client or self.client
        try:
            return json.loads(client.order(name, replaces=replaces).read())
        except urllib.error.HTTPError as refused:
            client.nonce = refused.headers["Replay-Nonce"]
            raise


@pytest.fixture
def renewing(listener):
    made = Renewing(listener)
    yield made
    made.ca.stop()


def test_forms_the_cert_id_of_the_standard():
    class Certificate:  # RFC 9773, section 4.1: its example's key identifier and serial number
        serial_number = 0x8765432100

        class extensions:
            @staticmethod
            def get_extension_for_class(kind):
                key = bytes.fromhex("69885b6b87464041e1b37b847ba0ae2cde01c8d4")
                return x509.Extension(kind.oid, False, x509.AuthorityKeyIdentifier(key, None, None))

    assert cert_id(Certificate) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyEA"
    Certificate.serial_number = 0x87654321
    assert cert_id(Certificate) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"
    Certificate.serial_number = 0x7f
    assert cert_id(Certificate).split(".")[1] == "fw"


def test_has_no_renewal_information_unless_it_is_asked_to(listener):
    ca = ScriptedCa(listener)
    client = MiniClient(ca, listener)
    leaf = first_of(client.obtain("a.example.test", {}))
    assert "renewalInfo" not in client.directory
    url = "%s/renewalInfo/%s" % (ca.base, cert_id(leaf))
    assert refusal_of(lambda: client.fetch(url)) == (404, "malformed")
    order = json.loads(client.order("a.example.test", replaces="no.certid").read())
    ca.stop()
    assert order["status"] == "pending" and "replaces" not in order
    assert ca.orders[-1].replaces is None


def test_suggests_a_window_for_each_certificate_that_it_issued(renewing):
    retry_after, body = renewing.window(renewing.id)
    assert retry_after == "21600"
    start, end = (body["suggestedWindow"][name] for name in ("start", "end"))
    assert (renewing.leaf.not_valid_before + 59 * pki.DAY).isoformat() + "Z" < start
    assert start < end < renewing.leaf.not_valid_after.isoformat() + "Z"
    assert refusal_of(lambda: renewing.window("no.certid")) == (404, "malformed")
    assert refusal_of(lambda: renewing.window(renewing.id + "/more")) == (404, "malformed")
    assert renewing.ca.count("renewalInfo") == 3
    url = renewing.client.directory["renewalInfo"] + "/" + renewing.id
    assert refusal_of(lambda: renewing.client.post(url, None)) == (405, "malformed")


def test_suggests_what_the_test_says(renewing):
    renewing.ca.suggest(renewing.id, "2020-01-01T00:00:00Z", "soon", "https://ca.test/why")
    renewing.ca.suggest("un.known", "a", "b")
    renewing.ca.renewal_retry_after = 7
    assert renewing.window(renewing.id) == ("7", {
        "suggestedWindow": {"start": "2020-01-01T00:00:00Z", "end": "soon"},
        "explanationURL": "https://ca.test/why"})
    renewing.ca.renewal_retry_after = None
    assert renewing.window("un.known") == (None, {"suggestedWindow": {"start": "a", "end": "b"}})


def test_fails_to_tell_the_window_for_as_long_as_it_is_asked_to(renewing):
    renewing.ca.on("renewalInfo", lambda request, answer: problem("serverInternal", "oops", 500),
                   times=1)
    assert refusal_of(lambda: renewing.window(renewing.id)) == (500, "serverInternal")
    assert "suggestedWindow" in renewing.window(renewing.id)[1]
    assert renewing.ca.count("renewalInfo") == 2


def test_takes_an_order_that_replaces_a_certificate_once(renewing):
    renewed = first_of(renewing.client.obtain("a.example.test", {}, replaces=renewing.id))
    assert renewed.serial_number != renewing.leaf.serial_number
    assert renewing.ca.orders[-1].replaces == renewing.id
    assert renewing.ca.replaced == {renewing.id: renewing.ca.orders[-1]}
    assert refusal_of(lambda: renewing.order(renewing.id)) == (409, "alreadyReplaced")
    assert len(renewing.ca.orders) == 2
    assert renewing.order(cert_id(renewed))["replaces"] == cert_id(renewed)


def test_takes_it_again_where_the_order_that_replaced_it_failed(renewing):
    assert renewing.order(renewing.id)["status"] == "pending"
    assert refusal_of(lambda: renewing.order(renewing.id)) == (409, "alreadyReplaced")
    renewing.ca.orders[-1].status = "invalid"
    assert renewing.order(renewing.id)["status"] == "pending"


@pytest.mark.parametrize("replaces, name, own, refusal", [
    ("no.certid", "a.example.test", True, (404, "malformed")),
    ("", "a.example.test", True, (404, "malformed")),
    (7, "a.example.test", True, (404, "malformed")),
    (None, "b.example.test", True, (400, "malformed")),
    (None, "a.example.test", False, (403, "unauthorized")),
], ids=["unknown", "empty", "a number", "another name", "another account"])
def test_refuses_to_replace(renewing, replaces, name, own, refusal):
    client = renewing.client if own else renewing.new_client()
    replaces = renewing.id if replaces is None else replaces
    assert refusal_of(lambda: renewing.order(replaces, name, client)) == refusal
    assert len(renewing.ca.orders) == 1 and not renewing.ca.replaced


@pytest.mark.parametrize("answer, refusal", [
    (already_replaced, (409, "alreadyReplaced")),
    (lambda: problem("conflict", "no", 409), (409, "conflict")),
    (lambda: Answer(500).set_json({"type": "about:blank"}), (500, "blank")),
])
def test_refuses_every_replaces_while_it_is_told_to(renewing, answer, refusal):
    renewing.ca.refuses_replaces = answer
    for _ in range(2):
        assert refusal_of(lambda: renewing.order(renewing.id)) == refusal
    assert len(renewing.ca.orders) == 1
    assert json.loads(renewing.client.order("a.example.test").read())["status"] == "pending"
    renewing.ca.refuses_replaces = None
    assert renewing.order(renewing.id)["replaces"] == renewing.id
