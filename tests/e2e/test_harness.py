"""The harness itself: what the other tests build upon must start, answer and stop."""

import os

import pytest
from harness import ports, process, tls
from harness.certwright import merged, toml
from harness.servers import ChallTestSrv, Pebble, Traefik


def test_ports_are_all_different():
    taken = [ports.free_port() for _ in range(50)]
    assert len(set(taken)) == 50


def test_toml_keeps_nested_tables_and_lists(tmp_path):
    tomllib = pytest.importorskip("tomllib")
    table = {"a": 1, "b": {"c": "x\"y", "d": {"e": [1, 2]}}, "f": [{"g": True}, {"g": False}]}
    assert tomllib.loads(toml(table)) == table


def test_merged_lays_tables_over_each_other():
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}) == {"a": {"b": 1, "c": 3}}


def test_servers_start_and_stop_by_pid(workdir, listener):
    dns = ChallTestSrv(workdir)
    pebble = Pebble(workdir, ports.free_port(), dns.dns_port, listener)
    traefik = Traefik(workdir)
    servers = [dns, pebble, traefik]
    try:
        for server in servers:
            server.wait()
        assert pebble.root().subject == pebble.root().issuer
        assert traefik.api("/api/overview")["providers"] == ["File"]
        shown = tls.served_certificate(pebble.port, "localhost")
        assert tls.names_of(shown) == ["127.0.0.1", "::1", "localhost"]
    finally:
        for server in servers:
            server.stop()
    assert not any(server.process.alive() for server in servers)


def test_run_measures_the_child_and_not_the_harness(workdir):
    ballast = bytearray(os.urandom(1 << 20) * 64)  # the harness's own size must not show
    result = process.run(["/bin/true"], workdir, measure=True)
    assert result.code == 0 and len(ballast) > 0
    assert 0 < result.peak_rss < 20 << 20


def test_run_ends_a_command_that_hangs(workdir):
    result = process.run(["/bin/sleep", "60"], workdir, timeout=0.3)
    assert result.timed_out and result.wall < 5


def test_run_hands_over_stdin_and_exit_code(workdir):
    result = process.run(["/bin/sh", "-c", "cat; echo bad >&2; exit 7"], workdir, stdin="in")
    assert (result.code, result.stdout, result.stderr) == (7, "in", "bad\n")


def test_process_that_ends_early_is_reported_with_its_log(workdir):
    server = process.Process("short", ["/bin/sh", "-c", "echo why; exit 4"], workdir / "log")
    with pytest.raises(process.NotReady, match="(?s)ended with 4.*why"):
        server.wait_until(lambda: False, "ready", 5)


def test_wait_for_serial_gives_up(workdir):
    assert not tls.wait_for_serial(ports.free_port(), "a.test", 1, timeout=0.1)
