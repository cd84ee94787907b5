"""A real Redis on loopback, with the rights that a cluster gives to a module.

Debian's redis-check-rdb is the server too: it is what it is called as. So redis-tools is enough,
and no service is installed.
"""

import shutil
import subprocess
from pathlib import Path

from .ports import free_port
from .process import Process


def _server():
    return shutil.which("redis-server") or shutil.which("redis-check-rdb")


class Redis:
    def __init__(self, directory, agent_id, password):
        self.port = free_port()
        self.agent_id, self.password = agent_id, password
        self.directory = Path(directory)
        config = self.directory / "redis.conf"
        config.write_text("\n".join([
            "bind 127.0.0.1", "port %d" % self.port, "save \"\"", "daemonize no",
            "dir %s" % self.directory,
            "user default on nopass resetkeys resetchannels allchannels %R~* -@all +@read +@pubsub"
            " -publish +@connection",
            "user %s on >%s ~%s/* resetchannels &%s/event/* +@all -@dangerous"
            % (agent_id, password, agent_id, agent_id),
        ]) + "\n")
        self._listeners = []
        # Called by the name that makes it a server.
        self.process = Process("redis-server", [
            "/bin/bash", "-c", 'exec -a redis-server "$0" "$1"', _server(), config],
            self.directory / "redis.log")
        self.process.wait_until(self._answers, "answering")

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def cli(self, *words, own=True):
        """redis-cli, as the module (own) or as anybody."""
        user = ["--user", self.agent_id, "--pass", self.password] if own else []
        return subprocess.run(
            ["redis-cli", "-p", str(self.port), "--no-auth-warning", *user, *words],
            capture_output=True, text=True, timeout=10, check=True).stdout.strip()

    def _answers(self):
        try:
            return self.cli("PING", own=False) == "PONG"
        except subprocess.CalledProcessError:
            return False

    def listen(self, pattern):
        """A file that gets what is published on channels of this pattern."""
        log = self.directory / ("listener-%d.log" % len(self._listeners))
        listener = Process("redis-cli psubscribe", [
            "redis-cli", "-p", self.port, "psubscribe", pattern], log)
        self._listeners.append(listener)
        listener.wait_until(lambda: "psubscribe" in listener.output(), "subscribed")
        return listener

    def stop(self):
        for process in [*self._listeners, self.process]:
            process.stop()
