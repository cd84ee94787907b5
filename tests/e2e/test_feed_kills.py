"""I3 under fire: eight readers of the feed, while daemon and handlers are killed at random.

Each reader sees each number at least once, and first seen in order. The full form, some minutes:
CERTWRIGHT_FEED_EVENTS=100000.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time
from pathlib import Path

from harness import api, certwright as certwright_module, store, wait

EVENTS = int(os.environ.get("CERTWRIGHT_FEED_EVENTS", "300"))
LIVE = min(EVENTS // 4, 2000)  # of them, written while they are read
SECONDS_BETWEEN_KILLS = 0.5 if EVENTS < 10_000 else 3.0
KILLS_AT_LEAST = 4
PATIENCE = 60 + EVENTS / 50

# No program but the shell: a hundred thousand runs of each.
HANDLER = """#!/bin/sh
IFS= read -r line
printf '%%s\\n' "$line" >> %s
"""


class Reader:
    """Numbers in the order in which they were seen."""

    def __init__(self, name):
        self.name = name
        self.seen = []

    def last(self):
        return self.seen[-1] if self.seen else 0

    def check(self, last):
        first_seen = list(dict.fromkeys(self.seen))
        assert first_seen == list(range(1, last + 1)), (
            self.name, len(first_seen), [a for a, b in zip(first_seen, range(1, last + 1)) if a != b][:5])


class HandlerReader(Reader):
    def __init__(self, events_dir, name):
        super().__init__("handler " + name)
        folder = Path(events_dir) / "routes-changed"
        folder.mkdir(exist_ok=True)
        self.record = Path(events_dir) / (name + ".jsonl")
        self.record.touch()
        (folder / name).write_text(HANDLER % self.record)
        (folder / name).chmod(0o755)

    def last(self):
        self.seen = [json.loads(line)["id"] for line in self.record.read_text().splitlines()]
        return super().last()


class ThreadReader(Reader):
    """Reads in a thread, again and again from its last number on, until it is told to end."""

    def __init__(self, name, read):
        super().__init__(name)
        self.ended = threading.Event()
        self.kill = lambda: None
        self._thread = threading.Thread(target=self._run, args=(read,), daemon=True)
        self._thread.start()

    def _run(self, read):
        while not self.ended.is_set():
            # The daemon was killed, or stops, in the middle of it.
            with contextlib.suppress(OSError, ValueError, api.http.client.HTTPException):
                read(self)
            time.sleep(0.02)


def long_poll(path):
    def read(reader):
        answer = api.ask(path, "GET", "/v1/events?after=%d&limit=500&wait=5" % reader.last())
        if answer.status == 200:
            reader.seen += [event["id"] for event in answer.json()["events"]]
    return read


def event_stream(path):
    def read(reader):
        connection = api.Connection(path, 20)
        connection.request("GET", "/v1/events", headers={
            "Accept": "text/event-stream", "Last-Event-ID": str(reader.last())})
        answer = connection.getresponse()
        with contextlib.closing(connection):
            while answer.status == 200 and not reader.ended.is_set():
                line = answer.readline().decode()
                if line == "":
                    return
                if line.startswith("data: "):
                    reader.seen.append(json.loads(line[6:])["id"])
    return read


def follow(certwright):
    """`events follow`, itself killed now and then."""
    def read(reader):
        command = [certwright_module.binary(), "--config", certwright.config_file, "--json", "-q",
                   "events", "follow", "--after", str(reader.last())]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              env=certwright.environment()) as child:
            reader.kill = child.kill
            for line in child.stdout:
                if line.endswith("\n"):
                    reader.seen.append(json.loads(line)["id"])
            child.kill()
    return read


def fill(certwright, count):
    certwright.ok("list")  # makes the store, and the handlers' positions at its beginning
    with store.opened(certwright.state_dir) as connection:
        connection.executemany(
            "INSERT INTO event (name, reason, names, certificate_id, created_at)"
            " VALUES ('routes-changed', 'set', ?, 0, ?)",
            (("r%d\n" % number, int(time.time())) for number in range(count)))


def write_live(certwright, count):
    """COUNT more events; what a killed daemon did not answer is asked for again."""
    for number in range(count):
        route = {"instance": "live", "url": "http://127.0.0.1:1", "path": "/%d" % number}
        while True:
            with contextlib.suppress(OSError, api.http.client.HTTPException):
                if api.ask(certwright.socket_path, "POST", "/v1/actions/set-route",
                           route).status == 200:
                    break
            time.sleep(0.02)


def kill_a_handler(daemon):
    children = []
    for task in Path("/proc/%d/task" % daemon.pid).glob("*/children"):
        with contextlib.suppress(OSError):
            children += task.read_text().split()
    with contextlib.suppress(OSError):
        if children:
            os.kill(int(random.choice(children)), signal.SIGKILL)


def test_each_reader_sees_each_number_in_order_whatever_is_killed(world):
    certwright = world.certwright
    certwright.write_config({"events": {"keep_count": 1_000_000}})
    handlers = [HandlerReader(certwright.events_dir, name) for name in ("10-a", "20-b", "30-c")]
    fill(certwright, EVENTS - LIVE)
    daemon = certwright.serve()
    path = certwright.socket_path
    threads = [ThreadReader("long poll 1", long_poll(path)),
               ThreadReader("long poll 2", long_poll(path)),
               ThreadReader("event stream 1", event_stream(path)),
               ThreadReader("event stream 2", event_stream(path)),
               ThreadReader("follow", follow(certwright))]
    readers = handlers + threads
    writer = threading.Thread(target=write_live, args=(certwright, LIVE), daemon=True)
    writer.start()
    kills, deadline, last = 0, time.monotonic() + PATIENCE, None
    while kills < KILLS_AT_LEAST or writer.is_alive() or any(r.last() < last for r in readers):
        assert time.monotonic() < deadline, [(r.name, r.last()) for r in readers]
        pause = random.uniform(0.2, 2) * SECONDS_BETWEEN_KILLS
        for _ in range(4):
            time.sleep(pause / 4)
            kill_a_handler(daemon)
        if random.random() < 0.3:
            threads[4].kill()
        if kills < KILLS_AT_LEAST or writer.is_alive() or random.random() < 0.7:
            daemon.kill()
            kills += 1
            daemon = certwright.serve()
        answer = api.ask(path, "GET", "/v1/events?limit=1")
        assert answer.status == 200, str(answer)
        last = answer.json()["last"]
    assert last >= EVENTS
    for reader in threads:
        reader.ended.set()
    threads[4].kill()
    for reader in readers:
        reader.check(last)
    assert certwright.run("events", "list", "--after", str(last)).code == 0
    wait.until(lambda: certwright.run("--json", "status").json()["state"] == "ok", "all is well")
