"""Certificates that the test servers need: small CAs, leaves, and whatever a broken CA would sign."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def now():
    return datetime.datetime.utcnow().replace(microsecond=0)


def new_key(kind="ec256"):
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    return ec.generate_private_key(ec.SECP256R1() if kind == "ec256" else ec.SECP384R1())


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def public_der(key):
    return key.public_bytes(serialization.Encoding.DER,
                            serialization.PublicFormat.SubjectPublicKeyInfo)


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)


def general_name(text):
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


@dataclass
class Authority:
    """A CA: its certificate and key."""

    certificate: x509.Certificate
    key: object

    @staticmethod
    def root(common_name, valid=3650 * DAY):
        key = new_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        return Authority(_ca_builder(name, name, key.public_key(), key.public_key(), valid)
                         .sign(key, hashes.SHA256()), key)

    def intermediate(self, common_name, valid=1825 * DAY):
        key = new_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = _ca_builder(name, self.certificate.subject, key.public_key(),
                              self.key.public_key(), valid)
        return Authority(builder.sign(self.key, hashes.SHA256()), key)

    def sign(self, names, public_key, not_before=None, not_after=None, common_name=None):
        """A server certificate for NAMES (host names and IP addresses)."""
        start = not_before or now() - datetime.timedelta(minutes=1)
        subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(subject))
            .issuer_name(self.certificate.subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(not_after or start + 90 * DAY)
            .add_extension(x509.BasicConstraints(False, None), True)
            .add_extension(_usage(digital_signature=True), True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                self.key.public_key()), False)
        )
        if names:
            sans = x509.SubjectAlternativeName([general_name(name) for name in names])
            builder = builder.add_extension(sans, not subject)
        return builder.sign(self.key, hashes.SHA256())


def _usage(digital_signature=False, cert_sign=False):
    return x509.KeyUsage(
        digital_signature=digital_signature, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=cert_sign, crl_sign=cert_sign,
        encipher_only=False, decipher_only=False)


def _ca_builder(subject, issuer, public_key, issuer_key, valid):
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - DAY)
        .not_valid_after(now() + valid)
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(_usage(cert_sign=True), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), False)
    )


@dataclass
class Listener:
    """What a test server shows to its clients, and the root that a client has to trust for it."""

    certificate: Path
    key: Path
    root: Path


def make_listener(directory, names=("localhost", "127.0.0.1", "::1"), expired=False):
    """A CA and a leaf for a server on loopback, as PEM files in DIRECTORY."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    authority = Authority.root("Certwright test listener CA")
    key = new_key()
    times = {"not_before": now() - 9 * DAY, "not_after": now() - DAY} if expired else {}
    leaf = authority.sign(list(names), key.public_key(), **times)
    files = Listener(directory / "listener.pem", directory / "listener.key", directory / "root.pem")
    files.certificate.write_bytes(pem(leaf))
    files.key.write_bytes(key_pem(key))
    files.key.chmod(0o600)
    files.root.write_bytes(pem(authority.certificate))
    return files
