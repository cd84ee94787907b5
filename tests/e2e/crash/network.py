"""An issuance and a renewal whose n-th request to the CA is spoiled once."""

from dataclasses import dataclass, field

from . import checks, scenes
from .points import NAME
from .proxy import FAULTS, REACHES_THE_CA, FaultProxy

__all__ = ["FAULTS", "SCENES", "Case", "count_requests", "try_case"]


def _through_proxy(base):
    """The scene BASE, with a FaultProxy between Certwright and the CA."""

    class Proxied(base):
        def connect(self, listener):
            super().connect(listener)
            self.proxy = FaultProxy(listener, self.ca.port)
            self.ca_url = "https://127.0.0.1:%d" % self.proxy.port

        def close(self):
            super().close()
            self.proxy.stop()

    return Proxied


SCENES = {"network " + base.name: _through_proxy(base) for base in (scenes.Issue, scenes.Renew)}


@dataclass
class Case:
    scene: str
    fault: str
    at: int
    request: str = ""  # that was spoiled
    first_code: int = 0
    problems: list = field(default_factory=list)
    words: str = ""

    def __str__(self):
        lines = ["%s, %s at request %d (%s), exit %d: %s" % (
            self.scene, self.fault, self.at, self.request, self.first_code,
            "; ".join(self.problems))]
        return "\n".join(lines + ["    " + line for line in self.words.splitlines()])


def count_requests(scene):
    scene.reset()
    scene.proxy.spoil(None, 0)
    result = scene.again()
    assert result.code == 0, str(result)
    return scene.proxy.seen


def try_case(scene, fault, at):
    """Never raises: what goes wrong is a problem of the case."""
    case = Case(scene.name, fault, at)
    try:
        scene.reset()
        former = checks.named_files(scene.dynamic_dir)
        scene.proxy.spoil(fault, at)
        first = scene.again()
        case.first_code, case.request = first.code, scene.proxy.hit
        case.words = "" if first.code == 0 else str(first)
        second = scene.again()
        if second.code != 0:
            case.problems.append("the next run ended with %d" % second.code)
            case.words += str(second)
        orders = scene.orders()
        view = scene.look()
        # Where the answer to newOrder was lost, nobody can know of the first order.
        unknown = int("newOrder" in case.request and fault in REACHES_THE_CA)
        case.problems += checks.ca_problems(view, orders, unknown, scene.ca_url)
        case.problems += checks.store_problems(view, scene.before, orders, [NAME])
        case.problems += checks.leftovers(scene.certwright.state_dir, scene.dynamic_dir)
        case.problems += checks.traefik_problems(
            scene.dynamic_dir, scene.certwright.state_dir / "traefik", view, former)
        case.problems += checks.event_problems(scene.recorder, [NAME], scene.reason)
        case.problems += scene.ca.broken
    except Exception as fault_of_test:
        case.problems.append("%s: %s" % (type(fault_of_test).__name__, fault_of_test))
    return case
