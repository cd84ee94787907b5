"""Runs commands under crash-at, which interferes with one system call."""

import json
from dataclasses import dataclass
from pathlib import Path

from harness.certwright import binary

# In the order of the table that tools/crash-matrix prints.
KINDS = ("write", "socket", "pwrite64", "fsync", "fdatasync", "rename", "unlink", "create",
         "ftruncate", "mkdir")
ERRORS = ("ENOSPC", "EIO", "EINTR")


def crash_at():
    """The program, built beside the binary under test."""
    path = binary().parent / "tests" / "crash" / "crash-at"
    if not path.exists():
        raise RuntimeError("%s is not there: build everything (ninja)" % path)
    return path


@dataclass
class Interference:
    """At the AT-th call of KIND (a kind, or several with commas): SIGKILL, or ERROR. AT = 0: none."""

    kind: str
    at: int
    error: str = None
    always: bool = False

    def words(self, report):
        words = [crash_at(), "--calls", self.kind, "--at", self.at, "--report", report]
        if self.error:
            words += ["--error", self.error]
        if self.always:
            words.append("--always")
        return words + ["--"]

    def __str__(self):
        return "%s %d %s" % (self.kind, self.at, self.error or "SIGKILL")


@dataclass
class Report:
    seen: int = 0  # calls that matched
    hit: str = ""  # the call that was interfered with; "": none came so far
    target: str = ""
    code: int = 0

    @staticmethod
    def read(file):
        return Report(**json.loads(Path(file).read_text()))


def environment(certwright):
    """LeakSanitizer cannot run under ptrace, and says so with an exit code."""
    return certwright.environment({"ASAN_OPTIONS": "exitcode=86:detect_leaks=0"})
