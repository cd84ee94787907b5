"""A backup is taken while certificates are being obtained, put back, and renewed from; old versions
are brought back."""

import contextlib
import json
import shutil
import sqlite3
import threading

import pytest
from harness import wait
from harness.certwright import Certwright
from harness.handlers import Recorder
from harness.ports import free_port
from scripted_ca import ScriptedCa

BUSY, NOT_FOUND, REFUSED, USAGE, DAMAGED, CONFIG = 75, 2, 3, 64, 74, 78


@pytest.fixture
def pair(workdir, listener):
    port = free_port()
    ca = ScriptedCa(listener, http_port=port, processing=0.2)
    certwright = Certwright(workdir / "cw", {
        "acme": {"directory": ca.directory_url, "ca_bundle": str(listener.root)},
        "http01": {"listen": "127.0.0.1:%d" % port},
    })
    yield ca, certwright
    certwright.stop()
    ca.stop()


def show(certwright, name):
    return json.loads(certwright.ok("--json", "show", name).stdout)


def events(certwright):
    """[(seq, reason, names)] from the store itself, while nobody holds it."""
    with contextlib.closing(sqlite3.connect(certwright.state_dir / "certwright.db")) as connection:
        rows = connection.execute("SELECT seq, reason, names FROM event ORDER BY seq")
        return [(seq, reason, names.strip()) for seq, reason, names in rows]


def test_a_backup_taken_under_load_is_restored_and_renewed_from(pair, workdir):
    ca, certwright = pair
    certwright.serve()
    certwright.ok("issue", "kept.example.test")
    kept = show(certwright, "kept.example.test")["serial"]
    names = ["n%d.example.test" % number for number in range(6)]
    issuing = [threading.Thread(target=certwright.run, args=("issue", name)) for name in names]
    for thread in issuing:
        thread.start()
    wait.until(lambda: ca.count("finalize") > 1, "orders are under way")
    file = workdir / "backup.db"
    made = json.loads(certwright.ok("--json", "backup", str(file)).stdout)
    for thread in issuing:
        thread.join()
    assert made["bytes"] == file.stat().st_size and file.stat().st_mode & 0o777 == 0o600
    assert certwright.run("backup", str(file)).code == USAGE, "it is there already"
    certwright.ok("backup", "--force", str(workdir / "other.db"))
    certwright.ok("renew", "--force", "kept.example.test")
    renewed = show(certwright, "kept.example.test")["serial"]
    refused = certwright.run("restore", str(file))
    assert refused.code == BUSY and "stop the daemon" in refused.stderr
    assert certwright.stop() == 0
    before = events(certwright)
    orders = len(ca.orders)

    restored = json.loads(certwright.ok("--json", "restore", str(file)).stdout)
    assert "kept.example.test" in restored["differing"] and not restored["unreadable"]
    after = events(certwright)
    assert after[:len(before)] == before, "the feed is as it was, and goes on"
    told = [(reason, names) for _, reason, names in after[len(before):]]
    assert ("restored", "kept.example.test") in told
    assert {reason for reason, _ in told} == {"restored"}

    certwright.serve()
    assert show(certwright, "kept.example.test")["serial"] == kept
    # Orders that were under way in the backup are carried on: the CA has their certificates.
    for name in names:
        certwright.ok("issue", name)
        assert show(certwright, name)["validity"] == "valid"
    certwright.ok("renew", "--force", "kept.example.test")
    assert show(certwright, "kept.example.test")["serial"] not in (kept, renewed)
    assert len(ca.accounts) == 1
    made_anew = [order for order in ca.orders[orders:]
                 if order.identifiers[0]["value"] != "kept.example.test"]
    with sqlite3.connect(str(file)) as backup:
        known = backup.execute("SELECT count(DISTINCT certificate_id) FROM acme_order "
                               "WHERE url <> ''").fetchone()[0] - 1
    assert len(made_anew) <= len(names) - known, "only what the backup had not heard of"
    former = sqlite3.connect(restored["former"])
    assert former.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    former.close()


def test_the_fuse_is_not_reset_by_a_restore(pair, workdir):
    ca, certwright = pair
    certwright.ok("backup", str(workdir / "empty.db"))
    certwright.ok("issue", "a.example.test")
    for _ in range(3):
        certwright.ok("renew", "--force", "a.example.test")
    certwright.ok("restore", str(workdir / "empty.db"))
    blown = certwright.run("issue", "a.example.test")
    assert blown.code == REFUSED and "fuse" in blown.stderr
    assert len(ca.orders) == 4


def test_handlers_hear_of_what_a_restore_changed(pair, workdir):
    _, certwright = pair
    recorder = Recorder(certwright.events_dir)
    recorder.add("handler")
    certwright.ok("backup", str(workdir / "empty.db"))
    certwright.ok("issue", "a.example.test")
    certwright.ok("restore", str(workdir / "empty.db"))
    certwright.serve()
    wait.until(lambda: len(recorder.entries()) == 2, "the handler was told")
    told = recorder.entries()[-1]["payload"]
    assert told["reason"] == "restored" and told["names"] == ["a.example.test"]


def test_what_is_no_backup_changes_nothing(pair, workdir):
    _, certwright = pair
    certwright.ok("issue", "a.example.test")
    certwright.ok("backup", str(workdir / "good.db"))
    good = (workdir / "good.db").read_bytes()
    for name, content, code in [
            ("empty", b"", DAMAGED), ("text", b"hello\n" * 100, DAMAGED),
            ("cut", good[:len(good) // 2], DAMAGED),
            ("torn", good[:8192] + b"x" * 8192 + good[16384:], DAMAGED)]:
        (workdir / name).write_bytes(content)
        assert certwright.run("restore", str(workdir / name)).code == code, name
    assert certwright.run("restore", str(workdir / "none")).code == NOT_FOUND
    shutil.copy(workdir / "good.db", workdir / "newer.db")
    newer = sqlite3.connect(workdir / "newer.db")
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    assert certwright.run("restore", str(workdir / "newer.db")).code == CONFIG
    assert show(certwright, "a.example.test")["validity"] == "valid"
    left = sorted(file.name for file in certwright.state_dir.iterdir())
    assert [name for name in left if "restor" in name] == []


def test_a_former_version_is_brought_back(pair):
    ca, certwright = pair
    certwright.ok("issue", "a.example.test")
    first = show(certwright, "a.example.test")["serial"]
    certwright.ok("renew", "--force", "a.example.test")
    assert show(certwright, "a.example.test")["serial"] != first
    assert certwright.run("activate", "00ff00ff").code == NOT_FOUND
    result = json.loads(certwright.ok("--json", "activate", first).stdout)
    assert result["activated"] and result["certificate"]["serial"] == first
    shown = show(certwright, "a.example.test")
    assert shown["serial"] == first
    assert [entry["serial"] for entry in shown["versions"] if entry["current"]] == [first]
    assert not json.loads(certwright.ok("--json", "activate", first).stdout)["activated"]
    assert events(certwright)[-1][1] == "restored"
    assert ", current" in certwright.ok("show", "a.example.test").stdout
    assert len(ca.orders) == 2
