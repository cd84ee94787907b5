"""packaging/examples, with a daemon: the files that each program is told of are there and fit, and the
program is told of changes."""

import grp
import os
import re
import ssl
import tomllib

from harness import wait
from harness.module import Module
from harness.servers import PROJECT

EXAMPLES = sorted((PROJECT / "packaging" / "examples").glob("*.toml"))
ROOT = "/etc/ssl/certwright"


def loads(*files):
    """Whether OpenSSL takes these: certificate and key, or one file with both."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*map(str, files))
    return True


def test_every_example(workdir, world):
    folder = workdir / "ssl"
    folder.mkdir()
    calls = workdir / "calls"
    programs = workdir / "programs"
    Module.script(programs / "systemctl", '#!/bin/sh\necho "$*" >>"%s"\n' % calls)
    exports, told = [], {}
    for path in EXAMPLES:
        text = path.read_text().replace(ROOT, str(folder))
        (export,) = tomllib.loads(text)["export"]
        if "group" in export:
            export["group"] = grp.getgrgid(os.getgid()).gr_name  # the program is not installed here
        exports.append(export)
        comments = "\n".join(line for line in text.splitlines() if line.startswith("#"))
        told[path.stem] = re.findall(re.escape(str(folder)) + r"[\w./-]*", comments)
    certwright = world.certwright
    certwright.write_config({"export": exports})
    certwright.serve(env={"PATH": "%s:%s" % (programs, os.environ["PATH"])})
    names = sorted({name for export in exports for name in export["names"]})
    for name in names:
        certwright.ok("issue", name)
    wanted = {"try-reload-or-restart " + path.stem for path in EXAMPLES}
    wait.until(lambda: calls.exists() and set(calls.read_text().splitlines()) == wanted,
               "each program is told", 30)
    certwright.ok("exports", "check")

    for program, files in told.items():
        for file in files:
            assert os.path.exists(file), (program, file)
    for program in ("dovecot", "nginx", "postgresql", "asterisk"):
        fullchain, key = (folder / program / name for name in ("fullchain.pem", "privkey.pem"))
        assert loads(fullchain, key)
        grouped = program in ("postgresql", "asterisk")
        assert key.stat().st_mode & 0o777 == (0o640 if grouped else 0o600), program
    assert loads(folder / "postfix.pem")
    assert (folder / "postfix.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")
    served = sorted((folder / "haproxy").iterdir())
    assert [file.name for file in served] == ["shop.example.org.pem", "www.example.org.pem"]
    assert all(map(loads, served))
