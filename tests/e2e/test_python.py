"""The Python package, as pip installs it, against the daemon."""

import grp
import json
import os
import signal
import subprocess

import pytest
from harness import api, process, tls, wait
from harness.certwright import binary
from harness.module import Module
from harness.servers import PROJECT

NAME = "mail.example.test"
RUN = """import agent, json
print(json.dumps(agent.tasks.run(agent.resolve_agent_id("traefik@node"), %r, %r)))
"""


@pytest.fixture
def module(workdir, package, world):
    made = Module(workdir / "home", package, world.certwright, MODULE_ID="mail1")
    made.world, made.certwright = world, world.certwright
    return made


def run(module, action, data, **more):
    return json.loads(module.python_says(RUN % (action, data), **more))


def test_calls_and_their_results(module):
    module.certwright.write_config({"node": {"module_id": "traefik9"}})
    module.certwright.serve()
    text = 'import agent\nprint(agent.resolve_agent_id("traefik@node"))'
    assert module.python_says(text) == "module/traefik9\n"
    good = run(module, "set-certificate", {"fqdn": NAME})
    assert good == {"output": {"obtained": True}, "error": "", "exit_code": 0}
    listed = run(module, "list-certificates", "")
    assert [entry["names"] for entry in listed["output"]["certificates"]] == [[NAME]]
    wrong = run(module, "set-certificate", {"fqdn": 5})
    assert wrong["exit_code"] == 10 and wrong["error"]
    assert {entry["field"] for entry in wrong["output"]} == {"fqdn"}
    assert run(module, "no-such-action", {})["exit_code"] == 8
    nothing = run(module, "set-acme-server", {"url": module.world.pebble.directory_url})
    assert nothing == {"output": "", "error": "", "exit_code": 0}

    # In a step of a module's own action: a failure there is the step's.
    step = "import agent\nagent.set_certificate({'fqdn': %r})\nprint('goes on')"
    assert module.python_says(step % NAME) == "goes on\n"
    ended = module.run(module.python, "-B", "-c", step % 5)
    assert ended.code == 10 and "set-status validation-failed" in ended.stderr, str(ended)
    assert json.loads(ended.stdout)[0]["field"] == "fqdn"

    task = module.python_says('import agent\nprint(agent.tasks.run_nowait('
                              '"module/traefik9", "list-certificates"))').strip()
    agent_id, _, number = task.rpartition("/task/")
    assert agent_id == "module/traefik9"
    assert api.ended(module.certwright.socket_path, number)["exit_code"] == 0


def test_a_certificate_and_its_key(module):
    module.certwright.serve()
    module.certwright.ok("issue", NAME)
    text = 'import agent\nprint(*agent.get_certificate_and_key(%r), sep="|")' % NAME
    chain, key = module.python_says(text).split("|")
    assert tls.names_of(tls.first_certificate(chain)) == [NAME]
    assert key.startswith("-----BEGIN PRIVATE KEY-----")
    tasks = api.ask(module.certwright.socket_path, "GET", "/v1/tasks").json()["tasks"]
    assert tasks == [], "no task was made for a key"


def test_what_the_role_of_a_socket_allows(module):
    run_dir = module.certwright.runtime_dir
    module.certwright.write_config({"api": {"socket": [
        {"path": str(run_dir / ("%s.sock" % role)), "role": role}
        for role in ("owner", "fulladm", "reader")]}})
    daemon = module.certwright.serve(wait=False)
    daemon.wait_until((run_dir / "reader.sock").exists, "listening")
    sockets = {role: str(run_dir / ("%s.sock" % role)) for role in ("owner", "fulladm", "reader")}
    for role, code in (("reader", 7), ("fulladm", 0)):
        done = run(module, "set-certificate", {"fqdn": NAME}, CERTWRIGHT_SOCKET=sockets[role])
        assert done["exit_code"] == code, done
    assert run(module, "get-certificate", {"fqdn": NAME},
               CERTWRIGHT_SOCKET=sockets["reader"])["exit_code"] == 7
    refused = ('import agent\ntry:\n    agent.tasks.run_nowait("module/x", "set-certificate")\n'
               'except agent.tasks.Refused as refused:\n    print(refused.status, refused)')
    said = module.python_says(refused, CERTWRIGHT_SOCKET=sockets["reader"])
    assert said.startswith("403 ") and "reader" in said

    # An owner is believed who it asks for.
    run(module, "list-certificates", "", CERTWRIGHT_SOCKET=sockets["owner"], AGENT_ID="module/mail1")
    tasks = api.ask(sockets["owner"], "GET", "/v1/tasks").json()["tasks"]
    assert [(task["user"], task["role"]) for task in tasks
            if task["action"] == "list-certificates"] == [("module/mail1", "owner")]


def test_a_daemon_that_dies_in_the_middle(module):
    certwright, pebble = module.certwright, module.world.pebble
    certwright.serve()
    pebble.process.signal(signal.SIGSTOP)
    try:
        program = module.python_program("ask", RUN % ("set-certificate", {"fqdn": NAME}))
        asking = process.Process("a program", [program], module.logs / "ask.log",
                                 env=module.environment())
        wait.until(lambda: [task for task in api.ask(certwright.socket_path, "GET", "/v1/tasks")
                            .json()["tasks"] if task["status"] == "running"], "it is being done")
        certwright.daemon.kill()
    finally:
        pebble.process.signal(signal.SIGCONT)
    certwright.serve()
    assert asking.wait(60) == 0, asking.output()
    assert json.loads(asking.output())["output"] == {"obtained": True}
    assert pebble.orders() == 1


def test_a_nodes_own_library_is_the_one_that_is_imported(module):
    node = module.home / "pypkg" / "agent"
    node.mkdir(parents=True)
    (node / "__init__.py").write_text("print('the node')\n")
    assert module.python_says("import agent", PYTHONPATH=str(node.parent)) == "the node\n"


NOBODY = 65534


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has programs of another user")
def test_programs_of_another_user_by_the_socket_of_its_group(world, workdir):
    certwright = world.certwright
    certwright.runtime_dir = workdir / "certwright"
    certwright.write_config({"runtime_dir": str(certwright.runtime_dir), "api": {"socket": [
        {"path": str(certwright.socket_path)},
        {"path": str(certwright.runtime_dir / "mail1.sock"), "role": "fulladm", "mode": "0660",
         "group": grp.getgrgid(NOBODY).gr_name, "caller": "module/mail1"}]}})
    home = workdir / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    workdir.chmod(0o755)
    certwright.serve()
    environment = {**certwright.environment(), "HOME": str(home), "XDG_RUNTIME_DIR": str(workdir),
                   "CERTWRIGHT_CONFIG": str(certwright.config_file),
                   "PYTHONPATH": str(PROJECT / "packaging" / "python" / "certwright_agent" / "library")}

    def as_nobody(*words):
        return subprocess.run(words, user=NOBODY, group=NOBODY, extra_groups=[], cwd=home, text=True,
                              env=environment, capture_output=True, timeout=60, check=False)

    asked = as_nobody("/usr/bin/python3", "-B", "-c", RUN % ("set-certificate", {"fqdn": NAME}))
    assert asked.returncode == 0, asked
    assert json.loads(asked.stdout)["output"] == {"obtained": True}
    (task,) = api.ask(certwright.socket_path, "GET", "/v1/tasks").json()["tasks"]
    assert (task["user"], task["role"]) == ("module/mail1", "fulladm")
    got = as_nobody(binary(), "get-certificate", "--cert-file=c.pem", "--key-file=k.pem", NAME)
    assert got.returncode == 0, got
    assert (home / "k.pem").stat().st_uid == NOBODY
    assert tls.names_of(tls.first_certificate((home / "c.pem").read_text())) == [NAME]
