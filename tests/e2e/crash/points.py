"""One attempt: interrupted at one point, started again, judged."""

import time
from dataclasses import dataclass, field

from . import checks, tracer
from .scenes import NAME

# A command says which of these it was (interface.md): nothing else ends it.
EXIT_CODES = {"ENOSPC": (0, 3, 74, 77), "EIO": (0, 3, 74, 77), "EINTR": (0, 3, 74, 77)}


@dataclass
class Point:
    scene: str
    interference: tracer.Interference
    hit: bool = False  # whether that many calls were made at all
    target: str = ""  # the call, and what it was done to
    first_code: int = 0  # of the run that was interfered with
    gap: bool = False  # killed between sending newOrder and storing its answer
    refused: bool = False  # the CA came for the token while nobody answered
    problems: list = field(default_factory=list)
    words: str = ""  # of the runs, where there are problems

    def __str__(self):
        lines = ["%s, %s (%s): %s" % (self.scene, self.interference, self.target,
                                     "; ".join(self.problems))]
        return "\n".join(lines + ["    " + line for line in self.words.splitlines()])


def try_point(scene, interference):
    """Never raises: what goes wrong is a problem of the point."""
    point = Point(scene.name, interference)
    texts = []
    try:
        scene.reset()
        former = checks.named_files(scene.dynamic_dir)
        first, report = scene.run(interference)
        texts.append(str(first))
        point.hit, point.first_code = bool(report.hit), first.code
        point.target = ("%s %s" % (report.hit, report.target)).strip()
        if point.hit and not interference.error:
            point.gap = _in_the_gap(scene)
        point.problems += _first_run_problems(point, interference, first)
        if point.hit:
            second = scene.again()
            texts.append(str(second))
            if second.code != 0:
                point.problems.append("started again, it ended with %d" % second.code)
        scene.settle()
        point.problems += _problems(scene, point, former)
    except Exception as fault:  # also of the harness: it belongs to this point, and the rest goes on
        point.problems.append("%s: %s" % (type(fault).__name__, fault))
        scene.certwright.daemon and scene.certwright.daemon.kill()
        scene.certwright.daemon = None
    if point.problems:
        point.words = "\n".join(texts)
    return point


def _in_the_gap(scene):
    """Nobody can know of an order whose creation was not answered: the only second order that is right.

    The request had reached the CA and the record says that no answer was stored.
    """
    time.sleep(0.02)  # a request that was sent is taken up
    open_orders = scene.look().open_orders()
    return bool(scene.orders()) and any(order["url"] == "" for order in open_orders)


def _first_run_problems(point, interference, first):
    if not point.hit:
        return [] if first.code == 0 else ["left alone, it ended with %d" % first.code]
    if interference.error is None or first.code == 0:
        return []
    problems = []
    if not point.scene.startswith("daemon") and first.code not in EXIT_CODES[interference.error]:
        problems.append("the exit code is %d" % first.code)
    said = [line for line in first.stderr.splitlines()
            if line.startswith(("certwright: ", NAME + ": failed: "))]
    # Where the error was to be written, it cannot be read.
    daemon = point.scene.startswith("daemon")
    if not said and not point.target.endswith(".stderr") and not daemon:
        problems.append("it ended with %d and said nothing" % first.code)
    return problems


def _problems(scene, point, former):
    certwright, view = scene.certwright, scene.look()
    orders = scene.orders()
    point.refused = checks.refused(orders) > 0
    problems = checks.ca_problems(view, orders, int(point.gap), scene.ca_url)
    problems += checks.store_problems(view, scene.before, orders, [NAME])
    problems += checks.leftovers(certwright.state_dir, scene.dynamic_dir)
    problems += checks.traefik_problems(scene.dynamic_dir, certwright.state_dir / "traefik", view,
                                        former)
    problems += checks.event_problems(scene.recorder, [NAME], scene.reason)
    if len(scene.ca.accounts) > max(1, scene.accounts_before + (not scene.before.accounts)):
        problems.append("another account was registered")
    return problems + scene.ca.broken
