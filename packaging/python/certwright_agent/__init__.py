"""Offers the module `agent` of this distribution to programs that find no other of that name.

A NethServer 8 node has a library `agent` of its own, which can do more: wherever it is found, on
whichever path, it is the one that is imported.
"""

import os
import sys

LIBRARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "library")


class _Last:
    """Asked after all others, so only where nobody else knows the module."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "agent":
            return None  # its own modules are found by its path
        from importlib.machinery import PathFinder
        return PathFinder.find_spec(name, [LIBRARY])


def offer():
    if not any(finder is _Last for finder in sys.meta_path):
        sys.meta_path.append(_Last)
