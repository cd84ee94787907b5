"""Metrics: exactly Prometheus' text format, over the socket, on a loopback port and by the command."""

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest
from harness import api, wait
from harness.handlers import Recorder
from harness.ports import free_port
from harness.servers import PROJECT

NAME = "mail.example.test"
PROMETHEUS = PROJECT / "packaging" / "prometheus"
SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (-?[0-9]+)\Z')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|\Z)')


def parse(text):
    """{metric: {labels: value}} of text that must be in the format, and as promtool wants it."""
    metrics, types, current = {}, {}, None
    assert text.endswith("\n")
    for line in text[:-1].split("\n"):
        words = line.split(" ", 3)
        if line.startswith("# HELP "):
            current = words[2]
            assert current not in metrics and len(words[3]) > 10, line
            metrics[current] = {}
        elif line.startswith("# TYPE "):
            assert words[2] == current and words[3] in ("gauge", "counter"), line
            types[current] = words[3]
        else:
            name, labels, value = SAMPLE.match(line).groups()
            assert name == current and name in types, line
            found, rest = {}, labels or ""
            while rest:
                label = LABEL.match(rest)
                assert label and label.group(1) not in found, line
                found[label.group(1)] = label.group(2)
                rest = rest[label.end():]
            key = tuple(sorted(found.items()))
            assert key not in metrics[current], "twice: " + line
            metrics[current][key] = int(value)
    for name, kind in types.items():
        assert name.startswith("certwright_") and name.endswith("_total") == (kind == "counter"), name
    return metrics


@pytest.fixture
def metrics(world):
    """What all doors give, which must be the same."""
    port = free_port()
    world.certwright.write_config({"metrics": {"listen": "127.0.0.1:%d" % port}})

    def ask():
        """What the socket gives, and whether the other doors gave the same then."""
        answer = api.ask(world.certwright.socket_path, "GET", "/v1/metrics")
        assert answer.status == 200
        kind = "text/plain; version=0.0.4; charset=utf-8"
        assert answer.headers["Content-Type"] == kind
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=10) as local:
            assert local.headers["Content-Type"] == kind
            others = [local.read(), world.certwright.ok("metrics").stdout.encode()]
        return answer if others == [answer.body] * 2 else None

    def read():
        answer = wait.until(ask, "all doors give the same")  # what is counted goes on meanwhile
        promtool = shutil.which("promtool")
        if promtool:
            subprocess.run([promtool, "check", "metrics"], input=answer.body, check=True)
        return parse(answer.body.decode())

    return read


def test_metrics_tell_what_status_and_list_tell(world, metrics):
    recorder = Recorder(world.certwright.events_dir)
    recorder.add('1"0\\bad', code=1)
    world.certwright.serve()
    world.certwright.ok("issue", NAME)
    handler = (("handler", r'handler:certificate-changed/1\"0\\bad'),)
    wait.until(lambda: metrics()["certwright_handler_failures"].get(handler), "the handler failed")
    found = metrics()
    held = world.certwright.certificates()[0]
    names = (("names", NAME),)
    ends = found["certwright_certificate_not_after_timestamp_seconds"]
    assert list(ends) == [names]
    assert found["certwright_certificate_not_before_timestamp_seconds"][names] < ends[names]
    assert found["certwright_certificate_next_action_timestamp_seconds"][names] < ends[names]
    assert held["valid_to"].endswith("Z")
    assert found["certwright_orders_total"] == {(): 1} and found["certwright_orders_open"] == {(): 0}
    assert found["certwright_events_total"] == {(): 1}
    assert found["certwright_handler_events_behind"][handler] == 1
    assert sum(found["certwright_certificates_failing"].values()) == 0
    assert len(found["certwright_certificates_failing"]) == 6
    version = dict(next(iter(found["certwright_build_info"])))["version"]
    assert world.certwright.ok("--version").stdout.split()[-1] == version
    state = {dict(key)["component"]: value
             for key, value in found["certwright_component_state"].items()}
    assert state["daemon"] == 0 and state[handler[0][1]] == 1


def test_a_failure_is_counted_in_its_class(world, metrics):
    world.certwright.serve()
    world.dns.stop()
    assert world.certwright.run("issue", NAME, "--timeout", "20").code == 3
    failing = wait.until(lambda: {dict(key)["class"]: value for key, value in metrics()[
        "certwright_certificates_failing"].items() if value}, "it fails", 30)
    assert sum(failing.values()) == 1 and set(failing) <= {"validation", "network", "ca"}


def test_the_port_is_for_this_machine_and_for_metrics_only(world, metrics):
    world.certwright.serve()
    port = world.certwright.config["metrics"]["listen"]
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen("http://%s/v1/metrics" % port, timeout=10)
    assert error.value.code == 404
    world.certwright.write_config({"metrics": {"listen": "0.0.0.0:9181"}})
    result = world.certwright.run("config", "check")
    assert result.code != 0 and "is not on loopback" in result.stderr


def test_rules_and_dashboard_name_only_metrics_that_there_are(world, metrics):
    world.certwright.serve()
    known = set(metrics())
    for file in ("certwright.rules.yml", "grafana-dashboard.json"):
        text = (PROMETHEUS / file).read_text()
        named = set(re.findall(r"certwright_[a-z_]+", text))
        assert named and named <= known, named - known
    json.loads((PROMETHEUS / "grafana-dashboard.json").read_text())
    promtool = shutil.which("promtool")
    if promtool:
        subprocess.run([promtool, "check", "rules", PROMETHEUS / "certwright.rules.yml"], check=True)
