"""What must be true once an interrupted issuance was started again: a list of sentences, empty if all is."""

import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from harness import pki

TEMPORARY = re.compile(r"\.tmp$|\.new(-\w+)?$|-wal$|-shm$|-journal$|^\.certwright\.yml")


def matches(chain_pem, key_pem):
    """Whether the leaf of a chain carries this key, by OpenSSL's judgement (cryptography)."""
    leaf = x509.load_pem_x509_certificate(chain_pem.encode())
    key = serialization.load_pem_private_key(key_pem.encode(), None)
    return pki.public_der(leaf.public_key()) == pki.public_der(key.public_key())


def serials(versions):
    return [x509.load_pem_x509_certificate(version["chain_pem"].encode()).serial_number
            for version in versions]


def refused(orders):
    """How many of the CA's orders are lost: it came for a token while nobody answered, and looks once."""
    return sum(order.current_status() == "invalid" for order in orders)


def store_problems(view, before, orders, names):
    """VIEW: now; BEFORE: the same before the attempt. ORDERS: the CA's since then."""
    issued = [order.leaf for order in orders if order.leaf is not None]
    made = 1 + refused(orders)
    problems = []
    if view.integrity != "ok":
        return ["the store is damaged: %s" % view.integrity]
    current = view.current()
    if len(current) != 1:
        problems.append("%d current versions" % len(current))
    for version in view.versions:
        if not matches(version["chain_pem"], version["key_pem"]):
            problems.append("version %d does not match its key" % version["id"])
    if len(view.versions) != len(before.versions) + 1:
        problems.append("%d versions after %d" % (len(view.versions), len(before.versions)))
    if issued and serials(current) != [issued[-1].serial_number]:
        problems.append("the current version is not what the CA issued last")
    leaf = x509.load_pem_x509_certificate(current[0]["chain_pem"].encode()) if current else None
    if leaf and _names_of(leaf) != sorted(names):
        problems.append("the current version is for %s" % _names_of(leaf))
    if view.open_orders():
        problems.append("an order is still %s" % view.open_orders()[0]["state"])
    if len(view.orders) != len(before.orders) + made:
        problems.append("%d orders in the store after %d" % (len(view.orders), len(before.orders)))
    if view.ledger != before.ledger + made:
        problems.append("the fuse counts %d orders after %d" % (view.ledger, before.ledger))
    return problems


def _names_of(leaf):
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(str(name.value) for name in names)


def ca_problems(view, orders, unknown, base):
    """ORDERS: those that the CA saw since. UNKNOWN: as many may have been made without our knowing."""
    problems = []
    if not 1 <= len(orders) <= 1 + unknown + refused(orders):
        problems.append("%d orders at the CA" % len(orders))
    issued = [order for order in orders if order.leaf is not None]
    if len(issued) != 1:
        problems.append("%d certificates were issued" % len(issued))
    held = set(serials(view.versions))
    known = {order["url"] for order in view.orders}
    keys = {_public(order["key_pem"]) for order in view.orders}
    keys |= {_public(version["key_pem"]) for version in view.versions}
    for order in issued:
        url = "%s/order/%d" % (base, order.number)
        if order.leaf.serial_number not in held and url not in known:
            problems.append("an issued certificate is lost: order %d" % order.number)
        if pki.public_der(order.leaf.public_key()) not in keys:
            problems.append("the key of an issued certificate is lost: order %d" % order.number)
    return problems


def _public(key_pem):
    return pki.public_der(serialization.load_pem_private_key(key_pem.encode(), None).public_key())


def leftovers(*directories):
    return ["left behind: %s" % file for directory in directories
            for file in sorted(Path(directory).rglob("*"))
            if file.is_file() and TEMPORARY.search(file.name)]


def traefik_problems(dynamic_dir, certificate_dir, view, former=()):
    """FORMER: files that Traefik was told of before, which may stay until the next change."""
    import yaml

    file = Path(dynamic_dir) / "certwright.yml"
    try:
        document = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as damage:
        return ["%s: %s" % (file, damage)]
    problems, named = [], set()
    chains = []
    for entry in _pairs(document):
        pair = [Path(entry["certFile"]), Path(entry["keyFile"])]
        named |= set(pair)
        if not all(path.exists() for path in pair):
            problems.append("Traefik is told of %s, which is not there" % pair[0].name)
        elif not matches(pair[0].read_text(), pair[1].read_text()):
            problems.append("Traefik's %s does not match its key" % pair[0].name)
        else:
            chains.append(pair[0].read_text())
    for version in view.current():
        if version["chain_pem"] not in chains:
            problems.append("Traefik is not told of the current version")
    for path in sorted(Path(certificate_dir).iterdir()):
        if path not in named and path not in former:
            problems.append("swept by nobody: %s" % path.name)
    return problems


def _pairs(value):
    """Every {certFile, keyFile} of a document, wherever it stands."""
    if isinstance(value, dict):
        if "certFile" in value and "keyFile" in value:
            yield value
        for member in value.values():
            yield from _pairs(member)
    elif isinstance(value, list):
        for member in value:
            yield from _pairs(member)


def named_files(dynamic_dir):
    """The files that Traefik is told of now."""
    import yaml

    file = Path(dynamic_dir) / "certwright.yml"
    if not file.exists():
        return set()
    entries = list(_pairs(yaml.safe_load(file.read_text())))
    return {Path(entry[name]) for entry in entries for name in ("certFile", "keyFile")}


def event_problems(recorder, names, reason):
    told = [entry["payload"] for entry in recorder.entries()]
    good = [event for event in told if event["names"] == names and event.get("reason") == reason]
    return [] if good else ["the event was not told: %r" % told]
