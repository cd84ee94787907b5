#!/usr/bin/env python3
"""agent.tasks against a server that does what it is told to, troubles first."""

import contextlib
import io
import os
import pathlib
import socket
import tempfile
import threading
import unittest
from unittest import mock

import places
from servers import Server

places.use_library()
import agent  # noqa: E402
from agent import sockets  # noqa: E402

ME = "module/traefik1"
RESULT = {"output": {"obtained": True}, "error": "", "exit_code": 0}
DENIED = {"detail": "the role reader may not", "exit_code": 7}


def ended(progress=100, **result):
    return {"ended_at": "2026-01-01T00:00:00Z", "progress": progress, "more": 1, **RESULT, **result}


def running(progress):
    return {"ended_at": None, "progress": progress, "output": None, "error": None,
            "exit_code": None}


class Tasks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cw-")
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "s.sock")
        environment = {"CERTWRIGHT_SOCKET": str(self.path), "PATH": os.environ["PATH"]}
        for patch in (mock.patch.dict(os.environ, environment, clear=True),
                      mock.patch.object(sockets, "PATIENCE", 5.0)):
            patch.start()
            self.addCleanup(patch.stop)

    def serve(self, *answers):
        server = Server(self.path, *answers)
        self.addCleanup(server.stop)
        return server

    def test_run_submits_and_waits_for_the_end(self):
        server = self.serve((202, {"id": "t1"}), (200, running(0)), (200, ended()))
        self.assertEqual(agent.tasks.run(agent_id=ME, action="set-certificate",
                                         data={"fqdn": "a.test"}), RESULT)
        (post, poll, _) = server.seen
        self.assertEqual(post[:2], ("POST", "/v1/tasks"))
        self.assertEqual(post[3], {"action": "set-certificate", "data": {"fqdn": "a.test"},
                                   "parent": "", "extra": {}})
        self.assertEqual(poll[:2], ("GET", "/v1/tasks/t1?wait=30"))

    def test_what_failed_is_a_result(self):
        failed = {"output": [{"error": "newcert_acme_error"}], "error": "no", "exit_code": 3}
        self.serve((202, {"id": "t1"}), (200, ended(**failed)))
        self.assertEqual(agent.tasks.run(ME, "set-certificate", {}), failed)

    def test_what_is_not_begun_is_a_result_of_run(self):
        for status, code in ((403, 7), (404, 8)):
            with self.subTest(status):
                server = Server(self.path, (status, {"detail": "words", "exit_code": code}))
                self.assertEqual(agent.tasks.run(ME, "x", {}),
                                 {"output": "", "error": "words", "exit_code": code})
                server.stop()
                self.path.unlink()

    def test_run_nowait_names_the_task(self):
        server = self.serve((202, {"id": "t1"}))
        extra = {"title": "set-certificate", "isNotificationHidden": False}
        task = agent.tasks.run_nowait(agent_id=ME, action="a", data={}, parent="", extra=extra)
        self.assertEqual(task, ME + "/task/t1")
        self.assertEqual((server.seen[0][3]["parent"], server.seen[0][3]["extra"]), ("", extra))

    def test_run_nowait_raises_what_is_refused(self):
        self.serve((403, DENIED))
        with self.assertRaises(agent.tasks.Refused) as caught:
            agent.tasks.run_nowait(ME, "a", {})
        self.assertEqual((caught.exception.status, caught.exception.exit_code), (403, 7))
        self.assertIn("reader", str(caught.exception))

    def test_the_parent_is_the_task_that_runs_us(self):
        os.environ["AGENT_TASK_ID"] = "above"
        server = self.serve((202, {"id": "t1"}), (202, {"id": "t2"}))
        agent.tasks.run_nowait(ME, "a", {})
        agent.tasks.run_nowait(ME, "a", {}, parent="")
        self.assertEqual([seen[3]["parent"] for seen in server.seen], ["above", ""])

    def test_the_caller_is_named(self):
        os.environ["AGENT_ID"] = "module/mail1"
        server = self.serve((202, {"id": "t1"}))
        agent.tasks.run_nowait(ME, "a")
        self.assertEqual(server.seen[0][2]["Agent-Task-User"], "module/mail1")

    def test_a_key_is_not_part_of_a_task(self):
        output = {"certificates": [{"cert": "Yw==", "key": "aw=="}]}
        server = self.serve((200, {"exit_code": 0, "status": "completed", "output": output,
                                   "error": ""}))
        self.assertEqual(agent.tasks.run(ME, "get-certificate", {"fqdn": "a.test"})["output"],
                         output)
        self.assertEqual(server.seen[0][:2], ("POST", "/v1/actions/get-certificate"))

    def test_progress_is_told_once_a_number(self):
        self.serve((202, {"id": "t1"}), (200, running(0)), (200, running(40)), (200, running(40)),
                   (200, ended(70)))
        told = []
        agent.tasks.run(ME, "a", {}, progress_callback=told.append)
        self.assertEqual(told, [0, 40, 100])

    def test_a_daemon_that_comes_back_is_waited_for(self):
        self.serve((503, {"exit_code": 75}), (202, {"id": "t1"}), None, (503, {}), (200, ended()))
        self.assertEqual(agent.tasks.run(ME, "a", {}), RESULT)

    def test_a_daemon_that_is_not_there_yet_is_waited_for(self):
        late = threading.Timer(0.3, lambda: self.serve((202, {"id": "t1"}), (200, ended())))
        late.start()
        self.addCleanup(late.join)
        self.assertEqual(agent.tasks.run(ME, "a", {}), RESULT)

    def test_a_daemon_that_stays_away_is_an_error(self):
        with mock.patch.object(sockets, "PATIENCE", 0.2), self.assertRaises(OSError) as caught:
            agent.tasks.run(ME, "a", {})
        self.assertIn(str(self.path), str(caught.exception))

    def test_one_that_stays_too_busy_is_a_result(self):
        self.serve(*[(503, {"detail": "busy", "exit_code": 75})] * 9)
        with mock.patch.object(sockets, "PATIENCE", 0.2):
            self.assertEqual(agent.tasks.run(ME, "a", {})["exit_code"], 75)

    def test_an_answer_that_is_none_of_ours(self):
        self.serve((200, ["odd"]))
        self.assertEqual(agent.tasks.run(ME, "a", {})["exit_code"], 70)

    def test_nobody_to_call_is_an_error(self):
        with self.assertRaises(ValueError):
            agent.tasks.run(None, "a", {})

    def passed(self, call, *answers):
        """(exit code, standard output, standard error) of a program that calls this."""
        server = Server(self.path, *answers)
        with contextlib.redirect_stdout(io.StringIO()) as out, \
                contextlib.redirect_stderr(io.StringIO()) as err:
            try:
                with mock.patch.object(agent.traefik, "set_status") as status:
                    call()
                code = 0
            except SystemExit as end:
                code = end.code
        server.stop()
        self.path.unlink()
        self.seen = server.seen
        return code, out.getvalue(), err.getvalue(), [each.args[0] for each in status.mock_calls]

    def test_a_failure_is_passed_on(self):
        failed = {"output": [{"error": "newcert_acme_error"}], "error": "no", "exit_code": 3}
        answers = [(202, {"id": "t1"}), (200, ended(**failed))]
        for call in (agent.set_route, agent.set_certificate):
            self.assertEqual(self.passed(lambda: call({"x": 1}, agent_id=ME), *answers),
                             (3, '[{"error": "newcert_acme_error"}]\n', "no\n",
                              ["validation-failed"]))
        broken = [(202, {"id": "t1"}), (200, ended(output="", error="bug", exit_code=70))]
        self.assertEqual(self.passed(lambda: agent.set_route({}, agent_id=ME), *broken),
                         (70, "", "bug\n", []))
        self.assertEqual(self.seen[0][3]["data"],
                         {"lets_encrypt_check": True, "lets_encrypt_cleanup": True})
        told = []
        self.assertEqual(self.passed(lambda: told.append(agent.set_route(
            {"x": 1}, error_passthrough=False, agent_id=ME)), *answers)[0], 0)
        self.assertEqual((told, self.seen[0][3]["data"]), ([failed], {"x": 1}))

    def test_what_is_asked_for_may_be_nothing(self):
        for answer, expected in ((ended(output={"host": "a.test"}), {"host": "a.test"}),
                                 (ended(output="", exit_code=2), {})):
            server = Server(self.path, (202, {"id": "t1"}), (200, answer))
            self.assertEqual(agent.get_route("i1", agent_id=ME), expected)
            self.assertEqual(server.seen[0][3]["data"], {"instance": "i1"})
            server.stop()
            self.path.unlink()

    def test_side_by_side(self):
        calls = [{"agent_id": ME, "action": "a", "data": {}}] * 3
        self.serve(*[(403, DENIED)] * 6)
        self.assertEqual([result["exit_code"] for result in agent.tasks.runp(calls)], [7, 7, 7])
        with contextlib.redirect_stderr(io.StringIO()) as told:
            self.assertEqual(agent.tasks.runp_brief(calls), 3)
        self.assertIn(ME + "/a failed", told.getvalue())
        self.assertEqual(agent.tasks.runp([]), [])

    def test_of_several_an_exception_is_a_result(self):
        with mock.patch.object(sockets, "PATIENCE", 0.05):
            results = agent.tasks.runp([{"agent_id": ME, "action": "a"}] * 2)
        self.assertTrue(all(isinstance(result, OSError) for result in results), results)


class Places(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cw-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for patch in (mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": str(self.root / "run"),
                                                   "HOME": str(self.root)}, clear=True),
                      mock.patch.object(os, "geteuid", return_value=1000)):
            patch.start()
            self.addCleanup(patch.stop)

    def listen(self, *parts):
        path = self.root.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(path))
        return str(path)

    def test_the_one_that_is_named(self):
        os.environ["CERTWRIGHT_SOCKET"] = "/some/where"
        self.assertEqual(sockets.find(), "/some/where")

    def test_the_default_places_in_order(self):
        of_state = self.listen(".local", "state", "certwright", "run", "certwright.sock")
        self.assertEqual(sockets.find(), of_state)
        by_role = self.listen("run", "certwright", "app.sock")
        self.assertEqual(sockets.find(), by_role)
        (self.root / "run" / "certwright" / "a.sock").write_text("no socket")
        main = self.listen("run", "certwright", "certwright.sock")
        self.assertEqual(sockets.find(), main)

    def test_one_that_this_user_may_open(self):
        main = self.listen("run", "certwright", "certwright.sock")
        by_role = self.listen("run", "certwright", "mail.sock")
        with mock.patch.object(os, "access", side_effect=lambda path, _: path != main):
            self.assertEqual(sockets.find(), by_role)
        with mock.patch.object(os, "access", return_value=False):
            with self.assertRaisesRegex(PermissionError, "mail.sock"):
                sockets.find()

    def test_none_at_all(self):
        with mock.patch.object(sockets, "_folders", return_value=["/nowhere"]):
            with self.assertRaisesRegex(FileNotFoundError, "CERTWRIGHT_SOCKET"):
                sockets.find()


if __name__ == "__main__":
    unittest.main()
