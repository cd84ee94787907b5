"""What is measured, and how: commands, servers that stay, the CA's log, TLS handshakes."""

import json
import re
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Optional


class Failed(Exception):
    """A run that did not do what it was asked; the text holds the client's own words."""


@dataclass
class Sample:
    """One run of one client. Seconds and bytes."""

    wall: float
    cpu: float
    peak_rss: int
    requests: int = 0
    posts: int = 0
    # Of the Traefik that serves Certwright's certificates. Traefik's own ACME has one process.
    traefik_cpu: Optional[float] = None
    traefik_peak_rss: Optional[int] = None
    # How long the CA slept before it looked; None where it does not sleep.
    ca_delay: Optional[float] = None

    @property
    def overhead(self):
        return None if self.ca_delay is None else self.wall - self.ca_delay


class Commands:
    """Runs commands to their end, through starter.py."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._starter = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("starter.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, argv, env, timeout):
        """A Sample without the CA's side; raises Failed with what the command said."""
        argv = [str(word) for word in argv]
        out, err = self.directory / "stdout", self.directory / "stderr"
        job = {"argv": argv, "env": env, "cwd": str(self.directory), "stdout": str(out),
               "stderr": str(err), "timeout": timeout}
        self._starter.stdin.write(json.dumps(job) + "\n")
        self._starter.stdin.flush()
        used = json.loads(self._starter.stdout.readline())
        if used["code"] != 0:
            raise Failed("%s\nexit %d after %.2f s\n%s%s" % (
                " ".join(argv)[:2000], used["code"], used["wall"],
                out.read_text(errors="replace")[-4000:], err.read_text(errors="replace")[-4000:]))
        return Sample(used["wall"], used["cpu"], used["peak_rss"])

    def stop(self):
        self._starter.stdin.close()
        self._starter.wait(10)
        self._starter.stdout.close()


class Meter:
    """CPU time and peak RSS of a server, from now on. The kernel keeps both to the nanosecond and
    the page; threads that have ended meanwhile count."""

    def __init__(self, process):
        # CPUCLOCK_SCHED of the whole process: what clock_getcpuclockid(3) computes from a PID.
        self._clock = (~process.pid << 3) | 2
        self._status = Path("/proc/%d/status" % process.pid)
        try:
            Path("/proc/%d/clear_refs" % process.pid).write_text("5")  # the peak starts again
        except OSError:
            pass  # then it is the peak since the server's start: never less than the run's
        self._begun = time.clock_gettime(self._clock)

    def cpu(self):
        return time.clock_gettime(self._clock) - self._begun

    def peak_rss(self):
        return int(re.search(r"VmHWM:\s+(\d+) kB", self._status.read_text())[1]) * 1024


class CaSide:
    """What the CA saw of one run, read from its log: one line a request, written when it comes."""

    _SLEEP = re.compile(rb"Sleeping for (\d+)s seconds before validating")

    def __init__(self, pebble):
        self._pebble = pebble
        self._begin = pebble.process.log.stat().st_size
        self._before = len(pebble.requests())

    def fill(self, sample):
        seen = self._pebble.requests()[self._before:]
        sample.requests = len(seen)
        sample.posts = sum(method == "POST" for method, _ in seen)
        with open(self._pebble.process.log, "rb") as log:
            log.seek(self._begin)
            sleeps = [int(seconds) for seconds in self._SLEEP.findall(log.read())]
        # Each name is looked at from three places, and each place sleeps first. All names are
        # validated side by side, so the longest sleep is what nobody can get below.
        if sleeps:
            sample.ca_delay = float(max(sleeps))
        return sample


class Handshakes:
    """Looks at what a TLS server shows, as fast as it can without taking the machine for itself."""

    PAUSE = 0.002

    def __init__(self, port):
        self._port = port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE

    def _leaf(self, name):
        with socket.create_connection(("127.0.0.1", self._port), timeout=10) as plain:
            with self._context.wrap_socket(plain, server_hostname=name) as secure:
                return secure.getpeercert(binary_form=True)

    def until_served(self, names, timeout, still_good):
        """Returns (time.monotonic) when a leaf for each of NAMES was seen; STILL_GOOD() is asked
        between two looks and raises where waiting is of no more use."""
        deadline = time.monotonic() + timeout
        for name in names:
            # The name as it stands in the SAN extension: dNSName is [2] IA5String.
            mark = b"\x82" + bytes([len(name)]) + name.encode()
            while mark not in self._leaf(name):
                still_good()
                if time.monotonic() > deadline:
                    raise Failed("%s was not served after %g s" % (name, timeout))
                time.sleep(self.PAUSE)
        return time.monotonic()
