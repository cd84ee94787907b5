"""Starts commands for the benchmark and says what each one used.

A small process of its own that stays: the kernel counts into a child's peak RSS what its parent was
before exec, and starting an interpreter for every command would count into its wall time.

One JSON object a line comes in: argv, env, cwd, stdout, stderr (files), timeout (seconds). One goes
out: code (negative for a signal), wall, cpu (seconds, user and system), peak_rss (bytes).
"""

import json
import os
import signal
import sys
import time


def become(job):
    os.setsid()
    for number, file, flags in ((0, "/dev/null", os.O_RDONLY),
                                (1, job["stdout"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
                                (2, job["stderr"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)):
        os.dup2(os.open(file, flags, 0o600), number)
    os.chdir(job["cwd"])
    os.execvpe(job["argv"][0], job["argv"], job["env"])


def run(job):
    begun = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            become(job)
        except OSError as problem:
            os.write(2, ("%s: %s\n" % (job["argv"][0], problem)).encode())
        os._exit(127)
    signal.signal(signal.SIGALRM, lambda number, frame: os.killpg(child, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, job["timeout"])
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - begun
    signal.setitimer(signal.ITIMER_REAL, 0)
    return {"code": os.waitstatus_to_exitcode(status), "wall": wall,
            "cpu": usage.ru_utime + usage.ru_stime, "peak_rss": usage.ru_maxrss * 1024}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
