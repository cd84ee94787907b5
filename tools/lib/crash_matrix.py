"""The part of tools/crash-matrix that runs once everything is built."""

import argparse
import atexit
import concurrent.futures
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests" / "e2e"))

from crash import network, points, scenes, tracer  # noqa: E402
from harness import pki  # noqa: E402

USAGE = """\
Interrupts Certwright at every step of an issuance, a renewal and an issuance by the daemon, starts it
again and looks whether anything is lost, doubled or left behind (ARCHITECTURE.md, invariant I2).

  --kill     SIGKILL at every call that writes, syncs, renames, creates, removes or sends (the default)
  --errors   ENOSPC, EIO and EINTR at each of these calls instead
  --network  each request to the CA in turn dropped, delayed, cut or answered with nonsense
  --all      all three
"""

_scenes = {}  # of this worker process, by name
_setup = {}


def _begin(directory, listener):
    _setup.update(directory=Path(directory) / str(os.getpid()), listener=listener)


def _scene(name):
    if name not in _scenes:
        maker = scenes.SCENES.get(name) or network.SCENES[name]
        _scenes[name] = maker(_setup["directory"] / name.replace(" ", "-"), _setup["listener"])
    return _scenes[name]


def _count(name, kind):
    """How many calls of that kind a run makes that is left alone."""
    scene = _scene(name)
    scene.reset()
    result, report = scene.run(tracer.Interference(kind, 0))
    scene.settle()
    assert result.code == 0, str(result)
    return report.seen


def _try(name, interference):
    point = points.try_point(_scene(name), interference)
    if point.problems:
        _scenes.pop(name).close()  # whatever went wrong is not to be seen in the next point
        shutil.rmtree(_setup["directory"] / name.replace(" ", "-"), ignore_errors=True)
    return point


def _count_requests(name):
    return network.count_requests(_scene(name))


def _cut(name, fault, at):
    return network.try_case(_scene(name), fault, at)


def _progress(done, of, failure):
    """A failure at once, and now and then how far it is: the table comes at the end."""
    if failure:
        print("FAILED: %s" % failure, file=sys.stderr, flush=True)
    elif done % 100 == 0:
        print("%d of %d" % (done, of), file=sys.stderr, flush=True)


class Table:
    """Counts by row and column, and everything that failed."""

    def __init__(self, title):
        self.title, self.rows, self.failed = title, {}, []

    def add(self, row, good, extra=None):
        counts = self.rows.setdefault(row, {"tried": 0, "passed": 0})
        counts["tried"] += 1
        counts["passed"] += bool(good)
        for name in extra or ():
            counts[name] = counts.get(name, 0) + 1

    def show(self):
        extra = sorted({name for counts in self.rows.values() for name in counts}
                       - {"tried", "passed"})
        print("\n%s" % self.title)
        print("%-28s %6s %6s %s" % ("", "tried", "passed", " ".join("%14s" % name for name in extra)))
        total = {}
        for row, counts in self.rows.items():
            self._line(row, counts, extra)
            for name, number in counts.items():
                total[name] = total.get(name, 0) + number
        self._line("all", total, extra)
        return total

    @staticmethod
    def _line(row, counts, extra):
        print("%-28s %6d %6d %s" % (row, counts.get("tried", 0), counts.get("passed", 0),
                                    " ".join("%14d" % counts.get(name, 0) for name in extra)))


def _calls(pool, options, errors):
    """Every kind, every call: points beyond the counted ones are tried until a run gets through."""
    chosen = [(name, kind, error) for name in options.scenes for kind in options.kinds
              for error in errors]
    counted = {(name, kind): pool.submit(_count, name, kind)
               for name in options.scenes for kind in options.kinds}
    counts = {key: future.result() for key, future in counted.items()}
    waiting = {pool.submit(_try, name, tracer.Interference(kind, at, error))
               for name, kind, error in chosen
               for at in range(1, counts[name, kind] + 2, options.every)}
    table = Table("SIGKILL at each call" if errors == (None,) else "an error at each call")
    results = []
    while waiting:
        done, waiting = concurrent.futures.wait(waiting,
                                                return_when=concurrent.futures.FIRST_COMPLETED)
        for point in (future.result() for future in done):
            results.append(point)
            _progress(len(results), len(results) + len(waiting), point.problems and str(point))
            how = point.interference
            last = counts[point.scene, how.kind] + 1
            if point.hit and how.at >= last and options.every == 1:
                waiting.add(pool.submit(_try, point.scene,
                                        tracer.Interference(how.kind, how.at + 1, how.error)))
    order = {key: number for number, key in enumerate(chosen)}
    results.sort(key=lambda point: (order[point.scene, point.interference.kind,
                                          point.interference.error], point.interference.at))
    for point in results:
        how = point.interference
        extra = ["in the gap"] * point.gap + ["refused"] * point.refused
        if errors != (None,) and point.hit:
            extra.append("same run" if point.first_code == 0 else "next run")
        if point.hit or point.problems:
            row = " ".join(filter(None, (point.scene, how.kind, how.error)))
            table.add(row, not point.problems, extra)
        if point.problems:
            table.failed.append(str(point))
    table.show()
    return not table.failed


def _network(pool, options):
    counts = {name: pool.submit(_count_requests, name).result() for name in network.SCENES}
    cases = [pool.submit(_cut, name, fault, at) for name in network.SCENES for fault in network.FAULTS
             for at in range(1, counts[name] + 1, options.every)]
    table = Table("each of the requests to the CA spoiled once")
    for number, case in enumerate(future.result() for future in cases):
        _progress(number + 1, len(cases), case.problems and str(case))
        table.add("%s %s" % (case.scene, case.fault), not case.problems,
                  ["same run" if case.first_code == 0 else "next run"])
        if case.problems:
            table.failed.append(str(case))
        elif case.first_code != 0:
            print(case)
    total = table.show()
    share = 100.0 * total.get("same run", 0) / max(1, total["tried"])
    print("the same run got through in %.1f of 100 cases" % share)
    return not table.failed and share > 95


def main():
    parser = argparse.ArgumentParser(
        prog="tools/crash-matrix", description=USAGE,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    for mode in ("kill", "errors", "network", "all"):
        parser.add_argument("--" + mode, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--scene", action="append", dest="scenes", choices=sorted(scenes.SCENES),
                        help="only this one (may be repeated)")
    parser.add_argument("--call", action="append", dest="kinds", choices=tracer.KINDS,
                        help="only this kind of call (may be repeated)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every N-th point only")
    parser.add_argument("--jobs", type=int, default=3 * (os.cpu_count() or 1),
                        help="so many at the same time (they wait more than they compute)")
    options = parser.parse_args()
    options.scenes = options.scenes or list(scenes.SCENES)
    options.kinds = options.kinds or list(tracer.KINDS)

    started = time.monotonic()
    directory = tempfile.mkdtemp(prefix="cw-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    listener = pki.make_listener(Path(directory) / "listener")
    good = True
    with concurrent.futures.ProcessPoolExecutor(options.jobs, initializer=_begin,
                                                initargs=(directory, listener)) as pool:
        if options.kill or options.all or not (options.errors or options.network):
            good = _calls(pool, options, (None,)) and good
        if options.errors or options.all:
            good = _calls(pool, options, tracer.ERRORS) and good
        if options.network or options.all:
            good = _network(pool, options) and good
    print("\n%d s; %s" % (time.monotonic() - started, "all passed" if good else "FAILED"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
