#!/usr/bin/env python3
"""systemd itself reads the units in packaging/systemd, and finds nothing wrong in them."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "packaging" / "systemd"
PROGRAM = "/usr/local/bin/certwright"


def verify(units):
    """What systemd-analyze says of these {name: text}; "" where all is well."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, text in units.items():
            path = pathlib.Path(folder, name)
            path.write_text(text.replace(PROGRAM, "/bin/true"))  # it is not installed here
            paths.append(path)
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
        # Of the units of the machine it says what it likes.
        said = [line for line in done.stdout.splitlines() if folder in line or "certwright" in line]
        return "\n".join(said)


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

    def test_every_unit_runs_the_installed_program(self):
        for path in FOLDER.glob("*.service"):
            self.assertIn("ExecStart=" + PROGRAM + " ", path.read_text(), path.name)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
