"""The scripted CA, left alone, is a correct one: a minimal client gets a certificate from it."""

import http.server
import json
import ssl
import threading
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from harness import pki
from scripted_ca import ScriptedCa, b64, thumbprint


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

    def obtain(self, name, tokens):
        account = self.post(self.directory["newAccount"], {"termsOfServiceAgreed": True})
        self.kid = account.headers["Location"]
        answer = self.post(self.directory["newOrder"],
                           {"identifiers": [{"type": "dns", "value": name}]})
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
