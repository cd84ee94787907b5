"""The clients: how each is set up with an account, and how one run of it is made and measured."""

import json
import os
import shutil
import threading
import time
from pathlib import Path

from harness import certwright as certwright_module
from harness import pki
from harness.api import Connection
from harness.servers import ChallTestSrv, Pebble, Traefik
from harness.world import World
from measuring import CaSide, Failed, Handshakes, Meter, Sample

TIMEOUT = 900.0  # seconds a run may take: lego needs four minutes for fifty names


class Command:
    """A client that is a command and answers the challenges itself. One world serves them all."""

    def __init__(self, world, commands):
        self.world = world
        self.commands = commands
        self.directory = commands.directory / self.name
        self.directory.mkdir()
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "LANG": "C.UTF-8"}
        self.prepare()

    def prepare(self):
        """Makes the account."""

    def argv(self, names):
        raise NotImplementedError

    def run(self, groups):
        """One certificate for each group of names, one after the other."""
        side = CaSide(self.world.pebble)
        samples = [self.commands.run(self.argv(names), self.env, TIMEOUT) for names in groups]
        total = samples[0]
        total.wall = sum(sample.wall for sample in samples)
        total.cpu = sum(sample.cpu for sample in samples)
        total.peak_rss = max(sample.peak_rss for sample in samples)
        return side.fill(total)


class CertwrightCommand(Command):
    name = "certwright"

    def prepare(self):
        self.env = self.world.certwright.environment()
        self.world.certwright.ok("account", "register")

    def argv(self, names):
        return [certwright_module.binary(), "--config", self.world.certwright.config_file,
                "issue", *names]


class Lego(Command):
    name = "lego"

    def prepare(self):
        self.env["LEGO_CA_CERTIFICATES"] = str(self.world.listener.root)

    def argv(self, names):
        domains = [word for name in names for word in ("--domains", name)]
        return ["lego", "--server", self.world.pebble.directory_url, "--accept-tos",
                "--email", "admin@example.com", "--path", self.directory / "lego",
                "--key-type", "ec256", "--http",
                "--http.port", "127.0.0.1:%d" % self.world.http_port, *domains, "run"]


class Certbot(Command):
    name = "certbot"

    def prepare(self):
        self.env["REQUESTS_CA_BUNDLE"] = str(self.world.listener.root)
        self._common = ["--non-interactive", "--agree-tos",
                        "--server", self.world.pebble.directory_url]
        for kind in ("config", "work", "logs"):
            self._common += ["--%s-dir" % kind, self.directory / kind]
        self.commands.run(["certbot", "register", "--email", "admin@example.com", "--no-eff-email",
                           *self._common], self.env, TIMEOUT)

    def argv(self, names):
        domains = [word for name in names for word in ("-d", name)]
        return ["certbot", "certonly", *self._common, "--standalone", "--key-type", "ecdsa",
                "--http-01-address", "127.0.0.1", "--http-01-port", self.world.http_port, *domains]


class CertwrightDaemon:
    """`certwright serve` beside a Traefik. A request is a POST to its socket, made in this process,
    so that no client's start counts; a run ends with the leaf in a handshake through Traefik."""

    name = "certwright (daemon)"

    def __init__(self, directory, listener, pebble_options):
        self._world = World(directory, listener, traefik=True, **pebble_options)
        try:
            self._world.certwright.serve()
        except Exception:
            self._world.stop()
            raise
        self._handshakes = Handshakes(self._world.traefik.https_port)

    def _ask(self, names, problems):
        try:
            connection = Connection(self._world.certwright.socket_path, TIMEOUT)
            connection.request("POST", "/v1/actions/issue",
                               json.dumps({"names": names, "timeout": int(TIMEOUT)}),
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            connection.close()
            if answer.status != 200:
                problems.append("HTTP %d: %s" % (answer.status, text))
        except OSError as problem:
            problems.append(str(problem))

    def run(self, groups):
        world, problems = self._world, []

        def still_good():
            if problems:
                raise Failed("\n".join(problems) + "\n" + world.certwright.daemon.output()[-4000:])

        askers = [threading.Thread(target=self._ask, args=(names, problems)) for names in groups]
        side = CaSide(world.pebble)
        own, traefik = Meter(world.certwright.daemon), Meter(world.traefik.process)
        begun = time.monotonic()
        for asker in askers:
            asker.start()
        ended = self._handshakes.until_served([names[0] for names in groups], TIMEOUT, still_good)
        for asker in askers:
            asker.join()
        still_good()
        sample = _finish(begun, ended, own, side)
        sample.traefik_cpu, sample.traefik_peak_rss = traefik.cpu(), traefik.peak_rss()
        return sample

    def stop(self):
        self._world.stop()


class _TraefikWithResolver(Traefik):
    def __init__(self, directory):
        super().__init__(directory, start=False)
        self.storage = self.directory / "acme.json"

    def start(self, pebble):
        own = "--certificatesresolvers.own.acme."
        return self.restart(self.flags + [
            own + "caserver=" + pebble.directory_url,
            own + "cacertificates=%s" % pebble.listener.root,
            own + "email=admin@example.com",
            own + "storage=%s" % self.storage,
            own + "keytype=EC256",
            own + "httpchallenge.entrypoint=http",
        ])


class TraefikOwn:
    """Traefik's own ACME: a run begins with the rename of a file with new routers into the watched
    directory, and ends as CertwrightDaemon's."""

    name = "traefik's own"

    def __init__(self, directory, listener, pebble_options, default_certificate=False):
        directory = Path(directory)
        directory.mkdir(parents=True)
        self._directory, self._files = directory, 0
        self._servers = []
        try:
            self._traefik = _TraefikWithResolver(directory)
            dns = ChallTestSrv(directory)
            self._servers.append(dns)
            self._pebble = Pebble(directory, self._traefik.http_port, dns.dns_port, listener,
                                  **pebble_options)
            self._servers.append(self._pebble)
            dns.wait()
            self._pebble.wait()
            if default_certificate:
                self._set_default_certificate()
            self._servers.append(self._traefik)
            self._traefik.start(self._pebble)
        except Exception:
            self.stop()
            raise
        self._handshakes = Handshakes(self._traefik.https_port)

    def _set_default_certificate(self):
        pair = pki.make_listener(self._directory / "default", names=("default.invalid",))
        files = {"certFile": str(pair.certificate), "keyFile": str(pair.key)}
        (self._traefik.dynamic_dir / "default.yml").write_text(json.dumps(
            {"tls": {"stores": {"default": {"defaultCertificate": files}}}}))

    def _routers(self, groups):
        """A file (outside the watched directory) with one router a group."""
        self._files += 1
        routers = {}
        for number, names in enumerate(groups):
            tls = {"certResolver": "own", "domains": [{"main": names[0], "sans": names[1:]}]}
            if not names[1:]:
                del tls["domains"][0]["sans"]
            routers["r%d-%d" % (self._files, number)] = {
                "rule": " || ".join("Host(`%s`)" % name for name in names),
                "entryPoints": ["https"], "service": "noop@internal", "tls": tls}
        file = self._directory / ("routers-%d.yml" % self._files)
        file.write_text(json.dumps({"http": {"routers": routers}}))
        return file

    def run(self, groups):
        log_begin = len(self._traefik.process.output())

        def still_good():
            if not self._traefik.process.alive():
                raise Failed("Traefik ended")

        file = self._routers(groups)
        side, own = CaSide(self._pebble), Meter(self._traefik.process)
        begun = time.monotonic()
        os.rename(file, self._traefik.dynamic_dir / file.name)
        try:
            ended = self._handshakes.until_served(
                [names[0] for names in groups], TIMEOUT, still_good)
        except Failed as problem:
            raise Failed("%s\n%s" % (
                problem, self._traefik.process.output()[log_begin:][-4000:])) from None
        return _finish(begun, ended, own, side)

    def stop(self):
        for server in reversed(self._servers):
            server.stop()
        self._servers = []
        shutil.rmtree(self._directory, ignore_errors=True)


def _finish(begun, ended, meter, side):
    sample = Sample(ended - begun, 0.0, 0)
    # What a client does after the leaf is served is part of its work and of its requests.
    time.sleep(0.3)
    sample.cpu, sample.peak_rss = meter.cpu(), meter.peak_rss()
    return side.fill(sample)
