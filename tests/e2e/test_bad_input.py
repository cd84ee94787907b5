"""Bad input and bad surroundings: one clear error, the right exit code, and nothing is lost."""

import errno
import fcntl
import json
import os
import pwd
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import time

import pytest
from harness import certwright as certwright_module
from harness import pki, process, store
from harness.certwright import Certwright, merged
from harness.ports import free_port
from scripted_ca import Answer, ScriptedCa

NAME = "a.example.test"
USAGE, BUSY = 64, 75

BAD_NAMES = {
    "empty": "",
    "a dot": ".",
    "empty label": "a..example.test",
    "leading dot": ".example.test",
    "label of 64 bytes": "a" * 64 + ".example.test",
    "254 bytes": ".".join(["a" * 49] * 5) + ".abc.",
    "255 bytes": ".".join(["a" * 63] * 4),
    "underscore": "a_b.example.test",
    "hyphen first": "-a.example.test",
    "hyphen last": "a-.example.test",
    "wildcard in the middle": "a.*.example.test",
    "wildcard as part of a label": "a*.example.test",
    "two wildcards": "*.*.example.test",
    "wildcard alone": "*",
    "wildcard of a lone TLD": "*.test",
    "a lone TLD": "test",
    "localhost": "localhost",
    "IPv4-like": "1.2.3",
    "IPv4 out of range": "256.1.1.1",
    "IPv4 with a leading zero": "127.0.0.01",
    "IPv4 with a port": "127.0.0.1:443",
    "all-numeric TLD": "a.example.123",
    "IPv6 in brackets with a port": "[::1]:443",
    "IPv6 with a zone": "fe80::1%eth0",
    "IPv6 cut short": "::1::",
    "line end": "a.example.test\nb",
    "control character": "a\x01.example.test",
    "escape sequence": "\x1b[31ma.example.test",
    "blank": "a b.example.test",
    "backtick": "a`.example.test",
    "template": "{{env `HOME`}}.example.test",
    "quote": 'a".example.test',
    "slash": "a/b.example.test",
    "path": "../../etc/passwd",
    "URL": "https://a.example.test/",
    "mail address": "admin@example.test",
    "port": "a.example.test:443",
    "option look-alike": "--.example.test",
    "mixed-script IDN": "p\u0430ypal.example.test",  # a Cyrillic a
    "punycode that decodes to nothing": "xn--.example.test",
    "punycode that is none": "xn--a-\u00e4.example.test",
    "bidirectional override": "a\u202eb.example.test",
    "zero width joiner": "a\u200db.example.test",
    "fullwidth dot only": "\uff0e",
}


def printable(text):
    """The part of a bad name that an error can show as it is."""
    return max("".join(c if c.isascii() and c.isprintable() and c not in "\"'`" else "\0"
                       for c in text).split("\0"), key=len)[:40]


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_bad_host_name(name, workdir):
    certwright = Certwright(workdir / "cw", {"acme": {"directory": "https://127.0.0.1:1/dir"}})
    started = time.monotonic()
    refused = certwright.run("issue", "--", NAME, name)
    assert refused.code == USAGE, str(refused)
    assert printable(name).lower() in refused.stderr.lower(), str(refused)
    assert "\x1b" not in refused.stderr and "\u202e" not in refused.stderr
    assert time.monotonic() - started < 5, "it asked the CA"
    assert certwright.certificates() == []


def test_no_name_at_all(workdir):
    certwright = Certwright(workdir / "cw")
    assert certwright.run("issue").code == USAGE


@pytest.mark.parametrize("words", [
    ["nonsense"], ["issue", NAME, "--no-such-option"], ["issue", NAME, "--timeout", "soon"],
    ["issue", NAME, "--timeout", "-1"], ["issue", NAME, "--key-type", "dsa"], ["export"],
    ["export", NAME, "--format", "nonsense"], ["show"], [],
], ids=lambda words: " ".join(words) or "nothing")
def test_wrong_usage(words, workdir):
    refused = Certwright(workdir / "cw").run(*words)
    assert refused.code == USAGE, str(refused)
    assert refused.stderr


def test_a_mistyped_command_is_named(workdir):
    refused = Certwright(workdir / "cw").run("isue", NAME)
    assert refused.code == USAGE
    assert "'isue'" in refused.stderr and "'issue'" in refused.stderr, str(refused)


def test_wrong_usage_is_json_where_it_is_asked_for(workdir):
    for words in (["--json", "issue"], ["isue", "--json"], ["issue", NAME, "--nonsense", "--json"]):
        refused = Certwright(workdir / "cw").run(*words)
        assert refused.code == USAGE, str(refused)
        assert json.loads(refused.stderr)["error"]["code"] == "usage"


BAD_CONFIGS = {
    "not TOML": ("state_dir = [", "certwright.toml:1"),
    "unknown key": ('stat_dir = "/tmp"', "state_dir"),
    "unknown table": ('[acmee]\nemail = "a@example.test"', "acme"),
    "unknown key in a table": ('[acme]\nemial = "a@example.test"', "email"),
    "wrong type: number for text": ("state_dir = 7", "state_dir"),
    "wrong type: text for a number": ('[node]\nid = "one"', "id"),
    "wrong type: text for a boolean": ('[acme]\nagree_to_terms = "yes"', "agree_to_terms"),
    "wrong type: value for a table": ("acme = 3", "acme"),
    "out of range": ("[acme]\nexchange_timeout = 0", "exchange_timeout"),
    "negative": ("[fuse]\norders_per_name_set = -1", "orders_per_name_set"),
    "key type unknown": ('[certificate]\nkey_type = "rsa1024"', "key_type"),
    "duration that is none": ('[fuse]\nwindow = "a week"', "window"),
    "directory without https": ('[acme]\ndirectory = "http://ca.example.test/dir"', "directory"),
    "directory that is no URL": ('[acme]\ndirectory = "letsencrypt-tomorrow"', "directory"),
    "listen without a port": ('[http01]\nlisten = "127.0.0.1"', "listen"),
    "listen on an impossible port": ('[http01]\nlisten = "127.0.0.1:99999"', "listen"),
    "level unknown": ('[log]\nlevel = "loud"', "level"),
    "duplicate key": ('[node]\nid = 1\nid = 2', "certwright.toml:3"),
    "bytes that are not UTF-8": (b'state_dir = "\xff\xfe"', "certwright.toml"),
    "key file without key id": ('[acme]\neab_hmac_key_file = "x"', "eab_kid"),
    "role unknown": ('[[api.socket]]\npath = "s"\nrole = "king"', "role"),
}


@pytest.mark.parametrize("text, names", BAD_CONFIGS.values(), ids=BAD_CONFIGS.keys())
def test_bad_configuration(text, names, workdir):
    certwright = Certwright(workdir / "cw")
    certwright.config_file.write_bytes(text if isinstance(text, bytes) else text.encode())
    checked = certwright.run("config", "check")
    assert checked.code == 1, str(checked)
    said = checked.stderr + checked.stdout
    assert "certwright.toml" in said and names in said, str(checked)
    for command in (["list"], ["issue", NAME], ["serve"]):
        refused = certwright.run(*command, timeout=20)
        assert refused.code not in (0, 2, 3, 70) and names in refused.stderr, str(refused)
    assert not certwright.state_dir.exists()


def test_configuration_file_that_is_not_there(workdir):
    certwright = Certwright(workdir / "cw")
    certwright.config_file.unlink()
    refused = certwright.run("list")
    assert refused.code not in (0, 70) and "certwright.toml" in refused.stderr, str(refused)


def test_good_configuration_is_shown_with_its_origins(workdir):
    certwright = Certwright(workdir / "cw", {"node": {"id": 3}})
    certwright.ok("config", "check")
    shown = certwright.ok("config", "show").stdout
    assert "certwright.toml:" in shown and "default" in shown
    assert "key_type" in shown and "ec256" in shown


# The CA

def ca_settings(url, root, **acme):
    return {"acme": merged({"directory": url, "ca_bundle": str(root)}, acme),
            "http01": {"listen": "127.0.0.1:%d" % free_port()}}


def refused_by(workdir, settings, *words):
    certwright = Certwright(workdir / "cw", settings)
    refused = certwright.run("issue", NAME, "--timeout", "4", *words)
    assert refused.code == 3, str(refused)
    assert refused.wall < 10 and certwright.certificates() == [], str(refused)
    return refused


def test_ca_that_is_not_reachable(workdir, listener):
    url = "https://127.0.0.1:%d/dir" % free_port()
    refused = refused_by(workdir, ca_settings(url, listener.root))
    assert "127.0.0.1" in refused.stderr


def test_ca_whose_name_is_unknown(workdir, listener):
    refused = refused_by(workdir, ca_settings("https://ca.invalid/dir", listener.root))
    assert "ca.invalid" in refused.stderr


def test_ca_with_a_certificate_that_is_not_trusted(workdir, listener):
    ca = ScriptedCa(listener)
    refused = refused_by(workdir, ca_settings(ca.directory_url, listener.root, ca_bundle=None))
    ca.stop()
    assert "certificate" in refused.stderr and "ca_bundle" in refused.stderr
    assert ca.requests == []


@pytest.mark.parametrize("what", ["another name", "expired"])
def test_ca_with_a_certificate_that_is_wrong(what, workdir):
    files = pki.make_listener(workdir / "tls", ["other.example.test"] if what == "another name"
                              else ["127.0.0.1"], expired=what == "expired")
    ca = ScriptedCa(files)
    refused = refused_by(workdir, ca_settings(ca.directory_url, files.root))
    ca.stop()
    assert "certificate" in refused.stderr and ca.requests == []


def test_ca_thatanswers_html(workdir, listener):
    ca = ScriptedCa(listener)
    ca.on("directory", lambda request, answer: Answer(
        200, [("Content-Type", "text/html")], b"<html>Log in</html>"))
    refused = refused_by(workdir, ca_settings(ca.directory_url, listener.root))
    ca.stop()
    assert "127.0.0.1:%d" % ca.port in refused.stderr and "HTML" in refused.stderr


def test_ca_bundle_that_is_missing(workdir):
    certwright = Certwright(workdir / "cw", ca_settings("https://127.0.0.1:1/", workdir / "no.pem"))
    refused = certwright.run("issue", NAME)
    assert refused.code not in (0, 70) and "no.pem" in refused.stderr, str(refused)


def test_responder_port_that_is_taken(world):
    with socket.create_server(("127.0.0.1", world.http_port)):
        refused = world.certwright.run("issue", NAME, "--timeout", "4")
    assert refused.code not in (0, 70) and str(world.http_port) in refused.stderr, str(refused)
    assert world.pebble.orders() <= 1


# The store

@pytest.fixture
def held(world):
    """A Certwright that holds a certificate for NAME."""
    world.certwright.ok("issue", NAME)
    return world.certwright


def test_store_held_by_a_process_that_does_not_answer(held):
    daemon = held.serve()
    daemon.signal(signal.SIGSTOP)
    try:
        refused = [held.run(*words, timeout=25) for words in (
            ["list"], ["issue", "b.example.test", "--timeout", "5"])]
    finally:
        daemon.signal(signal.SIGCONT)
    for result in refused:
        assert result.code == BUSY, str(result)
    held.ok("list")


def test_store_held_by_a_process_without_a_socket(held):
    daemon = held.serve()
    held.socket_path.unlink()
    refused = held.run("list")
    assert refused.code == BUSY, str(refused)
    assert str(daemon.pid) in refused.stderr


def test_a_second_daemon_is_refused(held):
    held.serve()
    second = held.run("serve", timeout=20)
    assert second.code == BUSY, str(second)
    held.ok("list")


def test_the_daemon_waits_for_a_command_that_holds_the_store(held):
    with open(held.state_dir / "certwright.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        daemon = held.serve(wait=False)
        daemon.wait_until(lambda: "waiting for it" in daemon.output(), "waiting for the store")
    daemon.wait_until(held.answers, "answering on its socket")
    held.ok("list")


def test_a_daemon_that_waits_for_the_store_can_be_ended(held):
    with open(held.state_dir / "certwright.lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        daemon = held.serve(wait=False)
        daemon.wait_until(lambda: "waiting for it" in daemon.output(), "waiting for the store")
        assert held.stop() == 0


def test_a_socket_left_behind_is_no_daemon(held):
    daemon = held.serve()
    daemon.kill()
    assert held.certificates()[0]["names"] == [NAME]
    held.serve()
    assert held.certificates()[0]["names"] == [NAME]


def database_of(certwright):
    return certwright.state_dir / "certwright.db"


def overwrite(file, position, data):
    with open(file, "r+b") as content:
        content.seek(position)
        content.write(data)


DAMAGES = {
    "header overwritten": lambda file: overwrite(file, 0, b"garbage!" * 12),
    "middle overwritten": lambda file: overwrite(file, 4096, b"\xa5" * (file.stat().st_size - 8192)),
    "cut in half": lambda file: os.truncate(file, file.stat().st_size // 2),
    "another program's": lambda file: (file.unlink(), sqlite3.connect(file).execute(
        "CREATE TABLE other (x)")),
    "text": lambda file: file.write_text("not a database\n" * 400),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_damaged_database(damage, held):
    file = database_of(held)
    damage(file)
    before = file.read_bytes()
    for words in (["list"], ["issue", NAME], ["serve"]):
        refused = held.run(*words, timeout=20)
        assert refused.code not in (0, 2, 70) and refused.code > 0, str(refused)
        assert "certwright.db" in refused.stderr, str(refused)
    assert file.read_bytes() == before, "it wrote into a damaged file"


def test_database_of_a_newer_version(held):
    with store.opened(held.state_dir) as connection:
        connection.execute("PRAGMA user_version = 9999")
    refused = held.run("list")
    assert refused.code not in (0, 2, 70) and "newer" in refused.stderr, str(refused)


def test_database_that_is_a_link(held):
    file = database_of(held)
    moved = held.directory / "elsewhere.db"
    shutil.move(file, moved)
    file.symlink_to(moved)
    refused = held.run("list")
    assert refused.code not in (0, 2, 70) and refused.stderr, str(refused)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")


@pytest.fixture
def nobody(workdir):
    """(preexec that becomes `nobody`, a Certwright whose folders belong to nobody)"""
    user = pwd.getpwnam("nobody")
    workdir.chmod(0o755)
    # The binary may be in a place that only root reads.
    program = workdir / "certwright"
    shutil.copy(certwright_module.binary(), program)
    program.chmod(0o755)
    certwright = Certwright(workdir / "cw", {"acme": {"directory": "https://127.0.0.1:1/"}})

    def become():
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)

    def run(*words):
        return process.run([program, "--config", certwright.config_file, *words], certwright.log_dir,
                           env=certwright.environment(), preexec=become)

    os.chown(certwright.directory, user.pw_uid, user.pw_gid)
    return run, certwright


@needs_root
def test_state_directory_of_somebody_else(nobody):
    run, certwright = nobody
    certwright.state_dir.mkdir(mode=0o777)
    certwright.state_dir.chmod(0o777)  # could be written, and all the same is not ours
    refused = run("list")
    assert refused.code not in (0, 2, 70) and str(certwright.state_dir) in refused.stderr, str(refused)
    assert list(certwright.state_dir.iterdir()) == []


@needs_root
def test_state_directory_that_cannot_be_written(nobody):
    run, certwright = nobody
    user = pwd.getpwnam("nobody")
    certwright.state_dir.mkdir(mode=0o500)
    os.chown(certwright.state_dir, user.pw_uid, user.pw_gid)
    refused = run("list")
    assert refused.code not in (0, 2, 70) and str(certwright.state_dir) in refused.stderr, str(refused)


@needs_root
def test_state_directory_that_cannot_be_made(nobody):
    run, certwright = nobody
    certwright.write_config({"state_dir": "/proc/certwright"})
    refused = run("list")
    assert refused.code not in (0, 2, 70) and "/proc/certwright" in refused.stderr, str(refused)


def test_state_directory_that_is_a_file(workdir):
    certwright = Certwright(workdir / "cw")
    certwright.state_dir.write_text("here")
    refused = certwright.run("list")
    assert refused.code not in (0, 2, 70) and str(certwright.state_dir) in refused.stderr, str(refused)
    assert certwright.state_dir.read_text() == "here"


# Disk full

@pytest.mark.parametrize("limit", [0, 1024, 16 << 10, 64 << 10, 128 << 10, 256 << 10])
def test_file_size_limit(limit, world):
    """RLIMIT_FSIZE: every write past LIMIT fails. Afterwards all goes on where it stopped."""
    full = world.certwright.run("issue", NAME, preexec=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (limit, limit)))
    assert full.code >= 0, "ended by a signal: " + str(full)
    assert full.code != 70, str(full)
    if full.code == 0:
        assert world.certwright.certificates()
    elif limit > 1024:  # the harness's own file for stderr is limited too
        assert full.stderr, str(full)
    world.certwright.ok("issue", NAME)
    assert [entry["names"] for entry in world.certwright.certificates()] == [[NAME]]
    # A limit may hit just between sending newOrder and storing its answer: one order more, at most.
    assert world.pebble.orders() <= 2


@pytest.fixture
def small_disk(workdir):
    """A file system of 640 KiB, where this process may mount one."""
    folder = workdir / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=640k,mode=0700", "tmpfs", folder],
                             capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("may not mount a tmpfs here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("left", [0, 8, 32, 64, 128, 256], ids=lambda left: "%d KiB left" % left)
def test_disk_full(left, world, small_disk):
    world.certwright.write_config({"state_dir": str(small_disk / "state")})
    filler = small_disk / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while os.write(descriptor, b"\0" * 4096):
            pass
    except OSError as full:
        assert full.errno == errno.ENOSPC
    os.close(descriptor)
    os.truncate(filler, max(0, filler.stat().st_size - left * 1024))
    full = world.certwright.run("issue", NAME)
    assert full.code not in (70, 64) and full.code >= 0, str(full)
    if full.code != 0:
        assert "space" in full.stderr.lower() or "full" in full.stderr.lower(), str(full)
    filler.unlink()
    world.certwright.ok("issue", NAME)
    assert [entry["names"] for entry in world.certwright.certificates()] == [[NAME]]
    assert world.pebble.orders() <= 2


def test_errors_are_json_where_it_is_asked_for(workdir):
    certwright = Certwright(workdir / "cw", {"acme": {"directory": "https://127.0.0.1:1/dir"}})
    refused = certwright.run("--json", "issue", NAME, "--timeout", "20")
    assert refused.code == 3, str(refused)
    failure = json.loads(refused.stderr.strip().splitlines()[-1])["error"]
    assert failure["code"] == "network" and failure["detail"] and failure["advice"]
