#!/usr/bin/env python3
"""The wheel: what is in it, what it needs, and that it steps aside."""

import ast
import base64
import configparser
import csv
import hashlib
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

import places

sys.dont_write_bytecode = True
sys.path.insert(0, str(places.PACKAGE))
import build_wheel  # noqa: E402

NODES = "WHO = 'the node'\n"
ASK = ("import site, sys\nsite.addsitedir(sys.argv[1])\nimport agent\n"
       "print(getattr(agent, 'WHO', None) or agent.__file__)\n"
       "try:\n    import agent.tasks\nexcept ImportError:\n    print('no tasks')\n")


def configparser_of(file):
    parser = configparser.ConfigParser()
    parser.read(file)
    return parser


class Wheel(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cw-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.site = self.root / "site"
        self.wheel = self.root / build_wheel.build_wheel(self.root)
        with zipfile.ZipFile(self.wheel) as archive:
            archive.extractall(self.site)

    def imported(self, *paths):
        """What `import agent` gives where the wheel is installed and PATHS are PYTHONPATH."""
        done = subprocess.run([sys.executable, "-B", "-c", ASK, self.site], cwd=self.root, text=True,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
                              capture_output=True, timeout=30, check=True)
        return done.stdout.splitlines()

    def other(self, folder):
        """A library of the node's in FOLDER."""
        (self.root / folder / "agent").mkdir(parents=True)
        (self.root / folder / "agent" / "__init__.py").write_text(NODES)
        return self.root / folder

    def test_is_imported_where_there_is_no_other(self):
        library = self.site / "certwright_agent" / "library" / "agent" / "__init__.py"
        self.assertEqual(self.imported(), [str(library)])

    def test_steps_aside_for_another_on_the_path(self):
        self.assertEqual(self.imported(self.other("pypkg")), ["the node", "no tasks"])

    def test_steps_aside_for_one_that_is_found_later(self):
        node = self.other("pypkg")
        (self.site / "zz-last.pth").write_text("%s\n" % node)  # read after ours
        self.assertEqual(self.imported(), ["the node", "no tasks"])

    def test_steps_aside_for_one_in_the_same_folder(self):
        self.other("site")
        self.assertEqual(self.imported(), ["the node", "no tasks"])

    def test_without_pth_files_the_library_is_a_folder_for_the_path(self):
        library = self.site / "certwright_agent" / "library"
        done = subprocess.run([sys.executable, "-B", "-S", "-c", "import agent.tasks"], timeout=30,
                              env={**os.environ, "PYTHONPATH": str(library)}, check=False)
        self.assertEqual(done.returncode, 0)

    def test_its_record_is_true(self):
        info = "certwright_agent-%s.dist-info" % build_wheel.VERSION
        rows = list(csv.reader((self.site / info / "RECORD").read_text().splitlines()))
        files = {path.relative_to(self.site).as_posix()
                 for path in self.site.rglob("*") if path.is_file()}
        self.assertEqual({name for name, _, _ in rows}, files)
        for name, digest, size in rows:
            if name.endswith("RECORD"):
                continue
            content = (self.site / name).read_bytes()
            wanted = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
            self.assertEqual((digest, int(size)), ("sha256=" + wanted, len(content)), name)

    def test_its_command_is_there(self):
        (entry,) = self.site.glob("*.dist-info/entry_points.txt")
        (command,) = configparser_of(entry)["console_scripts"].items()
        self.assertEqual(command[0], "certwright-events")
        module, name = command[1].split(":")
        done = subprocess.run([sys.executable, "-B", "-c",
                               "from %s import %s as found; found()" % (module, name)],
                              env={"PATH": os.environ["PATH"], "PYTHONPATH": str(self.site)},
                              capture_output=True, text=True, timeout=30, check=False)
        self.assertIn("runagent certwright-events", done.stderr)

    def test_the_same_files_make_the_same_wheel(self):
        again = self.root / "again"
        again.mkdir()
        self.assertEqual((again / build_wheel.build_wheel(again)).read_bytes(),
                         self.wheel.read_bytes())

    def test_its_version_is_certwrights(self):
        meson = (places.PROJECT / "meson.build").read_text()
        self.assertIn("version: '%s'" % build_wheel.VERSION, meson)

    def test_the_source_archive_builds_the_same(self):
        archive = self.root / build_wheel.build_sdist(self.root)
        with tarfile.open(archive) as opened:
            opened.extractall(self.root / "source")
        (tree,) = (self.root / "source").iterdir()
        made = subprocess.run([sys.executable, "-B", "-c", "import build_wheel, sys\n"
                               "print(build_wheel.build_wheel(sys.argv[1]))", self.root / "source"],
                              cwd=tree, capture_output=True, text=True, timeout=30, check=True)
        self.assertEqual((self.root / "source" / made.stdout.strip()).read_bytes(),
                         self.wheel.read_bytes())


class Sources(unittest.TestCase):
    """Nothing outside the standard library, nothing newer than Python 3.9."""

    FILES = sorted(places.PACKAGE.rglob("*.py"))

    def test_imports(self):
        known = set(sys.stdlib_module_names) | {"certwright_agent"}
        for file in self.FILES:
            for node in ast.walk(ast.parse(file.read_text(), feature_version=(3, 9))):
                names = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    names = [node.module]
                for name in names:
                    self.assertIn(name.split(".")[0], known, file)

    def test_there_are_sources(self):
        self.assertGreater(len(self.FILES), 6)


if __name__ == "__main__":
    unittest.main()
