#!/usr/bin/env python3
"""certwright-events against a feed: every event to each handler, in order, until it exits with 0."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

import places
from servers import Server

RUN = """import sys
sys.path.insert(0, %r)
from certwright_agent import events
events.LOOK, events.FIRST_PAUSE, events.TIMEOUT, events._POLL = 0.1, 0.05, 0.5, 1
events.sockets.PATIENCE = 0.3
events.main()
""" % str(places.PACKAGE)
RECORD = """#!/bin/sh
echo "$AGENT_EVENT_NAME $AGENT_EVENT_SOURCE $NODE_ID $(cat)" >>"$AGENT_STATE_DIR/told-$(basename "$0")"
"""


class Feed:
    def __init__(self):
        self.first, self.events = 1, []

    def add(self, kind="certificate-changed", **data):
        number = self.events[-1]["id"] + 1 if self.events else self.first
        self.events.append({"id": number, "type": kind, "timestamp": "2026-01-01T00:00:00Z",
                            "data": {"id": number, "node_id": 3, "module_id": "traefik1", **data}})

    def answer(self, _method, target, _value):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query))
        after, last = int(query.get("after", 0)), self.first + len(self.events) - 1
        if "after" in query and after < self.first - 1:
            return 410, {"detail": "gone", "exit_code": 2}
        until = time.monotonic() + int(query.get("wait", 0))
        while True:
            found = [event for event in list(self.events) if event["id"] > after
                     and query.get("kind", event["type"]) == event["type"]]
            if found or time.monotonic() > until:
                return 200, {"events": found, "first": self.first, "last": last,
                             "next": found[-1]["id"] if found else max(after, last)}
            time.sleep(0.01)


class Events(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cw-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.state = self.root / "state"
        self.state.mkdir()
        self.child = None
        self.feed = Feed()
        self.serve()

    def serve(self):
        self.server = Server(self.root / "s.sock", self.feed.answer)
        self.addCleanup(self.server.stop)

    def handler(self, name, text=RECORD, kind="certificate-changed"):
        path = self.root / "events" / kind / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def start(self, handlers=1):
        """Returns when so many handlers have a position."""
        self.child = subprocess.Popen(
            [sys.executable, "-B", "-c", RUN], stderr=subprocess.PIPE, text=True, cwd=self.state,
            env={"PATH": os.environ["PATH"], "CERTWRIGHT_SOCKET": str(self.root / "s.sock"),
                 "AGENT_INSTALL_DIR": str(self.root), "AGENT_STATE_DIR": str(self.state)})
        self.addCleanup(self.stop)
        self.until(lambda: len(list(self.positions())) >= handlers)

    def positions(self):
        return (path for path in self.state.glob("certwright-events/*") if path.suffix != ".new")

    def stop(self):
        if self.child is None:
            return ""
        self.child.kill()
        said = self.child.communicate()[1]
        self.child = None
        return said

    def until(self, ready, seconds=20):
        deadline = time.monotonic() + seconds
        while not ready():
            self.assertLess(time.monotonic(), deadline, self.told("a"))
            time.sleep(0.01)

    @staticmethod
    def lives(number):
        try:
            return "(sleep) Z" not in pathlib.Path("/proc", number, "stat").read_text()
        except FileNotFoundError:
            return False

    def told(self, name):
        """[(kind, source, node, payload)] of the handler of that name."""
        file = self.state / ("told-" + name)
        lines = [line.split(" ", 3) for line in file.read_text().splitlines()] if file.exists() else []
        return [(*words[:3], json.loads(words[3])) for words in lines]

    def numbers(self, name):
        return [told[3]["id"] for told in self.told(name)]

    def test_each_handler_is_told_its_kind_in_order(self):
        self.feed.add(names=["old.test"])
        self.handler("a")
        self.handler("b")
        self.handler("h", kind="hosts-changed")
        self.handler("b~")
        self.handler(".b")
        (self.root / "events" / "certificate-changed" / "README").write_text("no handler")
        self.start(3)
        self.feed.add(names=["a.test"])
        self.feed.add("hosts-changed")
        self.feed.add(names=["b.test"])
        for name, expected in (("a", [2, 4]), ("b", [2, 4]), ("h", [3])):
            self.until(lambda: self.numbers(name) == expected)
        self.assertEqual({path.name for path in self.state.glob("told-*")},
                         {"told-a", "told-b", "told-h"})
        kind, source, node, payload = self.told("a")[0]
        self.assertEqual((kind, source, node), ("certificate-changed", "module/traefik1", "3"))
        self.assertEqual(payload["names"], ["a.test"])

    def test_one_that_fails_comes_again_and_holds_up_no_other(self):
        self.handler("a", RECORD + '[ -e "$AGENT_STATE_DIR/good" ] || '
                                   '! tail -1 "$AGENT_STATE_DIR/told-a" | grep -q "\\"id\\": 2"\n')
        self.handler("b")
        self.start(2)
        for _ in range(3):
            self.feed.add()
        self.until(lambda: self.numbers("b") == [1, 2, 3])
        self.until(lambda: len(self.numbers("a")) > 3)
        self.assertEqual((self.numbers("a")[0], set(self.numbers("a")[1:])), (1, {2}))
        (self.state / "good").touch()
        self.until(lambda: self.numbers("a")[-1:] == [3])
        self.assertRegex(self.stop(), r"<4>certwright-events: .*/a: event 2; again in 0\.05 s")

    def test_one_that_hangs_is_killed_with_its_children(self):
        self.handler("a", RECORD + '[ -e "$AGENT_STATE_DIR/hung" ] && exit 0\n'
                                   'sleep 60 & echo $! >"$AGENT_STATE_DIR/hung"\nwait\n')
        self.start()
        self.feed.add()
        self.until(lambda: self.numbers("a") == [1, 1])
        child = (self.state / "hung").read_text().strip()
        self.until(lambda: not self.lives(child))
        self.assertIn("was killed after 0.5 s", self.stop())

    def test_goes_on_where_it_was_and_waits_for_the_daemon(self):
        self.handler("a")
        self.start()
        self.feed.add()
        self.until(lambda: self.numbers("a") == [1])
        self.until(lambda: [path.read_text() for path in self.positions()] == ["1\n"])
        self.stop()
        self.feed.add()
        self.server.stop()
        (self.root / "s.sock").unlink()
        self.child = None
        self.start()
        time.sleep(0.5)
        self.serve()
        self.until(lambda: self.numbers("a") == [1, 2])

    def test_what_is_gone_is_told(self):
        self.handler("a")
        self.start()
        self.stop()
        self.feed.first = 50
        self.feed.add()
        self.start()
        self.until(lambda: self.numbers("a") == [50])
        self.assertIn("misses events before 50", self.stop())

    def test_one_that_comes_later_is_told_of_what_comes_after_it(self):
        self.handler("a")
        self.start()
        self.feed.add()
        self.until(lambda: self.numbers("a") == [1])
        self.handler("b")
        self.until(lambda: len(list(self.positions())) == 2)
        self.feed.add()
        self.until(lambda: self.numbers("a") == [1, 2] and self.numbers("b") == [2])

    def test_needs_a_modules_environment(self):
        done = subprocess.run([sys.executable, "-B", "-c", RUN], env={"PATH": os.environ["PATH"]},
                              capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("runagent", done.stderr)


if __name__ == "__main__":
    unittest.main()
