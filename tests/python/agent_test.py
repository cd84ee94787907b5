#!/usr/bin/env python3
"""What of the module `agent` asks nobody: events, programs, the file `environment`."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings
from unittest import mock

import places

places.use_library()
import agent  # noqa: E402

NAME = "mail.example.org"
WRITER = """import sys, agent
for number in range(20):
    agent.set_env("N%s_%d" % (sys.argv[1], number), "x")
"""


def run_python(text, *words, **environment):
    environment = {**os.environ, "PYTHONPATH": str(places.LIBRARY), **environment}
    return subprocess.Popen([sys.executable, "-B", "-c", text, *words], env=environment,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Events(unittest.TestCase):
    def test_which_concern_a_name(self):
        table = [
            ("the name", [NAME], NAME, True),
            ("among others", ["a.test", NAME], NAME, True),
            ("another", ["other.example.org"], NAME, False),
            ("none", [], NAME, False),
            ("its wildcard", ["*.example.org"], NAME, True),
            ("of one label only", ["*.example.org"], "a.mail.example.org", False),
            ("not of itself", ["*.mail.example.org"], NAME, False),
            ("a wildcard is asked for", ["*.example.org"], "*.example.org", True),
            ("the end of a name", ["il.example.org"], NAME, False),
            ("in capitals", [NAME], "Mail.Example.ORG", True),
            ("without a dot", ["*."], "localhost", False),
        ]
        for row, names, name, expected in table:
            with self.subTest(row), mock.patch.dict(os.environ, NODE_ID="1"):
                event = {"node_id": 1, "module_id": "traefik1", "names": names, "id": 7}
                self.assertIs(agent.certificate_event_matches(event, name), expected)

    def test_of_another_node_none(self):
        event = {"node_id": 2, "module_id": "traefik1", "names": [NAME]}
        for node, expected in (("1", False), ("2", True)):
            with mock.patch.dict(os.environ, NODE_ID=node):
                self.assertIs(agent.certificate_event_matches(event, NAME), expected)
        with mock.patch.dict(os.environ):
            os.environ.pop("NODE_ID", None)
            self.assertTrue(agent.certificate_event_matches(event, NAME))


class Selectors(unittest.TestCase):
    def test_whom_they_mean(self):
        table = {"traefik@node": "module/traefik1", "traefik@cluster": "module/traefik1",
                 "samba@node": None, "node": "node/3", "self": "module/mail1", "7": "node/7",
                 "cluster": "cluster", "module/x1": "module/x1", "node/2": "node/2", "x1": "module/x1"}
        given = {"NODE_ID": "3", "AGENT_ID": "module/mail1", "CERTWRIGHT_SOCKET": "/nowhere"}
        for selector, expected in table.items():
            with self.subTest(selector), mock.patch.dict(os.environ, given):
                with warnings.catch_warnings(record=True) as warned:
                    warnings.simplefilter("always")
                    self.assertEqual(agent.resolve_agent_id(selector), expected)
                self.assertEqual(len(warned), expected is None)


class Programs(unittest.TestCase):
    def test_the_exit_code_and_where_output_goes(self):
        done = run_python("import agent, sys\n"
                          "done = agent.run_helper('sh', '-c', 'echo out; echo \"$X\" >&2; exit 5',"
                          " env={'X': 'a b', 'PATH': '/usr/bin:/bin'})\n"
                          "print(done.returncode, done.args[0], done.stdout)")
        out, err = done.communicate(timeout=30)
        self.assertEqual(out, "5 sh None\n")
        self.assertEqual(err.splitlines(), ["<6>sh -c 'echo out; echo \"$X\" >&2; exit 5'", "out",
                                            "a b"])

    def test_nothing_is_told_where_not_wanted(self):
        done = run_python("import agent\nagent.run_helper('true', log_command=False)")
        self.assertEqual(done.communicate(timeout=30), ("", ""))

    def test_a_program_that_is_not_there(self):
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(FileNotFoundError):
            agent.run_helper("no-such-program", stdout=subprocess.DEVNULL)
        open_before = len(os.listdir("/proc/self/fd"))
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(FileNotFoundError):
            agent.run_helper("no-such-program", stdout=subprocess.DEVNULL)
        self.assertEqual(len(os.listdir("/proc/self/fd")), open_before)

    def test_its_progress_is_heard_and_no_more(self):
        told = []
        text = ('printf "set-progress 10\\nset-status validation-failed\\nset-progress\\n'
                'set-progress x\\nset-progress 5\\nset-progress 50\\n" >&$AGENT_COMFD')
        with contextlib.redirect_stderr(io.StringIO()):
            done = agent.run_helper("bash", "-c", text, progress_callback=told.append,
                                    stdout=subprocess.DEVNULL)
        self.assertEqual((done.returncode, told), (0, [10, 50, 100]))

    def test_words_for_who_runs_us(self):
        text = ("import agent\nagent.set_status('validation-failed')\nagent.set_progress(40)\n"
                "agent.set_weight('50a step', 2)")
        said = 'set-status validation-failed\nset-progress 40\nset-weight "50a step" 2\n'
        self.assertEqual(run_python(text, AGENT_COMFD="1").communicate(timeout=30), (said, ""))
        self.assertEqual(run_python(text, AGENT_COMFD="").communicate(timeout=30), ("", said))

    def test_assert_exp(self):
        agent.assert_exp(True)
        with contextlib.redirect_stderr(io.StringIO()) as told, self.assertRaises(SystemExit) as end:
            agent.assert_exp(0, "words")
        self.assertEqual(end.exception.code, 2)
        self.assertIn("words", told.getvalue())
        self.assertIn("test_assert_exp", told.getvalue())


class Environment(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cw-")
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name, "environment")
        self.file.write_text("# comment\nB=1\nA=x=y z\nnothing\n")
        patch = mock.patch.dict(os.environ, AGENT_STATE_DIR=folder.name)
        patch.start()
        self.addCleanup(patch.stop)

    def test_is_rewritten(self):
        self.file.chmod(0o640)
        agent.set_env("C", 5)
        self.assertEqual(self.file.read_text(), "A=x=y z\nB=1\nC=5\n")
        agent.unset_env("B")
        agent.unset_env("B")
        agent.mset_env({"A": "", "D": "ä"})
        self.assertEqual(agent.read_envfile(self.file), {"A": "", "C": "5", "D": "ä"})
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o640)
        self.assertNotIn("C", os.environ)
        self.assertEqual({path.name for path in self.file.parent.iterdir()},
                         {"environment", ".environment.lock"})

    def test_what_is_no_line_is_refused(self):
        before = self.file.read_text()
        for name, value in (("A", "x\nPATH=/tmp"), ("A=B", "x"), ("", "x"), ("1A", "x"),
                            ("A\n", "x"), ("A", "x\0")):
            with self.subTest(name=name, value=value), self.assertRaises(ValueError):
                agent.set_env(name, value)
        self.assertEqual(self.file.read_text(), before)

    def test_needs_the_file(self):
        self.file.unlink()
        with self.assertRaises(FileNotFoundError):
            agent.set_env("A", "x")

    def test_writers_take_turns(self):
        writers = [run_python(WRITER, str(number)) for number in range(4)]
        for writer in writers:
            self.assertEqual(writer.communicate(timeout=60)[1], "")
        self.assertEqual(len(agent.read_envfile(self.file)), 82)


if __name__ == "__main__":
    unittest.main()
