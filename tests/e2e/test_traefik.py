"""Certificates served by a real Traefik, and HTTP-01 through it."""

import datetime
import json
import stat
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from harness import tls, wait
from harness.servers import PROJECT, Traefik

NAME = "a.example.test"


def serial(certwright, name):
    text = certwright.ok("export", name, "--format", "fullchain").stdout
    return tls.first_certificate(text).serial_number


def served(world, name):
    return tls.served_certificate(world.traefik.https_port, name)


def test_a_valid_default_certificate_before_anything_is_issued(traefik_world):
    traefik_world.certwright.serve()
    now = datetime.datetime.utcnow()
    for name in (None, "unknown.example.test"):
        shown = wait.until(lambda sni=name: _not_traefiks_own(served(traefik_world, sni)),
                           "the default certificate is served")
        assert shown.not_valid_before <= now < shown.not_valid_after


def _not_traefiks_own(certificate):
    return None if "TRAEFIK DEFAULT" in certificate.subject.rfc4514_string() else certificate


@pytest.mark.parametrize("daemon", [False, True], ids=["in process", "daemon"])
def test_served_when_issue_returns(traefik_world, daemon):
    if daemon:
        traefik_world.certwright.serve()
    traefik_world.certwright.ok("issue", NAME)
    assert served(traefik_world, NAME).serial_number == serial(traefik_world.certwright, NAME)
    checked = traefik_world.certwright.run("traefik", "check")
    assert checked.code == 0, str(checked)


def test_a_renewed_certificate_takes_the_old_ones_place(traefik_world):
    traefik_world.certwright.serve()
    traefik_world.certwright.ok("issue", NAME)
    first = served(traefik_world, NAME).serial_number
    traefik_world.certwright.ok("issue", NAME, "--force")
    second = served(traefik_world, NAME).serial_number
    assert second == serial(traefik_world.certwright, NAME) != first


def test_several_certificates_side_by_side(traefik_world):
    traefik_world.certwright.serve()
    groups = [["a.example.test"], ["b.example.test", "c.example.test"], ["d.example.test"]]
    for names in groups:
        traefik_world.certwright.ok("issue", *names)
    for names in groups:
        for name in names:
            assert tls.names_of(served(traefik_world, name)) == names


def test_a_deleted_certificate_is_no_longer_served(traefik_world):
    traefik_world.certwright.serve()
    traefik_world.certwright.ok("issue", NAME)
    gone = serial(traefik_world.certwright, NAME)
    traefik_world.certwright.ok("delete", NAME)
    wait.until(lambda: served(traefik_world, NAME).serial_number != gone, "it is no longer served")


def test_a_crash_before_rendering_heals_at_the_next_start(traefik_world):
    crashed = traefik_world.certwright.run(
        "issue", NAME, env={"CERTWRIGHT_TEST_EXIT_BEFORE_DELIVERY": "1"})
    assert crashed.code == 99, str(crashed)
    traefik_world.certwright.serve()
    assert tls.wait_for_serial(traefik_world.traefik.https_port, NAME,
                               serial(traefik_world.certwright, NAME))


def test_a_lost_dynamic_file_is_written_again(traefik_world):
    traefik_world.certwright.ok("issue", NAME)
    (traefik_world.traefik.dynamic_dir / "certwright.yml").unlink()
    traefik_world.certwright.serve()
    assert tls.wait_for_serial(traefik_world.traefik.https_port, NAME,
                               serial(traefik_world.certwright, NAME))


def test_traefik_restarted_serves_the_same(traefik_world):
    traefik_world.certwright.serve()
    traefik_world.certwright.ok("issue", NAME)
    traefik_world.traefik.restart()
    assert tls.wait_for_serial(traefik_world.traefik.https_port, NAME,
                               serial(traefik_world.certwright, NAME))


def test_what_is_written_for_traefik(traefik_world):
    traefik_world.certwright.ok("issue", NAME)
    rendered = traefik_world.certwright.ok("traefik", "render").stdout
    files = list(traefik_world.traefik.dynamic_dir.iterdir())
    assert [file.name for file in files] == ["certwright.yml"]
    assert json.loads(files[0].read_text()) == json.loads(rendered)
    assert "PRIVATE KEY" not in rendered
    pairs = json.loads(rendered)["tls"]["certificates"]
    assert len(pairs) == 1
    key = Path(pairs[0]["keyFile"])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_nothing_is_written_when_nothing_changed(traefik_world):
    traefik_world.certwright.ok("issue", NAME)
    file = traefik_world.traefik.dynamic_dir / "certwright.yml"
    before = file.stat()
    traefik_world.certwright.serve()
    traefik_world.certwright.ok("list")
    traefik_world.certwright.stop()
    after = file.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize("path, status", {
    "/.well-known/acme-challenge/" + "a" * 43: 404,
    "/.well-known/acme-challenge/": 404,
    "/.well-known/acme-challenge/../../certwright.db": 404,
    "/": 404,
}.items())
def test_unknown_paths_are_not_found(traefik_world, path, status):
    traefik_world.certwright.serve()
    wait.until(lambda: "certwright" in json.dumps(traefik_world.traefik.api("/api/http/routers")),
               "the route is there")
    url = "http://127.0.0.1:%d%s" % (traefik_world.traefik.http_port, path)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as answer:
        opener.open(url, timeout=5)
    assert answer.value.code == status


def test_check_says_what_is_wrong(traefik_world):
    traefik_world.certwright.ok("issue", NAME)
    traefik_world.traefik.stop()
    checked = traefik_world.certwright.run("traefik", "check")
    assert checked.code == 1, str(checked)
    assert str(traefik_world.traefik.api_port) in checked.stdout + checked.stderr


@pytest.mark.parametrize("daemon", [False, True], ids=["in process", "daemon"])
def test_what_is_held_does_not_wait_for_a_traefik_that_is_gone(traefik_world, daemon):
    certwright = traefik_world.certwright
    certwright.ok("issue", NAME)
    traefik_world.traefik.stop()
    if daemon:  # started without Traefik: it has not caught up
        certwright.serve()
    again = certwright.ok("--json", "issue", NAME)
    assert again.json()["issued"] is False and again.json()["served"] is False
    assert "cannot be reached" in again.json()["warning"]
    # In process one rendering waits for Traefik before the command ends.
    assert again.wall < (2 if daemon else 5), str(again)
    asked = certwright.ok("run", "set-certificate", "--data", json.dumps({"fqdn": NAME}))
    assert asked.wall < (2 if daemon else 5), str(asked)
    traefik_world.traefik.restart()
    wait.until(lambda: certwright.ok("--json", "issue", NAME).json()["served"],
               "it is served again")


def test_no_warning_or_error_in_traefiks_log(traefik_world):
    traefik_world.certwright.serve()
    traefik_world.certwright.ok("issue", NAME)
    traefik_world.certwright.ok("issue", "b.example.test", "c.example.test")
    traefik_world.certwright.ok("delete", NAME)
    traefik_world.certwright.stop()
    bad = [line for line in traefik_world.traefik.process.output().splitlines()
           if " ERR " in line or " WRN " in line]
    assert bad == []


def test_the_packaged_static_configuration(make_world, workdir):
    """packaging/traefik/traefik.yml as it is, with only its ports and its folder put elsewhere."""
    world = make_world(traefik=True)
    world.traefik.stop()
    text = (PROJECT / "packaging" / "traefik" / "traefik.yml").read_text()
    for old, new in {
        '":80"': '"127.0.0.1:%d"' % world.traefik.http_port,
        '":443"': '"127.0.0.1:%d"' % world.traefik.https_port,
        '"127.0.0.1:8080"': '"127.0.0.1:%d"' % world.traefik.api_port,
        "/etc/traefik/dynamic": str(world.traefik.dynamic_dir),
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = workdir / "traefik.yml"
    file.write_text(text)
    world.traefik.restart(["--configfile=%s" % file])
    world.certwright.serve()
    world.certwright.ok("issue", NAME)
    assert served(world, NAME).serial_number == serial(world.certwright, NAME)
    entry_points = {entry["name"] for entry in world.traefik.api("/api/entrypoints")}
    assert entry_points == {"http", "https", "traefik"}


def test_the_packaged_static_configuration_loads(workdir):
    """Without Certwright: Traefik itself takes every key of the file."""
    traefik = Traefik(workdir, start=False)
    text = (PROJECT / "packaging" / "traefik" / "traefik.yml").read_text()
    text = (text.replace('":80"', '"127.0.0.1:%d"' % traefik.http_port)
            .replace('":443"', '"127.0.0.1:%d"' % traefik.https_port)
            .replace('"127.0.0.1:8080"', '"127.0.0.1:%d"' % traefik.api_port)
            .replace("/etc/traefik/dynamic", str(traefik.dynamic_dir)))
    file = workdir / "traefik.yml"
    file.write_text(text)
    traefik.restart(["--configfile=%s" % file])
    try:
        assert traefik.api("/api/overview")["providers"] == ["File"]
        assert " ERR " not in traefik.process.output()
    finally:
        traefik.stop()


def test_the_printed_static_configuration_loads(traefik_world, workdir):
    traefik, certwright = traefik_world.traefik, traefik_world.certwright
    proxies = json.dumps({"proxies": ["192.0.2.9"]})
    certwright.ok("run", "set-trusted-proxies", "--data", proxies)
    static = json.loads(certwright.ok("traefik", "static").stdout)
    ports = {"http": (":80", traefik.http_port), "https": (":443", traefik.https_port)}
    for name, (port, now) in ports.items():
        entry_point = static["entryPoints"][name]
        assert entry_point["address"] == port
        assert entry_point["forwardedHeaders"]["trustedIPs"] == ["192.0.2.9"]
        entry_point["address"] = "127.0.0.1:%d" % now
    file = workdir / "static.yml"
    file.write_text(json.dumps(static))
    traefik.restart(["--configfile=%s" % file])
    certwright.ok("issue", NAME)
    assert served(traefik_world, NAME).serial_number == serial(certwright, NAME)
    assert " ERR " not in traefik.process.output()


def test_nobody_is_told_served_where_nothing_was_looked_at(traefik_world):
    # The challenge route is there: without an API nobody could wait for it.
    traefik_world.certwright.ok("issue", "first.example.test")
    traefik_world.certwright.write_config({"traefik": {"api": "", "https_address": ""}})
    issued = json.loads(traefik_world.certwright.ok("--json", "issue", NAME).stdout)
    assert issued["served"] is None
    again = traefik_world.certwright.ok("issue", NAME)
    assert "served" not in again.stdout + again.stderr
    checked = traefik_world.certwright.run("traefik", "check")
    assert "unseen   " + NAME in checked.stdout, str(checked)
    assert "ok " not in checked.stdout
    assert "traefik.https_address is not known" in checked.stdout
