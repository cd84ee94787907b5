"""Every snippet of the page that module authors copy from, run as it stands.

What stands around a snippet is the reader's own program, and it is said here for each: three snippets
are pieces of one that has imported `agent` and `os`; the two event handlers use `os` and do not import
it; one ends in an `if` with nothing but a comment in it, which no Python takes until the reader decides
what to do. The text between the fences is never changed.
"""

import json

import pytest
from harness import api, page, pki, process, tls, unit, wait
from harness.echo import Echo, ask
from harness.module import Module

NAME = "mail.example.test"
ROLE = "traefik@node:fulladm"
READER = "import os\nimport agent\n"
PYTHON = page.snippets("python")
SET_ROUTE, RUN_NOWAIT, RUN, RESTART, RELOAD = range(5)


@pytest.fixture
def module(workdir, package, traefik_world):
    """With the role that the page tells its readers to ask for, and a daemon."""
    certwright = traefik_world.certwright
    app = certwright.runtime_dir / "mail1.sock"
    certwright.write_config({"api": {"socket": [
        {"path": str(certwright.socket_path)},
        {"path": str(app), "role": ROLE.split(":")[1], "caller": "module/mail1"}]}})
    made = Module(workdir / "home", package, certwright, SERVICE_FQDN=NAME, POSTFIX_HOSTNAME=NAME,
                  MODULE_ID="mail1")
    made.bare["CERTWRIGHT_SOCKET"] = str(app)
    made.world, made.certwright = traefik_world, certwright
    yield made


def serve(module, **environment):
    module.certwright.serve(env=environment)
    wait.until(lambda: (module.certwright.runtime_dir / "mail1.sock").exists(), "the module's socket")


def call(module, action, **data):
    answer = api.ask(module.certwright.socket_path, "POST", "/v1/actions/" + action, data)
    return answer.json()["output"]


def held(module, name):
    return call(module, "get-certificate", fqdn=name)["obtained"]


def check_pair(certificate, key):
    leaf = tls.first_certificate(certificate.read_text())
    private = pki.serialization.load_pem_private_key(key.read_bytes(), None)
    assert pki.public_der(private.public_key()) == pki.public_der(leaf.public_key())
    assert tls.names_of(leaf) == [NAME] and leaf.issuer != leaf.subject
    return leaf


def test_the_page_is_the_one_that_is_tested():
    assert len(PYTHON) == 5 and len(page.snippets("ini")) == 2
    text = page.PAGE.read_text()
    assert "org.nethserver.authorizations = " + ROLE in text
    assert text.count("```") == 2 * 7, "a fence of another kind"


def test_set_route(module):
    serve(module)
    web = Echo("web")
    try:
        program = READER + "host_fqdn = %r\n" % NAME + PYTHON[SET_ROUTE]
        port = web.url.rsplit(":", 1)[1]
        module.python_says(program, TCP_PORT=port)
        assert ask(module.world.traefik, NAME, tls=True).seen["name"] == "web"
        assert ask(module.world.traefik, NAME).status in (301, 302, 307, 308)
        stored = call(module, "get-route", instance="mail1")
        assert (stored["host"], stored["lets_encrypt"], stored["http2https"]) == (NAME, True, True)
        wait.until(lambda: held(module, NAME), "the certificate that it asks for", 30)
    finally:
        web.stop()


def test_set_certificate_in_the_background(module):
    serve(module)
    module.python_says(READER + PYTHON[RUN_NOWAIT])
    (task,) = api.ask(module.certwright.socket_path, "GET", "/v1/tasks").json()["tasks"]
    ended = api.ended(module.certwright.socket_path, task["id"])
    assert ended["extra"] == {"title": "set-certificate", "isNotificationHidden": False}
    assert (ended["parent"], ended["user"], ended["role"]) == ("", "module/mail1", "fulladm")
    assert (ended["exit_code"], ended["output"]) == (0, {"obtained": True})
    assert held(module, NAME)


def test_set_certificate_and_wait(module):
    serve(module)
    # The reader's decision is the first line after the snippet.
    program = READER + PYTHON[RUN] + "    decided = True\nprint(response)\n"
    assert eval(module.python_says(program)) == {
        "output": {"obtained": True}, "error": "", "exit_code": 0}
    module.world.dns.point("nobody.example.test", "127.0.0.2")
    program += "assert decided\n"
    failed = eval(module.python_says(program, SERVICE_FQDN="nobody.example.test"))
    assert failed["exit_code"] == 3 and failed["error"]
    assert [entry["error"] for entry in failed["output"]] == ["newcert_acme_error"]


def handler_of(module):
    """Where the page says."""
    return module.install / "events" / "certificate-changed" / "10handler"


def install_handler(module, snippet):
    return module.script(handler_of(module), "#!%s -B\nimport os\n%s" % (module.python, snippet))


def handle(module, **event):
    return module.run(handler_of(module), stdin=json.dumps(event), NODE_ID="1")


@pytest.fixture(params=["root's handlers", "the module's own"])
def run_handler(request, module):
    """run_handler(SNIPPET): it is there, and will be run, by a daemon that is started, as root would do
    for a module, or by the module itself, as its user."""
    running = []

    def start(snippet):
        handler = install_handler(module, snippet)
        if request.param == "root's handlers":
            module.script(
                module.certwright.events_dir / "certificate-changed" / "mail1",
                "#!/bin/sh\nAGENT_STATE_DIR='%s' exec runagent '%s'\n" % (module.state, handler))
            return serve(module, **module.bare)
        serve(module)
        running.append(process.Process(
            "certwright-events",
            [module.programs / "runagent", module.python.with_name("certwright-events")],
            module.logs / "events.log", env=module.bare, cwd=module.state))
        positions = module.state / "certwright-events"
        return wait.until(lambda: positions.exists() and list(positions.iterdir()), "it follows")

    yield start
    for each in running:
        each.stop()


def test_the_handler_that_restarts(module, run_handler):
    run_handler(PYTHON[RESTART])
    module.certwright.ok("issue", "other.example.test")
    module.certwright.ok("issue", NAME)
    restart = "--user try-restart myservice"
    wait.until(lambda: module.told() == [restart], "the service is restarted")
    module.certwright.ok("issue", NAME, "--force")
    wait.until(lambda: module.told() == [restart] * 2, "and again")


def test_the_handler_that_reloads(module, run_handler):
    run_handler(PYTHON[RELOAD])
    files = module.state / "service.pem", module.state / "service.key"
    module.certwright.ok("issue", "other.example.test")
    module.certwright.ok("issue", NAME)
    reload = "--user reload myservice"
    wait.until(lambda: module.told() == [reload], "the service is reloaded")
    first = check_pair(*files).serial_number
    module.certwright.ok("issue", NAME, "--force")
    wait.until(lambda: module.told() == [reload] * 2, "and again")
    assert check_pair(*files).serial_number != first

    # The same event once more, an event of another name, one of another node.
    before = [file.stat().st_mtime_ns for file in files]
    for payload in ({"node_id": 1, "names": [NAME]}, {"node_id": 1, "names": ["a.test"]},
                    {"node_id": 2, "names": [NAME]}):
        again = handle(module, module_id="traefik1", **payload)
        assert again.code == 0, str(again)
    assert module.told() == [reload] * 2
    assert [file.stat().st_mtime_ns for file in files] == before


def test_the_wildcard_of_a_name_concerns_it(module):
    install_handler(module, PYTHON[RESTART])
    told = handle(module, node_id=1, module_id="traefik1", names=["*.example.test"])
    assert told.code == 0, str(told)
    assert module.told() == ["--user try-restart myservice"]


def run_unit(module, state_root=None):
    return unit.run(page.snippets("ini")[0], "get-certificate", state_root or module.install,
                    module.bare)


def test_the_unit(module):
    folder = module.state / "tls-certs"
    certificate, key = folder / "server.pem", folder / "server.key"
    serve(module)
    # What %S is to a user's systemd since 254.
    newer = module.home / ".local" / "state"
    newer.mkdir(parents=True)
    (newer / "state").symlink_to(module.state)
    # At its first start nothing was obtained yet: the service has something to start with.
    assert [code for code, _ in run_unit(module, newer)] == [0, 0, 0]
    own = tls.first_certificate(certificate.read_text())
    assert own.issuer == own.subject and tls.names_of(own) == [NAME]

    module.certwright.ok("issue", NAME)
    assert [code for code, _ in run_unit(module)] == [0, 0, 0]
    check_pair(certificate, key)
    whole = folder / "fullchain.pem"
    assert whole.read_bytes() == key.read_bytes() + certificate.read_bytes()
    assert [file.stat().st_mode & 0o777 for file in (key, whole)] == [0o600, 0o600]
    times = {file.name: file.stat().st_mtime_ns for file in (certificate, key, whole)}
    assert times["fullchain.pem"] == times["server.pem"]

    # A crash-loop of the service changes nothing.
    assert [code for code, _ in run_unit(module)] == [0, 3, 0]
    assert {file.name: file.stat().st_mtime_ns for file in (certificate, key, whole)} == times
    module.certwright.ok("issue", NAME, "--force")
    assert [code for code, _ in run_unit(module)] == [0, 0, 0]
    assert certificate.stat().st_mtime_ns == whole.stat().st_mtime_ns > times["server.pem"]

    # Without the daemon and with a store that cannot be read, all stays as it is.
    module.certwright.stop()
    (module.certwright.state_dir / "certwright.db").write_text("not a database\n" * 400)
    before = certificate.read_bytes(), key.read_bytes()
    assert [code for code, _ in run_unit(module)] == [0, 1, 0]
    assert (certificate.read_bytes(), key.read_bytes()) == before


def test_the_lines_for_the_service_need_the_unit():
    wanted = dict(unit.parse(page.snippets("ini")[1])["Unit"])
    assert wanted == {"Wants": "get-certificate.service", "After": "get-certificate.service"}
