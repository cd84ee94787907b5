#!/usr/bin/env python3
"""The binary as the step of an agent runs it: exit codes, streams and the agent's channel.

No CA is needed: the one of the configuration refuses every connection. What needs one stands in
tests/e2e.
"""

import concurrent.futures
import fcntl
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = None
NAME = "mail.example.org"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def openssl(*words):
    return subprocess.run(["openssl", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, timeout=60, check=True).stdout


class Binary(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cw-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.config = self.root / "certwright.toml"
        self.configure()

    def configure(self, more=""):
        (self.root / "certwright.toml").write_text(
            'state_dir = "%s/state"\nruntime_dir = "%s/run"\nacme.agree_to_terms = true\n'
            'acme.directory = "https://127.0.0.1:1/directory"\nhttp01.listen = "127.0.0.1:%d"\n'
            'events.dir = "%s/events"\n%s' % (self.root, self.root, free_port(), self.root, more),
            encoding="utf-8")

    def run_it(self, *words, stdin="", env=None, **options):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("AGENT_")}
        environment.update(CERTWRIGHT_CONFIG=str(self.config), **env or {})
        return subprocess.run([BINARY, *words], input=stdin, env=environment, timeout=60,
                              capture_output=True, text=True, check=False, **options)

    def with_channel(self, *words, **options):
        """(result, lines that were written to the descriptor of AGENT_COMFD)."""
        reading, writing = os.pipe()
        try:
            result = self.run_it(*words, env={"AGENT_COMFD": str(writing)}, pass_fds=(writing,),
                                 **options)
        finally:
            os.close(writing)
        with os.fdopen(reading) as lines:
            return result, lines.read().splitlines()

    def serve(self):
        daemon = subprocess.Popen([BINARY, "--config", str(self.config), "serve"],
                                  stderr=subprocess.DEVNULL)

        def stop():
            daemon.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(20), 0)
        self.addCleanup(stop)
        # By its sockets alone: a command would take the store for itself as long as there is none.
        wanted = self.config.read_text(encoding="utf-8").count("[[api.socket]]")
        for _ in range(1000):
            if len([path for path in self.root.glob("*.sock") if self.answers(path)]) == wanted:
                return
            time.sleep(0.01)
        self.fail("the daemon does not answer")

    @staticmethod
    def answers(path):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(path)) == 0

    def fail_to_obtain(self):
        return json.dumps({"fqdn": NAME, "sync_timeout": 1})


class Doors(Binary):
    def test_exit_codes_and_output_of_both_doors(self):
        table = [
            ("done", "list", "", 0, {"certificates": [], "missing": []}),
            ("no arguments as text", "list", '""', 0, {"certificates": [], "missing": []}),
            ("gave nothing up", "set-certificate",
             '{"fqdn": "%s", "lets_encrypt": false}' % NAME, 0, {"obtained": False}),
            ("schema", "set-certificate", "{}", 10,
             [{"field": "(root)", "parameter": "(root)", "value": {}, "error": "(root)_required"}]),
            ("no such thing", "show", '{"certificate": "nobody.example.org"}', 2, None),
            ("unknown", "make-coffee", "{}", 8, None),
        ]
        for name, action, data, code, output in table:
            with self.subTest(name):
                step = self.run_it("action", action, stdin=data)
                client = self.run_it("run", action, "--data", data or "null")
                for result in (step, client):
                    self.assertEqual(result.returncode, code, result)
                    self.assertEqual(bool(result.stderr), code != 0, result)
                if output is None:
                    self.assertEqual(step.stdout, "")
                    self.assertEqual(client.stdout, '""\n')
                else:
                    compact = json.dumps(output, separators=(",", ":")) + "\n"
                    self.assertEqual(step.stdout, compact)
                    self.assertEqual(client.stdout, compact)

    def test_an_empty_standard_input_is_told(self):
        for stdin in ("", "\n", " \r\n\t"):
            with self.subTest(stdin):
                result = self.run_it("action", "set-certificate", stdin=stdin)
                self.assertEqual(result.returncode, 10, result)
                self.assertEqual(json.loads(result.stdout)[0]["error"], "(root)_required")
                self.assertIn("JSON", result.stderr)
                self.assertIn("standard input was empty", result.stderr)
                result = self.run_it("action", "list", stdin=stdin)
                self.assertEqual((result.returncode, result.stderr), (0, ""), result)
        for words, stdin in ((["action", "set-certificate"], "{}"),
                             (["run", "set-certificate"], "")):
            result = self.run_it(*words, stdin=stdin)
            self.assertEqual(result.returncode, 10, result)
            self.assertNotIn("standard input", result.stderr)

    def test_failure_is_three_with_plain_texts(self):
        result = self.run_it("action", "set-certificate", stdin=self.fail_to_obtain())
        self.assertEqual(result.returncode, 3, result)
        (error,) = json.loads(result.stdout)
        self.assertEqual((error["field"], error["parameter"], error["value"], error["error"]),
                         ("fqdn", "fqdn", NAME, "newcert_acme_error"))
        self.assertFalse(set(error["details"]) & set("\"\\\n"), result)

    def test_standard_error_becomes_a_tasks_error_and_holds_nothing_that_ends_a_literal(self):
        for action, data in [
                ("set-certificate", {}),
                ("set-certificate", {"fqdn": "a\"b\\c.example.org"}),
                ("issue", {"names": ["a\"b\\c.example.org"]}),
                ("show", {"certificate": "\"\\\n"}),
                ("make \"coffee\\", {})]:
            with self.subTest(action, data=data):
                result = self.run_it("action", action, stdin=json.dumps(data))
                self.assertNotEqual(result.returncode, 0)
                self.assertTrue(result.stderr)
                self.assertFalse(set(result.stderr) & set("\"\\\r\t"), result)

    def test_get_certificate_says_what_is_wrong_with_a_name(self):
        for name in ("", "x" * 2000):
            with self.subTest(name[:3]):
                files = [self.root / "c.pem", self.root / "k.pem"]
                for file in files:
                    file.write_text("mine")
                result = self.run_it("get-certificate", "--cert-file", str(files[0]),
                                     "--key-file", str(files[1]), name)
                self.assertEqual(result.returncode, 1, result)
                self.assertGreater(len(result.stderr.strip()), len("certwright: "), result)
                self.assertEqual([file.read_text() for file in files], ["mine", "mine"])

    def get_certificate(self):
        return self.run_it("get-certificate", "--cert-file", str(self.root / "c.pem"),
                           "--key-file", str(self.root / "k.pem"), NAME)

    def test_get_certificate_wants_two_files(self):
        for key in ("pair.pem", "./pair.pem"):
            result = self.run_it("get-certificate", "--cert-file", str(self.root / "pair.pem"),
                                 "--key-file", "%s/%s" % (self.root, key), NAME)
            self.assertEqual(result.returncode, 1, result)
            self.assertIn("one file", result.stderr)
            self.assertFalse((self.root / "pair.pem").exists())

    def test_get_certificate_never_replaces_a_file_that_is_there_alone(self):
        lock = self.root / "state" / "certwright.lock"
        self.assertEqual(self.run_it("list").returncode, 0)
        cert, key = self.root / "c.pem", self.root / "k.pem"
        for name, there, link, busy in [
                ("certificate", cert, False, False), ("no key", key, False, False),
                ("link of a certificate", cert, True, False), ("link of a key", key, True, False),
                ("certificate, store busy", cert, False, True)]:
            with self.subTest(name), open(lock, "r+") as held:
                if link:
                    there.symlink_to("nowhere")
                else:
                    there.write_text("mine")
                if busy:
                    fcntl.flock(held, fcntl.LOCK_EX)
                result = self.get_certificate()
                self.assertEqual(result.returncode, 1, result)
                for word in (there.name, "holds the store" if busy else NAME):
                    self.assertIn(word, result.stderr)
                left = list(self.root.glob("?.pem")) + list(self.root.glob(".*"))
                self.assertEqual(left, [there])
                if link:
                    self.assertEqual(os.readlink(there), "nowhere")
                else:
                    self.assertEqual(there.read_text(), "mine")
                there.unlink()

    def test_get_certificate_makes_a_certificate_for_a_key_that_is_there_alone(self):
        lock = self.root / "state" / "certwright.lock"
        self.assertEqual(self.run_it("list").returncode, 0)
        cert, key = self.root / "c.pem", self.root / "k.pem"
        for algorithm, busy in [(["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], False),
                                (["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], False),
                                (["ED25519"], True)]:
            with self.subTest(algorithm[0], busy=busy), open(lock, "r+") as held:
                openssl("genpkey", "-algorithm", *algorithm, "-out", key)
                mine = key.read_bytes()
                if busy:
                    fcntl.flock(held, fcntl.LOCK_EX)
                result = self.get_certificate()
                self.assertEqual(result.returncode, 0, result)
                self.assertIn("holds the store" if busy else NAME, result.stderr)
                self.assertEqual(key.read_bytes(), mine)
                self.assertEqual(openssl("x509", "-in", cert, "-noout", "-pubkey"),
                                 openssl("pkey", "-in", key, "-pubout"))
                self.assertIn(b"OK", openssl("verify", "-verify_hostname", NAME,
                                             "-CAfile", cert, cert))
                self.assertEqual(cert.stat().st_mode & 0o777, 0o644)
                if not busy:
                    self.assertEqual(self.get_certificate().returncode, 3)  # both are there now
                cert.unlink()
                key.unlink()


class Channel(Binary):
    def test_a_failed_check_sets_the_status(self):
        for words in (["action", "set-certificate"], ["run", "set-certificate", "--data", "{}"]):
            result, lines = self.with_channel(*words, stdin="{}")
            self.assertEqual(result.returncode, 10, result)
            self.assertEqual(lines, ["set-status validation-failed"])

    def test_what_ends_otherwise_sets_none(self):
        for action, data in [("list", ""), ("make-coffee", "{}"), ("show", '{"certificate":"x"}')]:
            with self.subTest(action):
                _, lines = self.with_channel("action", action, stdin=data)
                self.assertEqual([x for x in lines if x.startswith("set-status")], [])

    def test_progress_grows_from_0_to_100_and_is_not_on_standard_error(self):
        result, lines = self.with_channel("action", "set-certificate", stdin=self.fail_to_obtain())
        self.assertEqual(result.returncode, 3, result)
        self.assertEqual(lines[-1], "set-status validation-failed")
        steps = [line.split(" ") for line in lines[:-1]]
        self.assertTrue(steps)
        self.assertEqual({step[0] for step in steps}, {"set-progress"})
        numbers = [int(step[1]) for step in steps]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertTrue(all(0 <= number <= 100 for number in numbers), numbers)
        self.assertNotIn("looking for our account", result.stderr)

    def test_a_descriptor_that_was_not_handed_over_is_never_a_file_of_ours(self):
        # Which number the store's file gets is not known: each has an installation of its own, all
        # at once because each waits for its CA in vain.
        def call(number):
            folder = self.root / str(number)
            folder.mkdir()
            config = folder / "certwright.toml"
            config.write_text(self.config.read_text(encoding="utf-8").replace(
                '"%s/' % self.root, '"%s/' % folder), encoding="utf-8")
            return self.run_it("--config", str(config), "action", "set-certificate",
                               stdin=self.fail_to_obtain(), env={"AGENT_COMFD": str(number)})
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            for result in pool.map(call, range(3, 15)):
                self.assertEqual(result.returncode, 3, result)
                self.assertIn("the CA cannot be reached", result.stderr)
        files = [file for file in self.root.rglob("*") if file.is_file()]
        self.assertGreater(len(files), 24)
        for file in files:
            self.assertNotIn(b"set-progress", file.read_bytes(), file)
            self.assertNotIn(b"set-status", file.read_bytes(), file)

    def test_what_is_no_descriptor_is_no_channel(self):
        for value in ("", "x", "-1", "3x", "1e3", "99999999999999999999", " 3", "1000"):
            with self.subTest(value):
                result = self.run_it("action", "list", env={"AGENT_COMFD": value})
                self.assertEqual((result.returncode, result.stderr), (0, ""), result)

    def test_nobody_listening_is_no_failure(self):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            result = self.run_it("action", "set-certificate", stdin="{}",
                                 env={"AGENT_COMFD": str(writing)}, pass_fds=(writing,))
        finally:
            os.close(writing)
        self.assertEqual(result.returncode, 10, result)
        self.assertTrue(json.loads(result.stdout))


class Configuration(Binary):
    def missing(self):
        """(configuration, key that config check must name) of each that names what is not there."""
        none = self.root / "none"
        whole = self.root / "eab.key"
        whole.write_text("bWFj")
        file = self.root / "file"
        file.write_text("no PEM")
        binding = 'acme.eab_kid = "k"\nacme.eab_hmac_key_file = "%s"\n'
        yield 'acme.ca_bundle = "%s"\n' % none, "acme.ca_bundle"
        yield 'acme.ca_bundle = "%s"\n' % file, "acme.ca_bundle"
        yield binding % none, "acme.eab_hmac_key_file"
        yield binding % file, "acme.eab_hmac_key_file"
        yield binding % self.root, "acme.eab_hmac_key_file"
        yield 'traefik.dynamic_dir = "%s"\n' % none, "traefik.dynamic_dir"
        yield 'traefik.dynamic_dir = "%s"\n' % file, "traefik.dynamic_dir"

    def test_a_file_that_is_named_and_not_there_is_told_with_its_line(self):
        for more, key in self.missing():
            with self.subTest(more):
                self.configure(more)
                lines = self.config.read_text(encoding="utf-8").splitlines()
                number = [line.startswith(key) for line in lines].index(True) + 1
                result = self.run_it("config", "check")
                self.assertEqual((result.returncode, result.stdout), (78, ""), result)
                self.assertIn("%s:%d: %s: " % (self.config, number, key), result.stderr)
                self.assertIn("what to do: ", result.stderr)

    def test_terms_that_nobody_agreed_to_are_noted(self):
        self.configure('[[acme.fallback]]\ndirectory = "https://other.test/directory"\n')
        result = self.run_it("config", "check")
        self.assertEqual(result.returncode, 0, result)
        note = ("acme.fallback.agree_to_terms is not set: no account is made at "
                "https://other.test/directory where that has terms of service")
        self.assertEqual(result.stdout.splitlines()[1:], ["note: " + note])
        told = json.loads(self.run_it("--json", "config", "check").stdout)
        self.assertEqual((told["ok"], told["notes"]), (True, [note]))

    def test_every_such_file_is_told_at_once(self):
        self.configure('acme.ca_bundle = "none"\nacme.eab_kid = "k"\n'
                       'acme.eab_hmac_key_file = "none"\ntraefik.dynamic_dir = "none"\n')
        result = self.run_it("config", "check")
        self.assertEqual(result.returncode, 78, result)
        self.assertIn("acme.ca_bundle: ", result.stderr)
        self.assertIn("acme.eab_hmac_key_file: ", result.stderr)
        self.assertIn("traefik.dynamic_dir: ", result.stderr)

    def test_what_asks_no_ca_works_without_them_and_what_does_says_why(self):
        for more, key in self.missing():
            with self.subTest(more):
                self.configure(more)
                for words in (["list"], ["account", "show"], ["run", "get-certificate", "--data",
                                                             '{"fqdn": "%s"}' % NAME]):
                    result = self.run_it(*words)
                    self.assertIn(result.returncode, (0, 2), result)
                    self.assertNotIn(key, result.stderr)
                if key == "acme.ca_bundle":
                    result = self.run_it("issue", NAME, "--timeout", "2")
                    self.assertEqual(result.returncode, 78, result)
                    self.assertIn(key, result.stderr)
                if key.startswith("acme."):
                    result = self.run_it("serve")
                    self.assertEqual(result.returncode, 78, result)
                    self.assertIn(key, result.stderr)

    def test_what_is_there_is_fine(self):
        (self.root / "eab.key").write_text("bWFj\n")
        (self.root / "dynamic").mkdir()
        self.configure('acme.eab_kid = "k"\nacme.eab_hmac_key_file = "eab.key"\n'
                       'traefik.dynamic_dir = "dynamic"\n')
        result = self.run_it("config", "check")
        self.assertEqual((result.returncode, result.stderr), (0, ""), result)


class Sockets(Binary):
    def test_the_socket_that_allows_most_is_asked(self):
        self.configure("".join(
            '[[api.socket]]\npath = "%s/%s.sock"\nrole = "%s"\n' % (self.root, role, role)
            for role in ("reader", "certadm", "owner")))
        self.serve()
        result = self.run_it("delete", "nobody.example.org")
        self.assertEqual(result.returncode, 2, result)

    def test_every_door_gives_the_same_through_a_daemon(self):
        self.configure('[[api.socket]]\npath = "%s/a.sock"\nrole = "owner"\n' % self.root)
        cases = [("list", ""), ("make-coffee", "{}"), ("list?x", "{}"), ("a b", "{}"),
                 ("set-certificate", "{}"), ("show", '{"certificate":"x.example.org"}')]
        alone = [self.run_it("action", action, stdin=data) for action, data in cases]
        self.serve()
        for (action, data), before in zip(cases, alone):
            with self.subTest(action):
                after = self.run_it("action", action, stdin=data)
                self.assertEqual((after.returncode, after.stdout, after.stderr),
                                 (before.returncode, before.stdout, before.stderr))

    def test_a_denied_call_is_seven_and_names_the_role(self):
        self.configure('[[api.socket]]\npath = "%s/a.sock"\nrole = "reader"\n' % self.root)
        self.serve()
        result = self.run_it("action", "get-certificate", stdin='{"fqdn": "%s"}' % NAME)
        self.assertEqual(result.returncode, 7, result)
        self.assertIn("certadm, fulladm or owner", result.stderr)


if __name__ == "__main__":
    BINARY = str(pathlib.Path(sys.argv.pop()).resolve())
    unittest.main()
