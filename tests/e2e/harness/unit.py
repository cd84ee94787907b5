"""A oneshot service run as systemd would, without systemd: as much as the page's unit needs."""

import re
import shlex
import subprocess
from pathlib import Path


def parse(text):
    """{section: [(key, value)]} in order."""
    sections, lines = {}, []
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            lines = sections.setdefault(line[1:-1], [])
        elif line and line[0] not in "#;":
            key, _, value = line.partition("=")
            lines.append((key.strip(), value.strip()))
    return sections


def _specifiers(text, name, state_root):
    known = {"%S": str(state_root), "%N": name, "%%": "%"}
    return re.sub("%.", lambda found: known[found[0]], text)


def _words(line, environment):
    """systemd.service(5), "Command lines": quotes, ${NAME} within a word, $NAME as whole words."""
    words = []
    for word in shlex.split(line):
        word = re.sub(r"\$\{(\w+)\}", lambda found: environment.get(found[1], ""), word)
        if re.fullmatch(r"\$\w+", word):
            words += environment.get(word[1:], "").split()
        else:
            assert "$" not in word, word
            words.append(word)
    return words


def run(text, name, state_root, environment):
    """[(exit code, output)] of its ExecStart lines. STATE_ROOT stands for %S."""
    service = parse(_specifiers(text, name, state_root))["Service"]
    given = dict(service)
    assert given["Type"] == "oneshot"
    environment = dict(environment)
    for key, value in service:
        if key == "EnvironmentFile":
            lines = Path(value).read_text().splitlines()
            environment.update(line.split("=", 1) for line in lines)
    done = []
    for key, line in service:
        if key != "ExecStart":
            continue
        words = _words(line.removeprefix("-"), environment)
        ended = subprocess.run(words, cwd=given["WorkingDirectory"], env=environment, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=60, check=False)
        done.append((ended.returncode, ended.stdout))
        if ended.returncode != 0 and not line.startswith("-"):
            break
    return done
