"""The ledger of a CA's limits and the fuse: refused here first, shown, corrected by the CA."""

import json
import time

import pytest
from harness.certwright import Certwright
from harness.ports import free_port
from scripted_ca import ScriptedCa, problem

FAILED = 3
BAD_CONFIG = 78

LIMITS = """
[[ca]]
name = "Scripted CA"
directories = ["%s"]

[[ca.limit]]
name = "orders"
burst = 20
window = "20h"
renewal_reserve = 0

[[ca.limit]]
name = "certificates-per-domain"
burst = 10
window = "10d"
exempt = ["replaces", "same-set"]
renewal_reserve = 7

[[ca.limit]]
name = "certificates-per-exact-set"
burst = 2
window = "2d"

[[ca.limit]]
name = "failed-authorizations"
burst = 2
window = "2h"
"""


@pytest.fixture
def pair(workdir, listener):
    """A scripted CA whose limits are known by the administrator's file, and a Certwright."""
    port = free_port()
    ca = ScriptedCa(listener, http_port=port)
    limits = workdir / "limits.toml"
    limits.write_text(LIMITS % ca.directory_url)
    certwright = Certwright(workdir / "cw", {
        "acme": {"directory": ca.directory_url, "ca_bundle": str(listener.root)},
        "http01": {"listen": "127.0.0.1:%d" % port},
        "ledger": {"limits": str(limits)},
    })
    yield ca, certwright
    certwright.stop()
    ca.stop()


def refused(certwright, *words):
    result = certwright.run("--json", "issue", *words)
    assert result.code == FAILED, str(result)
    return json.loads(result.stderr)["error"]


def left(certwright, limit, subject=""):
    """What the ledger says is left of one limit; None: it is untouched."""
    (ca,) = certwright.ok("--json", "ledger").json()["cas"]
    for entry in ca["used"]:
        if (entry["limit"], entry["subject"]) == (limit, subject):
            return entry["left"]
    return None


def seconds_until(text):
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone - time.time()


def test_what_would_be_refused_is_refused_here_with_the_time(pair):
    ca, certwright = pair
    for name in "abc":
        certwright.ok("issue", "%s.example.test" % name)
    assert left(certwright, "orders") == 17
    assert left(certwright, "certificates-per-domain", "example.test") == 7
    error = refused(certwright, "d.example.test")
    assert error["code"] == "rate_limited"
    assert "refused here, to keep room for renewals at Scripted CA" in error["detail"]
    assert "3 of 10 certificates for example.test" in error["detail"]
    assert "the last 7 are kept for renewals" in error["detail"]
    # One comes back each day; the next try has a tenth of jitter on top.
    assert 23 * 3600 < seconds_until(error["retry_at"]) <= 26.5 * 3600
    assert ca.count("newOrder") == 3, "the CA heard nothing of it"
    human = certwright.run("issue", "d.example.test")
    assert human.code == FAILED and "passes at" in human.stderr
    certwright.ok("issue", "d.other.test")


def test_force_passes_and_is_written_down(pair):
    ca, certwright = pair
    name = "a.example.test"
    certwright.ok("issue", name)
    certwright.ok("issue", name, "--force")
    assert left(certwright, "certificates-per-exact-set", name) == 0
    forced = certwright.ok("issue", name, "--force")
    assert "forced" in forced.stderr
    assert ca.count("newOrder") == 3
    orders = certwright.ok("--json", "show", name).json()["orders"]
    assert [order["forced"] for order in orders] == [True, True, False]
    (fused,) = certwright.ok("--json", "ledger").json()["fuse"]["sets"]
    assert (fused["names"], fused["used"], fused["forced"]) == ([name], 3, 2)
    assert "forced by a person" in certwright.ok("show", name).stdout


def test_a_name_that_fails_is_not_asked_for_again_and_again(pair):
    ca, certwright = pair
    ca.http_port = free_port()  # where nobody answers it
    for _ in range(2):
        assert refused(certwright, "a.example.test")["code"] == "refused"
    assert left(certwright, "failed-authorizations", "a.example.test") == 0
    assert left(certwright, "certificates-per-domain", "example.test") is None, "given back"
    error = refused(certwright, "a.example.test")
    assert "refused here before Scripted CA would: 2 of 2 failed validations of a.example.test" in (
        error["detail"])
    assert ca.count("newOrder") == 2


def test_the_cas_word_corrects_the_ledger(pair):
    ca, certwright = pair
    ca.on("newOrder", lambda request, answer: problem(
        "rateLimited", 'too many certificates (50) already issued for "example.test" in the last '
        '168h0m0s', 429).set_header("Retry-After", "7200"), times=1)
    assert "already issued" in refused(certwright, "a.example.test")["detail"]
    assert left(certwright, "certificates-per-domain", "example.test") == 0
    error = refused(certwright, "b.example.test")
    assert "refused here" in error["detail"] and "10 of 10" in error["detail"]
    assert "refused here" in refused(certwright, "a.example.test")["detail"], "nor the same again"
    assert ca.count("newOrder") == 1
    certwright.ok("issue", "a.other.test")


def test_people_see_the_ledger_and_the_plan(pair):
    ca, certwright = pair
    certwright.ok("issue", "a.example.test")
    text = certwright.ok("ledger").stdout
    assert "Scripted CA, " + ca.directory_url in text
    for words in ("19 of 20", "9 of 10", "example.test", "The fuse: 4 orders", "1 of 4", "same-set"):
        assert words in text, text
    (planned,) = certwright.ok("--json", "plan").json()["certificates"]
    exempt = {budget["limit"]: budget["exempt"] for budget in planned["budgets"]}
    assert exempt == {"orders": False, "certificates-per-domain": True,
                      "certificates-per-exact-set": False}
    assert planned["shortage"] is None
    text = certwright.ok("plan").stdout
    assert "needs one of orders" in text and "is exempt from certificates-per-domain of" in text


def test_a_file_of_limits_that_is_wrong_is_told(pair):
    _, certwright = pair
    limits = certwright.directory.parent / "limits.toml"
    limits.write_text("[[ca]]\nname = \"x\"\ndirectories = [\"letsencrypt\"]\nlimits = 5\n")
    for words in (("config", "check"), ("ledger",)):
        result = certwright.run(*words)
        assert result.code == BAD_CONFIG, str(result)
        assert "limits.toml:4: ca.limits: unknown key; did you mean ca.limit?" in result.stderr
