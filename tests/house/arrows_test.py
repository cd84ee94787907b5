#!/usr/bin/env python3
"""Holds the #include lines of include/ and src/ against the table of arrows in ARCHITECTURE.md.

Also: which module may use which library, and (invariant I7) that only base reads the clock and the
random source. An argument names another tree; without one it is the tree that this file is in.
"""

import pathlib
import re
import sys
import tempfile
import unittest

EVERYTHING = None

# module -> modules whose public headers it may include (itself always).
ARROWS = {
    "base": set(),
    "model": {"base"},
    "json": {"base"},
    "crypto": {"base", "model"},
    "http": {"base"},
    "acme": {"base", "model", "json", "crypto", "http"},
    "challenge": {"acme", "crypto", "http", "base", "model"},
    "store": {"base", "model"},
    "issue": {"acme", "challenge", "crypto", "store", "events", "base", "model"},
    "renewal": {"issue", "probe", "store", "events", "base", "model"},
    "served": {"probe", "store", "events", "base", "model"},
    "events": {"store", "json", "base", "model"},
    "export": {"crypto", "store", "base", "model"},
    "traefik": {"json", "store", "base", "model", "http"},
    "config": {"base", "model"},
    "probe": {"crypto", "http", "base", "model"},
    "migrate": {"json", "crypto", "store", "base", "model"},
    "actions": {"issue", "renewal", "traefik", "export", "served", "events", "migrate", "probe", "store",
                "json", "base", "model"},
    "api": {"actions", "json", "http", "base", "model"},
    "cli": EVERYTHING,
    "app": EVERYTHING,
}

# How the include of a library begins -> modules that may use it; no module at all: banned.
LIBRARIES = {
    "rapidjson/": {"json"},
    "botan/": {"crypto"},
    "httplib.h": {"http"},
    "openssl/": {"http", "crypto"},
    "sqlite3.h": {"store"},
    "spdlog/": {"base"},
    "fmt/": {"base"},
    "toml++/": {"config"},
    "toml.hpp": {"config"},
    "CLI/": {"cli"},
    "idn2.h": {"model"},
    "libpsl.h": {"model"},
    "ares.h": {"probe"},
    "yaml.h": {"migrate"},
    "regex": set(),
    "iostream": set(),
    "format": set(),
    "expected": set(),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
CLOCK_OR_CHANCE = re.compile(
    r"\b(?:system_clock|steady_clock|high_resolution_clock)::now\b|\brandom_device\b|\bgetrandom\b"
    r"|\b(?:std::)?time\((?:nullptr|NULL|0)\)|\bgettimeofday\b|\bclock_gettime\b"
    r"|\bmt19937")


def module_of(path, root):
    """The module that a file of include/certwright/<module>/ or src/<module>/ belongs to."""
    parts = path.relative_to(root).parts
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ("include", "certwright") and len(parts) > 3:
        return parts[2]
    return None


def sources(root):
    for top in ("include", "src"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in {".h", ".hpp", ".cpp", ".cc", ".inc"}:
                yield path


def target_module(include, path, root):
    """The module whose header is included, by its public name or by a way around it."""
    parts = include.split("/")
    if parts[0] == "certwright" and len(parts) >= 3:
        return parts[1], "public"
    for base in (path.parent, root / "src"):
        found = (base / include).resolve()
        if found.is_file() and found.is_relative_to(root.resolve()):
            return module_of(found, root.resolve()), "inside"
    return None, ""  # the system's, or made by the build


def wrong_include(module, include, path, root):
    """What is wrong with this include, or None."""
    for prefix, allowed in LIBRARIES.items():
        if include == prefix or (prefix.endswith("/") and include.startswith(prefix)):
            if module not in allowed:
                who = " or ".join(sorted(allowed)) if allowed else "nobody"
                return f"<{include}> may be used by {who}, not by {module}"
    target, door = target_module(include, path, root)
    if target is None or target == module:
        return None
    if door == "inside":
        return f'"{include}" is the inside of {target}; only its public headers may be included'
    if target not in ARROWS:
        return f"{target} is no module of the table"
    allowed = ARROWS[module]
    if allowed is not EVERYTHING and target not in allowed:
        return f"{module} may not include {target}"
    return None


def without_comments(line):
    return re.sub(r'"(?:[^"\\]|\\.)*"', '""', line).split("//")[0]


def defects(root):
    """('file:line: what is wrong' for each defect, number of files, number of includes)."""
    found, files, includes = [], 0, 0
    for path in sources(root):
        files += 1
        module = module_of(path, root)
        where = path.relative_to(root)
        if module not in ARROWS:
            found.append(f"{where}:1: {module or 'this folder'} is no module of the table")
            continue
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                includes += 1
                wrong = wrong_include(module, match.group(2), path, root)
                if wrong:
                    found.append(f"{where}:{number}: {wrong}")
            elif module != "base" and CLOCK_OR_CHANCE.search(without_comments(line)):
                found.append(f"{where}:{number}: only base reads the clock or the random source "
                             "(I7)")
    return found, files, includes


class ArrowsCanFail(unittest.TestCase):
    """Each rule, in a small tree of its own."""

    def check(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return defects(root)[0]

    def test_bad_lines_are_found(self):
        table = [
            ("arrow not in the table", "store", '#include "certwright/json/value.h"',
             "store may not include json"),
            ("arrow upwards", "base", '#  include <certwright/model/order.h>',
             "base may not include model"),
            ("unknown module", "acme", '#include "certwright/nonsense/x.h"', "no module of the"),
            ("inside of another module", "acme", '#include "../json/secret_room.h"',
             "inside of json"),
            ("inside, by folder", "cli", '#include "json/secret_room.h"', "inside of json"),
            ("RapidJSON elsewhere", "api", "#include <rapidjson/document.h>", "by json, not by"),
            ("Botan elsewhere", "acme", "#include <botan/hash.h>", "by crypto"),
            ("httplib elsewhere", "api", "#include <httplib.h>", "by http"),
            ("OpenSSL elsewhere", "export", "#include <openssl/pkcs12.h>", "by crypto or http"),
            ("SQLite elsewhere", "issue", "#include <sqlite3.h>", "by store"),
            ("spdlog elsewhere", "app", "#include <spdlog/spdlog.h>", "by base"),
            ("toml++ elsewhere", "app", "#include <toml++/toml.h>", "by config"),
            ("CLI11 elsewhere", "app", "#include <CLI/CLI.hpp>", "by cli"),
            ("regex", "base", "#include <regex>", "by nobody"),
            ("clock", "issue", "auto t = std::chrono::system_clock::now();", "I7"),
            ("chance", "renewal", "std::random_device device;", "I7"),
        ]
        for name, module, line, words in table:
            with self.subTest(name):
                found = self.check({
                    f"src/{module}/x.cpp": "// a comment\n" + line + "\n",
                    "src/json/secret_room.h": "",
                })
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(f"src/{module}/x.cpp:2: "), found[0])
                self.assertIn(words, found[0])

    def test_bad_lines_are_found_in_public_headers_too(self):
        found = self.check({"include/certwright/store/x.h": '#include "certwright/json/value.h"\n'})
        self.assertEqual(found, ["include/certwright/store/x.h:1: store may not include json"])

    def test_a_folder_that_is_no_module_is_found(self):
        self.assertIn("no module", self.check({"src/util/x.cpp": ""})[0])

    def test_good_lines_pass(self):
        good = {
            "src/acme/x.cpp": '#include "x.h"\n#include "certwright/json/value.h"\n',
            "src/acme/x.h": "// steady_clock::now is read by base only\n",
            "src/json/y.cpp": "#include <rapidjson/reader.h>\n",
            "src/base/clock.cpp": "auto t = std::chrono::steady_clock::now();\n",
            "src/app/main.cpp": '#include "certwright/store/database.h"\n',
            "src/store/z.cpp": '#include "made_by_the_build.h"\n#include <sqlite3.h>\n',
        }
        self.assertEqual(self.check(good), [])


class Arrows(unittest.TestCase):
    root = pathlib.Path(__file__).resolve().parents[2]

    def test_the_tree_has_only_arrows_of_the_table(self):
        found, files, includes = defects(self.root)
        print(f"arrows: {includes} includes in {files} files against {len(ARROWS)} modules and "
              f"{len(LIBRARIES)} libraries; clock and chance outside base: {len(found)} defects")
        self.assertGreater(files, 0, "nothing was looked at")
        self.assertEqual(found, [], "\n" + "\n".join(found))


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        Arrows.root = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
