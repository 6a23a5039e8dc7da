"""Print line coverage by file from llvm-cov's summary, and fail below a percentage: coverage.py SUMMARY PERCENT."""

import json
import sys
from pathlib import Path

summary = json.loads(Path(sys.argv[1]).read_text())["data"][0]
files = [f for f in summary["files"] if f["filename"].endswith((".mm", ".hpp"))]
for file in sorted(files, key=lambda f: f["summary"]["lines"]["percent"]):
    lines = file["summary"]["lines"]
    print(
        f"{lines['percent']:6.1f} %  {lines['covered']:5d} of {lines['count']:5d}  {file['filename'].split('/csrc/')[-1]}"
    )
covered = sum(f["summary"]["lines"]["covered"] for f in files)
count = sum(f["summary"]["lines"]["count"] for f in files)
percent = 100.0 * covered / max(count, 1)
print(f"{percent:6.1f} %  {covered:5d} of {count:5d}  the Metal core")
sys.exit(count == 0 or percent < float(sys.argv[2]))
