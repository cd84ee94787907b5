"""count_results.py FILE...: sums JUnit reports and prints `N passed, N failed[, N skipped]`.

A file that is missing or cannot be read is a test runner that came to no end: one failure. Names of
failed tests go to stderr. Ends with 1 where anything failed or nothing ran.
"""

import sys
import xml.etree.ElementTree as ElementTree


def results(file):
    """Yields (name, "passed" | "failed" | "skipped") of each test in FILE."""
    for case in ElementTree.parse(file).iter("testcase"):
        name = "%s.%s" % (case.get("classname", ""), case.get("name", ""))
        if case.find("failure") is not None or case.find("error") is not None:
            yield name, "failed"
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            yield name, "skipped"
        else:
            yield name, "passed"


def main(files):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for file in files:
        try:
            found = list(results(file))
        except (OSError, ElementTree.ParseError) as problem:
            found = [("%s (%s)" % (file, problem), "failed")]
        for name, result in found:
            count[result] += 1
            if result == "failed":
                print("failed: " + name, file=sys.stderr)
    skipped = ", %d skipped" % count["skipped"] if count["skipped"] else ""
    print("%d passed, %d failed%s" % (count["passed"], count["failed"], skipped))
    return 1 if count["failed"] or not count["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
