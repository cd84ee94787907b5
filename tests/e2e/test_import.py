"""Certificates and the account of another client, taken over without a request for new ones."""

import base64
import json
import re
import shutil

from cryptography.hazmat.primitives import serialization
from harness import pki, tls
from harness.servers import PROJECT

HELD = "held.example.org"
PAIR = ["pair-a.example.org", "pair-b.example.org"]


def resolver_flags(world, storage):
    own = "--certificatesresolvers.own.acme."
    return [own + "caserver=" + world.pebble.directory_url,
            own + "cacertificates=%s" % world.listener.root, own + "email=admin@example.com",
            own + "storage=%s" % storage, own + "keytype=EC256",
            own + "httpchallenge.entrypoint=http"]


def router(names):
    return {"rule": "Host(`%s`)" % names[0], "entryPoints": ["https"], "service": "noop@internal",
            "tls": {"certResolver": "own", "domains": [{"main": names[0], "sans": names[1:]}]}}


def certificates_in(storage):
    try:
        document = json.loads(storage.read_text())
    except (OSError, ValueError):
        return []
    return document.get("own", {}).get("Certificates") or []


def traefik_obtains(world):
    """An acme.json that a real Traefik wrote; afterwards it runs as it does beside Certwright."""
    storage = world.directory / "acme.json"
    plain = list(world.traefik.flags)
    world.traefik.restart(plain + resolver_flags(world, storage))
    routers = world.traefik.dynamic_dir / "routers.yml"
    routers.write_text(json.dumps(
        {"http": {"routers": {"one": router([HELD]), "two": router(PAIR)}}}))
    world.traefik.process.wait_until(lambda: len(certificates_in(storage)) == 2, "done with ACME")
    routers.unlink()
    world.traefik.restart(plain)
    return storage


def import_report(world, *words, code=0):
    result = world.certwright.run("--json", "import", *words)
    assert result.code == code, str(result)
    return result.json()


def fates(report):
    return sorted((entry["names"][0], entry["fate"]) for entry in report["certificates"])


def test_an_acme_json_of_traefik(make_world):
    world = make_world(traefik=True)
    storage = traefik_obtains(world)
    certwright, pebble = world.certwright, world.pebble
    assert (pebble.orders(), pebble.accounts()) == (2, 1)
    posts = len(pebble.posts())
    certwright.serve()

    assert fates(import_report(world, "traefik-acme", storage, "--dry-run")) == [
        (HELD, "imported"), (PAIR[0], "imported")]
    assert certwright.certificates() == []
    report = import_report(world, "traefik-acme", storage)
    assert fates(report) == [(HELD, "imported"), (PAIR[0], "imported")]
    assert [account["fate"] for account in report["accounts"]] == ["imported"]
    assert report["left_out"] == [] and "warning" not in report
    port = world.traefik.https_port
    before = {name: tls.served_certificate(port, name) for name in (HELD, PAIR[1])}
    assert tls.names_of(before[HELD]) == [HELD]
    assert tls.names_of(before[PAIR[1]]) == PAIR

    # The scheduler looks at them, asks the CA for their window, and orders nothing.
    certwright.daemon.wait_until(
        lambda: all(entry["next_renewal"] for entry in certwright.certificates()), "planned")
    assert fates(import_report(world, "traefik-acme", storage)) == [
        (HELD, "present"), (PAIR[0], "present")]
    assert (pebble.orders(), pebble.accounts(), len(pebble.posts())) == (2, 1, posts)

    # A renewal is of that certificate, from that account.
    certwright.ok("renew", HELD, "--force")
    assert (pebble.orders(), pebble.accounts()) == (3, 1)
    serial = before[HELD].serial_number
    certwright.daemon.wait_until(
        lambda: tls.served_certificate(port, HELD).serial_number != serial, "serving the new one")
    assert len(re.findall(r"ARI: order \S+ is a replacement of", pebble.process.output())) == 1
    assert certwright.ok("--json", "account", "show").json()["status"] == "valid"


def base64_of(content):
    return base64.b64encode(content).decode()


def acme_json(world, groups):
    """As Traefik writes it, with an EC account; the certificates are of a CA of the test's own."""
    authority = pki.Authority.root("Imported CA")
    certificates = []
    for names in groups:
        key = pki.new_key()
        chain = pki.pem(authority.sign(names, key.public_key())) + pki.pem(authority.certificate)
        certificates.append({"domain": {"main": names[0], "sans": names[1:]}, "Store": "default",
                             "certificate": base64_of(chain), "key": base64_of(pki.key_pem(key))})
    account = pki.new_key().private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption())
    url = world.pebble.directory_url.replace("/dir", "/my-account/1")
    return {"acmeServer": {
        "Account": {"Email": "admin@example.com", "Registration": {"body": {}, "uri": url},
                    "PrivateKey": base64_of(account)},
        "Certificates": certificates}}


def test_the_state_of_the_old_module(make_world):
    """Routes, certificates and settings; the routes are served as they were."""
    world = make_world(traefik=True)
    state = world.directory / "state"
    shutil.copytree(PROJECT / "tests" / "migrate" / "data" / "ns8", state)
    (state / "acme").mkdir()
    (state / "acme" / "acme.json").write_text(json.dumps(acme_json(world, [[HELD], PAIR])))
    # The CA and the host of the fixture are another module's.
    static = state / "traefik.yaml"
    static.write_text(static.read_text().replace("https://127.0.0.1:23827/dir",
                                                 world.pebble.directory_url))
    (state / "configs" / "web1.yml").write_text(
        (state / "configs" / "web1.yml").read_text().replace("tr-c.example.org", HELD))
    shop = pki.Authority.root("shop.example.org")  # any pair will do
    key = pki.new_key()
    (state / "custom_certificates").mkdir()
    upload = state / "custom_certificates" / "shop.example.org.crt"
    upload.write_bytes(pki.pem(shop.sign(["shop.example.org"], key.public_key())))
    upload.with_suffix(".key").write_bytes(pki.key_pem(key))
    world.certwright.serve()

    report = import_report(world, "ns8-traefik", state, code=3)
    assert [entry["from"] for entry in report["left_out"]] == ["configs/by_hand.yml"]
    assert [(entry["names"], entry["fate"]) for entry in report["uploads"]] == [
        (["shop.example.org"], "imported")]
    assert fates(report) == [(HELD, "imported"), (PAIR[0], "imported")]
    assert sorted((route["instance"], route["fate"]) for route in report["routes"]) == [
        ("app2", "imported"), ("root3", "imported"), ("web1", "imported")]
    assert {entry["name"]: entry["fate"] for entry in report["settings"]} == {
        "acme-server": "imported", "trusted-proxies": "imported", "default-names": "imported"}
    route = json.loads(world.certwright.ok(
        "run", "get-route", "--data", '{"instance": "app2"}').stdout)
    assert (route["host"], route["path"], route["priority"]) == ("app.example.org", "/foo", 77)
    assert route["user_created"] is True and route["skip_cert_verify"] is True
    served = {entry["rule"] for entry in world.traefik.api("/api/http/routers")
              if entry["status"] == "enabled"}
    for host in (HELD, "app.example.org"):
        assert any(host in rule for rule in served), host
    for name in (HELD, "shop.example.org"):
        assert tls.names_of(tls.served_certificate(world.traefik.https_port, name)) == [name]
    server = json.loads(world.certwright.ok("run", "get-acme-server", "--data", "{}").stdout)
    assert (server["url"], server["email"]) == (world.pebble.directory_url, "admin@example.org")
    assert world.pebble.orders() == 0


def certbot_tree(folder, directory, names):
    """A lineage as certbot lays it out, by a CA of the test's own."""
    authority = pki.Authority.root("Imported CA")
    live, archive = folder / "live" / names[0], folder / "archive" / names[0]
    live.mkdir(parents=True)
    archive.mkdir(parents=True)
    key = pki.new_key()
    leaf = authority.sign(names, key.public_key())
    (archive / "fullchain1.pem").write_bytes(pki.pem(leaf) + pki.pem(authority.certificate))
    (archive / "privkey1.pem").write_bytes(pki.key_pem(key))
    for file in ("fullchain", "privkey"):
        (live / (file + ".pem")).symlink_to("../../archive/%s/%s1.pem" % (names[0], file))
    (folder / "renewal").mkdir(exist_ok=True)
    (folder / "renewal" / (names[0] + ".conf")).write_text(
        "[renewalparams]\nserver = %s\nkey_type = ecdsa\n" % directory)


def test_certbot_without_a_daemon_and_something_damaged(make_world):
    world = make_world()
    folder = world.directory / "letsencrypt"
    certbot_tree(folder, world.pebble.directory_url, ["good.example.org", "www.good.example.org"])
    certbot_tree(folder, world.pebble.directory_url, ["bad.example.org"])
    (folder / "archive" / "bad.example.org" / "privkey1.pem").write_text("no key\n")

    report = import_report(world, "certbot", folder, code=3)
    assert [entry["from"] for entry in report["left_out"]] == ["live/bad.example.org"]
    [held] = world.certwright.certificates()
    assert held["names"] == ["good.example.org", "www.good.example.org"]
    assert held["ca"] == world.pebble.directory_url
    # What is not due is not ordered by a timer either; what is held is not ordered by a call.
    world.certwright.ok("renew")
    world.certwright.ok("issue", "good.example.org", "www.good.example.org")
    assert world.pebble.orders() == 0

    missing = world.certwright.run("import", "lego", world.directory / "nothing")
    assert missing.code == 2, str(missing)
    wrong = world.certwright.run("import", "traefik-acme", world.certwright.config_file)
    assert wrong.code == 64, str(wrong)
