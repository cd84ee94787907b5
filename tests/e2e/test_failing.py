"""What fails: parked and un-parked by a look from outside, told by events and by show."""

import json
import time

import pytest
from harness import store, wait
from harness.handlers import Recorder

NAME = "a.example.test"
NOWHERE = "127.0.0.9"  # a loopback address where nobody listens
HERE = "127.0.0.1"
HOUR = 3600


def meddle(certwright, sql, *values):
    with store.opened(certwright.state_dir) as connection:
        assert connection.execute(sql, values).rowcount == 1


def due_now(certwright):
    meddle(certwright, "UPDATE certificate SET next_action_at = 1")


def park(certwright):
    meddle(certwright, "UPDATE certificate SET failures = 10, last_error_at = ?, next_action_at = 1",
           int(time.time()) - 2 * HOUR)


def renew(certwright, *words, code=0):
    result = certwright.run("--json", "renew", *words)
    assert result.code == code, str(result)
    return json.loads(result.stdout)["certificates"]


def show(certwright):
    return json.loads(certwright.ok("--json", "show", NAME).stdout)


@pytest.fixture
def failing(world):
    """A world whose name leads nowhere, and the CA has said so once."""
    world.dns.point(NAME, NOWHERE)
    assert world.certwright.run("issue", NAME).code == 3
    return world


def test_a_name_that_leads_nowhere_costs_one_order(failing):
    certwright = failing.certwright
    orders = failing.pebble.orders()
    for _ in range(3):
        meddle(certwright, "UPDATE certificate SET next_action_at = 1, last_error_at = ?",
               int(time.time()) - 2 * HOUR)
        (looked,) = renew(certwright)
        assert looked["result"] == "not-due", looked
    assert failing.pebble.orders() == orders
    told = show(certwright)
    assert told["failure_class"] == "validation" and not told["parked"]
    assert told["preflight"]["good"] is False
    assert NOWHERE in told["preflight"]["saw"] and "refused" in told["preflight"]["saw"]
    assert "from outside" in certwright.ok("show", NAME).stdout
    assert "from outside" in certwright.ok("plan").stdout


def test_the_way_turns_good(failing):
    certwright = failing.certwright
    park(certwright)
    (looked,) = renew(certwright)
    assert looked["result"] == "not-due"
    assert show(certwright)["parked"]
    failing.dns.point(NAME, HERE)
    due_now(certwright)
    (looked,) = renew(certwright)
    assert looked["result"] == "renewed", looked
    told = show(certwright)
    assert not told["parked"] and told["failures"] == 0 and told["preflight"] is None


def test_a_caa_record_is_seen_before_an_order_is_made(failing):
    certwright = failing.certwright
    failing.dns.point(NAME, HERE)
    failing.dns.caa(NAME, ";")
    park(certwright)
    (looked,) = renew(certwright)
    assert looked["result"] == "not-due"
    assert "CAA 0 issue" in show(certwright)["preflight"]["saw"]
    failing.dns.caa(NAME)
    due_now(certwright)
    (looked,) = renew(certwright)
    assert looked["result"] == "renewed", looked


def test_the_daemon_sees_that_the_way_turned_good(failing):
    certwright = failing.certwright
    park(certwright)
    renew(certwright)
    due_now(certwright)
    failing.dns.point(NAME, HERE)
    certwright.serve()
    wait.until(lambda: certwright.certificates(), "obtained by the daemon")


def test_a_person_tries_what_is_parked(failing):
    certwright = failing.certwright
    park(certwright)
    failing.dns.point(NAME, HERE)
    (looked,) = renew(certwright, NAME)
    assert looked["result"] == "renewed", looked


def test_handlers_are_told_of_the_first_failure_and_of_the_parking(world):
    certwright = world.certwright
    recorder = Recorder(certwright.events_dir, "certificate-failed")
    recorder.add("handler")
    world.dns.point(NAME, NOWHERE)
    for failures in (1, 2, 9, 10):
        if failures > 1:
            meddle(certwright, "UPDATE certificate SET failures = ?", failures - 1)
        assert certwright.run("issue", NAME).code == 3
    first, parked = [entry["payload"] for entry in recorder.entries()]
    assert (first["reason"], parked["reason"]) == ("failed", "parked")
    assert first["names"] == [NAME] and first["not_after"] is None
    assert first["failure"]["acme_type"] and first["next_try"] == first["failure"]["retry_at"]
    assert show(certwright)["parked"]


def test_what_cannot_be_renewed_is_warned_of(world):
    certwright = world.certwright
    recorder = Recorder(certwright.events_dir, "certificate-expiring")
    recorder.add("handler")
    certwright.ok("issue", NAME)
    now = int(time.time())
    meddle(certwright, "UPDATE version SET origin = 'upload', not_before = ?, not_after = ? "
           "WHERE is_current = 1", now - 88 * 24 * HOUR, now + 2 * 24 * HOUR)
    for _ in range(2):
        due_now(certwright)
        renew(certwright)
    (entry,) = recorder.entries()
    payload = entry["payload"]
    assert (payload["reason"], payload["names"]) == ("days", [NAME])
    assert payload["failure"] is None and payload["not_after"] > "2026"
    assert entry["environment"]["AGENT_EVENT_NAME"] == "certificate-expiring"
