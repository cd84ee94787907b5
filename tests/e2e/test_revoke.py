"""Revocation at Pebble, by the account and by the certificate's key; and carried on after a crash."""

import json

import pytest
from harness import tls, wait
from harness.certwright import Certwright
from harness.ports import free_port
from scripted_ca import ScriptedCa

NAME = "a.example.test"
NOT_FOUND, REFUSED, CRASHED = 2, 3, 99
MOST_SAVES = 30


def show(certwright, name=NAME):
    return json.loads(certwright.ok("--json", "show", name).stdout)


def revoke(certwright, *words):
    return json.loads(certwright.ok("--json", "revoke", *words).stdout)


def test_a_revoked_certificate_is_gone(world):
    certwright, pebble = world.certwright, world.pebble
    certwright.ok("issue", NAME)
    serial = show(certwright)["serial"]
    assert pebble.status(serial)["Status"] == "Valid"
    result = revoke(certwright, NAME, "--reason", "cessationOfOperation")
    assert result["serial"] == serial and result["removed"] and result["replaced_by"] is None
    assert pebble.status(serial)["Status"] == "Revoked" and pebble.status(serial)["Reason"] == 5
    assert certwright.certificates() == []
    assert certwright.run("revoke", NAME).code == NOT_FOUND
    events = json.loads(certwright.ok("--json", "run", "list", "--data", "{}").stdout)
    assert events["certificates"] == []
    certwright.ok("issue", NAME)


@pytest.mark.parametrize("key_type", ["ec256", "ec384", "rsa2048"])
def test_the_certificates_key_revokes_it(world, key_type):
    certwright, pebble = world.certwright, world.pebble
    certwright.ok("issue", NAME, "--key-type", key_type)
    serial = show(certwright)["serial"]
    certwright.ok("account", "deactivate", "--yes")
    assert certwright.run("revoke", NAME).code == REFUSED, "the account cannot"
    revoke(certwright, serial, "--with-key", "--reason", "keyCompromise")
    assert pebble.status(serial)["Status"] == "Revoked" and pebble.status(serial)["Reason"] == 1


def test_the_replacement_comes_first(traefik_world):
    certwright, pebble = traefik_world.certwright, traefik_world.pebble
    certwright.write_config({"certificate": {"reuse_key": True}})
    certwright.serve()
    certwright.ok("issue", NAME)
    old = show(certwright)["serial"]
    key = certwright.ok("export", NAME, "--format", "key").stdout
    result = revoke(certwright, NAME, "--replace", "--reason", "keyCompromise")
    new = show(certwright)["serial"]
    assert result["replaced_by"] == new != old and not result["removed"]
    assert certwright.ok("export", NAME, "--format", "key").stdout != key
    assert pebble.status(old)["Status"] == "Revoked" and pebble.status(new)["Status"] == "Valid"
    history = {entry["serial"]: entry for entry in show(certwright)["versions"]}
    assert history[old]["revoked_at"] and history[old]["revocation_reason"] == "keyCompromise"
    assert history[new]["current"] and not history[new]["revoked_at"]
    assert "revoked" in certwright.ok("show", NAME).stdout
    refused = certwright.run("activate", old)
    assert refused.code == REFUSED and "revoked" in refused.stderr
    assert revoke(certwright, old)["serial"] == old, "it is already"


def test_a_former_version_is_served_again(traefik_world):
    certwright = traefik_world.certwright
    certwright.serve()
    certwright.ok("issue", NAME)
    first = show(certwright)["serial"]
    certwright.ok("renew", "--force", NAME)

    def served():
        return tls.served_certificate(traefik_world.traefik.https_port, NAME).serial_number

    assert served() != int(first, 16)
    certwright.ok("activate", first)
    assert served() == int(first, 16), "it is, when the command returns"


def ended_after_each_save(make_pair, *words):
    """(ca, certwright, the serial that was held, whether the command got through), for each save at
    which it was ended and once without."""
    for saves in range(1, MOST_SAVES):
        ca, certwright = make_pair()
        certwright.ok("issue", NAME)
        serial = int(show(certwright)["serial"], 16)
        result = certwright.run(*words, env={"CERTWRIGHT_TEST_EXIT_AFTER_SAVES": str(saves)})
        assert result.code in (0, CRASHED), str(result)
        yield ca, certwright, serial, result.code == 0
        certwright.stop()
        if result.code == 0:
            assert saves > 2, "are the saves counted?"
            return
    pytest.fail("no run got through")


def test_ended_after_each_save_it_is_carried_on_by_the_daemon(make_pair):
    for ca, certwright, serial, _ in ended_after_each_save(make_pair, "revoke", NAME):
        certwright.serve()
        wait.until(lambda: certwright.certificates() == [], "it is not held any more")
        assert serial in ca.revoked and len(ca.orders) == 1


def test_ended_after_each_save_with_a_replacement(make_pair):
    words = ("revoke", NAME, "--replace", "--reason", "superseded")
    for ca, certwright, serial, _ in ended_after_each_save(make_pair, *words):
        certwright.serve()
        wait.until(lambda: serial in ca.revoked, "it is revoked")
        assert ca.revoked == {serial: 4}
        (entry,) = certwright.certificates()
        assert int(entry["serial"], 16) != serial, "and another one has taken its place"
        assert len(ca.orders) == 2, "no second replacement"


def test_a_timer_carries_it_on_too(make_pair):
    ca, certwright = make_pair()
    certwright.ok("issue", NAME)
    ca.lose("revokeCert", 100)
    failed = certwright.run("revoke", NAME)
    assert failed.code == REFUSED and "tried again" in failed.stderr
    assert len(certwright.certificates()) == 1
    ca.lose("revokeCert", 0)
    certwright.ok("renew")
    assert certwright.certificates() == []


def test_a_revocation_killed_while_the_ca_answers(make_pair):
    ca, certwright = make_pair()
    certwright.ok("issue", NAME)
    serial = int(show(certwright)["serial"], 16)
    ca.on("revokeCert", lambda request, answer: setattr(
        answer, "send", lambda stream, _: ca.closing.wait(20)), times=1)
    daemon = certwright.serve()
    certwright.run("revoke", NAME, timeout=2)
    wait.until(lambda: serial in ca.revoked, "the CA has heard of it")
    daemon.kill()
    certwright.serve()
    wait.until(lambda: certwright.certificates() == [], "the next start ends it")


def test_authorizations_of_a_failed_order_are_given_up(make_pair):
    ca, certwright = make_pair()
    first = []
    # The first name is refused; the other one stays pending at the CA.
    ca.inert.add("challenge")

    def refuse(request, answer):
        if not first:
            first.append(request.authz)
            request.authz.status = request.authz.challenge_status = "invalid"

    ca.on("challenge", refuse)
    assert certwright.run("issue", NAME, "b.example.test").code == REFUSED
    assert sorted(authz.status for authz in ca.authzs) == ["invalid", "pending"]
    certwright.serve()
    wait.until(lambda: sorted(authz.status for authz in ca.authzs) == ["deactivated", "invalid"],
               "what was left pending is given up")


def test_the_ca_that_issued_it_revokes_it(workdir, listener):
    port = free_port()
    first, second = ScriptedCa(listener, http_port=port), ScriptedCa(listener, http_port=port)
    bundle = str(listener.root)
    certwright = Certwright(workdir / "cw", {
        "acme": {"directory": first.directory_url, "ca_bundle": bundle, "fallback": [
            {"directory": second.directory_url, "ca_bundle": bundle, "agree_to_terms": True}]},
        "http01": {"listen": "127.0.0.1:%d" % port},
    })
    try:
        first.stop()
        certwright.ok("issue", NAME)
        serial = int(show(certwright)["serial"], 16)
        other = certwright.ok("--json", "account", "rollover", "--ca", second.directory_url).json()
        assert other["directory"] == second.directory_url and second.count("keyChange") == 1
        certwright.ok("revoke", NAME)
        assert list(second.revoked) == [serial]
    finally:
        second.stop()
