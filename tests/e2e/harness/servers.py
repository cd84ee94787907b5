"""The servers around Certwright: the test CA (Pebble), its DNS (challtestsrv), and Traefik."""

import json
import os
import re
import ssl
import urllib.request
from pathlib import Path

from cryptography import x509

from .ports import free_port
from .process import Process, tcp_answers

PROJECT = Path(__file__).resolve().parents[3]


def tool(name):
    """A program below .deps/bin (CERTWRIGHT_DEPS names another folder)."""
    path = Path(os.environ.get("CERTWRIGHT_DEPS", PROJECT / ".deps")) / "bin" / name
    if not path.exists():
        raise RuntimeError("%s is not there: run tools/setup" % path)
    return path


def debian(name):
    """(program, environment) of a server that tools/setup unpacked; None where it did not."""
    root = Path(os.environ.get("CERTWRIGHT_DEPS", PROJECT / ".deps")) / "debian"
    program = root / "usr" / "sbin" / name
    if not program.exists():
        return None
    libraries = ":".join(str(folder) for folder in root.glob("usr/lib/*-linux-gnu*"))
    return program, {**os.environ, "LD_LIBRARY_PATH": libraries}


def _fetch(url, context=None):
    """GET without any proxy of the environment: all addresses are on this machine."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    with opener.open(url, timeout=10) as answer:
        return answer.read()


class ChallTestSrv:
    """A DNS server that answers every name with 127.0.0.1."""

    def __init__(self, directory, ipv6=""):
        self.dns_port = free_port()
        self.management_port = free_port()
        self.process = Process("pebble-challtestsrv", [
            tool("pebble-challtestsrv"),
            "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ipv6,
            "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "",
            "-dnsserver", "127.0.0.1:%d" % self.dns_port,
            "-management", "127.0.0.1:%d" % self.management_port,
        ], Path(directory) / "challtestsrv.log")

    def wait(self):
        self.process.wait_until(lambda: tcp_answers(self.management_port), "answering")
        return self

    def tell(self, path, content):
        request = urllib.request.Request(
            "http://127.0.0.1:%d/%s" % (self.management_port, path), json.dumps(content).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(request, timeout=10).close()

    def point(self, name, *addresses):
        """From now on the name has these addresses, and no others."""
        self.tell("clear-a", {"host": name + "."})
        self.tell("add-a", {"host": name + ".", "addresses": addresses})

    def caa(self, name, *values):
        """From now on the name has these CAA records of the kind issue."""
        self.tell("clear-caa", {"host": name + "."})
        if values:
            self.tell("add-caa", {"host": name + ".", "policies": [
                {"tag": "issue", "value": value} for value in values]})

    def stop(self):
        self.process.stop()


class Pebble:
    """The test CA, with a listener certificate of its own.

    http_port: where it looks for HTTP-01. options: what goes into its configuration file beside the
    addresses (retryAfter, profiles, externalAccountBindingRequired ...). nonce_reject: per cent of
    good nonces refused. authz_reuse: per cent. sleep: 0 for none, else at most so many seconds
    before it validates.
    """

    def __init__(self, directory, http_port, dns_port, listener, options=None, nonce_reject=0,
                 authz_reuse=0, sleep=0, alternate_roots=0, chain_length=1):
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.listener = listener
        self.port, self.management_port = free_port(), free_port()
        config = {
            "listenAddress": "127.0.0.1:%d" % self.port,
            "managementListenAddress": "127.0.0.1:%d" % self.management_port,
            "certificate": str(listener.certificate),
            "privateKey": str(listener.key),
            "httpPort": http_port,
            "tlsPort": free_port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            "keyAlgorithm": "ecdsa",
        }
        config.update(options or {})
        file = directory / "pebble.json"
        file.write_text(json.dumps({"pebble": config}, indent=1))
        env = {
            "PATH": os.environ["PATH"],
            "PEBBLE_WFE_NONCEREJECT": str(nonce_reject),
            "PEBBLE_AUTHZREUSE": str(authz_reuse),
            "PEBBLE_ALTERNATE_ROOTS": str(alternate_roots),
            "PEBBLE_CHAIN_LENGTH": str(chain_length),
        }
        env.update({"PEBBLE_VA_SLEEPTIME": str(sleep)} if sleep else {"PEBBLE_VA_NOSLEEP": "1"})
        self._start = lambda: Process("pebble", [
            tool("pebble"), "-config", file, "-dnsserver", "127.0.0.1:%d" % dns_port,
        ], directory / "pebble.log", env=env)
        self.process = self._start()

    def restart(self):
        """A new one at the same address: it remembers nothing."""
        self.process.stop()
        self.process = self._start()
        return self.wait()

    def wait(self):
        self.process.wait_until(
            lambda: tcp_answers(self.port) and tcp_answers(self.management_port), "answering")
        return self

    @property
    def directory_url(self):
        return "https://127.0.0.1:%d/dir" % self.port

    def _manage(self, path):
        context = ssl.create_default_context(cafile=str(self.listener.root))
        url = "https://127.0.0.1:%d%s" % (self.management_port, path)
        return _fetch(url, context)

    def root(self, number=0):
        return x509.load_pem_x509_certificate(self._manage("/roots/%d" % number))

    def intermediate(self, number=0):
        return x509.load_pem_x509_certificate(self._manage("/intermediates/%d" % number))

    def status(self, serial):
        """What it knows of a certificate, by its serial in hex: Status, Reason ..."""
        return json.loads(self._manage("/cert-status-by-serial/" + serial))

    def requests(self):
        """[(method, resource)] in the order in which they came: ("POST", "/order-plz") ..."""
        pattern = re.compile(r"Pebble \S+ \S+ (\w+) (\S+) -> calling handler")
        return pattern.findall(self.process.output())

    def posts(self):
        return [path for method, path in self.requests() if method == "POST"]

    def orders(self):
        return len(re.findall(r'Added order "', self.process.output()))

    def accounts(self):
        found = re.findall(r"There are now (\d+) accounts", self.process.output())
        return int(found[-1]) if found else 0

    def stop(self):
        self.process.stop()


class Traefik:
    """A small Traefik that reads a dynamic directory; http, https and its API on loopback."""

    def __init__(self, directory, http_host="127.0.0.1", start=True):
        self.directory = Path(directory)
        self.dynamic_dir = self.directory / "traefik-dynamic"
        self.dynamic_dir.mkdir(exist_ok=True)
        self.http_port, self.https_port, self.api_port = free_port(), free_port(), free_port()
        self.flags = [
            "--global.checknewversion=false", "--global.sendanonymoususage=false",
            "--api=true", "--api.insecure=true", "--api.dashboard=false",
            "--entrypoints.traefik.address=127.0.0.1:%d" % self.api_port,
            "--entrypoints.http.address=%s:%d" % (http_host, self.http_port),
            "--entrypoints.https.address=127.0.0.1:%d" % self.https_port,
            "--providers.file.directory=%s" % self.dynamic_dir, "--providers.file.watch=true",
            "--providers.providersthrottleduration=100ms",
        ]
        self.process = None
        if start:
            self._start()

    def _start(self):
        self.process = Process("traefik", [tool("traefik"), *self.flags],
                               self.directory / "traefik.log", cwd=self.directory)

    def restart(self, flags=None):
        """Starts it (again), with other flags if they are given, and waits until it serves."""
        if self.process is not None:
            self.process.stop()
        self.flags = flags or self.flags
        self._start()
        return self.wait()

    def wait(self):
        ports = (self.api_port, self.http_port, self.https_port)
        self.process.wait_until(
            lambda: all(map(tcp_answers, ports)) and self._loaded(), "answering")
        return self

    @property
    def api_url(self):
        return "http://127.0.0.1:%d" % self.api_port

    def api(self, path):
        return json.loads(_fetch(self.api_url + path))

    def _loaded(self):
        # The ports listen a little before the routers behind them are there.
        try:
            return bool(self.api("/api/overview"))
        except OSError:
            return False

    def stop(self):
        self.process.stop()
