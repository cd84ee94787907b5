"""Calls in the background, through the daemon's socket."""

import concurrent.futures
import contextlib
import json
import signal
import time

from harness import api

NAME = "mail.example.test"
KEYS = ("-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n"
        "-----END PRIVATE KEY-----\n")


@contextlib.contextmanager
def silent_ca(world):
    """The CA takes connections and says nothing."""
    world.pebble.process.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        world.pebble.process.signal(signal.SIGCONT)


def test_ten_callers_of_one_name_get_one_order_and_ten_answers(world):
    world.certwright.serve()
    path = world.certwright.socket_path
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        tasks = list(pool.map(
            lambda number: api.submit(path, "set-certificate", {"fqdn": NAME},
                                      extra={"title": "set-certificate"}, parent="p%d" % number),
            range(10)))
        answers = list(pool.map(lambda task: api.ended(path, task), tasks))
    assert len(set(tasks)) == 10
    for answer in answers:
        assert (answer["status"], answer["exit_code"], answer["output"], answer["error"]) == (
            "completed", 0, {"obtained": True}, ""), answer
        assert answer["progress"] == 100 and answer["extra"] == {"title": "set-certificate"}
    assert world.pebble.orders() == 1
    assert len(world.certwright.certificates()) == 1


def test_every_task_that_was_taken_ends_also_where_the_daemon_is_killed(make_world):
    world = make_world(sleep=1)
    daemon = world.certwright.serve()
    path = world.certwright.socket_path
    tasks = [api.submit(path, "set-certificate", {"fqdn": "n%d.example.test" % number})
             for number in range(6)]
    tasks.append(api.submit(path, "show", {"certificate": "nobody.example.test"}))
    lost = api.submit(path, "upload-certificate", {"certFile": "", "keyFile": KEYS}) \
        if "upload-certificate" in actions(path) else None
    time.sleep(0.5)
    daemon.kill()
    stored = world.certwright.ok("--json", "tasks").json()["tasks"]
    assert {task["id"] for task in stored} >= set(tasks)
    world.certwright.serve()
    for task in tasks[:6]:
        answer = api.ended(path, task)
        assert answer["output"] == {"obtained": True}, answer
    assert api.ended(path, tasks[6])["exit_code"] == 2
    if lost:
        assert api.ended(path, lost)["status"] in ("aborted", "validation-failed")
    assert world.pebble.orders() == 6, "each order was carried on, none was opened twice"


def actions(path):
    return [action["name"] for action in api.ask(path, "GET", "/v1/actions").json()["actions"]]


def test_a_time_out_leaves_the_order_running(world):
    world.certwright.serve()
    path = world.certwright.socket_path
    with silent_ca(world):
        early = api.submit(path, "set-certificate", {"fqdn": NAME, "sync_timeout": 0})
        answer = api.ended(path, early)
    assert (answer["status"], answer["exit_code"]) == ("validation-failed", 3)
    assert answer["output"][0]["error"] == "newcert_acme_error"
    again = api.ended(path, api.submit(path, "set-certificate", {"fqdn": NAME}))
    assert again["output"] == {"obtained": True}
    assert world.pebble.orders() == 1


def test_a_long_poll_answers_when_the_task_ends_or_the_time_is_over(world):
    world.certwright.serve()
    path = world.certwright.socket_path
    with silent_ca(world):
        task = api.submit(path, "set-certificate", {"fqdn": NAME})
        before = time.monotonic()
        answer = api.ask(path, "GET", "/v1/tasks/%s?wait=1" % task).json()
        assert answer["ended_at"] is None and answer["status"] == "running"
        assert 0.9 < time.monotonic() - before < 20
    assert api.ended(path, task)["status"] == "completed"


def test_a_task_that_runs_is_asked_to_stop_and_its_order_goes_on(world):
    world.certwright.serve()
    path = world.certwright.socket_path
    with silent_ca(world):
        task = api.submit(path, "set-certificate", {"fqdn": NAME})
        while api.ask(path, "GET", "/v1/tasks/%s" % task).json()["status"] == "pending":
            time.sleep(0.02)
        assert "asked to stop" in world.certwright.ok("tasks", "cancel", task).stdout
        assert api.ended(path, task)["exit_code"] != 0
    assert world.certwright.ok("tasks", "cancel", task).stdout.startswith("it had ended already")
    answer = api.ended(path, api.submit(path, "set-certificate", {"fqdn": NAME}))
    assert answer["output"] == {"obtained": True}
    assert world.pebble.orders() == 1


def test_the_commands_show_what_is_in_the_background(world):
    cw = world.certwright
    assert "nothing" in cw.ok("tasks").stdout
    cw.serve()
    task = api.submit(cw.socket_path, "list", {})
    api.ended(cw.socket_path, task)
    for _ in ("with the daemon", "without"):
        assert task in cw.ok("tasks").stdout
        assert task in cw.ok("tasks", "--status", "completed").stdout
        assert task not in cw.ok("tasks", "--status", "pending").stdout
        shown = cw.ok("--json", "tasks", "show", task).json()
        assert shown["output"] == {"certificates": [], "missing": []}
        assert "completed" in cw.ok("tasks", "show", task).stdout
        assert cw.run("tasks", "show", "none").code == 2
        assert cw.run("tasks", "cancel", "none").code == 2
        cw.stop()


def test_no_private_key_is_in_a_stored_task(world):
    cw = world.certwright
    cw.ok("issue", NAME)
    cw.serve()
    path = cw.socket_path
    got = api.ended(path, api.submit(path, "get-certificate", {"fqdn": NAME}))
    assert got["output"]["certificates"][0]["key"]
    api.ended(path, api.submit(path, "export", {"certificate": NAME, "format": "key"}))
    marker = "bWFya2VyLW9mLWEta2V5LXRoYXQtaXMtbm90LWtlcHQ"
    for data in ({"keyFile": marker, "certFile": "x"}, {"fqdn": KEYS}, {"password": marker},
                 {"certificate": NAME, "password": marker}):
        for action in ("set-certificate", "export", "show"):
            api.ended(path, api.submit(path, action, data))
    tasks = json.dumps([api.ask(path, "GET", "/v1/tasks/%s" % task["id"]).json()
                        for task in api.ask(path, "GET", "/v1/tasks").json()["tasks"]])
    assert marker not in tasks and "XXX" in tasks
    cw.daemon.kill()  # nothing is tidied up
    files = b"".join(file.read_bytes() for file in cw.state_dir.rglob("*") if file.is_file())
    assert marker.encode() not in files
    assert b"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END" not in files
    assert got["output"]["certificates"][0]["key"].encode() not in files
