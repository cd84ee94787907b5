"""Where the sources are that the tests beside this file are about."""

import pathlib
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "packaging" / "python"
LIBRARY = PACKAGE / "certwright_agent" / "library"
RUNAGENT = PROJECT / "packaging" / "bin" / "runagent"


def use_library():
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(LIBRARY))
