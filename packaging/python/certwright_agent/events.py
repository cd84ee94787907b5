"""certwright-events: runs the event handlers of a module as the module's own user, for a node's agent.

Follows Certwright's feed at the socket that the module may open, and runs the executables in
AGENT_INSTALL_DIR/events/KIND/ with the payload on standard input. Each is told every event, in order,
until it exits with 0, from the moment on when it was first seen; one that fails or hangs comes again
after 1 s, 2 s ... 10 min and holds up no other. How far each is stands in AGENT_STATE_DIR/certwright-events/.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from .library.agent import sockets

LOOK = 10.0  # seconds between two looks for handlers
TIMEOUT = 60.0  # of a handler; then it is killed with all that it started
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 600.0
_POLL = 30


def say(priority, words):
    print("<%d>certwright-events: %s" % (priority, words), file=sys.stderr, flush=True)


def handlers(folder):
    """The executables KIND/NAME below FOLDER."""
    return sorted(path for path in folder.glob("*/*")
                  if path.name[0] != "." and path.name[-1] != "~" and path.is_file()
                  and os.access(path, os.X_OK))


def feed(**query):
    """A part of the feed, or None where what is asked for is not kept any more."""
    words = "&".join("%s=%s" % pair for pair in query.items())
    answer = sockets.ask("GET", "/v1/events?" + words, wait=query.get("wait", 0))
    if answer.status == 410:
        return None
    if answer.status != 200:
        raise ConnectionError(answer.detail)
    return answer.value


class Position:
    """The number of the last event that a handler had, in a file."""

    def __init__(self, file):
        self._file = file
        try:
            self.number = int(file.read_text())
        except (FileNotFoundError, ValueError):
            self.number = None

    def move(self, number):
        new = self._file.with_name(self._file.name + ".new")
        with open(new, "w", encoding="ascii") as file:
            file.write("%d\n" % number)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self._file)
        self.number = number


def run(handler, event):
    """Whether it exited with 0."""
    data = event["data"]
    environment = {**os.environ, "AGENT_EVENT_NAME": event["type"],
                   "AGENT_EVENT_SOURCE": "module/%s" % data.get("module_id", "traefik1")}
    if "node_id" in data:
        environment["NODE_ID"] = str(data["node_id"])
    with subprocess.Popen([handler], stdin=subprocess.PIPE, env=environment,
                          start_new_session=True) as child:
        try:
            child.communicate(json.dumps(data).encode(), TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            say(4, "%s was killed after %g s" % (handler, TIMEOUT))
    return child.returncode == 0


def tell(handler, position):
    """One round: waits for the next events of the handler's kind and tells them. Raises OSError, or
    RuntimeError where the handler failed."""
    kind = handler.parent.name
    if position.number is None:
        position.move(feed(limit=1)["last"])
    part = feed(after=position.number, kind=kind, wait=_POLL)
    if part is None:
        first = feed(limit=1)["first"]
        say(4, "%s misses events before %d: they are not kept any more" % (handler, first))
        position.move(max(first - 1, 0))
        return
    for event in part["events"]:
        if not run(handler, event):
            raise RuntimeError("event %d" % event["id"])
        position.move(event["id"])
    if part["next"] > position.number:
        position.move(part["next"])


def follow(handler, position):
    """As long as the handler is there."""
    pause = FIRST_PAUSE
    while os.access(handler, os.X_OK):
        try:
            tell(handler, position)
            pause = FIRST_PAUSE
        except (OSError, RuntimeError) as problem:
            say(4, "%s: %s; again in %g s" % (handler, problem, pause))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def main():
    install, state = (os.environ.get(name) for name in ("AGENT_INSTALL_DIR", "AGENT_STATE_DIR"))
    if not install or not state:
        sys.exit("certwright-events: AGENT_INSTALL_DIR and AGENT_STATE_DIR are not set: run it as "
                 "`runagent certwright-events`")
    positions = Path(state, "certwright-events")
    positions.mkdir(mode=0o700, exist_ok=True)
    threads = {}
    while True:
        for handler in handlers(Path(install, "events")):
            if handler in threads and threads[handler].is_alive():
                continue
            file = positions / ("%s:%s" % (handler.parent.name, handler.name))
            threads[handler] = threading.Thread(
                target=follow, args=(handler, Position(file)), daemon=True)
            threads[handler].start()
        time.sleep(LOOK)
