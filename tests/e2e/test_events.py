"""certificate-changed reaches the executables of other programs: in order, at least once."""

import json

import pytest
from harness import wait
from harness.handlers import Recorder


@pytest.fixture
def recorder(world):
    return Recorder(world.certwright.events_dir)


@pytest.mark.parametrize("daemon", [False, True], ids=["in process", "daemon"])
def test_handlers_get_the_payload_in_name_order(world, recorder, daemon):
    recorder.add("20-second")
    recorder.add("10-first")
    world.certwright.write_config({"node": {"id": 7, "module_id": "traefik9"}})
    if daemon:
        world.certwright.serve()
    world.certwright.ok("issue", "b.example.test", "a.example.test")
    wait.until(lambda: len(recorder.entries()) == 2, "both handlers have run")
    first, second = recorder.entries()
    assert (first["handler"], second["handler"]) == ("10-first", "20-second")
    payload = first["payload"]
    assert (payload["node_id"], payload["module_id"]) == (7, "traefik9")
    assert sorted(payload["names"]) == ["a.example.test", "b.example.test"]
    assert payload["reason"] == "issued"
    assert first["environment"]["AGENT_EVENT_NAME"] == "certificate-changed"
    assert first["environment"]["AGENT_EVENT_SOURCE"] == "module/traefik9"
    assert first["environment"]["NODE_ID"] == "7"
    assert first["arguments"] == []


def test_one_executable_in_place_of_the_directory(world, recorder):
    recorder.write(world.certwright.events_dir / "certificate-changed", "alone")
    world.certwright.ok("issue", "a.example.test")
    assert recorder.names() == [("alone", ["a.example.test"])]


def test_events_come_in_the_order_of_the_changes(world, recorder):
    recorder.add("handler")
    world.certwright.serve()
    for name in ("a.example.test", "b.example.test"):
        world.certwright.ok("issue", name)
    world.certwright.ok("issue", "a.example.test", "--force")
    world.certwright.ok("delete", "b.example.test")
    wait.until(lambda: len(recorder.entries()) == 4, "four events were told")
    payloads = [entry["payload"] for entry in recorder.entries()]
    assert [payload["names"] for payload in payloads] == [
        ["a.example.test"], ["b.example.test"], ["a.example.test"], ["b.example.test"]]
    assert [payload["reason"] for payload in payloads] == ["issued", "issued", "renewed", "deleted"]
    numbers = [payload["id"] for payload in payloads]
    assert numbers == sorted(set(numbers))


def test_a_handler_that_fails_stops_neither_the_others_nor_the_command(world, recorder):
    recorder.add("10-bad", code=1)
    recorder.add("20-good")
    (recorder.dir / "15-not-executable").write_text("#!/bin/sh\nexit 1\n")
    (recorder.dir / "16-not-a-program").write_text("nonsense")
    (recorder.dir / "16-not-a-program").chmod(0o755)
    result = world.certwright.ok("issue", "a.example.test")
    assert [name for name, _ in recorder.names()] == ["10-bad", "20-good"]
    assert "10-bad" in result.stderr
    recorder.add("10-bad")
    world.certwright.ok("issue", "b.example.test")
    assert recorder.names()[2:] == [
        ("10-bad", ["a.example.test"]), ("10-bad", ["b.example.test"]),
        ("20-good", ["b.example.test"])], "what failed comes again, and first"


def test_the_daemon_tells_a_failing_handler_again_and_says_so(world, recorder):
    recorder.add("10-bad", code=1)
    recorder.add("20-good")
    slow = recorder.dir / "30-slow"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    world.certwright.write_config({"events": {"timeout": "1s"}})
    world.certwright.serve()
    for name in ("a.example.test", "b.example.test"):
        world.certwright.ok("issue", name)
    wait.until(lambda: [n for n in recorder.names() if n[0] == "20-good"] == [
        ("20-good", ["a.example.test"]), ("20-good", ["b.example.test"])], "the good one has both")
    wait.until(lambda: len([n for n in recorder.names() if n[0] == "10-bad"]) > 1, "told again")
    assert {names[0] for who, names in recorder.names() if who == "10-bad"} == {"a.example.test"}

    def components():
        status = world.certwright.run("--json", "status")
        assert status.code == 1, str(status)
        return {one["component"]: one for one in status.json()["components"]}
    wait.until(lambda: "handler:certificate-changed/30-slow" in components(), "the slow one fails")
    seen = components()
    assert "exit code 1" in seen["handler:certificate-changed/10-bad"]["detail"]
    assert "2 events behind" in seen["handler:certificate-changed/10-bad"]["detail"]
    assert "ended after 1 s" in seen["handler:certificate-changed/30-slow"]["detail"]
    assert "20-good" not in json.dumps(seen)
    recorder.add("10-bad")
    slow.unlink()
    world.certwright.ok("events", "replay", "1", "--handler", "10-bad")
    wait.until(lambda: recorder.names()[-1] == ("10-bad", ["b.example.test"]), "it has both")
    world.certwright.ok("issue", "c.example.test")
    wait.until(lambda: world.certwright.run("status").code == 0, "all is well")


def test_a_handler_that_comes_later_is_told_of_what_comes_later(world, recorder):
    world.certwright.serve()
    world.certwright.ok("issue", "a.example.test")
    recorder.add("handler")
    world.certwright.ok("issue", "b.example.test")
    wait.until(lambda: recorder.entries(), "it was told")
    world.certwright.ok("issue", "c.example.test")
    wait.until(lambda: len(recorder.entries()) == 2, "it was told again")
    assert recorder.names() == [("handler", ["b.example.test"]), ("handler", ["c.example.test"])]


def test_a_failed_issuance_tells_nobody(world, recorder):
    recorder.add("handler")
    world.dns.stop()
    assert world.certwright.run("issue", "a.example.test", "--timeout", "3").code == 3
    assert recorder.entries() == []


@pytest.mark.parametrize("heals", ["daemon", "command"])
def test_told_after_a_crash_between_commit_and_delivery(world, recorder, heals):
    recorder.add("handler")
    crashed = world.certwright.run(
        "issue", "a.example.test", env={"CERTWRIGHT_TEST_EXIT_BEFORE_DELIVERY": "1"})
    assert crashed.code == 99, str(crashed)
    assert recorder.entries() == []
    orders = world.pebble.orders()
    if heals == "daemon":
        world.certwright.serve()
    else:
        world.certwright.ok("issue", "a.example.test")
    wait.until(lambda: recorder.entries(), "the event was told after all")
    assert recorder.names() == [("handler", ["a.example.test"])]
    assert world.pebble.orders() == orders


def test_told_after_the_daemon_crashed_before_delivery(world, recorder):
    recorder.add("handler")
    daemon = world.certwright.serve(env={"CERTWRIGHT_TEST_EXIT_BEFORE_DELIVERY": "1"})
    world.certwright.run("issue", "a.example.test")
    assert daemon.wait() == 99
    assert recorder.entries() == []
    world.certwright.serve()
    wait.until(lambda: recorder.entries(), "the event was told after all")
    assert [entry["names"] for entry in world.certwright.certificates()] == [["a.example.test"]]


def test_nothing_is_told_twice_by_a_restart(world, recorder):
    recorder.add("handler")
    world.certwright.ok("issue", "a.example.test")
    for _ in range(2):
        world.certwright.serve()
        world.certwright.ok("list")
        assert world.certwright.stop() == 0
    assert len(recorder.entries()) == 1
