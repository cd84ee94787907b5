"""Uploads, the default certificate, deletion and the change of the CA, through the real Traefik."""

import base64
import datetime
import json

import pytest
from harness import pki, tls, wait
from harness.servers import Pebble

NAME = "a.example.test"


def served(world, name):
    return tls.served_certificate(world.traefik.https_port, name)


def action(world, name, data=None, code=0, env=None):
    result = world.certwright.run("run", name, "--data", json.dumps(data), env=env)
    assert result.code == code, str(result)
    return json.loads(result.stdout)


def listed(world):
    return action(world, "list-certificates", "")["certificates"]


@pytest.fixture
def roots(workdir):
    """A CA whose root uploads may lead to."""
    root = pki.Authority.root("Upload root")
    workdir.mkdir(parents=True, exist_ok=True)
    file = workdir / "upload-roots.pem"
    file.write_bytes(pki.pem(root.certificate))
    return root, file


def pair(root, names, common_name=None, **dates):
    """A certificate below an intermediate, which comes with it, and its key; the leaf first."""
    issuer = root.intermediate("Upload intermediate")
    key = pki.new_key()
    leaf = issuer.sign(names, key.public_key(), common_name=common_name, **dates)
    return leaf, pki.pem(leaf) + pki.pem(issuer.certificate), pki.key_pem(key)


def upload(world, chain, key, code=0, env=None):
    data = {"certFile": base64.b64encode(chain).decode(), "keyFile": base64.b64encode(key).decode()}
    return action(world, "upload-certificate", data, code, env)


def test_an_upload_goes_before_the_cas_until_it_is_deleted(traefik_world, roots):
    root, file = roots
    world = traefik_world
    world.certwright.write_config({"upload": {"roots": str(file)}})
    world.certwright.serve()
    traefik = world.traefik.process
    world.certwright.ok("issue", NAME)
    of_ca = served(world, NAME).serial_number

    leaf, chain, key = pair(root, [NAME], NAME)
    upload(world, chain, key)
    assert served(world, NAME).serial_number == leaf.serial_number
    answer = action(world, "get-certificate", {"fqdn": NAME})
    assert answer["type"] == "custom" and len(answer["certificates"]) == 2
    checked = world.certwright.ok("traefik", "check")
    assert "the uploaded one" in checked.stdout, checked.stdout
    assert "uploaded" in world.certwright.ok("list").stdout

    (path,) = [entry["path"] for entry in listed(world) if entry["type"] == "custom"]
    assert path == "custom_certificates/%s.crt" % NAME
    deleted = action(world, "delete-certificate", {"type": "custom", "path": path})
    assert deleted == {"certificate_names": [NAME]}
    wait.until(lambda: served(world, NAME).serial_number == of_ca, "the CA's is served again")
    assert world.traefik.process is traefik, "without a restart"
    assert world.pebble.orders() == 1


def test_an_upload_that_expires_makes_way_for_the_cas(traefik_world, roots):
    root, file = roots
    world = traefik_world
    world.certwright.write_config({"upload": {"roots": str(file)}})
    world.certwright.serve()
    world.certwright.ok("issue", NAME)
    of_ca = served(world, NAME).serial_number
    leaf, chain, key = pair(root, [NAME], not_after=pki.now() + datetime.timedelta(seconds=8))
    upload(world, chain, key)
    assert served(world, NAME).serial_number == leaf.serial_number
    wait.until(lambda: served(world, NAME).serial_number == of_ca, "what is valid is served",
               timeout=20)
    world.certwright.ok("traefik", "check")
    action(world, "delete-certificate", {"type": "internal", "serial": str(of_ca)})
    wait.until(lambda: served(world, NAME).serial_number == leaf.serial_number,
               "there is nothing else")
    checked = world.certwright.run("traefik", "check")
    assert checked.code == 1 and "this certificate expired at" in checked.stdout, str(checked)


def test_what_nobody_trusts_is_not_served(traefik_world, roots, workdir):
    root, _ = roots
    world = traefik_world
    world.certwright.serve()
    leaf, chain, key = pair(root, ["b.example.test"])
    refused = upload(world, chain, key, 33)
    assert [entry["error"] for entry in refused] == ["cert_verification_failed_chain"]
    upload(world, chain, key, 34, {"UPLOAD_CERTIFICATE_VERIFY_TYPE": "selfsign"})
    assert listed(world) == []
    (workdir / "up.crt").write_bytes(chain)
    (workdir / "up.key").write_bytes(key)
    words = ["upload", "--cert", workdir / "up.crt", "--key", workdir / "up.key"]
    assert world.certwright.run(*words).code == 33
    world.certwright.ok(*words, "--verify", "none")
    assert served(world, "b.example.test").serial_number == leaf.serial_number
    world.certwright.ok("delete", "custom_certificates/b.example.test.crt")
    wait.until(lambda: served(world, "b.example.test").serial_number != leaf.serial_number,
               "it is gone")
    for name, text in world.certwright.texts().items():
        assert "PRIVATE KEY" not in text, name


def test_the_default_certificate_is_shown_where_no_other_fits(traefik_world):
    world = traefik_world
    world.certwright.serve()
    own = wait.until(lambda: _not_traefiks_own(served(world, None)), "the self-signed pair").serial_number
    assert action(world, "set-default-certificate", {"names": ["d.example.test", NAME]}) == ""
    (entry,) = listed(world)
    assert entry["default"] is True and entry["names"] == [NAME, "d.example.test"]
    for name in (None, "unknown.example.test", NAME):
        assert served(world, name).serial_number == int(entry["serial"]), name
    action(world, "delete-certificate", {"type": "internal", "serial": entry["serial"]})
    wait.until(lambda: served(world, None).serial_number == own, "the self-signed pair again")


def _not_traefiks_own(certificate):
    return None if "TRAEFIK DEFAULT" in certificate.subject.rfc4514_string() else certificate


def test_another_ca_takes_over_while_the_daemon_runs(world, listener, workdir):
    first = world.pebble.directory_url
    second = Pebble(workdir / "second", world.http_port, world.dns.dns_port, listener)
    try:
        second.wait()
        world.certwright.serve()
        action(world, "set-certificate", {"fqdn": NAME})
        switched = world.certwright.run(
            "run", "set-acme-server",
            "--data", json.dumps({"url": second.directory_url, "challenge": "TLS-ALPN-01"}))
        assert switched.code == 0 and switched.stdout == '""\n', str(switched)
        assert "HTTP-01" in switched.stderr
        action(world, "set-certificate", {"fqdn": "b.example.test"})
        assert (world.pebble.orders(), second.orders()) == (1, 1)
        assert second.accounts() == 1
        assert {entry["ca"] for entry in listed(world)} == {first, second.directory_url}

        world.certwright.stop()
        world.certwright.serve()
        shown = world.certwright.ok("config", "show").stdout
        assert 'acme.directory = "%s"  # set-acme-server' % second.directory_url in shown, shown
        assert action(world, "get-acme-server", {}) == {
            "url": second.directory_url, "email": "", "challenge": "TLS-ALPN-01"}
        # One that cannot be reached is taken all the same; the configuration's holds again.
        action(world, "set-acme-server", {"url": "https://127.0.0.1:1/dir"})
        action(world, "set-certificate", {"fqdn": "c.example.test", "sync_timeout": 1}, 3)
        action(world, "set-acme-server",
               {"url": first, "email": "admin@example.com", "challenge": "HTTP-01"})
        assert "set-acme-server" not in world.certwright.ok("config", "show").stdout
        action(world, "set-certificate", {"fqdn": "d.example.test"})
        assert (world.pebble.orders(), second.orders()) == (2, 1)
    finally:
        second.stop()
