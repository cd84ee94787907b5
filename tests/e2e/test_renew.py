"""Renewal: by the CA's window, by a person's force, by the daemon itself; and what is planned."""

import datetime
import json

import pytest
from harness import wait
from harness.certwright import Certwright
from harness.ports import free_port
from harness.world import World
from scripted_ca import ScriptedCa, already_replaced

NAME = "a.example.test"
FAILED = 3


def moment(hours):
    """RFC 3339, so many hours from now."""
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def pair(workdir, listener):
    """A scripted CA that has renewal information, and a Certwright that knows it."""
    port = free_port()
    ca = ScriptedCa(listener, http_port=port)
    ca.renewal_info = True
    certwright = Certwright(workdir / "cw", {
        "acme": {"directory": ca.directory_url, "ca_bundle": str(listener.root)},
        "http01": {"listen": "127.0.0.1:%d" % port},
    })
    yield ca, certwright
    certwright.stop()
    ca.stop()


def held(certwright):
    (entry,) = certwright.certificates()
    return entry


def renew(certwright, *words, code=0):
    result = certwright.run("--json", "renew", *words)
    assert result.code == code, str(result)
    return json.loads(result.stdout)["certificates"]


def plan(certwright):
    return json.loads(certwright.ok("--json", "plan").stdout)["certificates"]


def cert_id(certwright):
    return json.loads(certwright.ok("--json", "show", NAME).stdout)["ari_id"]


def test_nothing_is_due(pair):
    ca, certwright = pair
    assert renew(certwright) == []
    assert "nothing is due" in certwright.ok("renew").stdout
    certwright.ok("issue", NAME)
    ca.suggest(cert_id(certwright), moment(240), moment(264))
    (looked,) = renew(certwright)
    assert looked["result"] == "not-due" and looked["reason"] == "window"
    assert renew(certwright) == [], "it is planned: nobody looks at it before"
    (planned,) = plan(certwright)
    assert planned["renew_at"] == looked["renew_at"] == held(certwright)["next_renewal"]
    assert planned["window"]["start"] <= planned["renew_at"] <= planned["window"]["end"]
    assert ca.count("newOrder") == 1


def test_the_cas_window_has_come(pair):
    ca, certwright = pair
    certwright.ok("issue", NAME)
    first, ari_id = held(certwright), cert_id(certwright)
    ca.suggest(ari_id, moment(-3), moment(-2), "https://ca.example/why")
    (looked,) = renew(certwright, "--dry-run", NAME)
    assert looked["result"] == "not-due", "a dry run asks nobody"
    (looked,) = renew(certwright)
    assert looked["result"] == "renewed", looked
    assert held(certwright)["serial"] != first["serial"]
    assert ca.orders[-1].replaces == ari_id
    (planned,) = plan(certwright)
    assert planned["renew_at"] > moment(24)


def test_force_renews_what_is_named(pair):
    ca, certwright = pair
    certwright.ok("issue", NAME)
    first = held(certwright)
    assert certwright.run("renew", "--force").code == 64
    (looked,) = renew(certwright, "--force", NAME)
    assert looked["result"] == "renewed"
    assert held(certwright)["serial"] != first["serial"]
    assert certwright.run("renew", "no.example.test").code == 2
    assert ca.count("newOrder") == 2


def test_a_failure_is_told_with_its_next_try(pair):
    ca, certwright = pair
    certwright.ok("issue", NAME)
    first = held(certwright)
    ca.suggest(cert_id(certwright), moment(-3), moment(-2))
    ca.http_port = free_port()  # where nobody answers it
    (looked,) = renew(certwright, code=FAILED)
    assert looked["result"] == "failed"
    assert NAME in looked["failure"]["detail"]
    assert looked["renew_at"] > moment(0)
    entry = held(certwright)
    assert entry["serial"] == first["serial"], "the one that is held stays"
    assert entry["failures"] == 1 and entry["next_renewal"] == looked["renew_at"]
    assert renew(certwright) == [], "not before its next try"


def test_the_ca_that_refuses_replaces_renews_all_the_same(pair):
    ca, certwright = pair
    certwright.ok("issue", NAME)
    first = held(certwright)
    ca.suggest(cert_id(certwright), moment(-3), moment(-2))
    ca.refuses_replaces = already_replaced
    (looked,) = renew(certwright)
    assert looked["result"] == "renewed"
    assert held(certwright)["serial"] != first["serial"]
    assert ca.orders[-1].replaces is None


def test_the_daemon_renews_by_itself(pair):
    ca, certwright = pair
    certwright.ok("issue", NAME)
    first = held(certwright)
    ca.suggest(cert_id(certwright), moment(-3), moment(-2))
    certwright.serve()
    wait.until(lambda: held(certwright)["serial"] != first["serial"], "renewed by the daemon")
    assert len(ca.orders) == 2
    assert renew(certwright) == [], "beside the daemon: nothing is left to do"
    (looked,) = renew(certwright, "--force", NAME)
    assert looked["result"] == "renewed"


def test_pebble_takes_the_renewal_for_one(world):
    """Pebble 2.10.1 answers 500 to half of all correct certIDs: that is met and passed."""
    world.certwright.ok("issue", NAME)
    for _ in range(3):
        (looked,) = renew(world.certwright, "--force", NAME)
        assert looked["result"] == "renewed", looked
    (planned,) = plan(world.certwright)
    assert planned["window"] is not None, "asked for"
    # The earlier of the two counts, and the instant in the window is chance.
    assert planned["reason"] in ("window", "backstop")


def test_pebble_renews_by_backstop(workdir, listener):
    """Half of a short lifetime is gone before the CA's window comes."""
    lifetime = 24
    world = World(workdir, listener, options={"profiles": {
        "default": {"description": "seconds", "validityPeriod": lifetime}}})
    try:
        world.certwright.ok("issue", NAME)
        first = held(world.certwright)
        (planned,) = plan(world.certwright)
        assert planned["reason"] == "backstop"
        wait.until(lambda: moment(0) >= planned["renew_at"], "its time has come", lifetime)
        (looked,) = renew(world.certwright)
        assert looked["result"] == "renewed", looked
        assert held(world.certwright)["serial"] != first["serial"]
        assert world.pebble.orders() == 2
    finally:
        world.stop()
