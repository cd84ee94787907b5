"""The file `environment` in the state directory: a module's variables, KEY=VALUE a line, no quoting."""

import fcntl
import os
import re
import tempfile

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def read_envfile(file_path):
    """{name: value}; comments and lines that assign nothing are left out."""
    with open(file_path, encoding="utf-8") as file:
        lines = [line.rstrip("\n") for line in file if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines if "=" in line)


def set_env(name, value):
    """From the next start of a program on; os.environ stays as it is. Needs AGENT_STATE_DIR and the
    file in it."""
    mset_env({name: value})


def mset_env(variables):
    for name, value in variables.items():
        if not _NAME.match(name):
            raise ValueError("%r is no name of a variable" % name)
        if re.search(r"[\n\r\0]", str(value)):
            raise ValueError("the value of %s is more than a line" % name)
    _rewrite(lambda known: known.update({name: str(value) for name, value in variables.items()}))


def unset_env(name):
    _rewrite(lambda known: known.pop(name, None))


def _rewrite(change):
    """Whole or not at all, one writer at a time; others see the old file or the new one."""
    folder = os.environ["AGENT_STATE_DIR"]
    path = os.path.join(folder, "environment")
    with open(os.path.join(folder, ".environment.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mode = os.stat(path).st_mode & 0o777
        known = read_envfile(path)
        change(known)
        fd, new = tempfile.mkstemp(prefix=".environment.", dir=folder)
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                file.writelines("%s=%s\n" % pair for pair in sorted(known.items()))
                os.fchmod(fd, mode)
                file.flush()
                os.fsync(fd)
            os.rename(new, path)
        except BaseException:
            os.unlink(new)
            raise
