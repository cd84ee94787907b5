"""The part of tools/demo that runs once everything is built."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests" / "e2e"))

from harness import certwright as certwright_module  # noqa: E402
from harness import pki, tls  # noqa: E402
from harness.process import NotReady  # noqa: E402
from harness.world import World  # noqa: E402

ONE = ["one.example.test"]
TWO = ["two.example.test", "www.two.example.test"]

STOP_SCRIPT = """#!/bin/sh
# Ends what tools/demo --keep started (each process by its id, and only while it is the same one: the
# number after the colon is its start time) and removes its folder.
processes='{processes}'

# runs ID:START: whether this process is there; one that has ended and waits for its parent is not.
runs() {{
  set -- $(sed 's/.*) //' "/proc/${{1%:*}}/stat" 2>/dev/null)
  [ $# -ge 20 ] && [ "$1" != Z ] && [ "${{20}}" = "$start" ]
}}

signal() {{
  left=0
  for entry in $processes; do
    start=${{entry#*:}}
    if runs "$entry"; then
      left=1
      [ "$1" = 0 ] || kill "-$1" "${{entry%:*}}"
    fi
  done
}}

signal TERM
for wait in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  signal 0
  [ $left = 1 ] || break
  sleep 0.2
done
signal KILL
rm -rf '{folder}'
"""


class Failed(Exception):
    pass


def bold(text):
    return "\033[1m%s\033[0m" % text if sys.stdout.isatty() else text


def step(text):
    print("\n" + bold("== " + text), flush=True)


def certwright(world, *words, quiet=False):
    """Runs a command where everybody sees it; gives back its output when QUIET."""
    line = "certwright " + " ".join(words)
    if not quiet:
        print(bold("$ " + line), flush=True)
    done = subprocess.run(
        [certwright_module.binary(), "--config", world.certwright.config_file, *words],
        env=dict(world.certwright.environment(), TERM=os.environ.get("TERM", "dumb")),
        stdout=subprocess.PIPE if quiet else None, text=True)
    if done.returncode != 0:
        raise Failed("%s ended with exit code %d" % (line, done.returncode))
    return done.stdout


def check_served(world, names):
    """The leaf in a TLS handshake through Traefik is the one in the store."""
    stored = tls.first_certificate(
        certwright(world, "export", names[0], "--format", "fullchain", quiet=True))
    for name in names:
        shown = tls.served_certificate(world.traefik.https_port, name)
        print("%-22s Traefik serves %x\n%-22s the store has  %x" % (
            name, shown.serial_number, "", stored.serial_number))
        if shown.serial_number != stored.serial_number:
            raise Failed("Traefik serves another certificate for " + name)
    print("issued by %s, valid until %s UTC: the same certificate" % (
        stored.issuer.rfc4514_string(), stored.not_valid_after))


def show(world):
    step("The daemon (HTTP-01 responder, events, Traefik's configuration)")
    world.certwright.serve()
    print("certwright serve, process %d" % world.certwright.daemon.pid)

    step("A certificate for one name")
    begun = time.monotonic()
    certwright(world, "issue", *ONE)
    print("issued and served after %.2f s" % (time.monotonic() - begun))

    step("One certificate for two names")
    certwright(world, "issue", *TWO)

    step("What is held")
    certwright(world, "list")

    step("TLS handshakes through Traefik, https on 127.0.0.1:%d" % world.traefik.https_port)
    for names in (ONE, TWO):
        check_served(world, names)

    step("The certificate as PEM")
    certwright(world, "export", ONE[0], "--format", "fullchain")
    print("The private key stays in the store, %s.\n"
          "`certwright export %s --format key` prints it, to those who may read the store." % (
              world.certwright.state_dir, ONE[0]))


def servers(world):
    return [world.dns, world.pebble, world.traefik]


def start_time(pid):
    return Path("/proc/%d/stat" % pid).read_text().rsplit(") ", 1)[1].split()[19]


def keep(world, folder):
    processes = [server.process for server in servers(world)] + [world.certwright.daemon]
    stop = folder / "stop"
    stop.write_text(STOP_SCRIPT.format(
        processes=" ".join("%d:%s" % (process.pid, start_time(process.pid)) for process in processes),
        folder=folder))
    stop.chmod(0o755)
    step("Everything keeps running. To try next")
    print("""  export CERTWRIGHT_CONFIG={config}
  alias certwright={binary}
  certwright list
  certwright show {one}
  certwright issue three.example.test
  certwright export {one} --format key
  certwright traefik check
  certwright --help
  openssl s_client -connect 127.0.0.1:{https} -servername {one} </dev/null
To stop and remove everything:
  {stop}""".format(config=world.certwright.config_file, binary=certwright_module.binary(), one=ONE[0],
                   https=world.traefik.https_port, stop=stop))


def run(folder, keeps):
    begun = time.monotonic()
    step("Starting the test CA (Pebble), its DNS and Traefik on loopback")
    world = None
    try:
        world = World(folder, pki.make_listener(folder / "tls"), traefik=True)
        print("CA       %s\nTraefik  http 127.0.0.1:%d, https 127.0.0.1:%d, API %s\nfolder   %s" % (
            world.pebble.directory_url, world.traefik.http_port, world.traefik.https_port,
            world.traefik.api_url, folder))
        show(world)
        if keeps:
            keep(world, folder)
        whole = time.time() - float(os.environ.get("DEMO_STARTED", time.time()))
        step("Done: shown in %.1f s, %.0f s with set-up and build" % (
            time.monotonic() - begun, max(whole, time.monotonic() - begun)))
        return 0
    except (Failed, NotReady, OSError) as problem:
        keeps = False
        print("\ndemo: error: %s" % problem, file=sys.stderr)
        if world is not None and world.certwright.daemon is not None:
            print("the daemon's last words:\n" + world.certwright.daemon.output()[-3000:],
                  file=sys.stderr)
        return 1
    finally:
        if world is not None and not keeps:
            world.stop()


def main():
    keeps = "--keep" in sys.argv[1:]
    # Ctrl-C and a polite kill clean up too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    folder = Path(tempfile.mkdtemp(prefix="certwright-demo-"))
    code = 1
    try:
        code = run(folder, keeps)
    except KeyboardInterrupt:
        code = 130
    finally:
        if not (keeps and code == 0):
            shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
