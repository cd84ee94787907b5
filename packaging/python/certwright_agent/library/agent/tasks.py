"""Calls of Certwright's actions: `run` waits for the end, `run_nowait` does not."""

import os
import sys
import time

from . import sockets

_POLL = 30  # seconds that one question for the end may wait
_POLL_WITH_PROGRESS = 1
# What gives a private key is asked for directly: no record of a task holds it.
_NO_TASK = frozenset({"get-certificate"})


class Refused(RuntimeError):
    """A call that was not even begun: no such action (exit code 8), not allowed to this caller (7)."""

    def __init__(self, answer):
        super().__init__(answer.detail)
        self.status = answer.status  # of HTTP
        self.exit_code = answer.exit_code


def run(agent_id, action, data=None, *, extra=None, parent=None, progress_callback=None,
        endpoint=None, check_idle_time=None):
    """Has the action done and waits: {"output": ..., "error": text, "exit_code": N}.

    Also a refused call ends with an exit code, 7 or 8. Raises OSError where Certwright cannot be
    asked. `progress_callback` is given numbers up to 100. There is one Certwright: `endpoint` and
    `check_idle_time` are taken and mean nothing.
    """
    _check(agent_id)
    if action in _NO_TASK:
        return _result(sockets.ask("POST", "/v1/actions/" + action, _input(data)).value)
    try:
        task = _submit(action, data, extra, parent)
    except Refused as refused:
        return {"output": "", "error": str(refused), "exit_code": refused.exit_code}
    return _result(_ended(task, progress_callback))


def run_nowait(agent_id, action, data=None, *, extra=None, parent=None, progress_callback=None,
               endpoint=None, check_idle_time=None):
    """Has the action done in the background: "AGENT_ID/task/TASK" at once. Raises Refused."""
    _check(agent_id)
    return "%s/task/%s" % (agent_id, _submit(action, data, extra, parent))


def runp(tasks, **options):
    """Side by side: the results of `run`, in the order of TASKS, each {"agent_id", "action", "data"}.
    Of more than one, an exception is a result too."""
    return _side_by_side(run, tasks, options)


def runp_nowait(tasks, **options):
    return _side_by_side(run_nowait, tasks, options)


def runp_brief(tasks, **options):
    """How many failed; what went wrong is told on standard error."""
    failed = 0
    for task, result in zip(tasks, runp(tasks, **options)):
        if isinstance(result, Exception) or result["exit_code"] != 0:
            print("Task %s/%s failed: %r" % (task["agent_id"], task["action"], result),
                  file=sys.stderr)
            failed += 1
    return failed


def _side_by_side(call, tasks, options):
    def guarded(task):
        try:
            return call(**{**options, **task})
        except Exception as problem:  # handed over as the result
            if len(tasks) == 1:
                raise
            return problem

    if not tasks:
        return []
    from concurrent.futures import ThreadPoolExecutor  # few need it, and it is slow to import
    with ThreadPoolExecutor(max_workers=min(len(tasks), 16)) as pool:
        return list(pool.map(guarded, tasks))


def _check(agent_id):
    if not isinstance(agent_id, str) or not agent_id:
        raise ValueError("agent_id is %r: what was to be called is not known" % (agent_id,))


def _input(data):
    return {} if data is None else data


def _submit(action, data, extra, parent):
    if parent is None:
        parent = os.environ.get("AGENT_TASK_ID", "")
    answer = sockets.ask("POST", "/v1/tasks", {
        "action": action, "data": _input(data), "parent": parent, "extra": extra or {}})
    if answer.status != 202:
        raise Refused(answer)
    return answer.value["id"]


def _ended(task, progress_callback):
    wait = _POLL_WITH_PROGRESS if progress_callback else _POLL
    told = -1
    while True:
        begun = time.monotonic()
        answer = sockets.ask("GET", "/v1/tasks/%s?wait=%d" % (task, wait), wait=wait)
        if answer.status != 200:
            return {"error": answer.detail, "exit_code": answer.exit_code}
        ended = answer.value["ended_at"] is not None
        progress = 100 if ended else answer.value["progress"]
        if progress_callback and progress > told:
            told = progress
            progress_callback(progress)
        if ended:
            return answer.value
        if time.monotonic() - begun < 0.5:  # as many as can be kept waiting wait already
            time.sleep(1)


def _result(value):
    """As callers know it, of what the API says."""
    failed = not isinstance(value.get("exit_code"), int)
    return {"output": value.get("output", ""), "error": value.get("error") or "",
            "exit_code": 70 if failed else value["exit_code"]}
