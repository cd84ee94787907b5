"""Routes through a real Traefik: set-route and its family, and the certificates that routes ask for."""

import json

import pytest
from harness import tls, wait
from harness.echo import Echo, ask
from harness.handlers import Recorder
from harness.ports import free_port

HOST = "web.example.test"


@pytest.fixture
def echo():
    server = Echo("web")
    yield server
    server.stop()


@pytest.fixture
def served(traefik_world):
    traefik_world.certwright.serve()
    return traefik_world


def run(world, action, **fields):
    return world.certwright.run("run", action, "--data", json.dumps(fields))


def done(world, action, **fields):
    result = run(world, action, **fields)
    assert result.code == 0, str(result)
    return json.loads(result.stdout)


def route(world, instance, **fields):
    assert done(world, "set-route", instance=instance, **fields) == ""


def status(world, instance):
    listed = done(world, "list-routes", expand_list=True)
    found = [entry for entry in listed if entry["instance"] == instance]
    return found[0].get("lets_encrypt_status") if found else "missing"


def is_there(world, instance):
    """Obtained, not yet served."""
    wait.until(lambda: status(world, instance) is None, "the certificate is there", 30)


def issuer(world, name):
    return tls.served_certificate(world.traefik.https_port, name).issuer.rfc4514_string()


def test_by_host_and_by_path_and_gone_without_a_restart(served, echo):
    traefik, pid = served.traefik, served.traefik.process.pid
    other = Echo("other")
    try:
        route(served, "host", url=echo.url, host=HOST)
        route(served, "both", url=other.url, host=HOST, path="/a/")
        route(served, "path", url=other.url, path="/only")
        for name, host, path, backend in [
            ("host", HOST, "/", "web"), ("host, in other letters", HOST.upper(), "/x", "web"),
            ("host and path", HOST, "/a", "other"), ("below the path", HOST, "/a/b?c=d", "other"),
            ("beside the path", HOST, "/ab", "web"), ("path of any host", "x.test", "/only/1", "other"),
            ("unknown host", "x.test", "/", None), ("beside it", "x.test", "/onlyx", None),
        ]:
            for secure in (False, True):
                answer = ask(traefik, host, path, tls=secure)
                assert answer.status == (200 if backend else 404), (name, answer)
                if backend:
                    assert (answer.seen["name"], answer.seen["path"]) == (backend, path), name
        assert done(served, "list-routes") == ["both", "host", "path"]
        assert done(served, "get-route", instance="both")["path"] == "/a"
        done(served, "delete-route", instance="both")
        assert ask(traefik, HOST, "/a").seen["name"] == "web"
        done(served, "delete-route", instance="host")
        assert ask(traefik, HOST).status == 404
        assert done(served, "get-route", instance="host") == {}
        done(served, "delete-route", instance="host")
        assert traefik.process.pid == pid
    finally:
        other.stop()


def test_each_field_does_what_it_says(served, echo, listener):
    traefik = served.traefik
    secure, auth = Echo("secure", tls=listener), Echo("auth", token="good")
    fields = {"url": echo.url, "host": HOST, "path": "/a"}
    try:
        route(served, "r", **fields, http2https=True)
        plain = ask(traefik, HOST, "/a/b?c")
        assert plain.status in (301, 302, 307, 308), plain
        assert plain.headers["location"].startswith("https://" + HOST), plain
        assert plain.headers["location"].endswith("/a/b?c"), plain
        assert ask(traefik, HOST, "/a", tls=True).status == 200

        route(served, "r", http2https=False, ip_allowlist=["10.0.0.0/8"])
        assert ask(traefik, HOST, "/a").status == 403
        route(served, "r", ip_allowlist=["10.0.0.0/8", "127.0.0.1"])
        assert ask(traefik, HOST, "/a").status == 200

        route(served, "r", ip_allowlist=[], strip_prefix=True)
        assert ask(traefik, HOST, "/a/b/c").seen["path"] == "/b/c"
        route(served, "r", strip_prefix=False, slash_redirect=True)
        bare = ask(traefik, HOST, "/a")
        assert bare.status in (301, 302, 307, 308), bare
        assert bare.headers["location"].endswith("/a/"), bare
        assert ask(traefik, HOST, "/a/").seen["path"] == "/a/"

        text = 'a "b" {{ env "HOME" }} `c`'
        route(served, "r", slash_redirect=False, headers={
            "request": {"X-Set": text, "X-Gone": ""}, "response": {"X-Told": text, "X-Backend": ""}})
        answer = ask(traefik, HOST, "/a", headers={"X-Gone": "1", "X-Kept": "2"})
        assert answer.seen["headers"]["x-set"] == text
        assert "x-gone" not in answer.seen["headers"]
        assert answer.seen["headers"]["x-kept"] == "2"
        assert answer.headers["x-told"] == text and "x-backend" not in answer.headers

        route(served, "r", headers={}, forward_auth={
            "address": auth.url + "/check", "auth_response_headers": ["X-User"]})
        assert ask(traefik, HOST, "/a").status == 401
        answer = ask(traefik, HOST, "/a", headers={"X-Token": "good"})
        assert answer.seen["headers"]["x-user"] == "alice", answer
        route(served, "r", forward_auth={})
        assert ask(traefik, HOST, "/a").status == 200

        route(served, "r", url=secure.url)
        assert ask(traefik, HOST, "/a").status in (500, 502)
        route(served, "r", skip_cert_verify=True)
        assert ask(traefik, HOST, "/a").seen["name"] == "secure"
    finally:
        secure.stop()
        auth.stop()


def test_refusals_change_nothing_that_is_served(served, echo):
    route(served, "r", url=echo.url, host=HOST)
    for fields, code, error in [
        ({"host": "localhost"}, 2, "host_is_not_valid_not_localhost"),
        ({"ip_allowlist": ["x"]}, 3, "bad_ip_address"),
        ({"headers": {"request": {"a b": ""}}}, 3, "headers_name_format_is_not_valid"),
        ({"host": None}, 4, "missing_path_argument"),
        ({"host": "a`b.example.test"}, 10, "host_format"),
        ({"instance": "../r"}, 10, "instance_pattern"),
    ]:
        result = run(served, "set-route", **{"instance": "r", **fields})
        assert result.code == code, str(result)
        assert json.loads(result.stdout)[0]["error"] == error
    assert ask(served.traefik, HOST).seen["name"] == "web"


def test_a_certificate_comes_in_the_background_and_goes_with_the_route(served, echo):
    route(served, "r", url=echo.url, host=HOST, lets_encrypt=True, http2https=True)
    is_there(served, "r")
    wait.until(lambda: "Pebble" in issuer(served, HOST), "it is served")
    assert tls.names_of(tls.served_certificate(served.traefik.https_port, HOST)) == [HOST]
    assert done(served, "get-certificate", fqdn=HOST)["lets_encrypt"] is True
    orders = served.pebble.orders()
    route(served, "r", lets_encrypt=True)
    assert served.pebble.orders() == orders
    done(served, "delete-route", instance="r", lets_encrypt_cleanup=True)
    assert ask(served.traefik, HOST).status == 404
    assert served.certwright.certificates() == []
    assert "Pebble" not in issuer(served, HOST)


def test_a_route_without_its_certificate_serves_and_is_tried_again(served, echo):
    served.dns.point(HOST, "127.0.0.9")  # nobody answers the CA there
    route(served, "r", url=echo.url, host=HOST, lets_encrypt=True)
    assert status(served, "r") == "pending"
    for secure in (False, True):
        assert ask(served.traefik, HOST, tls=secure).status == 200
    wait.until(lambda: served.certwright.ok("--json", "show", HOST).json()["last_error"],
               "the first try has failed", 30)
    assert status(served, "r") == "pending"
    assert served.certwright.ok("--json", "show", HOST).json()["next_renewal"]
    served.dns.point(HOST, "127.0.0.1")
    served.certwright.ok("renew", HOST)
    assert status(served, "r") is None
    assert "Pebble" in issuer(served, HOST)


def test_with_a_check_the_certificate_comes_first(served, echo):
    fields = {"url": echo.url, "host": HOST, "lets_encrypt": True, "lets_encrypt_check": True}
    served.dns.point(HOST, "127.0.0.9")
    result = run(served, "set-route", instance="r", **fields)
    assert result.code == 3, str(result)
    violation = json.loads(result.stdout)[0]
    assert (violation["field"], violation["parameter"]) == ("host", "names")
    assert violation["error"] == "newcert_acme_error"
    assert HOST in violation["details"]
    assert ask(served.traefik, HOST).status == 404
    assert done(served, "list-routes") == []
    served.dns.point(HOST, "127.0.0.1")
    route(served, "r", **fields)
    assert status(served, "r") is None
    assert "Pebble" in issuer(served, HOST)


def test_without_a_daemon_the_next_one_gets_the_certificate(traefik_world, echo):
    route(traefik_world, "r", url=echo.url, host=HOST, lets_encrypt=True)
    assert ask(traefik_world.traefik, HOST).seen["name"] == "web"
    assert status(traefik_world, "r") == "pending"
    assert traefik_world.pebble.orders() == 0
    traefik_world.certwright.serve()
    is_there(traefik_world, "r")
    assert traefik_world.pebble.orders() == 1


def test_without_a_daemon_renew_gets_it(traefik_world, echo):
    route(traefik_world, "r", url=echo.url, host=HOST, lets_encrypt=True)
    traefik_world.certwright.ok("renew")
    assert status(traefik_world, "r") is None
    assert "Pebble" in issuer(traefik_world, HOST)


def test_what_was_stored_before_a_crash_is_served_after_it(traefik_world, echo):
    crashed = traefik_world.certwright.run(
        "run", "set-route", "--data", json.dumps({"instance": "r", "url": echo.url, "host": HOST}),
        env={"CERTWRIGHT_TEST_EXIT_BEFORE_DELIVERY": "1"})
    assert crashed.code == 99, str(crashed)
    traefik_world.certwright.serve()
    wait.until(lambda: ask(traefik_world.traefik, HOST).status == 200, "it is served")


def test_without_traefik_routes_are_stored_and_hosts_told(world):
    hosts = Recorder(world.certwright.events_dir, "hosts-changed")
    hosts.add("10")
    world.certwright.serve()
    fields = {"url": "http://127.0.0.1:%d" % free_port(), "host": HOST}
    for instance in ("mail1", "mail1-web", "mail10"):
        route(world, instance, **fields)
    route(world, "mail10", host="b.example.test")
    told = wait.until(lambda: hosts.entries()[1:] and hosts.entries(), "two changes are told")
    assert [entry["payload"] for entry in told] == [{"node_id": "1"}] * 2
    assert told[0]["environment"]["AGENT_EVENT_NAME"] == "hosts-changed"
    assert done(world, "module-removed", module="mail1", node=2) == {"routes": []}
    assert done(world, "module-removed", module="mail1", node=1) == {
        "routes": ["mail1", "mail1-web"]}
    assert done(world, "list-routes") == ["mail10"]
    wait.until(lambda: len(hosts.entries()) == 3, "the host that is gone is told")
