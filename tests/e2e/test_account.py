"""The account at the CA: its contact, its key, its end; and what is left of a roll-over by a crash."""

import json
import signal
import threading

import pytest
from harness import wait

REFUSED, USAGE, CRASHED = 3, 64, 99
MOST_SAVES = 20


def account(certwright, command, *words):
    return json.loads(certwright.ok("--json", "account", command, *words).stdout)


def test_a_life_at_pebble(world):
    certwright = world.certwright
    assert certwright.run("account", "rollover").code == 2, "there is none yet"
    first = account(certwright, "register")
    certwright.ok("issue", "a.example.test")
    updated = account(certwright, "update", "--email", "other@example.com")
    assert updated["contact"] == ["mailto:other@example.com"]
    assert account(certwright, "update")["contact"] == ["mailto:admin@example.com"]
    for name in ("b.example.test", "c.example.test"):
        assert account(certwright, "rollover")["url"] == first["url"]
        certwright.ok("issue", name)
    assert certwright.run("account", "deactivate").code == USAGE, "not without --yes"
    assert account(certwright, "deactivate", "--yes")["status"] == "deactivated"
    assert account(certwright, "show")["status"] == "deactivated"
    refused = certwright.run("issue", "d.example.test")
    assert refused.code == REFUSED and "account register" in refused.stderr
    second = account(certwright, "register")
    assert second["status"] == "valid" and second["url"] != first["url"]
    certwright.ok("issue", "d.example.test")


def test_what_another_account_obtained_is_renewed_by_the_new_one(world):
    certwright = world.certwright
    certwright.ok("issue", "a.example.test")
    certwright.ok("account", "deactivate", "--yes")
    certwright.ok("account", "register")
    certwright.ok("renew", "--force", "a.example.test")


def test_a_ca_that_is_not_configured_is_named(world):
    result = world.certwright.run("account", "show", "--ca", "https://elsewhere.example/dir")
    assert result.code == 2 and world.pebble.directory_url in result.stderr
    account(world.certwright, "register", "--ca", world.pebble.directory_url)


def test_a_roll_over_ended_after_each_save_is_settled(make_pair):
    for saves in range(1, MOST_SAVES):
        ca, certwright = make_pair()
        certwright.ok("account", "register")
        result = certwright.run("account", "rollover",
                                env={"CERTWRIGHT_TEST_EXIT_AFTER_SAVES": str(saves)})
        assert result.code in (0, CRASHED), str(result)
        rolled_over = result.code == 0
        before = ca.count("keyChange")
        certwright.ok("issue", "a.example.test")  # the CA holds each signature against the key
        assert len(ca.accounts) == 1 and ca.count("keyChange") == 1
        if rolled_over:
            assert before == 1 and saves > 2
            return
    pytest.fail("no roll-over got through")


@pytest.mark.parametrize("resource", ["newAccount", "keyChange"])
def test_a_roll_over_killed_while_the_ca_answers(make_pair, resource):
    ca, certwright = make_pair()
    certwright.ok("account", "register")
    heard = ca.count(resource)
    ca.on(resource, lambda request, answer: setattr(
        answer, "send", lambda stream, _: ca.closing.wait(20)), times=1)
    daemon = certwright.serve()
    command = threading.Thread(target=certwright.run, args=("account", "rollover"))
    command.start()
    wait.until(lambda: ca.count(resource) > heard, "the request has come")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    command.join()
    certwright.ok("issue", "a.example.test")
    assert len(ca.accounts) == 1 and ca.count("keyChange") == 1
    certwright.ok("account", "rollover")
    certwright.ok("issue", "b.example.test")


def test_a_roll_over_waits_for_orders_that_are_under_way(make_pair):
    ca, certwright = make_pair()
    ca.processing = 1.5
    certwright.serve()
    codes = []
    issuing = [threading.Thread(target=lambda n=n: codes.append(
        certwright.run("issue", "n%d.example.test" % n).code)) for n in range(3)]
    for thread in issuing:
        thread.start()
    wait.until(lambda: ca.count("finalize") >= 1, "an order is being processed")
    certwright.ok("account", "rollover")
    for thread in issuing:
        thread.join()
    assert codes == [0, 0, 0]
    assert len(ca.orders) == 3 and ca.count("keyChange") == 1


@pytest.mark.parametrize("resource", ["authz", "challenge", "finalize"])
def test_an_order_left_behind_goes_on_after_a_roll_over(make_pair, resource):
    """What its challenges prove depends on the account's key."""
    ca, certwright = make_pair()
    ca.on(resource, lambda request, answer: setattr(
        answer, "send", lambda stream, _: ca.closing.wait(20)), times=1)
    daemon = certwright.serve()
    certwright.run("issue", "a.example.test", "--timeout", "1")
    wait.until(lambda: ca.count(resource), "the request has come")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    certwright.ok("account", "rollover")
    certwright.ok("issue", "a.example.test")
    assert [entry["names"] for entry in certwright.certificates()] == [["a.example.test"]]
    # One whose challenge the CA looked at while nobody was there is lost, with any key.
    assert len(ca.orders) <= (2 if resource == "challenge" else 1)
