#!/usr/bin/env python3
"""systemd itself reads the units in packaging/systemd and those of the page that module authors copy
from, and finds nothing wrong in them."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "packaging" / "systemd"
PAGE = PROJECT / "tests" / "e2e" / "data" / "tls-certificates.md"
PROGRAM = "/usr/local/bin/certwright"
PROGRAMS = ["=" + PROGRAM, "=/usr/local/bin/get-certificate", "=runagent"]
MOST_EXPOSED = 2.0  # of systemd's ten


def verify(units):
    """What systemd-analyze says of these {name: text}, drop-ins among them; "" where all is well."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, text in units.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            # They are not installed here.
            for program in PROGRAMS:
                text = text.replace(program, "=/bin/true")
            path.write_text(text)
            if path.suffix != ".conf":  # what is beside a unit is read with it
                paths.append(path)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
        # Of the units of the machine it says what it likes.
        said = [line for line in done.stdout.splitlines() if folder in line or "certwright" in line]
        return "\n".join(said)


def page_units():
    """The page's unit, and a service that its lines were added to."""
    get, lines = re.findall(r"^```ini\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    service = lines + "[Service]\nExecStart=/bin/true\n"
    return {"get-certificate.service": get, "certwright-reader.service": service}


def is_caged(path, most=MOST_EXPOSED):
    """Whether systemd-analyze finds this service exposed to at most MOST."""
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                           "--threshold=%d" % (most * 10), path],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60)
    assert "Overall exposure level" in done.stdout, done.stdout
    return done.returncode == 0


def twelve_hours_apart(calendar):
    """Whether an OnCalendar elapses twice a day, by systemd's own reckoning."""
    done = subprocess.run(["systemd-analyze", "calendar", "--iterations=3", calendar],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=60,
                          check=True, env={"TZ": "UTC", "LANG": "C", "PATH": "/usr/bin:/bin"})
    hours = re.findall(r"(?:Next elapse|Iter\. #\d): \w+ (\S+) (\d\d):00:00 UTC", done.stdout)
    return len({day for day, _ in hours}) == 2 and len({hour for _, hour in hours}) == 2


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
class Units(unittest.TestCase):
    def test_systemd_understands_them(self):
        units = {path.name: path.read_text() for path in FOLDER.iterdir()}
        self.assertLessEqual({"certwright.service", "certwright-renew.service",
                              "certwright-renew.timer"}, set(units))
        self.assertEqual(verify(units), "")

    def test_a_wrong_line_is_found(self):
        text = (FOLDER / "certwright.service").read_text()
        self.assertIn("Protekt", verify({"certwright.service": text.replace(
            "ProtectHome=true", "ProtektHome=true")}))

    def test_the_pages_units_are_good_as_they_stand(self):
        units = page_units()
        self.assertEqual(verify(units), "")
        units["get-certificate.service"] += "ExecStrat=/bin/true\n"
        self.assertIn("ExecStrat", verify(units))

    def test_services_are_caged(self):
        for path in FOLDER.glob("*.service"):
            self.assertTrue(is_caged(path), path.name)

    def test_an_open_service_is_found(self):
        text = (FOLDER / "certwright.service").read_text()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "certwright.service")
            path.write_text(text.replace("ProtectSystem=strict", "ProtectSystem=full")
                            .replace("RestrictNamespaces=true", "RestrictNamespaces=false"))
            self.assertFalse(is_caged(path))

    def test_a_path_is_opened_as_the_unit_says(self):
        text = (FOLDER / "certwright.service").read_text()
        example = re.search(r"#   \[Service\]\n#   (ReadWritePaths=.*)\n", text)
        self.assertIsNotNone(example, "the way to open a path is told")
        bars = re.findall(r"^#   (\w+=[\w@ ]+?)  +to ", text, re.M)
        self.assertGreater(len(bars), 6)
        opened = "\n".join([example[1], *bars])
        self.assertEqual(verify({"certwright.service": text.replace(
            "\n[Install]", "\n%s\n[Install]" % opened)}), "")

    def test_the_timer_runs_twice_a_day_and_not_everywhere_at_once(self):
        text = (FOLDER / "certwright-renew.timer").read_text()
        calendar = re.search(r"^OnCalendar=(.*)$", text, re.M)[1]
        self.assertTrue(twelve_hours_apart(calendar), calendar)
        self.assertFalse(twelve_hours_apart("daily"))
        self.assertRegex(text, r"(?m)^RandomizedDelaySec=\d+h$")

    def test_every_unit_runs_the_installed_program(self):
        for path in FOLDER.glob("*.service"):
            self.assertIn("ExecStart=" + PROGRAM + " ", path.read_text(), path.name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
