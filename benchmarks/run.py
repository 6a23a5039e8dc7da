"""Compare mpskit with the fastest peers on this machine.

    python benchmarks/run.py [FAMILY...] [--peers NAME...] [--filter TEXT] [--threads 2 1] [--rounds N] [--budget SECONDS]

Each thread count runs in a process of its own. Results are checked against a float64 reference first, then contenders take turns.
Writes results/<date>-<threads>t.json, .md and .png, and prints the table.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
FAMILIES = ("image", "linalg", "cnn", "rnn")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)} (default: all)")
    parser.add_argument("--peers", nargs="*", help="only these peers (default: every one that is installed)")
    parser.add_argument("--filter", default="", help="only cases whose name holds this text")
    parser.add_argument(
        "--threads", type=int, nargs="+", default=[os.cpu_count() or 1], help="thread counts, one process each"
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--budget", type=float, default=0.06, help="seconds of a contender in a round")
    parser.add_argument("--device", help="cpu or metal (default: the best there is)")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    unknown = set(options.families) - set(FAMILIES)
    if unknown:
        parser.error(f"unknown family {', '.join(sorted(unknown))}; allowed: {', '.join(FAMILIES)}")

    if len(options.threads) > 1 or os.environ.get("MPSKIT_NUM_THREADS") != str(options.threads[0]):
        # Thread counts of most peers are fixed when they are imported.
        worst = 0
        arguments = list(sys.argv[1:])
        if "--threads" in arguments:
            start = arguments.index("--threads")
            del arguments[start : start + 1 + len(options.threads)]
        for threads in options.threads:
            environment = dict(os.environ)
            for variable in ("MPSKIT_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
                environment[variable] = str(threads)
            worst = max(
                worst,
                subprocess.run(
                    [sys.executable, __file__, *arguments, "--threads", str(threads)], env=environment
                ).returncode,
            )
        return worst
    return measure(options, options.threads[0])


def measure(options: argparse.Namespace, threads: int) -> int:
    sys.path.insert(0, str(HERE.parent))
    import mpskit
    from benchmarks.harness import environment, limits, report, timing

    mpskit.set_num_threads(threads)
    if options.device:
        mpskit.device(options.device).__enter__()
    machine = limits.measure(threads)
    rows = []
    for family in options.families or FAMILIES:
        module = importlib.import_module(f"benchmarks.cases.{family}")
        for case in module.cases(threads):
            if options.filter not in case.name:
                continue
            if options.peers is not None:
                case.contenders = [
                    c for c in case.contenders if c.name == "mpskit" or any(c.name.startswith(p) for p in options.peers)
                ]
            measured, left_out = timing.run(case, options.rounds, options.budget)
            rows.append(report.Row(case, measured, left_out, machine))
            print(rows[-1].line(), flush=True)
    if not rows:
        print("no case matches", file=sys.stderr)
        return 2
    recorded = environment.record(threads)
    text = report.markdown(rows, recorded, machine)
    stem = options.out / f"{time.strftime('%Y%m%d-%H%M')}-{threads}t"
    report.write_json(stem.with_suffix(".json"), rows, recorded, machine)
    stem.with_suffix(".md").write_text(text)
    try:
        report.plot(stem.with_suffix(".png"), rows, recorded)
    except ImportError:
        print("no plot: matplotlib is not installed", file=sys.stderr)
    print(f"\n{text}\n{stem}.json, .md, .png")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
