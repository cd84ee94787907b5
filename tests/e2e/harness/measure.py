"""measure.py FILE COMMAND...: runs COMMAND and writes its exit code, peak RSS and CPU time to FILE.

A process of its own, because the kernel counts into ru_maxrss what the process was before exec: a
child of the (large) test process would show the test process's size.
"""

import json
import os
import sys

child = os.fork()
if child == 0:
    try:
        os.execvp(sys.argv[2], sys.argv[2:])
    except OSError as problem:
        os.write(2, ("%s: %s\n" % (sys.argv[2], problem)).encode())
        os._exit(127)
_, status, usage = os.wait4(child, 0)
with open(sys.argv[1], "w") as result:
    json.dump({
        "code": os.waitstatus_to_exitcode(status),
        "peak_rss": usage.ru_maxrss * 1024,
        "cpu": usage.ru_utime + usage.ru_stime,
    }, result)
