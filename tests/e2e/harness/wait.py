"""Waiting for something that another process does."""

import time


def until(condition, what, timeout=15.0):
    """Polls CONDITION() until it is true and gives its value; fails with WHAT when it stays false."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "not within %g s: %s" % (timeout, what)
        time.sleep(0.02)
