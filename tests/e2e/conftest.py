"""Fixtures. Everything that a test starts is ended by its own PID when the test is over."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import certwright as certwright_module  # noqa: E402
from harness import pki  # noqa: E402
from harness.module import install_package  # noqa: E402
from harness.ports import free_port  # noqa: E402
from harness.world import World  # noqa: E402
from scripted_ca import ScriptedCa  # noqa: E402


def pytest_report_header():
    return "certwright: %s" % certwright_module.binary()


@pytest.fixture(scope="session")
def sanitized():
    return certwright_module.sanitized()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    if outcome.get_result().failed:
        item.failed = True


@pytest.fixture
def workdir(request):
    """A folder with a short path (a UNIX socket's path is at most 107 bytes).

    It stays where CERTWRIGHT_KEEP is set and the test failed.
    """
    path = Path(tempfile.mkdtemp(prefix="cw-"))
    yield path
    if os.environ.get("CERTWRIGHT_KEEP") and getattr(request.node, "failed", False):
        print("kept: %s" % path)
    else:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def listener(tmp_path_factory):
    """The certificate that the test CAs show on their listeners."""
    return pki.make_listener(tmp_path_factory.mktemp("listener"))


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """A Python with the package `agent` in it; made once for all of xdist's workers."""
    base = tmp_path_factory.getbasetemp()
    return install_package(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.fixture
def make_pair(workdir, listener):
    """make_pair(option of ScriptedCa=...) -> a fresh CA and a fresh Certwright that knows it."""
    cas, certwrights = [], []

    def make(**options):
        port = free_port()
        ca = ScriptedCa(listener, http_port=port, **options)
        cas.append(ca)
        certwrights.append(certwright_module.Certwright(workdir / ("cw%d" % len(cas)), {
            "acme": {"directory": ca.directory_url, "ca_bundle": str(listener.root)},
            "http01": {"listen": "127.0.0.1:%d" % port},
        }))
        return ca, certwrights[-1]

    yield make
    for certwright in certwrights:
        certwright.stop()
    for ca in cas:
        ca.stop()


@pytest.fixture
def make_world(workdir, listener):
    """make_world(traefik=..., config=..., nonce_reject=...): see harness.world.World."""
    worlds = []

    def make(**options):
        world = World(workdir / ("w%d" % len(worlds)), listener, **options)
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        world.stop()


@pytest.fixture
def world(make_world):
    """CA and Certwright, without Traefik."""
    return make_world()


@pytest.fixture
def traefik_world(make_world):
    return make_world(traefik=True)
