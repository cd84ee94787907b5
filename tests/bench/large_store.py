"""Shared by the benchmarks of a large store: the program and the helper that fills one, the daemon."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

# As build_tree of tools/lib/common.sh, but only what is measured.
BUILD = """set -euo pipefail
. "$1/tools/lib/common.sh"
dir=$1/build/release
[ -f "$dir/build.ninja" ] || CC=${CC:-ccache gcc} CXX=${CXX:-ccache g++} \\
  meson setup --wrap-mode=nofallback --buildtype=release -Db_ndebug=true "$dir" "$1"
ninja -C "$dir" certwright tests/bench/scheduler_helper
hand_back "$1/build"
"""


def say(text):
    print("%s: %s" % (Path(sys.argv[0]).name, text), file=sys.stderr, flush=True)


def prepare():
    """The program and the helper."""
    if "CERTWRIGHT_BIN" not in os.environ:
        if "CERTWRIGHT_DEPS" not in os.environ:
            subprocess.run([PROJECT / "tools" / "setup"], stdin=subprocess.DEVNULL,
                           stdout=sys.stderr, check=True)
        say("building build/release")
        subprocess.run(["bash", "-c", BUILD, Path(sys.argv[0]).name, str(PROJECT)], stdin=subprocess.DEVNULL,
                       stdout=sys.stderr, check=True)
        os.environ["CERTWRIGHT_BIN"] = str(PROJECT / "build" / "release" / "certwright")
    binary = Path(os.environ["CERTWRIGHT_BIN"]).resolve()
    return binary, binary.parent / "tests" / "bench" / "scheduler_helper"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Daemon:
    """One run of `certwright serve` on a store."""

    def __init__(self, binary, folder, store, traefik=False):
        self.folder = folder
        config = ['state_dir = "%s"' % store, 'runtime_dir = "%s/run"' % folder,
                  'http01.listen = "127.0.0.1:%d"' % free_port()]
        if traefik:
            (folder / "dynamic").mkdir(exist_ok=True)
            config += ['traefik.dynamic_dir = "%s/dynamic"' % folder,
                       'traefik.certificate_dir = "%s/pem"' % folder]
        (folder / "certwright.toml").write_text("\n".join(config) + "\n")
        address = str(folder / "notify")
        Path(address).unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(address)
            notify.settimeout(600)
            start = time.monotonic()
            self.process = subprocess.Popen(
                [binary, "--config", folder / "certwright.toml", "serve"],
                env=dict(os.environ, NOTIFY_SOCKET=address), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=open(folder / "log", "ab"))
            try:
                while b"READY=1" not in notify.recv(4096):
                    pass
            except TimeoutError:
                self.kill()
                sys.exit("no READY=1:\n" + (folder / "log").read_text()[-2000:])
            self.ready = time.monotonic() - start

    def memory(self):
        """(VmRSS, VmHWM) in MB"""
        values = {}
        for line in Path("/proc/%d/status" % self.process.pid).read_text().splitlines():
            key, _, value = line.partition(":")
            values[key] = value
        return tuple(int(values[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))

    def wait_quiet(self, seconds=2):
        """Until it has used no CPU for SECONDS."""
        used, since = None, time.monotonic()
        while time.monotonic() - since < seconds:
            fields = Path("/proc/%d/stat" % self.process.pid).read_text().rsplit(")", 1)[1].split()
            now = int(fields[11]) + int(fields[12])
            if now != used:
                used, since = now, time.monotonic()
            time.sleep(0.1)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait()

    def kill(self):
        self.end(signal.SIGKILL)
