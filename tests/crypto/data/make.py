#!/usr/bin/env python3
"""Makes the fixtures of this directory anew: with the openssl command and Python's binding to it
(python3-cryptography), so that nothing of ours checks itself. The keys are for tests only.

Run it here; times in the certificates are fixed: 2026-01-01 to 2026-04-01 (UTC).
"""

import base64
import datetime
import ipaddress
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEGIN = datetime.datetime(2026, 1, 1)
END = datetime.datetime(2026, 4, 1)
NAMES = ["a.example.org", "b.example.org", "192.0.2.7", "2001:db8::7"]


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stderr=subprocess.DEVNULL)


def key_forms():
    for name, curve in (("p256", "P-256"), ("p384", "P-384"), ("p521", "P-521")):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + curve,
                "-out", f"{name}.pkcs8.pem")
        openssl("ec", "-in", f"{name}.pkcs8.pem", "-out", f"{name}.sec1.pem")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", "p256.parameters.pem")
    openssl("ecparam", "-name", "secp256k1", "-genkey", "-noout", "-out", "secp256k1.pem")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-param_enc", "explicit",
            "-out", "p256.explicit.pem")
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
            "-out", "rsa.pkcs8.pem")
    openssl("rsa", "-in", "rsa.pkcs8.pem", "-traditional", "-out", "rsa.pkcs1.pem")
    openssl("genpkey", "-algorithm", "ED25519", "-out", "ed25519.pkcs8.pem")
    openssl("genpkey", "-algorithm", "X25519", "-out", "x25519.pem")
    openssl("pkcs8", "-topk8", "-in", "p256.pkcs8.pem", "-passout", "pass:x",
            "-out", "p256.encrypted.pem")
    openssl("rsa", "-in", "rsa.pkcs8.pem", "-traditional", "-aes128", "-passout", "pass:x",
            "-out", "rsa.encrypted.pem")
    for name in ("p256.pkcs8", "p256.parameters", "p384.pkcs8", "p521.pkcs8", "rsa.pkcs8",
                 "ed25519.pkcs8"):
        openssl("pkey", "-in", name + ".pem", "-pubout",
                "-out", name.removesuffix(".pkcs8") + ".pub.pem")
    mixed_key()
    rfc7515_key()
    for name in ("rsa", "p384", "p521"):
        jwk(name)


def jwk(name):
    """Lines "member value" of the private JWK of a key."""
    with open(name + ".pkcs8.pem", "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    numbers, public = key.private_numbers(), key.public_key().public_numbers()
    if isinstance(key, rsa.RSAPrivateKey):
        members = {"n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q,
                   "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp}
        lines, width = ["kty RSA"], 0
    else:
        members = {"x": public.x, "y": public.y, "d": numbers.private_value}
        lines, width = ["kty EC", "crv P-%d" % key.curve.key_size], (key.curve.key_size + 7) // 8
    for member, number in members.items():
        octets = number.to_bytes(width or (number.bit_length() + 7) // 8, "big")
        lines.append(member + " " + base64.urlsafe_b64encode(octets).rstrip(b"=").decode())
    write(name + ".jwk", ("\n".join(lines) + "\n").encode())


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def pkcs8(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def mixed_key():
    """A SEC1 key whose public part belongs to another key."""
    def sec1(name):
        text = open(name).read().replace("\n", "").split("EC PRIVATE KEY-----")[1]
        return base64.b64decode(text.split("-----")[0])
    body = base64.encodebytes(sec1("p256.sec1.pem")[:-65] + sec1("p256.parameters.pem")[-65:])
    write("p256.mixed.pem",
          b"-----BEGIN EC PRIVATE KEY-----\n" + body + b"-----END EC PRIVATE KEY-----\n")


def rfc7515_key():
    """RFC 7515 appendix A.3.1."""
    d = base64.urlsafe_b64decode("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI=")
    write("rfc7515.pem", pkcs8(ec.derive_private_key(int.from_bytes(d, "big"), ec.SECP256R1())))


def common_name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def general(names):
    out = []
    for name in names:
        try:
            out.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            out.append(x509.DNSName._init_without_validation(name))
    return out


def certificate(name, subject, key, issuer, signer, *, names=None, others=(), ca=False,
                key_id=None, serial=None, hash=hashes.SHA256()):
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
               .public_key(key.public_key()).not_valid_before(BEGIN).not_valid_after(END)
               .serial_number(serial or 0x1234567890)
               .add_extension(x509.BasicConstraints(ca, None), True)
               .add_extension(x509.AuthorityKeyIdentifier(key_id, None, None) if key_id else
                              x509.AuthorityKeyIdentifier.from_issuer_public_key(
                                  signer.public_key()), False))
    if ca:
        builder = builder.add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False), True)
    else:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    if names is not None:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([*general(names), *others]), False)
    write(name + ".crt", builder.sign(signer, hash).public_bytes(serialization.Encoding.PEM))


def certificates():
    root = rsa.generate_private_key(65537, 2048)
    intermediate = ec.generate_private_key(ec.SECP384R1())
    impostor = ec.generate_private_key(ec.SECP384R1())
    leaf = serialization.load_pem_private_key(open("p256.pkcs8.pem", "rb").read(), None)
    other = serialization.load_pem_private_key(open("p256.parameters.pem", "rb").read()
                                               .split(b"-----END EC PARAMETERS-----\n")[1], None)
    root_name, middle_name = common_name("Test Root"), common_name("Test Intermediate")
    empty = x509.Name([])
    certificate("root", root_name, root, root_name, root, ca=True)
    certificate("intermediate", middle_name, intermediate, root_name, root, ca=True)
    # The same name, and another key or no CA.
    certificate("impostor", middle_name, impostor, root_name, root, ca=True)
    certificate("no_ca", middle_name, intermediate, root_name, root)

    def issue(name, subject=empty, key=leaf, **more):
        certificate(name, subject, key, middle_name, intermediate, **more)
    issue("leaf", names=NAMES, serial=0x8765432101)
    issue("leaf_other_key", names=NAMES, key=other)
    issue("leaf_one_more", names=[*NAMES, "c.example.org"])
    issue("leaf_missing", names=NAMES[1:])
    issue("leaf_wildcard", names=["*.example.org", *NAMES[2:]])
    issue("leaf_email", names=NAMES, others=[x509.RFC822Name("root@example.org")])
    issue("leaf_escape", names=[*NAMES, "\x1b[2Jc.example.org\n"])
    issue("leaf_upper", names=["B.Example.ORG", "A.EXAMPLE.org", *NAMES[2:], "a.example.org"])
    issue("leaf_cn", subject=common_name("a.example.org"))
    issue("leaf_cn_other", subject=common_name("evil.example.net"), names=NAMES)
    issue("leaf_ca", names=NAMES, ca=True)
    certificate("leaf_of_root", empty, leaf, root_name, root, names=NAMES)
    # RFC 9773 section 4.1.
    issue("rfc9773", names=["example.com"], serial=0x87654321,
          key_id=bytes.fromhex("69885B6B87464041E1B37B847BA0AE2CDE01C8D4"))
    subject_forms(leaf, intermediate, middle_name)


def subject_forms(leaf, intermediate, middle_name):
    """RFC 4514's examples of what must be escaped, in several string types."""
    certificate("subject_forms", x509.Name([
        x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COUNTRY_NAME, "IT")]),
        x509.RelativeDistinguishedName([
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Sue, "Grabbit" + <Runn>; \\ Co')]),
        x509.RelativeDistinguishedName([
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "#1"),
            x509.NameAttribute(NameOID.LOCALITY_NAME, " Lučić ", _ASN1Type.BMPString)]),
        x509.RelativeDistinguishedName([
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "7")]),
        x509.RelativeDistinguishedName([
            x509.NameAttribute(NameOID.COMMON_NAME, "a\x1b[31m\u202eb")]),
    ]), leaf, middle_name, intermediate, names=["a.example.org"])


key_forms()
certificates()
