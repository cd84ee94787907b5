"""A restart between every two steps of an order carries the same order on.

CERTWRIGHT_TEST_EXIT_AFTER_SAVES=k ends the process right after the k-th save of an order's record.
"""

import functools
import signal

import pytest
from harness import process, wait
from harness.certwright import binary

NAME = "a.example.test"
CRASHED = 99
MOST_SAVES = 40


@pytest.fixture
def make_pair(make_pair):
    """CAs that take a moment to issue."""
    return functools.partial(make_pair, processing=0.1)


def check(ca, certwright):
    assert [entry["names"] for entry in certwright.certificates()] == [[NAME]]
    assert ca.count("newOrder") == 1, "another order was opened"
    assert len(ca.accounts) == 1


def test_a_command_ended_after_each_save_goes_on(make_pair):
    for saves in range(1, MOST_SAVES):
        ca, certwright = make_pair()
        ended = certwright.run("issue", NAME, env={"CERTWRIGHT_TEST_EXIT_AFTER_SAVES": str(saves)})
        if ended.code == 0:
            check(ca, certwright)
            assert saves > 5, "an order has more steps than that: are the saves counted?"
            return
        assert ended.code == CRASHED, str(ended)
        certwright.ok("issue", NAME)
        check(ca, certwright)
    pytest.fail("no run got through: more than %d saves of one order" % MOST_SAVES)


def test_a_daemon_ended_after_each_save_goes_on_by_itself(make_pair):
    for saves in range(1, MOST_SAVES):
        ca, certwright = make_pair()
        daemon = certwright.serve(env={"CERTWRIGHT_TEST_EXIT_AFTER_SAVES": str(saves)})
        asked = certwright.run("issue", NAME)
        if asked.code == 0:
            check(ca, certwright)
            assert saves > 5
            certwright.stop()
            return
        assert daemon.wait() == CRASHED
        certwright.serve()
        wait.until(certwright.certificates, "the order was carried on without being asked", 20)
        check(ca, certwright)
        certwright.stop()
    pytest.fail("no run got through: more than %d saves of one order" % MOST_SAVES)


def test_a_daemon_carries_on_what_was_ordered_though_the_old_one_is_valid(make_pair):
    ca, certwright = make_pair()
    certwright.ok("issue", NAME)
    serial = certwright.certificates()[0]["serial"]
    daemon = certwright.serve(env={"CERTWRIGHT_TEST_EXIT_AFTER_SAVES": "3"})
    certwright.run("issue", NAME, "--force")
    assert daemon.wait() == CRASHED
    certwright.serve()
    wait.until(lambda: certwright.certificates()[0]["serial"] != serial, "the order was carried on")
    assert ca.count("newOrder") == 2


def test_every_second_step_in_a_process_of_its_own(make_pair):
    ca, certwright = make_pair()
    for _ in range(MOST_SAVES):
        result = certwright.run("issue", NAME, env={"CERTWRIGHT_TEST_EXIT_AFTER_SAVES": "2"})
        if result.code == 0:
            break
        assert result.code == CRASHED, str(result)
    check(ca, certwright)


RESOURCES = ("newAccount", "newOrder", "authz", "challenge", "order", "finalize", "cert")


@pytest.mark.parametrize("resource", RESOURCES)
def test_killed_while_the_ca_answers(make_pair, resource):
    """SIGKILL when the request has reached the CA and before its answer is there."""
    ca, certwright = make_pair()
    ca.on(resource, lambda request, answer: setattr(
        answer, "send", lambda stream, _: ca.closing.wait(20)), times=1)
    daemon = certwright.serve()
    certwright.run("issue", NAME, "--timeout", "1")
    wait.until(lambda: ca.count(resource), "the request has come")
    daemon.signal(signal.SIGKILL)
    daemon.wait()
    certwright.ok("issue", NAME)
    assert [entry["names"] for entry in certwright.certificates()] == [[NAME]]
    # Nobody can know of an order whose creation was not answered.
    assert ca.count("newOrder") == (2 if resource == "newOrder" else 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_a_command_that_is_told_to_end_keeps_the_order(make_pair, number):
    ca, certwright = make_pair()
    ca.processing = 3
    command = process.Process(
        "certwright issue", [binary(), "--config", certwright.config_file, "issue", NAME],
        certwright.log_dir / "issue.log", env=certwright.environment())
    wait.until(lambda: ca.count("finalize"), "the order is being processed")
    command.signal(number)
    assert command.wait(10) == 128 + number
    assert "is kept: the next run carries it on" in command.output()
    certwright.ok("issue", NAME)
    check(ca, certwright)


def test_sigterm_in_the_middle_of_an_order_ends_in_order(make_pair):
    ca, certwright = make_pair()
    ca.processing = 3
    daemon = certwright.serve()
    certwright.run("issue", NAME, "--timeout", "1")
    wait.until(lambda: ca.count("finalize"), "the order is being processed")
    daemon.signal(signal.SIGTERM)
    assert daemon.wait(10) == 0
    certwright.serve()
    wait.until(certwright.certificates, "the order was carried on", 20)
    check(ca, certwright)
