"""A hostile or broken CA: each case bends one answer of an otherwise correct CA.

Whatever comes, `issue` ends in time with exit code 3 and one clear error, keeps little in memory,
sends nothing in the clear, prints no control characters, and leaves no certificate in the store.
"""

import re

import pytest
from harness.certwright import Certwright
from harness.ports import free_port
from hostile import CASES, EVIL, PlainTrap
from scripted_ca import ScriptedCa

MEMORY_LIMIT = 50 << 20


def test_every_case_has_its_own_name():
    assert len({case.name for case in CASES}) == len(CASES)


FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def error_of(result):
    """The one error, without the advice below it."""
    errors = re.findall(r"^certwright: .*(?:\n  .*)*", result.stderr, re.MULTILINE)
    assert len(errors) == 1, str(result)
    return re.sub(r"\n  what to do: .*", "", errors[0])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_is_refused(case, workdir, listener, sanitized):
    port = free_port()
    ca = ScriptedCa(listener, http_port=port)
    ca.trap = PlainTrap()
    case.bend(ca)
    config = {
        "acme": {"directory": ca.directory_url, "ca_bundle": str(listener.root), "exchange_timeout": 2},
        "http01": {"listen": "127.0.0.1:%d" % port},
    }
    certwright = Certwright(workdir / "cw", config)
    certwright.write_config(case.config)
    try:
        result = certwright.run("issue", *case.names, "--timeout", str(case.timeout),
                                measure=not sanitized, timeout=60)
    finally:
        ca.stop()
        ca.trap.stop()
    assert ca.broken == []
    assert result.code == 3, str(result)
    assert re.search(case.says, error_of(result), re.IGNORECASE), str(result)
    assert not FORBIDDEN.search(result.raw.decode("utf-8", "strict")), str(result)
    assert len(result.stderr) < 10_000, str(result)
    assert not re.search(r"^(\S*: )?error: forged", result.stderr, re.MULTILINE), str(result)
    assert result.wall < case.timeout + (8 if sanitized else 4), str(result)
    assert ca.trap.calls == 0, "it called in the clear: " + str(result)
    for resource, most in case.most.items():
        assert ca.count(resource) <= most, str(result)
    if not sanitized:
        assert result.peak_rss < MEMORY_LIMIT, "%d KiB\n%s" % (result.peak_rss // 1024, result)
    assert not [file for file in workdir.rglob("*" + EVIL + "*")]
    assert certwright.certificates() == []
