"""Certwright's UNIX socket: where it is, and HTTP over it."""

import json
import os
import socket
import stat
import time

# A daemon that starts, stops or reads its configuration again is waited for.
PATIENCE = 20.0  # seconds
_MOMENT = 1.0
_ANSWER = 30.0  # seconds that an answer may take which waits for nothing
_OURS = "certwright.sock"


class Answer:
    def __init__(self, status, value):
        self.status = status
        self.value = value  # parsed; {} where it is no JSON object

    @property
    def exit_code(self):
        code = self.value.get("exit_code")
        return code if isinstance(code, int) else 70

    @property
    def detail(self):
        """What was wrong, as text."""
        words = self.value.get("error") or self.value.get("detail")
        return str(words or "Certwright answered with HTTP status %d" % self.status)


def _folders():
    """The runtime folders of Certwright's defaults, this user's own first."""
    if os.geteuid() != 0:
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        if os.path.isabs(runtime):
            yield os.path.join(runtime, "certwright")
        state = os.environ.get("XDG_STATE_HOME", "")
        if not os.path.isabs(state):
            state = os.path.join(os.path.expanduser("~"), ".local", "state")
        yield os.path.join(state, "certwright", "run")
    yield "/run/certwright"


def _sockets(folder):
    """Its sockets: the one that Certwright makes by itself, then those of a configuration."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    paths = [os.path.join(folder, name) for name in sorted(names, key=lambda n: (n != _OURS, n))
             if name.endswith(".sock")]
    return [path for path in paths if _is_socket(path)]


def _is_socket(path):
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def find():
    """The socket that CERTWRIGHT_SOCKET names, else the first in the default places that this user
    may open. Raises PermissionError where there are only others, FileNotFoundError without any."""
    named = os.environ.get("CERTWRIGHT_SOCKET")
    if named:
        return named
    there = [path for folder in _folders() for path in _sockets(folder)]
    for path in there:
        if os.access(path, os.W_OK):
            return path
    if there:
        raise PermissionError(
            "this user may not speak to Certwright at %s: an [[api.socket]] with a role and a group "
            "of this user is needed" % ", ".join(there))
    raise FileNotFoundError("Certwright has no socket in %s: is the daemon running? Where runtime_dir"
                            " is another, CERTWRIGHT_SOCKET names it" % ", ".join(_folders()))


def _once(method, target, value, wait):
    # Only here: it takes longer to import than a handler to see that an event is not for it.
    import http.client
    path = find()
    connection = http.client.HTTPConnection("localhost")
    headers = {"Accept": "application/json"}
    body = None
    if value is not None:
        body = json.dumps(value).encode()
        headers["Content-Type"] = "application/json"
    if os.environ.get("AGENT_ID"):  # whose request it is; an owner is believed
        headers["Agent-Task-User"] = os.environ["AGENT_ID"]
    try:
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(wait + _ANSWER)
        connection.sock.connect(path)
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        text = response.read()
    except PermissionError as problem:
        raise PermissionError("this user may not speak to Certwright at %s" % path) from problem
    except (OSError, http.client.HTTPException) as problem:
        raise ConnectionError("Certwright at %s: %s" % (path, problem)) from problem
    finally:
        connection.close()
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = None
    return Answer(response.status, parsed if isinstance(parsed, dict) else {})


def ask(method, target, value=None, wait=0, patience=None):
    """One request, VALUE as JSON; WAIT: seconds that the answer may take on purpose. Repeated while
    nobody answers, or is too busy to, for PATIENCE; then raises OSError, or gives that answer. So what
    is asked for must be good to ask for twice."""
    started = time.monotonic()
    patience = PATIENCE if patience is None else patience
    pause = 0.05
    while True:
        try:
            answer = _once(method, target, value, wait)
            if answer.status != 503 or time.monotonic() + pause > started + patience:
                return answer
        except (ConnectionError, FileNotFoundError, PermissionError) as problem:
            # A socket gets its group a moment after it is there.
            least = min(patience, _MOMENT) if isinstance(problem, PermissionError) else patience
            if time.monotonic() + pause > started + least:
                raise
        time.sleep(pause)
        pause = min(pause * 2, 1.0)
