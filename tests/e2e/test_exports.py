"""[[export]]: files that are kept in step for other programs, and never half of them."""

import base64
import json
import os
import shutil
import signal
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from harness import pki, wait
from harness.api import ask
from harness.certwright import Certwright
from harness.ports import free_port
from harness.process import Process, tcp_answers
from harness.servers import debian
from harness.tls import served_certificate

NAME = "a.example.test"
# A thousand are asked for in the issue; what fits into a few seconds is the default.
CHANGES = int(os.environ.get("CERTWRIGHT_EXPORT_CHANGES", "150"))


@pytest.fixture
def installed(workdir):
    """A Certwright that knows no CA and takes every upload."""
    certwright = Certwright(workdir / "cw", {
        "acme": {"directory": "https://127.0.0.1:1/dir"},
        "http01": {"listen": "127.0.0.1:%d" % free_port()},
        "upload": {"verify": "none"},
    })
    yield certwright
    certwright.stop()


class Source:
    """Makes pairs and hands them to CERTWRIGHT as uploads of one label."""

    def __init__(self, certwright):
        self.certwright = certwright
        self.authority = pki.Authority.root("a CA of the test")

    def pair(self, names=(NAME,)):
        key = pki.new_key()
        leaf = self.authority.sign(list(names), key.public_key(), common_name=names[0])
        return leaf, pki.pem(leaf) + pki.pem(self.authority.certificate), pki.key_pem(key)

    def upload(self, pair=None):
        leaf, chain, key = pair or self.pair()
        data = {"certFile": base64.b64encode(chain).decode(),
                "keyFile": base64.b64encode(key).decode()}
        if self.certwright.daemon:
            answer = ask(self.certwright.socket_path, "POST", "/v1/actions/upload-certificate", data)
            assert answer.status == 200, str(answer)
        else:
            self.certwright.ok("action", "upload-certificate", stdin=json.dumps(data))
        return leaf


@pytest.fixture
def source(installed):
    return Source(installed)


def script(path, body):
    path.write_text("#!/bin/sh\n" + body + "\n")
    path.chmod(0o755)
    return str(path)


def exports(certwright):
    return certwright.ok("--json", "exports").json()["exports"]


def components(certwright):
    return certwright.run("--json", "status").json()["components"]


def serial_in(file):
    try:
        return x509.load_pem_x509_certificate(Path(file).read_bytes()).serial_number
    except (OSError, ValueError):
        return None


def await_serial(file, leaf):
    wait.until(lambda: serial_in(file) == leaf.serial_number, "%s shows it" % file)


class Reader(threading.Thread):
    """Loads pairs in a tight loop; OpenSSL says whether certificate and key fit."""

    def __init__(self, load):
        super().__init__()
        self.load = load
        self.loaded, self.problems, self.done = 0, [], False

    def run(self):
        while not self.done:
            try:
                self.load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
                self.loaded += 1
            except (OSError, ssl.SSLError) as problem:
                self.problems.append(repr(problem))

    def end(self):
        self.done = True
        self.join()


def test_readers_never_load_a_pair_that_does_not_fit(installed, source, workdir):
    folder, file = workdir / "tls", workdir / "haproxy.pem"
    installed.write_config({"export": [
        {"names": [NAME], "dir": str(folder)},
        {"names": [NAME], "path": str(file), "format": "haproxy"}]})
    installed.serve()
    pairs = [source.pair() for _ in range(CHANGES)]
    await_serial(folder / "cert.pem", source.upload())
    wait.until(file.exists, "the file is there")

    def load_folder(context):
        resolved = folder.resolve()
        context.load_cert_chain(resolved / "fullchain.pem", resolved / "privkey.pem")

    def load_file(context):
        with open(file) as opened:  # once: OpenSSL would open it for the certificate and for the key
            context.load_cert_chain("/proc/self/fd/%d" % opened.fileno())

    readers = [Reader(load_folder), Reader(load_file)]
    for reader in readers:
        reader.start()
    try:
        for pair in pairs:
            source.upload(pair)
            await_serial(folder / "cert.pem", pair[0])
        await_serial(file, pairs[-1][0])
    finally:
        for reader in readers:
            reader.end()
    for reader in readers:
        assert reader.problems == [] and reader.loaded > CHANGES / 5


def test_reload_runs_once_a_change_and_is_acknowledged(installed, source, workdir):
    record = workdir / "record"
    folder = workdir / "tls"
    installed.write_config({"export": [{
        "name": "mail", "names": [NAME], "dir": str(folder),
        "reload": [script(workdir / "reload", "cat %s/cert.pem >> %s" % (folder, record))]}]})
    first = source.upload()  # without a daemon the command itself tells the export
    assert record.read_bytes() == pki.pem(first)
    installed.ok("list")
    installed.serve()
    second = source.upload()
    wait.until(lambda: record.read_bytes() == pki.pem(first) + pki.pem(second), "it was told")
    wait.until(lambda: exports(installed)[0]["state"] == "in-step", "it is in step")
    (consumer,) = installed.ok("--json", "show", NAME).json()["consumers"]
    assert consumer["consumer"] == "export:mail" and not consumer["behind"]
    assert int(consumer["serial"], 16) == second.serial_number


@pytest.mark.parametrize("heals", ["daemon", "command"])
def test_a_kill_between_switch_and_reload(installed, source, workdir, heals):
    record, folder = workdir / "record", workdir / "tls"
    installed.write_config({"export": [{
        "names": [NAME], "dir": str(folder),
        "reload": [script(workdir / "reload", "echo run >> %s" % record)]}]})
    daemon = installed.serve(env={"CERTWRIGHT_TEST_EXIT_BEFORE_RELOAD": "1"})
    leaf = source.upload()
    assert daemon.wait() == 99
    assert serial_in(folder / "cert.pem") == leaf.serial_number
    assert not record.exists()
    (state,) = exports(installed)
    assert state["state"] == "reload-due" and state["reload_due"]
    assert installed.run("exports", "check").code == 1
    if heals == "daemon":
        installed.serve()
    else:
        installed.ok("exports", "run")
    wait.until(record.exists, "the reload was run after all")
    wait.until(lambda: installed.run("exports", "check").code == 0, "all is in step")
    assert record.read_text() == "run\n"


def test_a_failing_reload_holds_up_nobody_and_is_shown(installed, source, workdir):
    good, flag = workdir / "good", workdir / "flag"
    bad = script(workdir / "reload", "test -e %s || { echo 'no flag' >&2; exit 4; }" % flag)
    installed.write_config({"export": [
        {"name": "bad", "names": [NAME], "dir": str(workdir / "bad"), "reload": [bad]},
        {"name": "good", "names": [NAME], "dir": str(good)}]})
    installed.serve()
    await_serial(good / "cert.pem", source.upload())
    bad_one = wait.until(lambda: [entry for entry in exports(installed)
                                  if entry["name"] == "bad" and entry["failures"]],
                         "the failure is shown")[0]
    assert bad_one["state"] == "failed" and "exit code 4: no flag" in bad_one["detail"]
    shown = {entry["component"]: entry for entry in components(installed)}
    assert shown["export:bad"]["state"] == "warning", shown
    assert shown["exports"]["detail"] == "1 in step", shown
    leaf = source.upload()
    await_serial(good / "cert.pem", leaf)
    await_serial(workdir / "bad" / "cert.pem", leaf)
    flag.touch()
    wait.until(lambda: installed.run("exports", "check").code == 0, "it was run again", 30)


def test_what_was_changed_is_put_right_at_the_start(installed, source, workdir):
    folder = workdir / "tls"
    installed.write_config({"export": [{"names": [NAME], "dir": str(folder)}]})
    leaf = source.upload()
    (folder / "cert.pem").write_text("x")
    (folder / "privkey.pem").unlink()
    assert exports(installed)[0]["state"] == "out-of-step"
    installed.serve()
    wait.until(lambda: exports(installed)[0]["state"] == "in-step", "it is put right")
    assert serial_in(folder / "cert.pem") == leaf.serial_number
    assert "put right" in installed.daemon.output()


def test_what_cannot_be_obtained_is_not_invented(installed, source, workdir):
    folder = workdir / "tls"
    installed.write_config({"export": [{"names": ["other.example.test"], "dir": str(folder)}]})
    installed.serve()
    source.upload()
    (state,) = exports(installed)
    assert state["state"] == "waiting" and "other.example.test" in state["detail"]
    assert not folder.exists()


def test_consumers_say_what_they_have_loaded(installed, source):
    installed.serve()
    first = source.upload()
    words = ("ack", NAME, "%x" % first.serial_number, "--consumer", "mail1")
    installed.ok(*words)
    second = source.upload()
    said = installed.ok("--json", *words).json()
    assert said["behind"] and int(said["wanted_serial"], 16) == second.serial_number
    assert "mail1" in installed.ok("show", NAME).stdout
    assert "is behind" in installed.ok("show", NAME).stdout
    assert "behind" not in installed.ok("ack", NAME, str(second.serial_number),
                                        "--consumer", "mail1").stdout
    assert installed.run("ack", NAME, "1234", "--consumer", "mail1").code == 2
    assert installed.run("ack", "b.example.test", "%x" % first.serial_number,
                         "--consumer", "mail1").code == 2
    assert installed.run("ack", NAME, "%x" % first.serial_number).code == 64
    assert installed.run("ack", NAME, "%x" % first.serial_number,
                         "--consumer", "export:x").code == 64
    installed.ok("ack", NAME, "--consumer", "mail1", "--forget")
    assert installed.ok("--json", "show", NAME).json()["consumers"] == []


def test_pkcs12_is_read_by_others(installed, source, workdir):
    file, password = workdir / "a.p12", workdir / "password"
    password.write_text("secret1\n")
    installed.write_config({"export": [{"names": [NAME], "path": str(file), "format": "pkcs12",
                                        "password_file": str(password)}]})
    leaf = source.upload()
    key, certificate, more = pkcs12.load_key_and_certificates(file.read_bytes(), b"secret1")
    assert certificate == leaf and len(more) == 1
    assert pki.public_der(key.public_key()) == pki.public_der(leaf.public_key())
    opened = subprocess.run(["openssl", "pkcs12", "-in", file, "-passin", "pass:secret1", "-nodes"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60)
    assert opened.returncode == 0 and "PRIVATE KEY" in opened.stdout
    if not shutil.which("keytool"):
        pytest.skip("no Java here: keytool was not asked")
    listed = subprocess.run(["keytool", "-list", "-v", "-storetype", "PKCS12", "-keystore", file,
                             "-storepass", "secret1"],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert listed.returncode == 0 and "PrivateKeyEntry" in listed.stdout, listed.stdout
    assert "Certificate chain length: 2" in listed.stdout


HAPROXY = """
global
  pidfile %(dir)s/haproxy.pid
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
frontend site
  bind 127.0.0.1:%(port)d ssl crt %(tls)s/
"""
NGINX = """
daemon off;
pid %(dir)s/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path %(dir)s/body;
  proxy_temp_path %(dir)s/proxy;
  fastcgi_temp_path %(dir)s/fastcgi;
  uwsgi_temp_path %(dir)s/uwsgi;
  scgi_temp_path %(dir)s/scgi;
  server {
    listen 127.0.0.1:%(port)d ssl;
    ssl_certificate %(tls)s/fullchain.pem;
    ssl_certificate_key %(tls)s/privkey.pem;
    return 200;
  }
}
"""


@pytest.mark.parametrize("name, format, text, words, ready", [
    ("haproxy", "haproxy", HAPROXY, ["-W", "-f"], signal.SIGUSR2),
    ("nginx", "pem", NGINX, ["-e", "stderr", "-c"], signal.SIGHUP)], ids=["haproxy", "nginx"])
def test_servers_serve_what_was_exported(installed, source, workdir, name, format, text, words,
                                         ready):
    unpacked = debian(name)
    if not unpacked:
        pytest.skip("%s is not there: tools/setup could not fetch it" % name)
    program, environment = unpacked
    tls, file, pid, port = workdir / "tls", workdir / "server.conf", workdir / "pid", free_port()
    file.write_text(text % {"dir": workdir, "port": port, "tls": tls})
    installed.write_config({"export": [{
        "names": [NAME], "dir": str(tls), "format": format,
        "reload": [script(workdir / "reload", "test ! -e %s || kill -%d $(cat %s)" % (
            pid, ready, pid))]}]})
    installed.serve()
    leaf = source.upload()
    wait.until(lambda: installed.run("exports", "check").code == 0, "it is exported")
    server = Process(name, [program, *words, file], workdir / (name + ".log"),
                     env=environment)
    pid.write_text(str(server.pid))
    try:
        server.wait_until(lambda: tcp_answers(port), "listening")
        assert served_certificate(port, NAME).serial_number == leaf.serial_number
        renewed = source.upload()
        wait.until(lambda: serves(port, renewed), "%s serves the new one" % name)
    finally:
        server.stop()


def serves(port, leaf):
    try:
        return served_certificate(port, NAME).serial_number == leaf.serial_number
    except OSError:
        return False
