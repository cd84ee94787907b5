"""Other programs, and the words that a program has for who runs it."""

import csv
import os
import shlex
import subprocess
import sys
import traceback

# How the journal tells a line's priority: sd-daemon(3).
SD_EMERG, SD_ALERT, SD_CRIT, SD_ERR = "<0>", "<1>", "<2>", "<3>"
SD_WARNING, SD_NOTICE, SD_INFO, SD_DEBUG = "<4>", "<5>", "<6>", "<7>"


def run_helper(*args, log_command=True, progress_callback=None, **kwargs):
    """Runs a program, says so on standard error, and gives the subprocess.CompletedProcess, whatever
    its exit code. Its standard output goes to ours for errors; `kwargs` go to subprocess.Popen. The
    callback is given the numbers of its "set-progress" lines, and 100 in the end."""
    if log_command:
        print(SD_INFO + shlex.join(args), file=sys.stderr, flush=True)
    kwargs.setdefault("stdout", sys.stderr)
    environment = kwargs.pop("env", None)
    reading, writing = os.pipe()
    try:
        kwargs["pass_fds"] = (*kwargs.get("pass_fds", ()), writing)
        kwargs["env"] = {**(os.environ if environment is None else environment),
                         "AGENT_COMFD": str(writing)}
        child = subprocess.Popen(args, **kwargs)
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    told = -1
    with os.fdopen(reading, encoding="utf-8", errors="replace") as lines:
        for words in csv.reader(lines, delimiter=" "):
            number = _progress(words)
            if progress_callback and number > told:
                told = number
                progress_callback(number)
    code = child.wait()
    if progress_callback and told < 100:
        progress_callback(100)
    return subprocess.CompletedProcess(args, code)


def _progress(words):
    if len(words) == 2 and words[0] == "set-progress" and words[1].isdigit():
        return min(int(words[1]), 100)
    return -1


def set_status(value):
    _tell("set-status", value)


def set_progress(value):
    _tell("set-progress", value)


def set_weight(step_name, weight):
    _tell("set-weight", step_name, weight)


def _tell(*words):
    """To who runs us as a step, else to standard error."""
    descriptor = int(os.environ.get("AGENT_COMFD") or 2)
    with os.fdopen(descriptor, "w", encoding="utf-8", closefd=False) as channel:
        csv.writer(channel, delimiter=" ", lineterminator="\n").writerow(words)


def assert_exp(exp, message="Assertion failed"):
    """Ends the program with code 2, and says where, unless EXP holds."""
    if exp:
        return
    if message:
        print(message, file=sys.stderr)
    traceback.print_stack(sys._getframe(1), file=sys.stderr)
    sys.exit(2)
