"""Certificates and chains that must not be stored."""

import base64
import datetime

from cryptography.hazmat.primitives import serialization
from harness import pki
from scripted_ca import Answer

from .case import HTML, NAME, add_row, row

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
add_row("leaf that ends before it begins", "ends before|sign", new_leaf(
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
