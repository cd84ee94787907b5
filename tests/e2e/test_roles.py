"""Who may do what at which socket, and what the audit log says of it."""

import json

import pytest
from harness import api

NAME = "mail.example.test"
ROLES = ("owner", "fulladm", "certadm", "routeadm", "reader")

# contract.md, "Roles"; actions that are not there are left out.
CERTADM = {"set-certificate", "set-default-certificate", "get-certificate", "delete-certificate",
           "list-certificates"}
ROUTEADM = {"set-route", "get-route", "delete-route", "list-routes"}
# Of tasks each caller sees and ends its own; everybody may hear of events.
EVERYBODY = {"tasks", "show-task", "cancel-task", "events"}
# What only shows, by a name that does not say so.
SHOWN = {"list", "show", "plan", "ledger", "account-show", "metrics", "status", "traefik-render",
         "traefik-check"}


def allowed(role, action):
    if action == "ack":  # whoever may load a certificate says that it did
        action = "get-certificate"
    if role == "owner" or action in EVERYBODY:
        return True
    if role == "reader":
        return action != "get-certificate" and (
            action in SHOWN or action.startswith(("get-", "list-")))
    return action in {"certadm": CERTADM, "routeadm": ROUTEADM, "fulladm": CERTADM | ROUTEADM}[role]


@pytest.fixture
def sockets(world):
    run = world.certwright.runtime_dir
    paths = {role: run / ("%s.sock" % role) for role in ROLES}
    world.certwright.write_config({"api": {"socket": [
        {"path": str(path), "role": role, **({"caller": "module/app1"} if role == "fulladm" else {})}
        for role, path in paths.items()]}})
    world.certwright.ok("issue", NAME)
    daemon = world.certwright.serve(wait=False)
    for path in paths.values():
        daemon.wait_until(lambda path=path: reachable(path), "answering at %s" % path)
    return paths


def reachable(path):
    try:
        return api.ask(path, "GET", "/v1/health").status == 200
    except OSError:
        return False


def audit(sockets, after=0):
    return api.ask(sockets["owner"], "GET", "/v1/audit?after=%d" % after).json()["entries"]


def test_each_socket_allows_what_its_role_may_by_both_doors(sockets):
    actions = [a["name"] for a in api.ask(sockets["owner"], "GET", "/v1/actions").json()["actions"]]
    denied = 0
    for role, path in sockets.items():
        for action in actions:
            # No action does anything by this: nearly all refuse it by their schema.
            wrong = {"no-such-member": 1}
            answer = api.ask(path, "POST", "/v1/actions/" + action, wrong)
            assert (answer.status == 403) != allowed(role, action), (role, action)
            assert (answer.json()["exit_code"] == 7) != allowed(role, action), (role, action)
            if not allowed(role, action):
                task = api.ask(path, "POST", "/v1/tasks", {"action": action, "data": wrong})
                assert task.status == 403 and task.json()["exit_code"] == 7, (role, action)
                denied += 2
    entries = audit(sockets)
    assert len(entries) == denied and {entry["outcome"] for entry in entries} == {"denied"}
    assert api.ask(sockets["owner"], "GET", "/v1/tasks").json() == {"tasks": []}


def test_what_was_denied_and_which_key_was_given_is_kept(world, sockets):
    wanted = {"fqdn": NAME}
    assert api.ask(sockets["reader"], "POST", "/v1/actions/get-certificate", wanted).status == 403
    assert api.ask(sockets["fulladm"], "POST", "/v1/actions/get-certificate", wanted).status == 200
    task = api.submit(sockets["certadm"], "get-certificate", wanted)
    assert api.ended(sockets["certadm"], task)["exit_code"] == 0
    assert world.certwright.ok("export", NAME, "--format", "key").code == 0
    assert world.certwright.ok("export", NAME, "--format", "fullchain").code == 0
    expected = [("denied", "get-certificate", NAME, "reader", ""),
                ("released", "get-certificate", NAME, "fulladm", "module/app1"),
                ("released", "get-certificate", NAME, "certadm", ""),
                ("released", "show-task", task, "certadm", ""),
                ("released", "export", NAME, "owner", "")]
    seen = audit(sockets)
    assert [(e["outcome"], e["action"], e["subject"], e["role"], e["caller"])
            for e in seen] == expected
    world.certwright.stop()
    stored = json.loads(world.certwright.ok("--json", "audit").stdout)["entries"]
    assert stored == seen
    assert len(world.certwright.ok("--json", "audit", "--after", str(seen[1]["seq"])).json()
               ["entries"]) == 3
    table = world.certwright.ok("audit", "--limit", "1").stdout
    assert "denied" in table and "released" not in table


def test_a_task_is_seen_by_its_caller_and_by_an_owner_only(sockets):
    task = api.submit(sockets["fulladm"], "set-certificate", {"fqdn": NAME})
    api.ended(sockets["fulladm"], task)
    for role, path in sockets.items():
        sees = role in ("owner", "fulladm")
        target = "/v1/tasks/" + task
        assert api.ask(path, "GET", target).status == (200 if sees else 404), role
        assert api.ask(path, "DELETE", target).status == (200 if sees else 404), role
        assert len(api.ask(path, "GET", "/v1/tasks").json()["tasks"]) == sees, role


def test_an_owner_names_the_caller_and_others_are_who_the_configuration_says(sockets):
    header = {"Agent-Task-User": "module/mail1"}
    for role, user in (("owner", "module/mail1"), ("fulladm", "module/app1"), ("certadm", "")):
        answer = api.ask(sockets[role], "POST", "/v1/tasks",
                         {"action": "set-certificate", "data": {"fqdn": NAME}}, header)
        task = api.ask(sockets["owner"], "GET", answer.headers["Location"]).json()
        assert (task["user"], task["role"]) == (user, role)
