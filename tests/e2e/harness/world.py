"""A whole small world on loopback: CA, DNS, Traefik if wanted, and a Certwright that knows them."""

from pathlib import Path

from .certwright import Certwright, merged
from .ports import free_port
from .servers import ChallTestSrv, Pebble, Traefik


class World:
    """Starts everything but Certwright's daemon. stop() ends it all, in the opposite order."""

    def __init__(self, directory, listener, traefik=False, config=None, http_host="127.0.0.1",
                 **pebble):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.traefik = Traefik(self.directory, http_host) if traefik else None
        responder_port = free_port()
        self.http_port = self.traefik.http_port if traefik else responder_port
        self.dns = ChallTestSrv(self.directory)
        self.listener = listener
        self.pebble = Pebble(self.directory, self.http_port, self.dns.dns_port, listener, **pebble)
        settings = {
            "acme": {
                "directory": self.pebble.directory_url,
                "ca_bundle": str(listener.root),
            },
            "probe": {"resolver": ["127.0.0.1:%d" % self.dns.dns_port], "http_port": self.http_port},
            "http01": {"listen": "%s:%d" % ("127.0.0.1" if traefik else http_host, responder_port)},
        }
        if traefik:
            settings["traefik"] = {
                "dynamic_dir": str(self.traefik.dynamic_dir),
                "api": self.traefik.api_url,
                "https_address": "127.0.0.1:%d" % self.traefik.https_port,
            }
        self.certwright = Certwright(self.directory / "cw", merged(settings, config or {}))
        try:
            for server in (self.dns, self.pebble, self.traefik):
                if server is not None:
                    server.wait()
        except Exception:
            self.stop()  # nobody else knows of what was started
            raise

    def stop(self):
        problems = []
        for server in (self.certwright, self.pebble, self.dns, self.traefik):
            try:
                if server is not None:
                    server.stop()
            except AssertionError as problem:
                problems.append(problem)
        if problems:
            raise problems[0]
