"""What is running when it is interrupted: a CA that counts, an installation, and what is asked of it."""

import shutil
import time
from pathlib import Path

from harness import process, wait
from harness.certwright import Certwright, binary
from harness.handlers import Recorder
from harness.ports import free_port
from scripted_ca import ScriptedCa

from . import checks, store_view, tracer

NAME = "a.example.test"
SECOND = 60.0


class Scene:
    """One installation, put back to where it began by `reset`; its CA lives on and keeps counting."""

    name = ""
    killed = False  # what was interrupted last, by SIGKILL
    reason = "issued"  # of the event
    prepared = ()  # commands that have run before

    def __init__(self, directory, listener):
        self.directory = Path(directory)
        self.connect(listener)
        self.dynamic_dir = self.directory / "cw" / "dynamic"
        self.certwright = Certwright(self.directory / "cw", {
            "acme": {"directory": self.ca_url + "/directory", "ca_bundle": str(listener.root)},
            "http01": {"listen": "127.0.0.1:%d" % self.ca.http_port},
            "traefik": {"dynamic_dir": str(self.dynamic_dir)},
        })
        self.dynamic_dir.mkdir()
        self.recorder = Recorder(self.certwright.events_dir)
        self.recorder.add("recorder")
        for command in self.prepared:
            self.certwright.ok(*command)
        self.recorder.record.unlink(missing_ok=True)
        shutil.copytree(self.certwright.directory, self.directory / "template", symlinks=True)
        self.before = store_view.look(self.certwright.state_dir)
        self.reset()

    def connect(self, listener):
        self.ca = ScriptedCa(listener, http_port=free_port(), processing=0.03)
        self.ca_url = self.ca.base

    def reset(self):
        shutil.rmtree(self.certwright.directory)
        shutil.copytree(self.directory / "template", self.certwright.directory, symlinks=True)
        self.former = checks.named_files(self.dynamic_dir)
        self.orders_before = len(self.ca.orders)
        self.accounts_before = len(self.ca.accounts)

    def orders(self):
        """What the CA was asked for since the last reset."""
        return self.ca.orders[self.orders_before:]

    def look(self):
        return store_view.look(self.certwright.state_dir)

    def renewed(self, view):
        """Whether what was asked for is done."""
        return len(view.current()) == 1 and len(view.versions) > len(self.before.versions)

    def close(self):
        self.certwright.stop()
        self.ca.stop()

    # One command, with and without interference

    def words(self, view):
        """What is to be run where the store is as VIEW."""
        return ["issue", NAME]

    def run(self, interference):
        """(Result, Report) of the command with INTERFERENCE."""
        report = self.directory / "report.json"
        report.unlink(missing_ok=True)
        self.killed = interference.error is None
        result = self._command(self.words(self.before), interference.words(report))
        return result, tracer.Report.read(report)

    def again(self):
        """The Result of the same command, left alone."""
        return self._command(self.words(self.look()), [])

    def settle(self):
        """After `again`: until everything that was begun has ended."""

    def _command(self, words, prefix):
        command = [*prefix, binary(), "--config", self.certwright.config_file, *words]
        return process.run(command, self.certwright.log_dir, timeout=SECOND,
                           env=tracer.environment(self.certwright))


class Issue(Scene):
    """The first command on a new machine: the store, the account and the certificate are made."""

    name = "issue"


class Renew(Scene):
    name = "renew"
    reason = "renewed"
    prepared = (("issue", NAME),)

    def words(self, view):
        # Forced again, what is done would be done once more, as it should. What was begun is carried
        # on without being asked for, by the timer's command (after an error not before its next try).
        begun = self.renewed(view) or (view.open_orders() and self.killed)
        return ["renew"] if begun else ["renew", "--force", NAME]


class DaemonIssue(Scene):
    """The daemon is interrupted; who asks it is not."""

    name = "daemon"
    prepared = (("account", "register"),)

    def run(self, interference):
        report = self.directory / "report.json"
        report.unlink(missing_ok=True)
        self.killed = interference.error is None
        self._start(interference.words(report))
        answers = self._wait_answering()
        result = self._command(self.words(self.before), []) if answers else process.Result(
            ["serve"], 137, "", self.certwright.daemon.output(), 0, 0, 0)
        # What it does after the answer (the event, closing) is a part of it.
        if self.certwright.daemon.alive() and result.code == 0:
            self._wait_told()
        goes_on = interference.error and report.exists() and self.certwright.daemon.alive()
        if not goes_on:  # killed; or the call is not made before it is asked to end
            self._end()
        return result, tracer.Report.read(report) if report.exists() else tracer.Report()

    def again(self):
        view = self.look()
        if self.certwright.daemon is None or not self.certwright.daemon.alive():
            self.certwright.daemon = None
            self._start([])
            assert self._wait_answering(), self.certwright.daemon.output()
            # After an error its next try may be minutes away.
            if view.open_orders() and self.killed:
                wait.until(self.recorder.entries, "it was carried on without being asked", 20)
                return self._command(["list"], [])
        return self._command(self.words(view), [])

    def settle(self):
        if self.certwright.daemon is None:
            return
        wait.until(self.recorder.entries, "the event was told", 20)
        wait.until(self._published, "Traefik is told", 20)  # what failed is written again after a second
        code = self.certwright.stop()
        assert code == 0, "the daemon ended with %s" % code

    def _start(self, prefix):
        self.certwright.daemon = process.Process(
            "certwright serve", [*prefix, binary(), "--config", self.certwright.config_file, "serve"],
            self.certwright.log_dir / ("daemon-%d.log" % time.monotonic_ns()),
            env=tracer.environment(self.certwright))

    def _wait_answering(self):
        """False where it ended before it answered."""
        daemon = self.certwright.daemon
        wait.until(lambda: self.certwright.answers() or not daemon.alive(), "the daemon answers", 30)
        return daemon.alive()

    def _published(self):
        return not checks.traefik_problems(self.dynamic_dir, self.certwright.state_dir / "traefik",
                                           self.look(), self.former)

    def _wait_told(self):
        daemon = self.certwright.daemon
        wait.until(lambda: self.recorder.entries() or not daemon.alive(), "the event was told", 20)

    def _end(self):
        daemon, self.certwright.daemon = self.certwright.daemon, None
        daemon.stop(20)


class DaemonRenew(DaemonIssue):
    name = "daemon-renew"
    reason = "renewed"
    prepared = (("issue", NAME),)

    def words(self, view):
        return ["renew"] if self.renewed(view) else ["renew", "--force", NAME]


SCENES = {scene.name: scene for scene in (Issue, Renew, DaemonIssue, DaemonRenew)}
