"""Free loopback ports, also when several test processes look for some at the same time."""

import itertools
import os
import random
import socket

# Below the range from which the kernel takes the local ports of outgoing connections (32768 up),
# so that none of those can sit on a port between our choosing it and a server's binding it.
_FIRST, _LAST = 11000, 31000

_start = random.Random(os.getpid()).randrange(_FIRST, _LAST)
_candidates = itertools.cycle(itertools.chain(range(_start, _LAST), range(_FIRST, _start)))
# An abstract UNIX socket a port: the claim ends with this process, whatever way it ends.
_claims = {}


def free_port():
    """A TCP and UDP port that nobody uses on 127.0.0.1 and ::1, claimed while this process lives."""
    for port in itertools.islice(_candidates, _LAST - _FIRST):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            claim.bind("\0certwright-test-port-%d" % port)
        except OSError:
            claim.close()
            continue
        if _unused(port):
            _claims[port] = claim
            return port
        claim.close()
    raise RuntimeError("no free loopback port between %d and %d" % (_FIRST, _LAST))


def _unused(port):
    attempts = [
        (socket.AF_INET, socket.SOCK_STREAM, "0.0.0.0"),
        (socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1"),
    ]
    if socket.has_ipv6:
        attempts.append((socket.AF_INET6, socket.SOCK_STREAM, "::"))
    for family, kind, address in attempts:
        try:
            with socket.socket(family, kind) as probe:
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((address, port))
        except OSError as problem:
            # A machine without IPv6 has no such address; that is not "in use".
            if family == socket.AF_INET6 and "in use" not in str(problem):
                continue
            return False
    return True
