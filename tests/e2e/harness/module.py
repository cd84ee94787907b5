"""A module of the page's readers on a machine with Certwright alone: a home, its variables, its
programs, and the Python package, installed with pip."""

import fcntl
import os
import subprocess
from pathlib import Path

from . import certwright as certwright_module
from . import process
from .servers import PROJECT

PYTHON = "/usr/bin/python3"
SANITIZERS = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS")


def install_package(folder):
    """A virtual environment below FOLDER with the package in it, for all who ask; nothing is fetched.
    Gives its Python."""
    environment = Path(folder) / "python-package"
    python, done = environment / "bin" / "python", environment / "done"
    with open(Path(folder) / "python-package.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            subprocess.run([PYTHON, "-m", "venv", "--without-pip", environment], check=True)
            subprocess.run([PYTHON, "-m", "pip", "--python", python, "install", "--quiet",
                            "--no-index", "--no-compile", "--disable-pip-version-check",
                            PROJECT / "packaging" / "python"], check=True)
            done.touch()
    return python


class Module:
    def __init__(self, directory, python, certwright, **variables):
        self.home = Path(directory)
        self.install = self.home / ".config"
        self.state = self.install / "state"
        self.state.mkdir(parents=True)
        self.python = python
        self.logs = self.home / "logs"
        self.logs.mkdir()
        self.calls = self.home / "calls"
        self.programs = self.home / "programs"
        self.programs.mkdir()
        (self.programs / "get-certificate").symlink_to(certwright_module.binary())
        (self.programs / "runagent").symlink_to(PROJECT / "packaging" / "bin" / "runagent")
        self.script(self.programs / "systemctl", '#!/bin/sh\necho "$*" >>"%s"\n' % self.calls)
        self.variables = variables
        (self.state / "environment").write_text(
            "".join("%s=%s\n" % pair for pair in sorted(variables.items())))
        given = certwright.environment()
        # What a unit or a handler has before it is anybody's.
        self.bare = {
            "PATH": "%s:%s" % (self.programs, os.environ["PATH"]), "HOME": str(self.home),
            "CERTWRIGHT_CONFIG": str(certwright.config_file), "LANG": "C.UTF-8",
            "CERTWRIGHT_SOCKET": str(certwright.socket_path),
            **{name: given[name] for name in SANITIZERS},
        }

    @staticmethod
    def script(path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def environment(self, **more):
        """As runagent makes it for the module's programs."""
        return {**self.bare, **self.variables, "AGENT_STATE_DIR": str(self.state),
                "AGENT_INSTALL_DIR": str(self.install), **more}

    def python_program(self, name, text):
        return self.script(self.home / name, "#!%s -B\n%s" % (self.python, text))

    def run(self, *words, stdin=None, **more):
        return process.run(words, self.logs, stdin=stdin, env=self.environment(**more),
                           cwd=self.state)

    def python_says(self, text, **more):
        """Standard output of a Python program that must end well."""
        done = self.run(self.python, "-B", "-c", text, **more)
        assert done.code == 0, str(done)
        return done.stdout

    def told(self):
        """How systemctl was called so far."""
        return self.calls.read_text().splitlines() if self.calls.exists() else []
