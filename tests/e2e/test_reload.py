"""SIGHUP: the daemon reads its configuration again, and nobody who asks it meanwhile is told to go away."""

import fcntl
import signal
import threading
import time

import pytest
from harness import wait
from harness.certwright import Certwright
from harness.ports import free_port
from scripted_ca import ScriptedCa

NAME = "a.example.test"
TAKEN_OVER = "the configuration was read again"
REFUSED = "the configuration was not taken over"


@pytest.fixture
def ca(listener):
    scripted = ScriptedCa(listener, http_port=free_port(), processing=0.1)
    yield scripted
    scripted.stop()


@pytest.fixture
def certwright(ca, workdir, listener):
    installed = Certwright(workdir / "cw", {
        "acme": {"directory": ca.directory_url, "ca_bundle": str(listener.root)},
        "http01": {"listen": "127.0.0.1:%d" % ca.http_port},
    })
    yield installed
    installed.stop()


def reload_once(certwright, word=TAKEN_OVER):
    """SIGHUP, and the log has said what came of it."""
    before = certwright.daemon.output().count(word)
    certwright.daemon.signal(signal.SIGHUP)
    certwright.daemon.wait_until(lambda: certwright.daemon.output().count(word) > before, word)


class Reloads:
    """Reloads again and again for as long as the block lasts."""

    def __init__(self, certwright, pause):
        self.certwright, self.pause, self.count = certwright, pause, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._over.wait(self.pause):
            reload_once(self.certwright)
            self.count += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def test_commands_during_reloads_do_not_fail(certwright):
    certwright.serve()
    certwright.ok("issue", NAME)
    with Reloads(certwright, pause=0.02) as reloads:
        commands = 0
        until = time.monotonic() + 60  # a sanitizer on a busy machine
        while (reloads.count < 30 or commands < 60) and time.monotonic() < until:
            for words in (["list"], ["show", NAME], ["export", NAME, "--format", "fullchain"]):
                certwright.ok(*words)
                commands += 1
    assert reloads.count >= 10 and commands >= 10, (reloads.count, commands)
    assert certwright.daemon.alive()


def test_an_issuance_goes_on_over_a_reload(certwright, ca):
    """The call is cut by the reload; the command asks again, and the same order answers it."""
    ca.processing = 2
    certwright.serve()
    results = []
    command = threading.Thread(target=lambda: results.append(certwright.run("issue", NAME)))
    command.start()
    wait.until(lambda: ca.count("finalize"), "the order is being processed")
    reload_once(certwright)
    command.join()
    assert results[0].code == 0, str(results[0])
    assert "asking again" in results[0].stderr
    assert [entry["names"] for entry in certwright.certificates()] == [[NAME]]
    assert ca.count("newOrder") == 1 and ca.count("finalize") == 1


def test_the_store_stays_with_the_daemon_over_reloads(certwright):
    """No command gets hold of it in between: one that waits for its CA could keep it for minutes."""
    certwright.serve()
    with open(certwright.state_dir / "certwright.lock") as lock:
        with Reloads(certwright, pause=0.01) as reloads:
            while reloads.count < 8:
                with pytest.raises(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_bad_configuration_is_refused_and_the_old_one_goes_on(certwright):
    certwright.serve()
    certwright.ok("issue", NAME)
    good = certwright.config_file.read_text()
    bad_ones = {
        "no TOML": good + "\n[[[",
        "an unknown key": good.replace("agree_to_terms", "agree_to_termz"),
        "a bundle that is not there": good.replace("root", "no-such-file"),
        "an address of somebody else": good.replace("127.0.0.1:", "192.0.2.1:"),
    }
    for what, text in bad_ones.items():
        assert text != good, what
        certwright.config_file.write_text(text)
        reload_once(certwright, REFUSED)
        certwright.config_file.write_text(good)
        assert [entry["names"] for entry in certwright.certificates()] == [[NAME]], what
    reload_once(certwright)
    certwright.ok("list")


def test_a_file_that_broke_since_the_start_ends_no_daemon(certwright):
    limits = certwright.directory / "limits.toml"
    limits.write_text("")
    certwright.write_config({"ledger": {"limits": str(limits)}})
    certwright.serve()
    limits.write_text("brst = 40\n")
    reload_once(certwright, REFUSED)
    certwright.ok("list")
    limits.write_text("")
    reload_once(certwright)


def test_a_good_configuration_takes_the_old_ones_place(certwright):
    certwright.serve()
    other = certwright.directory / "run2"
    certwright.write_config({"runtime_dir": str(other)})
    certwright.daemon.signal(signal.SIGHUP)
    wait.until((other / "certwright.sock").exists, "the socket of the new configuration")
    assert not certwright.socket_path.exists()
    certwright.ok("list")


def test_another_state_directory_is_taken_over_and_the_first_is_let_go(certwright):
    certwright.serve()
    certwright.write_config({"state_dir": str(certwright.directory / "state2")})
    reload_once(certwright)
    assert (certwright.directory / "state2" / "certwright.db").exists()
    with open(certwright.state_dir / "certwright.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
