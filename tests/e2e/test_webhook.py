"""Web hooks: signed, in order, again until they are taken, and never to where nobody allowed it."""

import base64
import json

import pytest
from harness import wait
from harness.webhook import Receiver

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.fixture
def make_receiver(listener):
    receivers = []

    def make(tls=True):
        receivers.append(Receiver(SECRET, listener if tls else None))
        return receivers[-1]

    yield make
    for receiver in receivers:
        receiver.stop()


def hook(world, receiver, listener, **more):
    secret = world.directory / "hook.secret"
    secret.write_text("whsec_%s\n" % base64.b64encode(SECRET).decode())
    return {"url": receiver.url, "secret_file": str(secret), "ca_bundle": str(listener.root),
            "allow_private": True, **more}


def components(certwright):
    return {one["component"].split("-")[0]: one
            for one in certwright.run("--json", "status").json()["components"]}


def test_events_arrive_signed_in_order_and_again_where_they_were_not_taken(
        world, make_receiver, listener):
    receiver, plain = make_receiver(), make_receiver(tls=False)
    certwright = world.certwright
    certwright.write_config({"events": {"webhook": [
        hook(world, receiver, listener, kinds=["certificate-changed"]),
        hook(world, plain, listener)]}})
    daemon = certwright.serve()
    receiver.answers = [(500, {}), (302, {"Location": plain.url})]
    for name in ("a.example.test", "b.example.test"):
        certwright.ok("issue", name)
    route = {"instance": "r1", "url": "http://127.0.0.1:1", "host": "r.example.test"}
    certwright.ok("run", "set-route", "--data", json.dumps(route))
    wait.until(lambda: "webhook:localhost" in components(certwright), "it shows that it fails")
    assert "HTTP" in components(certwright)["webhook:localhost"]["detail"]
    wait.until(lambda: len(receiver.events) == 2, "both are there")
    whole = certwright.ok("--json", "events", "list").json()["events"]
    assert receiver.events == whole[:2]
    assert len(receiver.ids) == 4 and len(set(receiver.ids[:3])) == 1, "the same event, the same id"
    wait.until(lambda: len(plain.events) == 4, "all kinds are there")
    assert plain.events == whole
    assert receiver.wrong == plain.wrong == []
    certwright.stop()
    for text in certwright.texts().values():
        assert "t0p5ecret" not in text and base64.b64encode(SECRET).decode() not in text
    assert daemon.wait() == 0


def test_nothing_goes_to_this_machine_unless_it_is_allowed(world, make_receiver, listener):
    receiver = make_receiver()
    certwright = world.certwright
    certwright.write_config({"events": {"webhook": [
        hook(world, receiver, listener, allow_private=False)]}})
    certwright.serve()
    certwright.ok("issue", "a.example.test")
    wait.until(lambda: "webhook:localhost" in components(certwright), "it fails")
    assert "private network" in components(certwright)["webhook:localhost"]["detail"]
    assert receiver.ids == []


def test_a_hook_that_is_added_later_is_told_of_what_comes_later(world, make_receiver, listener):
    receiver = make_receiver()
    certwright = world.certwright
    certwright.ok("issue", "a.example.test")
    certwright.write_config({"events": {"webhook": [hook(world, receiver, listener)]}})
    certwright.ok("issue", "b.example.test")
    assert [event["data"]["names"] for event in receiver.events] == [["b.example.test"]]


@pytest.mark.parametrize("changes, words", [
    ({"url": "http://hooks.example.org/"}, "url must be https"),
    ({"url": "http://127.0.0.1/", "allow_private": False}, "url must be https"),
    ({"secret_file": None}, "has no secret_file"),
    ({"secret_file": "/nowhere"}, "secret_file: "),
    ({"kinds": ["certificate-chnged"]}, 'did you mean "certificate-changed"?'),
    ({"secret": "x"}, "unknown key"),
])
def test_what_is_wrong_with_a_hook_is_told_with_its_line(
        world, make_receiver, listener, changes, words):
    certwright = world.certwright
    certwright.write_config({"events": {"webhook": [
        {**hook(world, make_receiver(), listener), **changes}]}})
    result = certwright.run("config", "check")
    assert result.code in (1, 78), str(result)
    assert words in result.stderr and "certwright.toml:" in result.stderr, str(result)
