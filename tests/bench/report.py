"""The tables, and whether the targets are reached."""

import statistics

CASES = {
    "one": "one name as a command",
    "daemon": "one name in the daemon, to the served leaf",
    "fifty": "one certificate with 50 names",
    "twenty": "20 certificates at once",
}
CAS = {
    "fast": "The CA looks at once",
    "retry-after": "The CA asks for patience: Retry-After 3 s on authorizations, 5 s on orders",
    "slow": "The CA waits up to 2 s before it looks",
}

NOTES = """\
Medians, with min..max where they differ. `a + b` is Certwright's daemon and the Traefik that serves
its certificates; that Traefik, as Traefik's own ACME, also answers the handshakes that look for the
leaf. Traefik makes a new default certificate at each change of its configuration unless one is set.
Requests to the daemon are POSTs to its socket.
"""


def median(samples, field):
    return statistics.median(getattr(sample, field) for sample in samples)


def _spread(samples, field, scale=1.0, digits=2):
    values = sorted(getattr(sample, field) * scale for sample in samples)
    text = "%.*f" % (digits, statistics.median(values))
    if "%.*f" % (digits, values[0]) != "%.*f" % (digits, values[-1]):
        text += " (%.*f..%.*f)" % (digits, values[0], digits, values[-1])
    return text


def _row(case, client, samples, slow):
    cpu = _spread(samples, "cpu", digits=3)
    rss = _spread(samples, "peak_rss", 1 / 2**20, 0)
    if samples[0].traefik_cpu is not None:
        cpu += " + %.3f" % median(samples, "traefik_cpu")
        rss += " + %.0f" % (median(samples, "traefik_peak_rss") / 2**20)
    cells = [CASES[case], client, str(len(samples)), _spread(samples, "wall", digits=3), cpu, rss,
             _spread(samples, "requests", digits=0), _spread(samples, "posts", digits=0)]
    if slow:
        cells += [_spread(samples, "ca_delay", digits=0), _spread(samples, "overhead", digits=3)]
    return "| " + " | ".join(cells) + " |"


def table(ca, results):
    """RESULTS: {(case, client): [Sample, ...]}. Medians, and min..max where they differ."""
    slow = any(sample.ca_delay is not None for samples in results.values() for sample in samples)
    head = ["what", "client", "runs", "wall s", "CPU s", "peak RSS MiB", "requests", "POSTs"]
    if slow:
        head += ["CA's delay s", "wall - delay s"]
    lines = ["### " + CAS[ca], "", "| " + " | ".join(head) + " |",
             "|" + "---|" * 2 + "---:|" * (len(head) - 2)]
    lines += [_row(case, client, samples, slow) for (case, client), samples in results.items()]
    return "\n".join(lines) + "\n"


class _Targets:
    def __init__(self, ca, results):
        self.ca, self.results, self.lines = ca, results, []

    def have(self, *keys):
        return all(self.results.get(key) for key in keys)

    def say(self, what, reached, numbers):
        self.lines.append("| %s | %s | %s | %s |" % (
            self.ca, what, numbers, "reached" if reached else "**not reached**"))

    def ratio(self, what, mine, other, field, most, scale=1.0, unit="s"):
        """FIELD of MINE is at most OTHER's divided by MOST."""
        if not self.have(mine, other):
            return
        a, b = (median(self.results[key], field) * scale for key in (mine, other))
        self.say(what, a * most <= b, "%.3f of %.3f %s: 1/%.1f" % (a, b, unit, b / a))

    def limit(self, what, mine, field, most, unit="", digits=0):
        if not self.have(mine):
            return
        values = [getattr(sample, field) for sample in self.results[mine]]
        self.say(what, statistics.median(values) <= most, "%.*f%s (at most %.*f)" % (
            digits, statistics.median(values), unit, digits, max(values)))

    def only_posts(self, what, mine, most):
        if not self.have(mine):
            return
        samples = self.results[mine]
        good = all(sample.requests == sample.posts <= most for sample in samples)
        self.say(what, good, "%d to %d requests, %d to %d of them POSTs" % (
            min(s.requests for s in samples), max(s.requests for s in samples),
            min(s.posts for s in samples), max(s.posts for s in samples)))


def _against_others(targets):
    command, daemon = ("one", "certwright"), ("daemon", "certwright (daemon)")
    targets.ratio("one name: wall at most 1/25 of lego's", command, ("one", "lego"), "wall", 25)
    targets.ratio("one name: wall at most 1/15 of certbot's", command, ("one", "certbot"), "wall",
                  15)
    targets.limit("one name: at most 7 POSTs", command, "posts", 7)
    targets.limit("one name: at most 9 requests", command, "requests", 9)
    targets.ratio("one name: CPU at most lego's", command, ("one", "lego"), "cpu", 1)
    targets.ratio("one name: peak RSS at most lego's", command, ("one", "lego"), "peak_rss", 1,
                  1 / 2**20, "MiB")
    for other in ("traefik's own", "traefik's own, default certificate set"):
        targets.ratio("daemon: wall at most 1/2 of " + other, daemon, ("daemon", other), "wall", 2)
    targets.only_posts("daemon: 6 or 7 POSTs and nothing else", daemon, 7)
    targets.ratio("50 names: wall at most 1/4 of certbot's", ("fifty", "certwright"),
                  ("fifty", "certbot"), "wall", 4)
    targets.limit("50 names: at most 110 POSTs", ("fifty", "certwright"), "posts", 110)
    targets.ratio("20 at once: wall at most 1/6 of traefik's own",
                  ("twenty", "certwright (daemon)"), ("twenty", "traefik's own"), "wall", 6)


def targets(by_ca):
    """BY_CA: {ca: results}. Each target with its numbers, and whether they reach it."""
    lines = []
    for ca, results in by_ca.items():
        found = _Targets(ca, results)
        if ca == "slow":
            for case, client in (("one", "certwright"), ("daemon", "certwright (daemon)")):
                found.limit("%s: the CA's delay plus 0.15 s at most" % CASES[case],
                            (case, client), "overhead", 0.15, " s", 3)
        else:
            _against_others(found)
        lines += found.lines
    return "\n".join(
        ["### To reach", "", "| CA | target | measured | |", "|---|---|---|---|", *lines])
