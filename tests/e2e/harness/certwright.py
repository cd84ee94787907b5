"""Certwright itself: its configuration file, its commands and its daemon."""

import json
import os
import socket
import tempfile
from pathlib import Path

from . import process
from .servers import PROJECT


def binary():
    return Path(os.environ.get("CERTWRIGHT_BIN", PROJECT / "build" / "plain" / "certwright"))


def sanitized(path=None):
    """Whether this binary carries a sanitizer (then its memory and speed say nothing)."""
    content = (path or binary()).read_bytes()
    return any(symbol in content for symbol in (b"__asan_init", b"__tsan_init"))


def toml(table, prefix=""):
    """A nested dictionary as TOML; a list of dictionaries becomes an array of tables."""
    plain, rest = [], []
    for key, value in table.items():
        name = "%s.%s" % (prefix, key) if prefix else key
        if value is None:
            continue
        if isinstance(value, dict):
            rest.append("[%s]\n%s" % (name, toml(value, name)))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            rest += ["[[%s]]\n%s" % (name, toml(entry, name)) for entry in value]
        else:
            plain.append("%s = %s" % (key, json.dumps(_scalar(value))))
    return "\n".join(plain + [""] + rest)


def _scalar(value):
    if isinstance(value, Path):
        return str(value)
    return value


def merged(base, changes):
    """BASE with CHANGES laid over it, table by table; None removes a key."""
    result = dict(base)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


class Certwright:
    """One installation below DIRECTORY: configuration, state, runtime and event folders."""

    def __init__(self, directory, config=None):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.state_dir = self.directory / "state"
        # A socket's path is short (108 bytes), and a test's temporary folder is not.
        self.runtime_dir = self.directory / "run"
        self.events_dir = self.directory / "events"
        self.events_dir.mkdir(exist_ok=True)
        self.log_dir = self.directory / "logs"
        self.log_dir.mkdir(exist_ok=True)
        self.config_file = self.directory / "certwright.toml"
        self.daemon = None
        self._daemons = 0
        self.config = {}
        self.write_config(merged({
            "state_dir": str(self.state_dir),
            "runtime_dir": str(self.runtime_dir),
            "events": {"dir": str(self.events_dir)},
            "acme": {"agree_to_terms": True, "email": "admin@example.com"},
        }, config or {}))

    def write_config(self, changes):
        self.config = merged(self.config, changes)
        self.config_file.write_text(toml(self.config))

    def environment(self, extra=None):
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            "ASAN_OPTIONS": "exitcode=86:detect_stack_use_after_return=1",
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=86",
            "TSAN_OPTIONS": "halt_on_error=1:exitcode=86",
        }
        env.update(extra or {})
        return env

    def run(self, *words, env=None, **options):
        """`certwright --config FILE WORDS...` to its end."""
        command = [binary(), "--config", self.config_file, *words]
        return process.run(command, self.log_dir, env=self.environment(env), **options)

    @staticmethod
    def bare(*words, **options):
        """`certwright WORDS...` without any configuration of the test's."""
        with tempfile.TemporaryDirectory(prefix="cw-") as folder:
            return process.run([binary(), *words], folder,
                               env={"PATH": os.environ["PATH"], "HOME": folder}, **options)

    def ok(self, *words, **options):
        result = self.run(*words, **options)
        assert result.code == 0, str(result)
        return result

    def certificates(self):
        """What `list --json` says, as a list."""
        answer = self.ok("--json", "list").json()
        return answer["certificates"] if isinstance(answer, dict) else answer

    @property
    def socket_path(self):
        return self.runtime_dir / "certwright.sock"

    def serve(self, env=None, preexec=None, wait=True):
        """Starts the daemon and waits until its socket answers."""
        self._daemons += 1
        self.daemon = process.Process(
            "certwright serve", [binary(), "--config", self.config_file, "serve"],
            self.log_dir / ("daemon-%d.log" % self._daemons),
            env=self.environment(env), preexec=preexec)
        if wait:
            self.daemon.wait_until(self.answers, "answering on its socket")
        return self.daemon

    def answers(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(self.socket_path))
                return True
            except OSError:
                return False

    def stop(self):
        """Ends the daemon; its log must be free of sanitizer reports. Returns its exit code."""
        if self.daemon is None:
            return None
        code = self.daemon.stop(20)
        output = self.daemon.output()
        self.daemon = None
        for report in process.SANITIZER_REPORTS:
            assert report not in output, output[-8000:]
        return code

    def texts(self):
        """Everything that commands and daemons said on stderr, and the daemons' logs."""
        files = list(self.log_dir.glob("*.stderr")) + list(self.log_dir.glob("daemon-*.log"))
        return {file.name: file.read_text(errors="replace") for file in files}
