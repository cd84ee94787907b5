"""Private keys stay home: in no log, no error and no output but those that are asked for a key."""

import re

import pytest
from harness import store
from harness.handlers import Recorder

NAMES = ["a.example.test", "b.example.test"]


def private_part(body):
    """32 characters of a key's base64 that no certificate holds too.

    PKCS#8: an EC key's secret number follows a head of 36 bytes; an RSA key's modulus, which is
    public, comes first, and its end is secret.
    """
    return body[48:80] if len(body) < 400 else body[-100:-68]


def leaks(text, secrets):
    """What of the keys TEXT shows, in one piece or broken into lines."""
    bare = re.sub(r"\\n|\s", "", text)
    found = ["PRIVATE KEY"] if "PRIVATE KEY" in text else []
    return found + [body for body in secrets if private_part(body) in bare]


@pytest.mark.parametrize("daemon", [False, True], ids=["in process", "daemon"])
def test_no_key_in_any_log_or_output(make_world, daemon):
    world = make_world(traefik=True, config={"log": {"level": "debug"}}, nonce_reject=20)
    certwright = world.certwright
    recorder = Recorder(certwright.events_dir)
    recorder.add("handler")
    if daemon:
        certwright.serve()
    for name in NAMES:
        certwright.run("-v", "issue", name)
    certwright.run("-v", "issue", NAMES[0], "--force", "--key-type", "rsa2048")
    world.dns.stop()
    certwright.run("-v", "issue", "c.example.test", "--timeout", "3")  # fails, and says why
    said = []
    for words in (["list"], ["--json", "list"], ["show", NAMES[0]], ["--json", "show", NAMES[0]],
                  ["account", "show"], ["--json", "account", "show"], ["traefik", "render"],
                  ["traefik", "check"], ["config", "show"], ["export", NAMES[0], "--format", "chain"],
                  ["export", NAMES[0], "--format", "fullchain"], ["--json", "issue", NAMES[0]],
                  ["run", "set-certificate", "--data", '{"fqdn": "%s"}' % NAMES[0]]):
        result = certwright.run(*words)
        said.append((" ".join(words), result.stdout + result.stderr))
    # These give a key away on stdout, on purpose; what they say beside it must not.
    for words in (["export", NAMES[0], "--format", "key"],
                  ["run", "get-certificate", "--data", '{"fqdn": "%s"}' % NAMES[0]]):
        result = certwright.ok(*words)
        assert result.stdout
        said.append((" ".join(words), result.stderr))
    certwright.stop()
    secrets = store.secrets(certwright.state_dir)
    assert len(secrets) >= 4, "the account's key and three certificates' keys"
    said += list(certwright.texts().items())
    said.append(("events", recorder.record.read_text()))
    said.append(("traefik.log", world.traefik.process.output()))
    said += [(file.name, file.read_text()) for file in world.traefik.dynamic_dir.iterdir()]
    for where, text in said:
        assert not leaks(text, secrets), "a key shows in " + where


def test_keys_differ_from_each_other_and_from_the_accounts(world):
    for name in NAMES:
        world.certwright.ok("issue", name)
    assert len(store.secrets(world.certwright.state_dir)) >= 3


def test_a_deleted_key_is_gone_from_the_files(world):
    world.certwright.ok("issue", NAMES[0])
    secrets = store.secrets(world.certwright.state_dir)
    world.certwright.ok("delete", NAMES[0])
    gone = secrets - store.secrets(world.certwright.state_dir)
    assert gone, "the certificate's key is no longer in the store"
    for file in world.certwright.state_dir.rglob("*"):
        if file.is_file():
            content = re.sub(rb"\s", b"", file.read_bytes())
            assert not any(private_part(body).encode() in content for body in gone), file
