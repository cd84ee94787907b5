"""Two CAs: the second is turned to when the first is down, and left again."""

import json

import pytest
from harness.certwright import Certwright
from harness.ports import free_port
from harness.servers import Pebble
from harness.world import World
from scripted_ca import ScriptedCa, problem

NAME = "a.example.test"


@pytest.fixture
def two(workdir, listener):
    """Two Pebbles with roots of their own; Certwright prefers the first."""
    world = World(workdir, listener)
    second = Pebble(workdir / "second", world.http_port, world.dns.dns_port, listener)
    second.wait()
    world.certwright.write_config({"acme": {"fallback": [{
        "directory": second.directory_url,
        "ca_bundle": str(listener.root),
        "agree_to_terms": True,
    }]}})
    yield world, second
    world.stop()
    second.stop()


def ca_of(certwright):
    (entry,) = certwright.certificates()
    return entry["ca"]


def test_the_second_pebble_issues_while_the_first_is_down(two):
    world, second = two
    first_url = world.pebble.directory_url
    world.pebble.stop()
    result = world.certwright.ok("issue", NAME)
    assert "turning to " + second.directory_url in result.stderr
    assert ca_of(world.certwright) == second.directory_url
    world.pebble.restart()
    assert world.pebble.directory_url == first_url
    world.certwright.ok("renew", "--force", NAME)
    assert ca_of(world.certwright) == first_url, "back at the next renewal"


def test_caa_keeps_the_second_out(two):
    world, second = two
    world.dns.caa("example.test", ";")
    world.pebble.stop()
    result = world.certwright.run("issue", NAME)
    assert result.code == 3
    assert "example.test CAA 0 issue" in result.stderr, result.stderr
    assert second.orders() == 0
    world.dns.caa("example.test")
    world.certwright.ok("issue", NAME)
    assert ca_of(world.certwright) == second.directory_url


def test_limits_that_are_spent_and_names_that_are_refused(workdir, listener):
    port = free_port()
    first, second = (ScriptedCa(listener, http_port=port) for _ in range(2))
    certwright = Certwright(workdir / "cw", {
        "acme": {
            "directory": first.directory_url,
            "ca_bundle": str(listener.root),
            "fallback": [{"directory": second.directory_url, "ca_bundle": str(listener.root),
                          "agree_to_terms": True}],
        },
        "http01": {"listen": "127.0.0.1:%d" % port},
    })
    try:
        first.on("newOrder", lambda request, answer: problem(
            "rateLimited", "too many new orders recently", 429).set_header("Retry-After", "7200"),
            times=1)
        certwright.ok("issue", NAME)
        assert ca_of(certwright) == second.directory_url
        first.on("newOrder", lambda request, answer: problem("rejectedIdentifier", "not this one"))
        result = certwright.run("--json", "issue", "b.example.test")
        assert result.code == 3
        assert json.loads(result.stderr)["error"]["acme_type"] == "rejectedIdentifier"
        assert second.count("newOrder") == 1, "what the first refuses is not asked elsewhere"
    finally:
        certwright.stop()
        first.stop()
        second.stop()
