"""Event handlers for tests: small executables that write down what they were given."""

import json
from pathlib import Path

_SCRIPT = """#!/usr/bin/python3 -IS
import json, os, sys
entry = {"handler": "%(name)s", "payload": json.load(sys.stdin), "arguments": sys.argv[1:],
         "environment": {key: value for key, value in os.environ.items()
                         if key.startswith("AGENT_") or key == "NODE_ID"}}
with open("%(record)s", "a") as record:
    record.write(json.dumps(entry) + "\\n")
sys.exit(%(code)d)
"""


class Recorder:
    """Handlers in EVENTS_DIR/EVENT that append to one file."""

    def __init__(self, events_dir, event="certificate-changed"):
        self.dir = Path(events_dir) / event
        self.record = Path(events_dir) / ("%s.jsonl" % event)

    def add(self, name, code=0):
        self.dir.mkdir(parents=True, exist_ok=True)
        self.write(self.dir / name, name, code)

    def write(self, file, name, code=0):
        file.write_text(_SCRIPT % {"name": name, "record": self.record, "code": code})
        file.chmod(0o755)

    def entries(self):
        if not self.record.exists():
            return []
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    def names(self):
        """[(handler, names of the payload)] in the order of the calls."""
        return [(entry["handler"], entry["payload"]["names"]) for entry in self.entries()]
