"""The contract with callers: set-certificate, get-certificate and the command get-certificate."""

import base64
import json
import os
import stat

import pytest
from cryptography.hazmat.primitives import serialization
from harness import certwright as certwright_module
from harness import pki, process, tls

NAME = "mail.example.test"


@pytest.fixture(params=["in process", "daemon"])
def caller(request, world):
    """A Certwright without and with a daemon: every door must say the same."""
    if request.param == "daemon":
        world.certwright.serve()
    return world.certwright


@pytest.fixture(params=["action", "run"])
def call(request, caller):
    """call(NAME, value) -> Result, through either door of the command line."""
    def through(action, value, **options):
        text = json.dumps(value)
        if request.param == "action":
            return caller.run("action", action, stdin=text, **options)
        return caller.run("run", action, "--data", text, **options)
    return through


def compact(result):
    """The JSON on stdout, which has to be one compact line."""
    value = json.loads(result.stdout)
    assert result.stdout.rstrip("\n") == json.dumps(value, separators=(",", ":"),
                                                    ensure_ascii=False), str(result)
    return value


def pair_of(answer, number=0):
    entry = answer["certificates"][number]
    chain = base64.b64decode(entry["cert"]).decode()
    key = serialization.load_pem_private_key(base64.b64decode(entry["key"]), None)
    leaf = tls.first_certificate(chain)
    assert pki.public_der(key.public_key()) == pki.public_der(leaf.public_key())
    return leaf


def test_set_then_get(call):
    done = call("set-certificate", {"fqdn": NAME})
    assert done.code == 0, str(done)
    assert compact(done) == {"obtained": True}
    got = call("get-certificate", {"fqdn": NAME})
    assert got.code == 0, str(got)
    answer = compact(got)
    assert (answer["fqdn"], answer["type"], answer["obtained"], answer["lets_encrypt"]) == (
        NAME, "internal", True, True)
    assert tls.names_of(pair_of(answer)) == [NAME]


def test_set_again_orders_nothing(world, call):
    assert call("set-certificate", {"fqdn": NAME}).code == 0
    before = len(world.pebble.posts())
    assert compact(call("set-certificate", {"fqdn": NAME})) == {"obtained": True}
    assert len(world.pebble.posts()) == before


def test_names_are_compared_in_lower_case(call):
    assert call("set-certificate", {"fqdn": "Mail.Example.Test"}).code == 0
    answer = compact(call("get-certificate", {"fqdn": "MAIL.example.TEST"}))
    assert answer["obtained"] is True and tls.names_of(pair_of(answer)) == [NAME]


def test_get_of_a_name_nobody_asked_for_is_self_signed(call):
    got = call("get-certificate", {"fqdn": "nobody.example.test"})
    assert got.code == 0, str(got)
    answer = compact(got)
    assert (answer["type"], answer["obtained"], answer["lets_encrypt"]) == ("selfsigned", False, False)
    leaf = pair_of(answer)
    assert leaf.issuer == leaf.subject


def test_get_of_a_name_that_was_not_obtained(world, call):
    world.dns.stop()
    failed = call("set-certificate", {"fqdn": NAME, "sync_timeout": 5})
    assert failed.code == 3, str(failed)
    (error,) = compact(failed)
    assert (error["field"], error["parameter"], error["error"]) == (
        "fqdn", "fqdn", "newcert_acme_error")
    assert error["details"] and not set(error["details"]) & set("\"\\\n\r\t")
    answer = compact(call("get-certificate", {"fqdn": NAME}))
    assert (answer["type"], answer["obtained"]) == ("selfsigned", False)


BAD_INPUTS = {
    "no fqdn": {},
    "fqdn is a number": {"fqdn": 5},
    "fqdn is empty": {"fqdn": ""},
    "fqdn is null": {"fqdn": None},
    "fqdn without a dot": {"fqdn": "mail"},
    "fqdn with a backtick": {"fqdn": "a`.example.test"},
    "fqdn with a template": {"fqdn": "{{x}}.example.test"},
    "fqdn with a wildcard in the middle": {"fqdn": "a.*.example.test"},
    "lets_encrypt is text": {"fqdn": NAME, "lets_encrypt": "yes"},
    "sync_timeout is text": {"fqdn": NAME, "sync_timeout": "60"},
    "an array": [NAME],
    "null": None,
}


@pytest.mark.parametrize("value", BAD_INPUTS.values(), ids=BAD_INPUTS.keys())
def test_bad_input_of_set_certificate(call, value):
    refused = call("set-certificate", value)
    assert refused.code == 10, str(refused)
    errors = compact(refused)
    assert errors
    for error in errors:
        assert {"field", "parameter", "value", "error"} <= set(error), str(refused)


def test_input_that_is_not_json(caller):
    for text in ("", "{", "nonsense", '{"fqdn": "a.example.test"} x', "[" * 100_000):
        refused = caller.run("action", "set-certificate", stdin=text)
        assert refused.code == 10, str(refused)


def test_unknown_action(call):
    assert call("make-coffee", {}).code == 8


def test_status_lines_of_the_step_protocol(caller):
    """AGENT_COMFD names a descriptor; a failed check writes `set-status validation-failed` to it."""
    reading, writing = os.pipe()
    try:
        refused = caller.run("action", "set-certificate", stdin="{}", pass_fds=(writing,),
                             env={"AGENT_COMFD": str(writing)})
    finally:
        os.close(writing)
    with os.fdopen(reading) as lines:
        written = lines.read().splitlines()
    assert refused.code == 10
    assert "set-status validation-failed" in written


def test_a_modules_second_name_takes_the_firsts_place(world, call):
    agent = {"AGENT_TASK_USER": "module/mail1"}
    assert call("set-certificate", {"fqdn": NAME}, env=agent).code == 0
    assert call("set-certificate", {"fqdn": "new.example.test"}, env=agent).code == 0
    assert compact(call("get-certificate", {"fqdn": "new.example.test"}))["lets_encrypt"] is True
    assert compact(call("get-certificate", {"fqdn": NAME}))["lets_encrypt"] is False


def test_giving_a_name_up(call):
    agent = {"AGENT_TASK_USER": "module/mail1"}
    assert call("set-certificate", {"fqdn": NAME}, env=agent).code == 0
    assert call("set-certificate", {"fqdn": NAME, "lets_encrypt": False}, env=agent).code == 0
    answer = compact(call("get-certificate", {"fqdn": NAME}))
    assert (answer["obtained"], answer["type"]) == (False, "selfsigned")


# The command

@pytest.fixture
def files(world):
    return world.directory / "server.pem", world.directory / "server.key"


def save(caller, files, name=NAME, **options):
    return caller.run("get-certificate", "--cert-file", files[0], "--key-file", files[1], name,
                      **options)


def check_pair(files, name=NAME):
    leaf = tls.first_certificate(files[0].read_text())
    key = serialization.load_pem_private_key(files[1].read_bytes(), None)
    assert pki.public_der(key.public_key()) == pki.public_der(leaf.public_key())
    assert tls.names_of(leaf) == [name]
    assert stat.S_IMODE(files[1].stat().st_mode) == 0o600
    return leaf


def test_command_saves_then_says_unchanged(caller, files):
    caller.ok("issue", NAME)
    old = os.umask(0)
    try:
        assert save(caller, files).code == 0
    finally:
        os.umask(old)
    leaf = check_pair(files)
    assert leaf.issuer != leaf.subject
    before = [file.stat().st_mtime_ns for file in files]
    assert save(caller, files).code == 3
    assert [file.stat().st_mtime_ns for file in files] == before


def test_command_updates_after_a_renewal(caller, files):
    caller.ok("issue", NAME)
    assert save(caller, files).code == 0
    first = check_pair(files).serial_number
    caller.ok("issue", NAME, "--force")
    assert save(caller, files).code == 0
    assert check_pair(files).serial_number != first


def test_command_writes_a_self_signed_pair_where_there_is_nothing(caller, files):
    assert save(caller, files).code == 0
    leaf = check_pair(files)
    assert leaf.issuer == leaf.subject
    assert ("CN=" + NAME) in leaf.subject.rfc4514_string()


def test_command_never_puts_a_self_signed_pair_over_files(caller, files):
    for file in files:
        file.write_text("mine\n")
    assert save(caller, files).code in (1, 3)
    assert [file.read_text() for file in files] == ["mine\n", "mine\n"]


def test_command_restores_a_file_that_is_missing(caller, files):
    caller.ok("issue", NAME)
    assert save(caller, files).code == 0
    files[1].unlink()
    assert save(caller, files).code == 0
    check_pair(files)


def test_command_with_a_folder_that_is_not_there(caller, files, world):
    caller.ok("issue", NAME)
    refused = save(caller, [world.directory / "no" / "c.pem", world.directory / "no" / "k.pem"])
    assert refused.code == 1 and "no/" in refused.stderr, str(refused)


def test_command_when_the_store_cannot_be_reached(caller, files):
    caller.ok("issue", NAME)
    assert save(caller, files).code == 0
    content = [file.read_bytes() for file in files]
    caller.stop()
    (caller.state_dir / "certwright.db").write_text("not a database\n" * 400)
    assert save(caller, files).code == 1
    assert [file.read_bytes() for file in files] == content


def test_command_by_its_own_name(caller, files, world):
    caller.ok("issue", NAME)
    link = world.directory / "get-certificate"
    link.symlink_to(certwright_module.binary())
    result = process.run(
        [link, "--cert-file=%s" % files[0], "--key-file=%s" % files[1], NAME], caller.log_dir,
        env=caller.environment({"CERTWRIGHT_CONFIG": str(caller.config_file)}))
    assert result.code == 0, str(result)
    check_pair(files)
