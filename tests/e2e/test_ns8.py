"""The tree of a NethServer 8 module image, run as the node's agent runs it, with a real Redis."""

import base64
import json
import os
import shutil
import subprocess
import time
import tomllib
from pathlib import Path

import pytest
from harness import certwright as certwright_module
from harness.agent import Agent
from harness.certwright import merged, toml
from harness.ports import free_port
from harness.process import Process, tcp_answers
from harness.redis import Redis
from harness.servers import PROJECT, tool

SCHEMAS = PROJECT / "schema" / "json"
FORMER = PROJECT / "tests" / "migrate" / "data" / "ns8"
MODULE = "traefik1"
# The table of roles that callers rely on.
ROUTEADM = {"set-route", "get-route", "delete-route", "list-routes"}
CERTADM = {"set-certificate", "set-default-certificate", "get-certificate", "delete-certificate",
           "list-certificates"}
NO_OUTPUT = {"set-default-certificate", "upload-certificate", "set-route", "delete-route",
             "set-acme-server", "set-trusted-proxies"}

FAKE_PROGRAMS = {
    "redis-exec": '#!/bin/sh\nexec redis-cli -p "$REDIS_PORT" --no-auth-warning '
                  '--user "$REDIS_USER" --pass "$REDIS_PASSWORD" "$@"\n',
    "systemctl": '#!/bin/sh\necho "systemctl $*" >>"$CALLS"\n',
}
FAKE_LIBRARY = """import os
def assert_exp(value):
    assert value
def add_public_service(name, ports):
    with open(os.environ["CALLS"], "a") as calls:
        calls.write("add_public_service %s %s\\n" % (name, ",".join(ports)))
    return True
"""


def make_tree(out):
    subprocess.run([PROJECT / "tools" / "ns8-tree", out, certwright_module.binary()], check=True)
    return Path(out) / "imageroot"


def test_the_tree(workdir):
    root = make_tree(workdir / "out")
    for link in filter(Path.is_symlink, root.rglob("*")):
        assert link.exists(), link
    for place in ("bin", "actions", "events", "update-module.d", "notify"):
        for file in (root / place).rglob("*"):
            assert file.is_dir() or file.suffix == ".json" or os.access(file, os.X_OK), file
    own = {"upload-certificate", "set-acme-server", "get-acme-server", "set-trusted-proxies",
           "get-trusted-proxies"}
    folders = {folder.name for folder in (root / "actions").iterdir()}
    assert folders == ROUTEADM | CERTADM | own | {"create-module", "restore-module"}
    for copy in (root / "actions").rglob("validate-*.json"):
        kind = copy.stem.removeprefix("validate-")
        original = SCHEMAS / ("%s.%s.json" % (copy.parent.name, kind))
        assert copy.read_bytes() == original.read_bytes(), copy
        # What may be left out may be null as a whole, and an empty output must not be checked.
        assert kind == "output" or json.loads(copy.read_text()).get("required"), copy
        assert kind == "input" or copy.parent.name not in NO_OUTPUT, copy
    assert subprocess.run([PROJECT / "tools" / "ns8-tree"], capture_output=True).returncode != 0


def test_the_program_with_its_libraries(workdir, sanitized):
    if sanitized:
        pytest.skip("a sanitizer wants to be loaded first")
    out = workdir / "out"
    subprocess.run([PROJECT / "tools" / "ns8-tree", "--with-libraries", out,
                    certwright_module.binary()], check=True)
    folder = out / "imageroot" / "lib"
    program = out / "imageroot" / "bin" / "certwright"
    # Nothing of the machine's own is loaded.
    (loader,) = folder.glob("ld-linux*")
    listed = subprocess.run([loader, "--library-path", folder, "--list", folder / "certwright"],
                            capture_output=True, text=True, check=True).stdout
    paths = [line.split()[2] for line in listed.splitlines() if "=> /" in line]
    assert paths and all(path.startswith(str(out)) for path in paths), listed
    said = subprocess.run([program, "--version"], env={}, capture_output=True, text=True)
    assert (said.returncode, said.stdout[:11]) == (0, "certwright "), said


class Node:
    """A module's user, Redis, the world of a CA and a Traefik, and the daemon of the unit."""

    def __init__(self, workdir, world):
        self.world, self.daemon = world, None
        home = workdir / "home"
        home.mkdir()
        make_tree(workdir / "out").rename(home / ".config")
        programs = workdir / "core"
        programs.mkdir()
        for name, text in FAKE_PROGRAMS.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        (programs / "agent.py").write_text(FAKE_LIBRARY)
        self.calls = workdir / "calls"
        self.redis = Redis(workdir, "module/" + MODULE, "secret-word")
        sanitizers = {name: value for name, value in world.certwright.environment().items()
                      if name.endswith("SAN_OPTIONS")}
        self.agent = Agent(home, MODULE, {
            "MODULE_ID": MODULE, "NODE_ID": "1", "TCP_PORT": str(free_port()),
        }, {
            "REDIS_ADDRESS": self.redis.address, "REDIS_PORT": str(self.redis.port),
            "REDIS_USER": "module/" + MODULE, "REDIS_PASSWORD": "secret-word",
            "PYTHONPATH": str(programs), "CALLS": str(self.calls), **sanitizers,
        }, [str(programs)])

    def create(self):
        task = self.agent.run("create-module", {"images": [], "volumes": {}})
        assert task.exit_code == 0, task
        return task

    def serve(self):
        """Against the test's CA and Traefik in place of the world's."""
        file = self.agent.state / "certwright.toml"
        given = self.world.certwright.config
        changes = {key: given[key] for key in ("acme", "probe", "http01", "traefik")}
        file.write_text(toml(merged(tomllib.loads(file.read_text()), changes)))
        self.daemon = Process(
            "certwright serve", [self.agent.install / "bin" / "certwright", "--config",
                                 "certwright.toml", "serve"],
            self.agent.state / "daemon.log", env=self.agent.environment(), cwd=self.agent.state)
        socket = self.agent.state / "run" / "certwright.sock"
        self.daemon.wait_until(socket.exists, "listening")

    def stop(self):
        if self.daemon is not None:
            self.daemon.stop()
        self.redis.stop()


@pytest.fixture
def node(workdir, make_world):
    if shutil.which("redis-cli") is None:
        pytest.fail("redis-tools is missing: run tools/setup")
    made = Node(workdir, make_world(traefik=True))
    yield made
    made.stop()


def members(node, role):
    return set(node.redis.cli("SMEMBERS", "module/%s/roles/%s" % (MODULE, role)).split())


def published(listener, name):
    """The payloads on the channel of this event so far."""
    lines = listener.output().splitlines()
    channel = "module/%s/event/%s" % (MODULE, name)
    return [json.loads(lines[at + 1]) for at, line in enumerate(lines[:-1])
            if line == channel and lines[at - 2] == "pmessage"]


def wait_for(ready, seconds=20):
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def test_create_module(node):
    task = node.create()
    assert task.steps == ["20config", "30grants", "40firewall", "50start"]
    assert task.output == ""
    assert members(node, "routeadm") == ROUTEADM
    assert members(node, "certadm") == CERTADM
    assert members(node, "fulladm") == ROUTEADM | CERTADM
    assert members(node, "selfadm") == {"set-route"}
    assert node.calls.read_text().splitlines() == [
        "add_public_service traefik1 80/tcp,443/tcp",
        "systemctl --user enable --now certwright.service traefik.service"]
    check = node.agent.program("certwright", "--config", "certwright.toml", "config", "check")
    assert check.returncode == 0, check

    # Its proxies are a part of Traefik's own file, and Traefik is started again.
    task = node.agent.run("set-trusted-proxies", {"proxies": ["192.0.2.1"]})
    assert (task.exit_code, task.steps) == (0, ["50set-trusted-proxies", "60traefik"]), task
    assert node.calls.read_text().endswith("systemctl --user try-restart traefik.service\n")
    assert node.agent.run("get-trusted-proxies").output == {"proxies": ["192.0.2.1"], "depth": 1}

    # Traefik takes its file; only the ports are not for a test.
    static = json.loads((node.agent.state / "traefik.yaml").read_text())
    assert static["entryPoints"]["http"]["forwardedHeaders"] == {"trustedIPs": ["192.0.2.1"]}
    ports = {name: free_port() for name in static["entryPoints"]}
    for name, port in ports.items():
        static["entryPoints"][name]["address"] = "127.0.0.1:%d" % port
    file = node.agent.state / "test-traefik.yaml"
    file.write_text(json.dumps(static))
    traefik = Process("traefik", [tool("traefik"), "--configfile=%s" % file],
                      node.agent.state / "traefik.log")
    try:
        traefik.wait_until(lambda: all(map(tcp_answers, ports.values())), "listening")
    finally:
        traefik.stop()


def test_actions_and_events(node):
    node.create()
    node.serve()
    listener = node.redis.listen("*/event/*")

    task = node.agent.run("set-certificate", {"fqdn": "Mail.Example.org"}, user="module/mail1")
    assert (task.exit_code, task.output, task.status) == (0, {"obtained": True}, "completed"), task
    wait_for(lambda: published(listener, "certificate-changed"))
    [told] = published(listener, "certificate-changed")
    assert told["names"] == ["mail.example.org"]
    assert (told["node_id"], told["module_id"]) == (1, MODULE)

    task = node.agent.run("get-certificate", {"fqdn": "mail.example.org"})
    assert task.exit_code == 0 and task.output["obtained"] is True, task
    pem = base64.b64decode(task.output["certificates"][0]["cert"])
    assert pem.startswith(b"-----BEGIN CERTIFICATE-----")

    # The schema refuses before any step; the step refuses what no schema can say.
    task = node.agent.run("set-certificate", {})
    assert (task.exit_code, task.status, task.steps) == (10, "validation-failed", []), task
    node.world.dns.point("nobody.example.org", "127.0.0.2")
    task = node.agent.run("set-certificate", {"fqdn": "nobody.example.org"})
    assert (task.exit_code, task.status) == (3, "validation-failed"), task
    assert task.output[0]["error"] == "newcert_acme_error"

    for nothing in (None, "", {}):
        task = node.agent.run("list-certificates", nothing)
        assert task.exit_code == 0, task
        assert [entry["names"] for entry in task.output["certificates"]] == [["mail.example.org"]]
    task = node.agent.run("set-acme-server", {"url": node.world.pebble.directory_url,
                                              "email": "admin@example.org"})
    assert (task.exit_code, task.output) == (0, ""), task
    assert node.agent.run("get-acme-server", {}).output["email"] == "admin@example.org"
    assert node.agent.run("set-acme-server", {"url": "x", "more": 1}).exit_code == 10
    task = node.agent.run("upload-certificate", {"certFile": "eA==", "keyFile": "eA=="})
    assert (task.exit_code, task.status) == (2, "validation-failed"), task
    task = node.agent.run("set-default-certificate", {"names": ["mail.example.org"]})
    assert (task.exit_code, task.output) == (0, ""), task

    # The programs for other programs.
    pair = ["--cert-file", "c.pem", "--key-file", "k.pem", "mail.example.org"]
    assert node.agent.program("get-certificate", *pair).returncode == 0
    assert node.agent.program("get-certificate", *pair).returncode == 3
    assert (node.agent.state / "c.pem").read_bytes() == pem
    backup = node.agent.state / "certwright-backup.db"
    assert node.agent.program("module-dump-state").returncode == 0
    assert backup.read_bytes().startswith(b"SQLite format 3")
    assert node.agent.program("module-cleanup-state").returncode == 0
    assert not backup.exists()


def test_routes(node):
    node.create()
    node.serve()
    listener = node.redis.listen("*/event/*")
    hosts = "module/%s/hosts" % MODULE
    for instance, host in (("mail1", "Mail.example.org"), ("mail1_web", "web.example.org"),
                           ("mail11", "eleven.example.org")):
        task = node.agent.run("set-route", {
            "instance": instance, "url": "http://127.0.0.1:20000", "host": host,
            "lets_encrypt": False, "http2https": True}, user="module/mail1")
        assert (task.exit_code, task.output) == (0, ""), task
    task = node.agent.run("get-route", {"instance": "mail1"})
    assert (task.exit_code, task.output["host"]) == (0, "mail.example.org"), task
    assert node.agent.run("get-route", {"instance": "nothing"}).output == {}
    for nothing in (None, "", {}):
        task = node.agent.run("list-routes", nothing)
        assert (task.exit_code, task.output) == (0, ["mail1", "mail11", "mail1_web"]), task
    assert node.agent.run("set-route", {"instance": "../x"}).exit_code == 10
    wait_for(lambda: node.redis.cli("SCARD", hosts) == "3")
    assert set(node.redis.cli("SMEMBERS", hosts).split()) == {
        "mail.example.org", "web.example.org", "eleven.example.org"}
    assert published(listener, "hosts-changed")[0] == {"node_id": "1"}
    node.redis.cli("DEL", hosts)  # what it knows may be old when the daemon starts
    assert node.agent.program("write-hosts").returncode == 0
    assert node.redis.cli("SCARD", hosts) == "3"

    assert node.agent.event("module-removed", {"module": "mail1", "node": 1}) == 0
    assert node.agent.run("list-routes").output == ["mail11"]
    assert node.agent.run("delete-route", {"instance": "mail11"}).output == ""
    wait_for(lambda: node.redis.cli("EXISTS", hosts) == "0")


def test_the_first_update_from_the_former_module(node):
    # Traefik is where the configuration says: its API at the second of the two ports.
    traefik = node.world.traefik
    node.agent.write_environment({"MODULE_ID": MODULE, "NODE_ID": "1",
                                  "TCP_PORT": str(traefik.api_port - 1)})
    (node.agent.state / "dynamic").symlink_to(traefik.dynamic_dir)
    for folder in ("configs", "manual_flags"):
        shutil.copytree(FORMER / folder, node.agent.state / folder)
    shutil.copy(FORMER / "traefik.yaml", node.agent.state / "traefik.yaml")
    (node.agent.state / "acme").mkdir()
    shutil.copy(FORMER.parent / "traefik-acme.json", node.agent.state / "acme" / "acme.json")

    # An update whose import does not go through: this one's files are written all the same.
    store = node.agent.state / "certwright" / "certwright.db"
    store.mkdir(parents=True)
    failed = node.agent.update(check=False)
    assert list(failed) == ["15import"], failed
    assert "certificatesResolvers" not in (node.agent.state / "traefik.yaml").read_text()
    store.rmdir()
    node.agent.update()
    routes = node.agent.run("list-routes", {"expand_list": True})
    assert [route["instance"] for route in routes.output] == ["app2", "root3", "web1"], routes
    assert any("tr-c.example.org" in router["rule"] for router in traefik.api("/api/http/routers"))
    assert members(node, "fulladm") == ROUTEADM | CERTADM
    assert "restart certwright.service traefik.service" in node.calls.read_text()
    # What traefik.yaml said of the CA came along though it was written anew in between.
    assert node.agent.run("get-acme-server", {}).output["email"] == "admin@example.org"
    again = node.agent.program(node.agent.install / "update-module.d" / "15import")
    assert (again.returncode, again.stderr) == (0, "")


def test_restore_module(node):
    node.create()
    node.serve()
    assert node.agent.run("set-trusted-proxies", {"proxies": ["192.0.2.7"]}).exit_code == 0
    assert node.agent.run("set-route", {"instance": "web1", "url": "http://127.0.0.1:20000",
                                        "path": "/x"}).exit_code == 0
    assert node.agent.program("module-dump-state").returncode == 0
    node.daemon.stop()

    # Another node: of the state there is what a backup holds.
    kept = {"certwright-backup.db", "environment", "agent.env"}
    for entry in node.agent.state.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name not in kept:
            entry.unlink()
    node.calls.write_text("")
    task = node.agent.run("restore-module", {})
    assert (task.exit_code, task.steps) == (0, ["60certwright"]), task
    assert node.calls.read_text().splitlines() == [
        "systemctl --user stop certwright.service traefik.service",
        "systemctl --user enable --now certwright.service traefik.service"]
    assert node.agent.run("list-routes").output == ["web1"]
    static = json.loads((node.agent.state / "traefik.yaml").read_text())
    assert static["entryPoints"]["https"]["forwardedHeaders"] == {"trustedIPs": ["192.0.2.7"]}
    assert not (node.agent.state / "certwright-backup.db").exists()


def test_a_redis_that_is_away_for_a_moment(node):
    handler = node.agent.install / "notify" / "certificate-changed" / "10publish"
    env = {**node.agent.environment(), "AGENT_EVENT_NAME": "certificate-changed",
           "AGENT_EVENT_SOURCE": "module/" + MODULE}
    given = json.dumps({"node_id": 1, "module_id": MODULE, "names": ["A.Example.org"]})
    listener = node.redis.listen("*/event/*")
    later = free_port()
    env["REDIS_ADDRESS"] = "127.0.0.1:%d" % later
    child = subprocess.Popen([handler], env=env, stdin=subprocess.PIPE, text=True)
    child.stdin.write(given)
    child.stdin.close()
    time.sleep(0.5)
    # It comes up where the handler looks for it.
    forward = Process(
        "forward", ["python3", "-c", FORWARD, str(later), str(node.redis.port)],
        node.agent.state / "forward.log")
    try:
        assert child.wait(20) == 0
        wait_for(lambda: published(listener, "certificate-changed"))
        assert published(listener, "certificate-changed")[0]["names"] == ["a.example.org"]
    finally:
        forward.stop()
    # What Redis refuses is an error at once.
    env.update(REDIS_ADDRESS=node.redis.address, REDIS_PASSWORD="wrong")
    refused = subprocess.run([handler], env=env, input=given, capture_output=True, text=True)
    assert refused.returncode != 0 and "WRONGPASS" in refused.stderr


FORWARD = """import socket, sys, threading
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def pump(source, target):
    while data := source.recv(4096):
        target.sendall(data)
while True:
    near, _ = server.accept()
    far = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""
