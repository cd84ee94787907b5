"""Child processes: started with their output in files, measured, and ended by their own PID."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SANITIZER_REPORTS = (
    "AddressSanitizer",
    "LeakSanitizer",
    "ThreadSanitizer",
    "runtime error:",
)


class NotReady(RuntimeError):
    pass


class Process:
    """A server. Its output goes to LOG; it is ended by `stop` (SIGTERM, then SIGKILL)."""

    def __init__(self, name, command, log, env=None, cwd=None, preexec=None):
        self.name = name
        self.log = Path(log)
        with open(self.log, "ab") as output:
            self._child = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                preexec_fn=preexec,
                start_new_session=True,
            )

    @property
    def pid(self):
        return self._child.pid

    def alive(self):
        return self._child.poll() is None

    def output(self):
        return self.log.read_text(errors="replace")

    def wait_until(self, ready, what, timeout=30.0):
        """Polls READY() until it is true; raises with the log's end when it does not become so."""
        deadline = time.monotonic() + timeout
        while not ready():
            if not self.alive():
                raise NotReady("%s ended with %d before %s:\n%s" % (
                    self.name, self._child.returncode, what, self.output()[-4000:]))
            if time.monotonic() > deadline:
                raise NotReady("%s: not %s after %g s:\n%s" % (
                    self.name, what, timeout, self.output()[-4000:]))
            time.sleep(0.01)
        return self

    def signal(self, number):
        if self.alive():
            os.kill(self.pid, number)

    def wait(self, timeout=10.0):
        """The exit code; negative for a signal."""
        return self._child.wait(timeout)

    def stop(self, timeout=10.0):
        """SIGTERM and wait; SIGKILL where that does not help. Returns the exit code."""
        if self.alive():
            self.signal(signal.SIGTERM)
            try:
                self._child.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._child.returncode

    def kill(self):
        self.signal(signal.SIGKILL)
        return self._child.wait(10)


def tcp_answers(port, host="127.0.0.1"):
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


@dataclass
class Result:
    """One finished command."""

    command: list
    code: int  # exit code; negative for a signal
    stdout: str
    stderr: str
    wall: float  # seconds
    peak_rss: int  # bytes; 0 where it was not measured
    cpu: float  # seconds, user and system; 0 where it was not measured
    timed_out: bool = False
    raw: bytes = b""  # stdout and stderr as they came

    def json(self):
        return json.loads(self.stdout)

    def __str__(self):
        return "%s\nexit %d after %.2f s%s\n--- stdout\n%s--- stderr\n%s" % (
            " ".join(self.command), self.code, self.wall,
            " (killed by the harness: it did not end)" if self.timed_out else "",
            self.stdout[-4000:], self.stderr[-8000:])


def run(command, log_dir, stdin=None, env=None, cwd=None, timeout=60.0, preexec=None, measure=False,
        pass_fds=()):
    """Runs COMMAND to its end. With MEASURE the peak RSS and the CPU time are filled in."""
    command = [str(word) for word in command]
    number = len(list(Path(log_dir).glob("run-*.stderr")))
    base = Path(log_dir) / ("run-%03d-%s" % (number, Path(command[0]).name))
    stdout, stderr, usage = (base.with_suffix(end) for end in (".stdout", ".stderr", ".usage"))
    words = command
    if measure:
        words = [sys.executable, "-I", "-S", str(Path(__file__).with_name("measure.py")), str(usage)]
        words += command
    started = time.monotonic()
    with open(stdout, "wb") as out, open(stderr, "wb") as err:
        child = subprocess.Popen(
            words, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=out, stderr=err, env=env, cwd=cwd, preexec_fn=preexec, start_new_session=True,
            pass_fds=pass_fds)
        timed_out = False
        try:
            child.communicate(stdin.encode() if isinstance(stdin, str) else stdin, timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(child.pid, signal.SIGKILL)  # the session that was made for it, by its id
            child.wait()
    wall = time.monotonic() - started
    code, peak, cpu = child.returncode, 0, 0.0
    if measure and usage.exists():
        figures = json.loads(usage.read_text())
        code, peak, cpu = figures["code"], figures["peak_rss"], figures["cpu"]
    out, err = stdout.read_bytes(), stderr.read_bytes()
    result = Result(command, code, out.decode(errors="replace"), err.decode(errors="replace"),
                    wall, peak, cpu, timed_out, out + err)
    for report in SANITIZER_REPORTS:
        assert report not in result.stderr, str(result)
    return result
