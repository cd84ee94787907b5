"""Issued but not served: what Traefik and other servers show is held against what is stored."""

import socket
import ssl
import threading

import pytest
from harness import pki, wait
from harness.handlers import Recorder
from harness.ports import free_port
from test_exports import NAME, Source, components, installed  # noqa: F401 (a fixture)

QUICK = {"probe": {"served_grace": "1s"}}


def served(certwright, *words):
    """The exit code of `served`, and its rows."""
    result = certwright.run("--json", "served", *words)
    return result.code, result.json()["served"]


class Served(threading.Thread):
    """A server of one protocol: DIALOGUE(stream) says yes to STARTTLS, and TLS shows FILES."""

    def __init__(self, dialogue):
        super().__init__(daemon=True)
        self.dialogue = dialogue
        self.context = None
        self.port = free_port()
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.start()

    def show(self, directory, pair):
        _, chain, key = pair
        (directory / "shown.pem").write_bytes(chain + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "shown.pem")
        self.context = context

    def run(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            with plain:
                plain.settimeout(5)
                try:
                    stream = plain.makefile("rwb", 0)
                    self.dialogue(stream)
                    with self.context.wrap_socket(plain, server_side=True) as secure:
                        secure.recv(1)
                except (OSError, ssl.SSLError):
                    pass

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join()


def smtp(stream):
    stream.write(b"220 mx ESMTP\r\n")
    assert stream.readline().startswith(b"EHLO ")
    stream.write(b"250-mx\r\n250 STARTTLS\r\n")
    assert stream.readline() == b"STARTTLS\r\n"
    stream.write(b"220 go\r\n")


def imap(stream):
    stream.write(b"* OK ready\r\n")
    tag = stream.readline().split()[0]
    stream.write(b"* CAPABILITY IMAP4rev1\r\n%s OK go\r\n" % tag)


def pop3(stream):
    stream.write(b"+OK ready\r\n")
    assert stream.readline() == b"STLS\r\n"
    stream.write(b"+OK go\r\n")


def ftp(stream):
    stream.write(b"220-welcome\r\n220 ready\r\n")
    assert stream.readline() == b"AUTH TLS\r\n"
    stream.write(b"234 go\r\n")


def ldap(stream):
    assert stream.read(31)[9:] == b"1.3.6.1.4.1.1466.20037"
    stream.write(bytes.fromhex("300c02010178070a010004000400"))


def postgres(stream):
    assert stream.read(8) == bytes.fromhex("0000000804d2162f")
    stream.write(b"S")


PROTOCOLS = {"none": lambda stream: None, "smtp": smtp, "imap": imap, "pop3": pop3, "ftp": ftp,
             "ldap": ldap, "postgres": postgres}


def test_every_protocol_is_spoken(installed, workdir):  # noqa: F811
    source = Source(installed)
    pair, other = source.pair(), source.pair()
    servers = {name: Served(dialogue) for name, dialogue in PROTOCOLS.items()}
    try:
        for server in servers.values():
            server.show(workdir, pair)
        installed.write_config({"served": [
            {"host": "127.0.0.1", "port": server.port, "name": NAME, "starttls": name}
            for name, server in servers.items()]})
        source.upload(pair)
        code, rows = served(installed, "--now")
        assert code == 0 and len(rows) == len(PROTOCOLS), rows
        assert {row["state"] for row in rows} == {"served"}, rows
        source.upload(other)
        code, rows = served(installed, "--now")
        assert code == 1
        assert all(int(row["seen_serial"], 16) == pair[0].serial_number and
                   int(row["wanted_serial"], 16) == other[0].serial_number for row in rows), rows
    finally:
        for server in servers.values():
            server.stop()


@pytest.fixture
def recorders(traefik_world):
    found = []
    for event in ("certificate-not-served", "certificate-served"):
        found.append(Recorder(traefik_world.certwright.events_dir, event))
        found[-1].add("handler")
    return found


def test_traefik_that_shows_something_else_is_told_once(traefik_world, recorders):
    not_served, again = recorders
    certwright, traefik = traefik_world.certwright, traefik_world.traefik
    certwright.write_config(QUICK)
    certwright.serve()
    certwright.ok("issue", NAME)
    code, rows = served(certwright, "--now")
    assert code == 0 and [row["state"] for row in rows] == ["served"], rows
    traefik.stop()
    certwright.run("served", "--now")
    told = wait.until(not_served.entries, "it is told", 30)
    assert told[0]["payload"]["reason"] == "unreachable"
    assert told[0]["payload"]["names"] == [NAME]
    assert "traefik" in told[0]["payload"]["failure"]["detail"]
    code, rows = served(certwright)
    assert code == 1 and rows[0]["state"] == "unreachable", rows
    shown = {entry["component"]: entry for entry in components(certwright)}
    assert shown["served:traefik"]["state"] == "warning", shown
    # Served again, but without what Certwright wrote: its own certificate.
    written = traefik.dynamic_dir / "certwright.yml"
    content = written.read_bytes()
    written.unlink()
    traefik.restart()
    certwright.run("served", "--now")
    wait.until(lambda: len(not_served.entries()) == 2, "another state is told")
    assert not_served.entries()[1]["payload"]["reason"] == "other"
    assert again.entries() == []
    written.write_bytes(content)
    wait.until(lambda: served(certwright, "--now")[0] == 0, "it is served again")
    told = wait.until(again.entries, "that is told too")
    assert (told[0]["payload"]["names"], told[0]["payload"]["reason"]) == ([NAME], "again")
    assert len(not_served.entries()) == 2
