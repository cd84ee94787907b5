"""Certificates from Pebble: names, addresses, keys, accounts, with and without the daemon."""

import base64
import json
import os
import re
import stat

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from harness import pki, process, store, tls
from harness.certwright import Certwright, binary
from harness.ports import free_port

NAME = "a.example.test"


def exported(certwright, name, kind="fullchain"):
    """The certificates that `export` prints, the leaf first."""
    text = certwright.ok("export", name, "--format", kind).stdout
    blocks = text.split("-----END CERTIFICATE-----")[:-1]
    return [x509.load_pem_x509_certificate((block + "-----END CERTIFICATE-----\n").lstrip().encode())
            for block in blocks]


def exported_key(certwright, name):
    text = certwright.ok("export", name, "--format", "key").stdout
    return serialization.load_pem_private_key(text.encode(), None)


def check_held(certwright, names, pebble=None):
    """One certificate for exactly NAMES is held, with its key. Returns the leaf."""
    (held,) = [entry for entry in certwright.certificates() if sorted(entry["names"]) == sorted(names)]
    chain = exported(certwright, names[0])
    assert tls.names_of(chain[0]) == sorted(names)
    assert pki.public_der(exported_key(certwright, names[0]).public_key()) == pki.public_der(
        chain[0].public_key())
    assert str(chain[0].serial_number) in json.dumps(held) or "%x" % chain[0].serial_number in json.dumps(
        held)
    if pebble is not None:
        assert chain[0].issuer == pebble.intermediate().subject
    return chain[0]


def test_one_name(world):
    result = world.certwright.ok("issue", NAME)
    check_held(world.certwright, [NAME], world.pebble)
    assert NAME in result.stdout + result.stderr
    posts = world.pebble.posts()
    # newAccount once; newOrder, authz, challenge, one or two looks at the order, finalize, certificate
    assert posts.count("/order-plz") == 1 and posts.count("/sign-me-up") <= 2
    assert len(posts) <= 10, posts


def test_already_held_and_valid_orders_nothing(world):
    world.certwright.ok("issue", NAME)
    before = world.pebble.posts()
    again = world.certwright.ok("issue", NAME)
    assert world.pebble.posts() == before
    assert "valid" in (again.stdout + again.stderr).lower()


def test_force_orders_again_with_a_new_key(world):
    world.certwright.ok("issue", NAME)
    first = check_held(world.certwright, [NAME])
    world.certwright.ok("issue", NAME, "--force")
    second = check_held(world.certwright, [NAME])
    assert first.serial_number != second.serial_number
    assert pki.public_der(first.public_key()) != pki.public_der(second.public_key())
    assert world.pebble.orders() == 2


def test_the_fuse_refuses_before_the_ca_has_to(make_world):
    world = make_world(config={"fuse": {"orders_per_name_set": 2}})
    for _ in range(2):
        world.certwright.ok("issue", NAME, "--force")
    world.certwright.ok("delete", NAME)
    refused = world.certwright.run("issue", NAME)
    assert refused.code == 3, str(refused)
    assert world.pebble.orders() == 2
    world.certwright.ok("issue", NAME, "--force")  # a person may


def test_ten_names_in_one_certificate(world):
    names = ["n%d.example.test" % number for number in range(10)]
    world.certwright.ok("issue", *names)
    check_held(world.certwright, names, world.pebble)
    # newNonce aside: account, order, 10 authorizations, 10 challenges, polls, finalize, certificate
    assert len(world.pebble.posts()) <= 2 + 20 + 6, world.pebble.posts()


@pytest.mark.parametrize("address, host", [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
def test_an_ip_address(make_world, address, host):
    world = make_world(http_host=host)
    world.certwright.ok("issue", address)
    check_held(world.certwright, [address])


def test_an_ip_address_and_a_name_together(world):
    world.certwright.ok("issue", NAME, "127.0.0.1")
    check_held(world.certwright, [NAME, "127.0.0.1"])


def test_an_international_name_is_converted(world):
    world.certwright.ok("issue", "bücher.example.test")
    check_held(world.certwright, ["xn--bcher-kva.example.test"])


def test_names_are_lowered_and_taken_once(world):
    world.certwright.ok("issue", "Mail.Example.Test", "mail.example.test")
    check_held(world.certwright, ["mail.example.test"])


KEY_TYPES = {
    "ec256": lambda key: isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1",
    "ec384": lambda key: isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp384r1",
    "rsa2048": lambda key: isinstance(key, rsa.RSAPublicKey) and key.key_size == 2048,
    "rsa3072": lambda key: isinstance(key, rsa.RSAPublicKey) and key.key_size == 3072,
    "rsa4096": lambda key: isinstance(key, rsa.RSAPublicKey) and key.key_size == 4096,
}


@pytest.mark.parametrize("kind", KEY_TYPES)
def test_key_type(world, sanitized, kind):
    if sanitized and kind == "rsa4096":
        pytest.skip("takes a minute with a sanitizer")
    world.certwright.ok("issue", NAME, "--key-type", kind)
    assert KEY_TYPES[kind](check_held(world.certwright, [NAME]).public_key())


def test_key_type_from_the_configuration(make_world):
    world = make_world(config={"certificate": {"key_type": "rsa2048"}})
    world.certwright.ok("issue", NAME)
    assert KEY_TYPES["rsa2048"](check_held(world.certwright, [NAME]).public_key())


def test_account_is_found_again_when_its_url_is_lost(world):
    world.certwright.ok("issue", NAME)
    assert store.forget_account_urls(world.certwright.state_dir) == 1
    world.certwright.ok("issue", "b.example.test")
    assert world.pebble.accounts() == 1
    check_held(world.certwright, ["b.example.test"])


def test_account_register_and_show(world):
    world.certwright.ok("account", "register")
    shown = world.certwright.ok("--json", "account", "show").stdout
    assert "admin@example.com" in shown
    assert "https://127.0.0.1:%d/" % world.pebble.port in shown
    world.certwright.ok("issue", NAME)
    assert world.pebble.accounts() == 1


def test_without_agreement_the_terms_are_named(make_world):
    world = make_world(config={"acme": {"agree_to_terms": False}})
    refused = world.certwright.run("issue", NAME)
    assert refused.code == 3, str(refused)
    assert "agree_to_terms" in refused.stderr and "data:text/plain" in refused.stderr  # the terms
    assert world.pebble.accounts() == 0


@pytest.mark.parametrize("daemon", [False, True], ids=["in process", "daemon"])
def test_nonces_rejected_nine_times_in_ten(make_world, daemon):
    world = make_world(nonce_reject=90)
    if daemon:
        world.certwright.serve()
    result = world.certwright.run("issue", NAME, "--timeout", "60", timeout=120)
    # The ten tries of one request fail together in one of three cases, and a run has seven of them.
    # What is asked for is that a run which ends without a certificate lost nothing: the next one
    # carries the same order on.
    for _ in range(3):
        if result.code == 3:
            result = world.certwright.run("issue", NAME, "--timeout", "60", timeout=120)
    assert result.code == 0, str(result)
    check_held(world.certwright, [NAME])
    assert world.pebble.orders() == 1


def test_reused_authorizations(make_world):
    world = make_world(authz_reuse=100)
    world.certwright.ok("issue", NAME)
    before = len(world.pebble.posts())
    world.certwright.ok("issue", NAME, "--force")
    second = world.pebble.posts()[before:]
    assert not [path for path in second if "chalZ" in path], second
    assert len(second) <= 5, second


def test_slow_ca_costs_its_own_delay_only(make_world):
    world = make_world(sleep=2, options={"retryAfter": {"authz": 3, "order": 5}})
    world.certwright.ok("issue", NAME, "--timeout", "40")
    check_held(world.certwright, [NAME])


def test_external_account_binding(make_world):
    secret = base64.urlsafe_b64encode(b"a secret of thirty-two bytes ...").rstrip(b"=").decode()
    world = make_world(options={"externalAccountBindingRequired": True,
                                "externalAccountMACKeys": {"kid-1": secret}})
    refused = world.certwright.run("issue", NAME)
    assert refused.code == 3 and "eab" in refused.stderr.lower(), str(refused)
    key_file = world.certwright.directory / "eab.key"
    key_file.write_text(secret + "\n")
    key_file.chmod(0o600)
    world.certwright.write_config({"acme": {"eab_kid": "kid-1", "eab_hmac_key_file": str(key_file)}})
    world.certwright.ok("issue", NAME)
    check_held(world.certwright, [NAME])
    assert all(secret not in text for text in world.certwright.texts().values())


def test_preferred_chain_by_issuer_name(make_world):
    world = make_world(alternate_roots=2, chain_length=2)
    wanted = world.pebble.root(1).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value
    world.certwright.write_config({"acme": {"preferred_chain": wanted}})
    world.certwright.ok("issue", NAME)
    assert exported(world.certwright, NAME)[-1].issuer.rfc4514_string() == "CN=" + wanted


PROFILES = {"default": {"description": "as ever", "validityPeriod": 7776000},
            "shortlived": {"description": "six days", "validityPeriod": 518400}}


def test_profile(make_world):
    world = make_world(options={"profiles": PROFILES})
    world.certwright.ok("issue", NAME, "--profile", "shortlived")
    leaf = check_held(world.certwright, [NAME])
    assert (leaf.not_valid_after - leaf.not_valid_before).days in (5, 6)


def test_profile_that_the_ca_does_not_have(make_world):
    world = make_world(options={"profiles": PROFILES})
    refused = world.certwright.run("issue", NAME, "--profile", "tomorrow")
    assert refused.code == 3 and "tomorrow" in refused.stderr, str(refused)
    assert "its profiles are: default, shortlived" in refused.stderr
    assert world.certwright.certificates() == [] and world.pebble.orders() == 0
    # It is not what is wanted from now on.
    world.certwright.ok("issue", NAME)
    assert world.certwright.run("issue", NAME, "--profile", "tomorrow").code == 3
    world.certwright.ok("renew", NAME, "--force")


def test_name_that_the_ca_refuses(make_world):
    world = make_world(options={"domainBlocklist": ["blocked.example.test"]})
    refused = world.certwright.run("--json", "issue", "blocked.example.test")
    assert refused.code == 3, str(refused)
    failure = json.loads(refused.stderr.strip().splitlines()[-1])["error"]
    assert "blocked.example.test" in failure["detail"] + json.dumps(failure["identifiers"])
    assert failure["acme_type"] == "rejectedIdentifier"


def test_challenge_that_the_ca_cannot_reach(make_world):
    world = make_world()
    world.certwright.write_config({"http01": {"listen": "127.0.0.1:%d" % free_port()}})
    refused = world.certwright.run("issue", NAME)
    assert refused.code == 3 and NAME in refused.stderr, str(refused)
    assert world.certwright.certificates() == []


@pytest.mark.parametrize("daemon", [False, True], ids=["in process", "daemon"])
def test_daemon_and_in_process_say_the_same(world, daemon):
    if daemon:
        world.certwright.serve()
    world.certwright.ok("issue", NAME)
    listed = world.certwright.ok("--json", "list").json()
    shown = world.certwright.ok("--json", "show", NAME).json()
    assert NAME in json.dumps(listed) and NAME in json.dumps(shown)
    assert world.certwright.run("show", "nobody.example.test").code == 2
    assert world.certwright.run("export", "nobody.example.test").code == 2
    if daemon:
        assert world.certwright.stop() == 0
        assert world.certwright.ok("--json", "list").json() == listed


def test_dry_run_orders_nothing(world):
    world.certwright.ok("issue", NAME, "--dry-run")
    assert world.pebble.orders() == 0 and world.certwright.certificates() == []


def test_delete(world):
    world.certwright.ok("issue", NAME)
    world.certwright.ok("delete", NAME)
    assert world.certwright.certificates() == []
    assert world.certwright.run("delete", NAME).code == 2


EXPORTS = {
    "pem": b"BEGIN CERTIFICATE", "fullchain": b"BEGIN CERTIFICATE", "chain": b"BEGIN CERTIFICATE",
    "key": b"PRIVATE KEY", "combined": b"PRIVATE KEY", "haproxy": b"PRIVATE KEY",
}


@pytest.mark.parametrize("kind", EXPORTS)
def test_export_to_a_file(world, kind):
    world.certwright.ok("issue", NAME)
    file = world.directory / "exported"
    world.certwright.ok("export", NAME, "--format", kind, "-o", file)
    content = file.read_bytes()
    assert EXPORTS[kind] in content
    if b"PRIVATE KEY" in content:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_export_to_a_directory_keeps_keys_0600(world):
    world.certwright.ok("issue", NAME)
    folder = world.directory / "out"
    folder.mkdir()
    old = os.umask(0)
    try:
        world.certwright.ok("export", NAME, "--dir", folder)
    finally:
        os.umask(old)
    with_key = [file for file in folder.rglob("*") if file.is_file() and b"PRIVATE KEY" in file.read_bytes()]
    assert with_key and all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in with_key)


def test_state_is_for_its_owner_only(world):
    old = os.umask(0)
    try:
        world.certwright.ok("issue", NAME)
    finally:
        os.umask(old)
    assert stat.S_IMODE(world.certwright.state_dir.stat().st_mode) == 0o700
    for file in world.certwright.state_dir.rglob("*"):
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_help_and_version():
    for words in (["--help"], ["--version"], ["issue", "--help"], ["list", "--help"]):
        result = Certwright.bare(*words)
        assert result.code == 0 and result.stdout, str(result)


def test_each_commands_help_is_its_own():
    everything = Certwright.bare("--help").stdout
    commands = re.findall(r"^  ([a-z-]+) {3,}[A-Z]", everything.split("Subcommands:")[1], re.M)
    assert {"serve", "issue", "get-certificate", "config"} <= set(commands)
    for command in commands:
        text = Certwright.bare(command, "--help").stdout
        assert "Usage: certwright %s " % command in text, text
        assert "CERTWRIGHT_CONFIG" not in text, "the program's own help is told once"


EXPORTED = ["privkey.pem", "fullchain.pem", "cert.pem", "chain.pem"]


@pytest.mark.parametrize("renames", range(len(EXPORTED)))
def test_an_export_to_a_directory_that_is_killed(world, renames):
    """SIGKILL as the rename after the first RENAMES ones begins."""
    certwright, folder = world.certwright, world.directory / "exported"
    folder.mkdir()

    def contents():
        return {name: (folder / name).read_bytes() for name in EXPORTED}

    certwright.ok("issue", NAME)
    certwright.ok("export", NAME, "--dir", folder)
    old = contents()
    certwright.ok("issue", NAME, "--force")
    killed = process.run(
        ["strace", "-f", "-o", "/dev/null", "-e",
         "inject=rename,renameat,renameat2:signal=KILL:when=%d" % (renames + 1),
         binary(), "--config", certwright.config_file, "export", NAME, "--dir", folder],
        certwright.log_dir, env=certwright.environment())
    assert killed.code != 0, str(killed)
    found = contents()
    temporaries = [path.read_bytes() for path in folder.iterdir() if path.name not in EXPORTED]
    certwright.ok("export", NAME, "--dir", folder)
    new = contents()
    assert sorted(path.name for path in folder.iterdir()) == sorted(EXPORTED)
    # All were whole before the first was renamed, the key before what is used with it.
    assert found == {name: (new if place < renames else old)[name]
                     for place, name in enumerate(EXPORTED)}
    assert sorted(temporaries) == sorted(new[name] for name in EXPORTED[renames:])
    assert old["privkey.pem"] != new["privkey.pem"] and old["cert.pem"] != new["cert.pem"]
