#!/usr/bin/env python3
"""Fail if a LeakSanitizer or AddressSanitizer report of a Python run has to do with our code.

Usage: leakfilter.py REPORT...

Python and NumPy leak a little by themselves: of the leaks only those with a frame of ours count. Any other report (an address
error, undefined behaviour) counts as it stands.
"""

import re
import sys
from pathlib import Path

OURS = re.compile(r"/csrc/|/tests/standin/|_core[^ /]*\.so")
LEAK = re.compile(r"^(?=(?:Direct|Indirect) leak of )", re.MULTILINE)
ERROR = re.compile(r"ERROR: (?!LeakSanitizer)\w+Sanitizer|runtime error: ")
LINES_SHOWN = 40


def findings(report: str) -> list[str]:
    """The leaks with a frame of ours, and whatever else a sanitizer complained about."""
    before, *leaks = LEAK.split(report)
    found = [leak.split("\n\n")[0] for leak in leaks if OURS.search(leak.split("\n\n")[0])]
    if ERROR.search(before):
        found.insert(0, before)
    return found


def main(paths: list[str]) -> int:
    count = 0
    for path in paths:
        for finding in findings(Path(path).read_text(errors="replace")):
            count += 1
            lines = finding.strip().splitlines()
            print("\n".join(lines[:LINES_SHOWN] + ["    ..."] * (len(lines) > LINES_SHOWN)), end="\n\n")
    print(f"leakfilter: {count} findings in {len(paths)} reports")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
