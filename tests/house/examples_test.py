#!/usr/bin/env python3
"""packaging/examples: Certwright takes the exports, systemd the units, and the words above an export
name the files that it writes."""

import grp
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

import units_test

BINARY = None
FOLDER = units_test.PROJECT / "packaging" / "examples"
EXPORTS = sorted(FOLDER.glob("*.toml"))
PROGRAMS = {"postfix", "dovecot", "nginx", "haproxy", "postgresql", "asterisk"}
OF_PEM = {"cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"}


def written(table):
    """The paths that a program may be told of."""
    if "path" in table:
        return {table["path"]}
    if table["format"] == "pem":
        return {"%s/%s" % (table["dir"], name) for name in OF_PEM}
    return {table["dir"] + "/"}


class Exports(unittest.TestCase):
    def check(self, text):
        with tempfile.TemporaryDirectory(prefix="cw-") as folder:
            file = pathlib.Path(folder, "certwright.toml")
            # The programs are not installed here, nor are their groups.
            ours = 'group = "%s"' % grp.getgrgid(os.getgid()).gr_name
            file.write_text(re.sub(r"^group = .*$", ours, text, flags=re.MULTILINE))
            return subprocess.run([BINARY, "--config", file, "config", "check"], text=True,
                                  capture_output=True, timeout=60, check=False)

    def test_there_is_one_for_each_program(self):
        self.assertEqual({path.stem for path in EXPORTS}, PROGRAMS)
        told = (FOLDER / "README.md").read_text()
        for path in EXPORTS:
            self.assertIn("`%s`" % path.name, told)

    def test_certwright_takes_them_alone_and_together(self):
        texts = [path.read_text() for path in EXPORTS]
        for text in [*texts, "\n".join(texts)]:
            done = self.check(text)
            self.assertEqual(done.returncode, 0, done)

    def test_a_wrong_key_is_found(self):
        done = self.check(EXPORTS[0].read_text().replace("format =", "fromat ="))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("format", done.stderr + done.stdout)

    def test_the_files_that_a_program_is_told_of_are_written(self):
        for path in EXPORTS:
            text = path.read_text()
            (table,) = tomllib.loads(text)["export"]
            comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
            told = set(re.findall(r"/etc/ssl/certwright[\w./-]*", comments))
            self.assertTrue(told, path.name)
            self.assertLessEqual(told, written(table), path.name)

    def test_the_folder_is_the_one_that_is_opened_in_the_cage(self):
        opened = (FOLDER / "certwright.service.d" / "exports.conf").read_text()
        (root,) = re.findall(r"^ReadWritePaths=(\S+)$", opened, re.M)
        for path in EXPORTS:
            (table,) = tomllib.loads(path.read_text())["export"]
            self.assertTrue(table.get("path", table.get("dir")).startswith(root + "/"), path.name)


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
class Units(unittest.TestCase):
    DAEMON = (units_test.FOLDER / "certwright.service").read_text()

    def verify(self, more):
        """What systemd says of the daemon, of the examples, and of these {name: text}."""
        return units_test.verify({
            "certwright.service": self.DAEMON,
            **{path.name: path.read_text() for path in FOLDER.glob("*.service")}, **more})

    def test_systemd_understands_them(self):
        opened = (FOLDER / "certwright.service.d" / "exports.conf").read_text()
        after = (FOLDER / "after-certwright.conf").read_text()
        stub = "[Service]\nExecStart=/bin/true\n"
        units = {"certwright.service.d/exports.conf": opened}
        self.assertEqual({path.name for path in FOLDER.glob("*.service")},
                         {"certwright-events.service", "get-certificate.service"})
        for program in PROGRAMS:
            units["certwright-%s.service" % program] = stub
            units["certwright-%s.service.d/after.conf" % program] = after
        self.assertEqual(self.verify(units), "")

    def test_a_wrong_line_is_found(self):
        units = {"certwright.service.d/exports.conf": "[Service]\nReadWritePath=/x\n"}
        self.assertIn("ReadWritePath", self.verify(units))


class Handler(unittest.TestCase):
    def told(self, names):
        """What systemctl is told by the handler of this event."""
        with tempfile.TemporaryDirectory(prefix="cw-") as folder:
            root = pathlib.Path(folder)
            (root / "certwright").symlink_to(BINARY)
            (root / "systemctl").write_text("#!/bin/sh\necho \"$*\"\n")
            (root / "systemctl").chmod(0o755)
            done = subprocess.run(
                [FOLDER / "certificate-changed" / "myservice"], text=True, capture_output=True,
                env={"PATH": "%s:/usr/bin:/bin" % root, "NODE_ID": "1", "HOME": folder}, timeout=60,
                input=json.dumps({"node_id": 1, "module_id": "traefik1", "names": names}),
                check=False)
            self.assertEqual(done.returncode, 0, done)
            return done.stdout

    def test_restarts_what_is_concerned(self):
        self.assertEqual(self.told(["a.example.org", "mail.example.org"]),
                         "try-restart myservice.service\n")
        self.assertEqual(self.told(["www.example.org"]), "")


if __name__ == "__main__":
    BINARY = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(argv=sys.argv[:1])
