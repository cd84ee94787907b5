"""No value that a caller gives for a route can break out of its place (invariant I5).

Each hostile value goes to each field through set-route. It is refused with words that say where, or the
real Traefik shows a router that is enabled, with exactly the value given. One Traefik reads them all.
"""

import concurrent.futures
import json
import re

import pytest
from harness import api

CALLERS = 32
URL = "http://127.0.0.1:9"
# What words for people may not hold: control characters and directions of writing.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

VALUES = [
    # Rule syntax, Go templates, variables, regular expressions
    "`", "a`) || PathPrefix(`/", '"', '") || PathPrefix("/', "'", "\\", '\\"', "\\x41", "(", "||",
    "^.*$", "[a",
    "{{", "{{ env \"HOME\" }}", "}}", "{{`", "{a}", "${HOME}", "$1", "${1}", "$$",
    # YAML
    "null", "~", "true", "1", "1e3", "0x1f", "- a", ": ", "a: b", "#", "a #b", "&a", "*a",
    "!!binary a", "<<", "|", ">",
    "%YAML", "@file", "x@file", "a,b", "a.b", "a[0]", "---",
    # Control characters and the far ends of Unicode
    "\0", "a\0b", "\n", "a\nb", "a\r\nX-Injected: y", "\t", "\x1b[2J", "\x7f", "\x85", "\u2028",
    "\ufeff", "\ufffe",
    "\u202e", "\U0001f600", "\u00e4", "e\u0301",
    # Ways
    "../", "../../etc/passwd", "/", "//", "/..", "/./a", "/a/../b", "/a//b", "/a/", "%2e%2e", "%00",
    "%", "%zz", "%41",
    "?a=b", "#a", ";a", "/!$&'()*+,;=:@~",
    # Names and addresses
    "", " ", "a b", "*", "*.", "*.example.org", "a.*.org", "a..b.org", "-a.org", "a.org.",
    "A.Example.ORG",
    "b\u00fccher.example", "\u043f\u0440\u0438\u043c\u0435\u0440.example", "xn--bcher-kva.example",
    "xn--a.org",
    "a_b.org", "localhost", "127.0.0.1", "010.0.0.1", "0.0.0.0", "0.0.0.0/0", "::/0", "::1",
    "[::1]", "192.0.2.1/24",
    "192.0.2.1/33", "fe80::1%eth0", "999.0.0.1", "192.0.2.1,192.0.2.2",
    "file:///etc/passwd", "http://", "http://a b/", "http://u:p@h/", "HTTP://H",
    "http://[::1]:80/x?y", "http://h:0",
    "//h", "unix:///x",
    # Sizes
    "a" * 255, "a" * 256, "/" + "a" * 3000, "a" * 9000, "a" * (1 << 20),
]
SHORT = [value for value in VALUES if len(value) < 64]


def host_given(value):
    labels = [label if label.isascii() else label.encode("idna").decode()
              for label in value.split(".")]
    return ".".join(labels).lower()


def rule(traefik, instance):
    """(host, path) of a rule, read back as Traefik has it."""
    text = traefik["routers"][instance + "-https"]["rule"]
    literal = r'"(?:[^"\\]|\\.)*"'
    found = re.fullmatch(
        r"(?:Host\((?P<host>%s)\))?(?: && )?(?:PathPrefix\((?P<all>\"/\")\)|"
        r"\(Path\((?P<path>%s)\) \|\| PathPrefix\((?P<below>%s)\)\))?" % ((literal,) * 3), text)
    assert found, text
    host, path, below = [json.loads(found[name] or '""') for name in ("host", "path", "below")]
    assert below == (path + "/" if path else "")
    return host, path or ("/" if found["all"] else "")


def middleware(traefik, instance, suffix):
    return traefik["middlewares"]["%s-%s" % (instance, suffix)]


def stripped(traefik, instance):
    """The path, where rule, prefix and redirect are of one mind about it."""
    path = rule(traefik, instance)[1]
    if path == "/":
        return path
    assert middleware(traefik, instance, "strip")["stripPrefix"]["prefixes"] == [path]
    slash = middleware(traefik, instance, "slash")["redirectRegex"]
    assert slash["replacement"] == "${1}/${2}"
    for query in ("", "?a=/b"):
        assert re.fullmatch(slash["regex"], "https://h:8" + path + query)
    for other in ("/x" + path, path + "x", path + "/", path.replace(".", "x")):
        assert other == path or not re.fullmatch(slash["regex"], "http://h" + other)
    return path


def without_slash(value):
    return value.rstrip("/") or "/"


def url(traefik, instance):
    return traefik["services"][instance + "-backend"]["loadBalancer"]["servers"][0]["url"]


def header_maps(traefik, instance):
    headers = middleware(traefik, instance, "headers")["headers"]
    return [headers[kind] for kind in ("customRequestHeaders", "customResponseHeaders")]


def header_value(traefik, instance):
    (of_request,), (of_response,) = [list(each.values()) for each in header_maps(traefik, instance)]
    assert of_request == of_response
    return of_request


def header_name(traefik, instance):
    (of_request,), (of_response,) = header_maps(traefik, instance)
    (of_auth,) = auth(traefik, instance)["authResponseHeaders"]
    assert of_request == of_response == of_auth
    return of_request


def auth(traefik, instance):
    return middleware(traefik, instance, "auth")["forwardAuth"]


def itself(value):
    return value


# name: (the request's fields for a value, how it is read back, what is to be read where it was given)
FIELDS = {
    "host": (lambda v: {"host": v}, lambda t, i: rule(t, i)[0], host_given),
    "host's label": (lambda v: {"host": v + ".example.org"}, lambda t, i: rule(t, i)[0],
                     lambda v: host_given(v + ".example.org")),
    "path": (lambda v: {"path": v, "strip_prefix": True, "slash_redirect": True},
             stripped, without_slash),
    "path's part": (lambda v: {"path": "/" + v, "strip_prefix": True, "slash_redirect": True},
                    stripped, lambda v: without_slash("/" + v)),
    "url": (lambda v: {"url": v}, url, itself),
    "url's path": (lambda v: {"url": URL + "/" + v}, url, lambda v: URL + "/" + v),
    "ip_allowlist": (lambda v: {"ip_allowlist": ["192.0.2.7", v]},
                     lambda t, i: middleware(t, i, "allow")["ipAllowList"]["sourceRange"],
                     lambda v: ["192.0.2.7", v]),
    "header": (lambda v: {"headers": {"request": {"X-A": v}, "response": {"X-A": v}}},
               header_value, itself),
    "header's name": (lambda v: {"headers": {"request": {v: "v"}, "response": {v: "v"}},
                                 "forward_auth": {"address": URL, "auth_response_headers": [v]}},
                      header_name, itself),
    "forward_auth": (lambda v: {"forward_auth": {"address": v, "skip_tls_verify": True}},
                     lambda t, i: auth(t, i)["address"], itself),
}


def set_route(certwright, request):
    """(status, answer) of set-route."""
    body = request if isinstance(request, bytes) else json.dumps(request).encode()
    connection = api.Connection(certwright.socket_path)
    try:
        connection.request("POST", "/v1/actions/set-route", body,
                           {"Content-Type": "application/json"})
    except OSError:
        pass  # refused by its size, before it was read
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def loaded(traefik):
    """What Traefik's API shows, by name."""
    found = {}
    for kind in ("routers", "middlewares", "services"):
        entries = traefik.api("/api/http/%s?per_page=100000" % kind)
        found[kind] = {entry["name"].removesuffix("@file"): entry for entry in entries
                       if entry["name"].endswith("@file")}
    return found


def test_each_value_on_each_field(traefik_world):
    certwright = traefik_world.certwright
    certwright.serve()
    cases = {}
    for number, (name, (fields, _, _)) in enumerate(FIELDS.items()):
        for position, value in enumerate(VALUES):
            instance = "r%d-%d" % (number, position)
            request = {"instance": instance, "url": URL, "path": "/" + instance, **fields(value)}
            if name.startswith("host"):
                del request["path"]
            cases[instance] = (name, value, request)
    for position, value in enumerate(SHORT):
        request = {"instance": value, "url": URL, "path": "/i%d" % position}
        cases["i%d" % position] = ("instance", value, request)
    with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
        done = pool.map(lambda case: set_route(certwright, case[2]), cases.values())
        answers = dict(zip(cases, done))
    traefik = loaded(traefik_world.traefik)

    kept = set()
    for key, (name, value, request) in cases.items():
        where = "%s = %r" % (name, value[:80])
        status, text = answers[key]
        if status != 200:
            refused_clearly(where, status, text)
            assert request["instance"] + "-https" not in traefik["routers"] or name == "instance", where
            continue
        instance = request["instance"]
        kept.add(instance)
        for router in (instance + "-http", instance + "-https"):
            assert traefik["routers"][router]["status"] == "enabled", where
        if name != "instance":
            _, read, given = FIELDS[name]
            assert read(traefik, instance) == given(value), where
    # What was written is all that there is, and Traefik has nothing to say about it.
    written = {instance + end for instance in kept for end in ("-http", "-https")}
    assert set(traefik["routers"]) == written | {"certwright-acme", "certwright-acme-tls"}
    assert len({traefik["routers"][name]["priority"] for name in written}) == len(kept)
    log = traefik_world.traefik.process.output()
    assert " ERR " not in log and " WRN " not in log
    checked = certwright.ok("traefik", "check").stdout
    assert len(re.findall(r"^ok       route ", checked, re.M)) == len(kept)
    assert len(kept) > 200
    # Many callers at once are one rendering.
    assert certwright.daemon.output().count(" is written") < len(kept) / 2


def refused_clearly(where, status, text):
    assert status in (400, 413), (where, status, text)
    answer = json.loads(text)
    if answer.get("status") != "validation-failed":  # no JSON, or too much of it: there is no field
        assert not UNPRINTABLE.search(answer["detail"]) and len(answer["detail"]) < 500, where
        return
    assert len(text) < 20000, where
    for entry in answer["output"]:
        assert entry["field"] and entry["error"], where
        for words in (entry["error"], entry.get("details", "")):
            assert not UNPRINTABLE.search(words) and len(words) < 500, where


@pytest.mark.parametrize("body", [
    b'{"instance": "x", "url": "http://h", "path": "/\xff"}',
    b'{"instance": "x", "url": "http://h", "path": "/\\ud83d"}',
    b'{"instance": "x", "url": "http://h", "path": "/a", "path": "/b"}',
    b'{"instance": "x", "url": "http://h", "path": "/a", "priority": 900000}',
    b'{"instance": "x", "url": "http://h", "path": "/a", "priority": -1}',
    b'{"instance": "x", "url": "http://h", "path": "/a", "priority": 1e30}',
    b'{"instance": "x", "url": "http://h", "path": "/a",'
    b' "headers": {"request": {"X-A": "1", "x-a": "2"}}}',
    b'{"instance": "x", "url": "http://h"}',
], ids=["no UTF-8", "half a surrogate", "twice", "priority", "negative", "huge", "one header twice",
        "neither"])
def test_refused_before_anything_is_stored(world, body):
    world.certwright.serve()
    status, text = set_route(world.certwright, body)
    refused_clearly(body, status, text)
    assert json.loads(world.certwright.ok("run", "list-routes", "--data", "null").stdout) == []
