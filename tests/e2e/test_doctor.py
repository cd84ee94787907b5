"""doctor: set-ups that are broken, each told as what it is. Every case is a row: what is broken, and
the one finding that says so."""

import contextlib
import http.server
import json
import re
import threading

import pytest
from harness import wait

NAME = "a.example.test"
HERE = "127.0.0.1"
NOWHERE = "127.0.0.9"  # nobody listens there
OTHER = "127.0.0.8"  # another server, where a test starts one


def examine(certwright, *names):
    """(exit code, findings)."""
    result = certwright.run("--json", "doctor", *names)
    assert result.code in (0, 1), str(result)
    told = json.loads(result.stdout)
    assert told["ok"] == (result.code == 0), told
    return result.code, told["findings"]


def problems(certwright, *names):
    return [one for one in examine(certwright, *names)[1] if one["state"] != "ok"]


def check_one(found, check, subject, saw, state="problem"):
    """Exactly this is wrong, and it is said what to do."""
    assert [(one["check"], one["state"]) for one in found] == [(check, state)], found
    assert subject in found[0]["subject"], found
    assert re.search(saw, found[0]["saw"]), found
    assert found[0]["advice"] or state == "unknown", found


@contextlib.contextmanager
def server(port, status, headers=(), body=b"", hangs=False):
    """Somebody else, at OTHER."""
    done = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if hangs:
                done.wait(30)
                return
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    listener = http.server.ThreadingHTTPServer((OTHER, port), Handler)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield
    finally:
        done.set()
        listener.shutdown()
        listener.server_close()
        thread.join()


@pytest.fixture
def served(traefik_world):
    certwright = traefik_world.certwright
    certwright.serve()
    wait.until(lambda: certwright.run("traefik", "check").code == 0, "Traefik serves it")
    return traefik_world


def test_all_is_well(served):
    code, findings = examine(served.certwright, NAME)
    assert code == 0, [one for one in findings if one["state"] != "ok"]
    assert {one["check"] for one in findings} == {"disk", "ca", "account", "traefik", "http-01", "caa"}
    assert all(one["state"] == "ok" and one["saw"] for one in findings), findings
    # Without names: those that a CA is asked for. Nothing was ordered.
    assert not [one for one in examine(served.certwright)[1] if NAME in one["subject"]]
    assert served.pebble.orders() == 0
    served.certwright.ok("issue", NAME)
    assert [one for one in examine(served.certwright)[1] if NAME in one["subject"]]
    text = served.certwright.ok("doctor").stdout
    assert text.endswith("no problem was found\n"), text
    assert "ok       http-01  %s (127.0.0.1): the token was answered\n" % NAME in text
    assert "ok       http-01  through Traefik at 127.0.0.1:%d" % served.http_port in text


def test_dns(served):
    dns, certwright = served.dns, served.certwright
    dns.tell("set-servfail", {"host": NAME + "."})
    check_one([one for one in problems(certwright, NAME) if one["check"] == "dns"], "dns", NAME,
              "no DNS server can be reached, or", state="unknown")
    dns.tell("clear-servfail", {"host": NAME + "."})
    assert not problems(certwright, NAME)

    dns.point(NAME, NOWHERE)
    check_one(problems(certwright, NAME), "http-01", "%s (%s)" % (NAME, NOWHERE), "refused")
    dns.point(NAME, HERE, NOWHERE)
    check_one(problems(certwright, NAME), "http-01", "%s (%s)" % (NAME, NOWHERE), "refused")
    dns.point(NAME, HERE)
    dns.tell("add-aaaa", {"host": NAME + ".", "addresses": ["::1"]})
    check_one(problems(certwright, NAME), "http-01", "%s (::1)" % NAME, "refused")
    dns.tell("clear-aaaa", {"host": NAME + "."})
    dns.tell("set-cname", {"host": NAME + ".", "target": "b.example.test."})
    assert not problems(certwright, NAME), "an alias of a name that is well"
    dns.point("b.example.test", NOWHERE)
    check_one(problems(certwright, NAME), "http-01", "%s (%s)" % (NAME, NOWHERE), "refused")


def test_caa(served):
    dns, certwright = served.dns, served.certwright
    certwright.ok("account", "register")
    certwright.ok("issue", NAME)
    for values, saw in (
            ([";"], 'CAA 0 issue ";"'),
            (["ca.example"], 'CAA 0 issue "ca.example"'),
            (["pebble.letsencrypt.org; accounturi=https://ca.example/acct/1"], "accounturi"),
            (["pebble.letsencrypt.org; validationmethods=dns-01"], "validationmethods")):
        dns.caa("example.test", *values)
        check_one([one for one in problems(certwright, NAME)], "caa", NAME, re.escape(saw))
    dns.caa("example.test", "pebble.letsencrypt.org; validationmethods=dns-01,http-01")
    assert not problems(certwright, NAME)


def test_somebody_else_answers(served):
    port, certwright = served.http_port, served.certwright
    served.dns.point(NAME, OTHER)
    served.dns.tell("set-servfail", {"host": "lost.example.test."})
    subject = "%s (%s)" % (NAME, OTHER)
    here = "http://%s:%d" % (NAME, port)
    for answer, saw, state in (
            ({"status": 404, "body": b"not here"}, 'answers 404: "not here"', "problem"),
            ({"status": 503}, "answers 503", "problem"),
            ({"status": 200, "body": b"<html>It works"}, "answers something else: .*It works", "problem"),
            ({"status": 302, "headers": [("Location", "http://%s:8443/x" % NAME)]},
             "a port that no CA follows to", "problem"),
            ({"status": 301, "headers": [("Location", here + "/.well-known/acme-challenge/again")]},
             "more than 10 redirects", "problem"),
            ({"status": 301}, "no URL that can be followed", "problem"),
            ({"status": 302, "headers": [("Location", "http://lost.example.test:%d/" % port)]},
             "no DNS server can be reached, or", "unknown"),
            ({"status": 200, "hangs": True}, "no complete answer", "problem")):
        with server(port, **answer):
            found = [one for one in problems(certwright, NAME) if NAME in one["subject"]]
            check_one(found, "http-01", subject, saw, state)


def test_traefik(served):
    """Broken one way after the other; each time all else is as it was."""
    traefik, certwright = served.traefik, served.certwright
    flags = traefik.flags

    def tells(saw, *more):
        found = [one for one in problems(certwright, NAME) if one["check"] == "traefik"]
        check_one(found, "traefik", "", saw)
        through = [one for one in problems(certwright, NAME)
                   if one["subject"].startswith("through Traefik")]
        for pattern in more:
            assert re.search(pattern, through[0]["saw"]), through

    traefik.process.stop()
    tells("refused|cannot connect")

    other = served.directory / "other"
    other.mkdir()
    traefik.restart([flag.replace(str(traefik.dynamic_dir), str(other)) for flag in flags])
    tells("does not have the route of the challenges", "answers 404")

    # Its own resolver takes the challenges, and lets them pass where it is told to.
    resolver = ["--certificatesresolvers.le.acme.httpchallenge.entrypoint=http",
                "--certificatesresolvers.le.acme.email=a@example.test",
                "--certificatesresolvers.le.acme.storage=%s/acme.json" % served.directory,
                "--certificatesresolvers.le.acme.caserver=%s" % served.pebble.directory_url]
    traefik.restart(flags + resolver)
    tells("a resolver of Traefik's own", "answers 404")
    traefik.restart(flags + resolver + ["--entrypoints.http.allowacmebypass=true"])
    assert not problems(certwright, NAME)

    traefik.restart(flags + ["--entrypoints.http.http.redirections.entrypoint.to=https"])
    findings = examine(certwright)[1]
    assert all(one["state"] == "ok" for one in findings), findings
    assert any("redirects all to https" in one["saw"] for one in findings), findings

    traefik.restart([flag.replace("entrypoints.http.", "entrypoints.web.") for flag in flags])
    found = [one for one in problems(certwright, NAME) if one["subject"] == "http"]
    check_one(found, "traefik", "http", "no entry point of this name")


def test_the_machine(served):
    certwright = served.certwright
    certwright.state_dir.chmod(0o755)
    check_one(problems(certwright, NAME), "permissions", str(certwright.state_dir), "others")
    certwright.state_dir.chmod(0o700)
    served.pebble.process.stop()
    found = [one for one in problems(certwright, NAME) if one["check"] == "ca"]
    check_one(found, "ca", served.pebble.directory_url, "refused")


def test_an_export_that_somebody_changed(make_world):
    world = make_world()
    certwright = world.certwright
    file = world.directory / "combined.pem"
    certwright.write_config({"export": [
        {"name": "mail", "names": [NAME], "format": "combined", "path": str(file)}]})
    assert [one["state"] for one in examine(certwright, NAME)[1] if one["check"] == "export"] == [
        "unknown"]
    certwright.ok("issue", NAME)
    certwright.ok("exports", "run")
    assert not problems(certwright, NAME)
    file.write_text("somebody else's\n")
    check_one(problems(certwright, NAME), "export", "mail", "out-of-step")


@pytest.mark.parametrize("options, changes, check, saw", [
    ({}, {"acme": {"agree_to_terms": False}}, "account", "nobody agreed to the CA's terms"),
    ({"options": {"externalAccountBindingRequired": True}}, {}, "account", "bound to one of its customers"),
    ({}, {"acme": {"ca_bundle": None}}, "ca", "certificate"),
], ids=["terms", "eab", "trust"])
def test_a_ca_that_does_not_take_us(make_world, options, changes, check, saw):
    world = make_world(config=changes, **options)
    found = [one for one in problems(world.certwright, NAME) if one["check"] == check]
    check_one(found, check, world.pebble.directory_url, saw)


def test_bad_names_are_wrong_usage(world):
    result = world.certwright.run("doctor", "not a name")
    assert result.code == 64 and "not a name" in result.stderr, str(result)
