"""The agent of a NethServer 8 node, as much of it as a module's tree meets: the order of steps,
their input, environment and descriptor 3, schemas before and after."""

import csv
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import jsonschema

SCHEMAS = ("validate-input.json", "validate-output.json")


@dataclass
class Task:
    exit_code: int
    output: object
    error: str
    status: str
    steps: list  # that were run, in order


def _go_json(value):
    """As Go encodes: keys sorted, no blanks, <>& escaped."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for char in "<>&":
        text = text.replace(char, "\\u%04x" % ord(char))
    return text


def _violation(error):
    path = [str(part) for part in error.absolute_path]
    field = ".".join(path) or "(root)"
    parameter = path[0] if path else "(root)"
    return {"field": field, "parameter": parameter, "value": error.instance,
            "error": "%s_%s" % (parameter, error.validator)}


class Agent:
    """Of the module MODULE_ID: HOME is its Unix user's, HOME/.config the image's tree."""

    def __init__(self, home, module_id, environment, agent_env, path):
        self.install = Path(home) / ".config"
        self.state = self.install / "state"
        self.state.mkdir(exist_ok=True)
        self.write_environment(environment)
        self._own = {
            "AGENT_ID": "module/" + module_id, "AGENT_INSTALL_DIR": str(self.install),
            "AGENT_STATE_DIR": str(self.state), "LANG": "C.UTF-8", "HOME": str(home),
            "PATH": os.pathsep.join([str(self.install / "bin"), *path, os.environ["PATH"]]),
            **agent_env,
        }

    def write_environment(self, environment):
        lines = ["%s=%s\n" % pair for pair in sorted(environment.items())]
        (self.state / "environment").write_text("".join(lines))

    def environment(self):
        lines = (self.state / "environment").read_text().splitlines()
        return {**self._own, **dict(line.split("=", 1) for line in lines)}

    def program(self, *words, **options):
        """`runagent WORDS`: in the state directory, with the module's environment."""
        return subprocess.run([str(word) for word in words], cwd=self.state,
                              env=self.environment(), capture_output=True, text=True, timeout=60,
                              check=False, **options)

    def run(self, action, data=None, user=""):
        folder = self.install / "actions" / action
        steps = sorted((file for file in folder.iterdir() if not file.is_dir()),
                       key=lambda file: os.fsencode(file.name))
        if not steps:
            return Task(8, "", "Action %s is not defined" % action, "aborted", [])
        ran, output, error = [], "", ""
        schema = folder / SCHEMAS[0]
        if schema.exists():
            found = [_violation(each) for each in self._errors(schema, data)]
            if found:
                return Task(10, found, "Validation errors: %s" % found, "validation-failed", ran)
        for step in steps:
            if step.name in SCHEMAS or not os.access(step, os.X_OK):
                continue
            ran.append(step.name)
            code, out, err, status = self._step(step, action, data, user)
            output, error = output + out, error + err
            if status:
                return Task(code or 10, self._parsed(output), error, status, ran)
            if code != 0:
                return Task(code, self._parsed(output), error, "aborted", ran)
        answer = self._parsed(output)
        if (folder / SCHEMAS[1]).exists() and list(self._errors(folder / SCHEMAS[1], answer)):
            return Task(1, answer, error + "the output breaks its schema", "aborted", ran)
        return Task(0, answer, error, "completed", ran)

    def event(self, name, payload, source="cluster"):
        """The handlers of an event, in order; the exit code of the last that was run."""
        code = 0
        for handler in sorted((self.install / "events" / name).iterdir()):
            env = {**self.environment(), "AGENT_COMFD": "2", "AGENT_EVENT_NAME": name,
                   "AGENT_EVENT_SOURCE": source}
            code = subprocess.run([handler], cwd=self.state, env=env, input=json.dumps(payload),
                                  text=True, timeout=60, check=False).returncode
            if code != 0:
                break
        return code

    def update(self, check=True):
        """What update-module runs. A failure is only logged there: here it is told, or where it is not
        to be checked given, by the program's name."""
        failed = {}
        for program in sorted((self.install / "update-module.d").iterdir()):
            done = self.program(program)
            if done.returncode != 0:
                failed[program.name] = done.stderr
        assert not (check and failed), failed
        return failed

    @staticmethod
    def _errors(schema, value):
        return jsonschema.Draft4Validator(json.loads(schema.read_text())).iter_errors(value)

    @staticmethod
    def _parsed(output):
        try:
            return json.loads(output)
        except ValueError:
            return output

    def _step(self, step, action, data, user):
        reading, writing = os.pipe()
        env = {**self.environment(), "AGENT_COMFD": "3", "AGENT_TASK_ID": "1",
               "AGENT_TASK_ACTION": action, "AGENT_TASK_USER": user}
        # The agent's descriptor is 3, whatever else is open here.
        command = ["/bin/bash", "-c", 'exec "$0" 3>&%d %d>&-' % (writing, writing), str(step)]
        if writing == 3:
            command = [str(step)]
        child = subprocess.Popen(command, cwd=self.state, env=env, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 pass_fds=[writing], text=True)
        os.close(writing)
        out, err = child.communicate(_go_json(data), timeout=120)
        with os.fdopen(reading) as told:
            lines = list(csv.reader(told, delimiter=" "))
        status = ""
        for words in lines:
            assert len(words) > 1, "a command without argument ends the real agent: %s" % words
            if words[0] == "set-status":
                assert words[1] == "validation-failed", words
                status = words[1]
            elif words[0] == "set-progress":
                assert 0 <= int(words[1]) <= 100, words
            else:
                assert words[0] == "set-weight", words
        return child.returncode, out, err, status
