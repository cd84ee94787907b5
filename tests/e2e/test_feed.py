"""The numbered feed for programs: lists, long polls, server-sent events, replay, match."""

import json
import subprocess
import threading
import time

import pytest
from harness import api, certwright as certwright_module, wait
from harness.handlers import Recorder

NAMES = ["a.example.test", "b.example.test"]


@pytest.fixture
def fed(world):
    """A daemon with an event for each of NAMES."""
    world.certwright.serve()
    for name in NAMES:
        world.certwright.ok("issue", name)
    return world.certwright


def listed(certwright, *options):
    return certwright.ok("--json", "events", "list", *options).json()


def test_lists_are_read_on_from_a_number(fed):
    whole = listed(fed)
    assert [e["data"]["names"] for e in whole["events"]] == [[name] for name in NAMES]
    numbers = [e["id"] for e in whole["events"]]
    assert numbers == [1, 2] and (whole["first"], whole["last"], whole["next"]) == (1, 2, 2)
    entry = whole["events"][0]
    assert entry["type"] == "certificate-changed" and entry["timestamp"].endswith("Z")
    assert entry["data"]["id"] == entry["id"] and entry["data"]["reason"] == "issued"
    assert [e["id"] for e in listed(fed, "--after", "1")["events"]] == [2]
    one = listed(fed, "--limit", "1")
    assert [e["id"] for e in one["events"]] == [1] and one["next"] == 1
    assert listed(fed, "--kind", "hosts-changed") == {"events": [], "first": 1, "last": 2, "next": 2}
    assert "certificate-changed  issued  b.example.test" in fed.ok("events", "list").stdout
    fed.stop()
    assert listed(fed) == whole


def test_a_long_poll_ends_with_the_event(fed):
    ask = lambda target: api.ask(fed.socket_path, "GET", target)  # noqa: E731
    assert [e["id"] for e in ask("/v1/events?after=1&wait=30").json()["events"]] == [2]
    assert ask("/v1/events?after=2").json()["events"] == []
    began = time.monotonic()
    assert ask("/v1/events?after=2&wait=1").json()["next"] == 2
    assert time.monotonic() - began >= 1
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(
        ask("/v1/events?after=2&kind=certificate-changed&wait=60").json()))
    waiting.start()
    route = {"instance": "r1", "url": "http://127.0.0.1:1", "host": "r.example.test"}
    fed.ok("run", "set-route", "--data", json.dumps(route))
    assert answers == [], "events of other kinds do not end it"
    fed.ok("issue", "c.example.test")
    waiting.join(20)
    assert [e["data"]["names"] for e in answers[0]["events"]] == [["c.example.test"]]


class Stream:
    """Server-sent events from a socket, as a browser's EventSource reads them."""

    def __init__(self, socket_path, target="/v1/events", headers=None):
        self.connection = api.Connection(socket_path, 30)
        self.connection.request("GET", target, headers={"Accept": "text/event-stream", **(headers or {})})
        self.answer = self.connection.getresponse()

    def next(self):
        """(id, data) of the next event."""
        number = None
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith("id: "):
                number = line[4:]
            elif line.startswith("data: "):
                return number, json.loads(line[6:])
            elif line not in ("", ":"):
                raise AssertionError("no event stream: %r" % line)


def test_server_sent_events_come_with_their_numbers(fed):
    stream = Stream(fed.socket_path, "/v1/events?after=0")
    assert stream.answer.getheader("Content-Type") == "text/event-stream"
    first, second = stream.next(), stream.next()
    assert [first[0], second[0]] == ["1", "2"] and second[1] == listed(fed)["events"][1]
    again = Stream(fed.socket_path, headers={"Last-Event-ID": "1"})
    assert again.next() == second
    new = Stream(fed.socket_path)
    fed.ok("issue", "c.example.test")
    for each in (stream, again, new):
        assert each.next()[1]["data"]["names"] == ["c.example.test"]
    bad = Stream(fed.socket_path, headers={"Last-Event-ID": "x"})
    assert bad.answer.status == 400
    assert fed.stop() == 0, "who follows does not hold up the end"


def test_follow_goes_on_over_a_restart(fed):
    command = [certwright_module.binary(), "--config", fed.config_file, "--json", "events", "follow",
               "--after", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                          env=fed.environment()) as follow:
        try:
            assert json.loads(follow.stdout.readline())["id"] == 2
            fed.stop()
            fed.ok("issue", "c.example.test")
            assert json.loads(follow.stdout.readline())["id"] == 3
            fed.serve()
            fed.ok("issue", "d.example.test")
            assert json.loads(follow.stdout.readline())["id"] == 4
        finally:
            follow.kill()


def test_handlers_are_told_again(world):
    recorder = Recorder(world.certwright.events_dir)
    recorder.add("10-one")
    recorder.add("20-two")
    world.certwright.serve()
    for name in NAMES:
        world.certwright.ok("issue", name)
    wait.until(lambda: len(recorder.entries()) == 4, "told")
    told = world.certwright.ok("--json", "events", "replay", "2", "--handler", "20-two").json()
    assert told == {"handlers": ["handler:certificate-changed/20-two"]}
    wait.until(lambda: len(recorder.entries()) == 5, "told again")
    assert recorder.names()[4] == ("20-two", ["b.example.test"])
    world.certwright.ok("events", "replay", "1")
    wait.until(lambda: len(recorder.entries()) == 9, "all again")
    assert world.certwright.run("events", "replay", "1", "--handler", "30").code == 2
    world.certwright.stop()
    world.certwright.ok("events", "replay", "2", "--handler", "certificate-changed/10-one")
    assert recorder.names()[9:] == [("10-one", ["b.example.test"])]


def test_what_is_gone_is_told_with_the_first_number(world):
    certwright = world.certwright
    certwright.write_config({"events": {"keep_count": 100}})
    certwright.serve()
    route = {"instance": "r1", "url": "http://127.0.0.1:1"}
    for number in range(130):
        answer = api.ask(certwright.socket_path, "POST", "/v1/actions/set-route",
                         {**route, "path": "/%d" % number})
        assert answer.status == 200, str(answer)
    wait.until(lambda: listed(certwright)["first"] > 20, "old ones are deleted")
    first = listed(certwright)["first"]
    answer = api.ask(certwright.socket_path, "GET", "/v1/events?after=5")
    assert (answer.status, answer.json()["first"]) == (410, first), str(answer)
    assert Stream(certwright.socket_path, "/v1/events?after=5").answer.status == 410
    for command in (["list", "--after", "5"], ["follow", "--after", "5"], ["replay", "5"]):
        result = certwright.run("events", *command)
        assert result.code == 2 and str(first) in result.stderr, str(result)
    assert listed(certwright, "--after", str(first - 1))["events"][0]["id"] == first


@pytest.mark.parametrize("event, name, code", [
    ({"node_id": 1, "names": ["a.example.test"]}, "A.example.test", 0),
    ({"node_id": 1, "names": ["*.example.test"]}, "a.example.test", 0),
    ({"node_id": 2, "names": ["a.example.test"]}, "a.example.test", 1),
    ({"id": 1, "data": {"node_id": 1, "names": ["b.example.test"]}}, "a.example.test", 1),
])
def test_match_says_whether_an_event_concerns_a_name(world, event, name, code):
    result = world.certwright.run("events", "match", "--name", name, stdin=json.dumps(event))
    assert result.code == code, str(result)


def test_match_takes_the_node_that_handlers_are_run_with(world):
    event = '{"node_id": 7, "names": ["a.example.test"]}'
    command = ("events", "match", "--name", "a.example.test")
    assert world.certwright.run(*command, stdin=event).code == 1
    assert world.certwright.run(*command, stdin=event, env={"NODE_ID": "7"}).code == 0
