"""Compare mpskit with the fastest peers on this machine.

    python benchmarks/run.py [FAMILY...] [--list] [--quick] [--filter TEXT] [--peers NAME...] [--threads 2 1]

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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FAMILIES = tuple(sorted(f.name for f in (HERE / "cases").iterdir() if (f / "__init__.py").exists()))
# Most peers read their number of threads when they are imported.
THREADS_OF = (
    "MPSKIT_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "VIPS_CONCURRENCY",
)
CHILD = "MPSKIT_BENCHMARK_CHILD"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)} (default: all)")
    parser.add_argument("--list", action="store_true", help="name the cases and stop")
    parser.add_argument("--quick", action="store_true", help="3 short rounds: does it run, is it about right")
    parser.add_argument("--filter", default="", metavar="TEXT", help="only cases whose name holds this text")
    parser.add_argument("--peers", nargs="*", metavar="NAME", help="only these peers (default: all that are installed)")
    parser.add_argument(
        "--threads",
        type=int,
        nargs="+",
        default=[len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1],
        metavar="N",
        help="thread counts, one process each (default: one a core)",
    )
    parser.add_argument("--rounds", type=int, default=9, metavar="N", help="default: 9")
    parser.add_argument(
        "--budget", type=float, default=0.06, metavar="SECONDS", help="of a contender in a round (0.06)"
    )
    parser.add_argument("--device", metavar="NAME", help="cpu or metal (default: the best there is)")
    parser.add_argument("--out", type=Path, default=HERE / "results", metavar="DIR")
    options = parser.parse_args()
    unknown = set(options.families) - set(FAMILIES)
    if unknown:
        parser.error(f"unknown family {', '.join(sorted(unknown))}; allowed: {', '.join(FAMILIES)}")
    if min(options.threads) < 1 or options.rounds < 1 or options.budget <= 0:
        parser.error("--threads, --rounds and --budget must be positive")
    if options.quick:
        options.rounds, options.budget = 3, 0.02
    sys.path.insert(0, str(HERE.parent))
    if options.list:
        for family in options.families or FAMILIES:
            for name in names(family, options.filter):
                print(f"{family}: {name}")
        return 0
    if os.environ.get(CHILD):
        return measure(options, int(os.environ[CHILD]))
    worst = 0
    for threads in options.threads:
        environment = dict(os.environ) | dict.fromkeys((*THREADS_OF, CHILD), str(threads))
        command = [sys.executable, __file__, *sys.argv[1:]]
        worst = max(worst, subprocess.run(command, env=environment).returncode)
    return worst


def cases(family: str, threads: int, wanted: Callable[[str], bool]) -> Iterator[Any]:
    """Of every file in the family's folder."""
    for path in sorted((HERE / "cases" / family).glob("[!_]*.py")):
        yield from importlib.import_module(f"benchmarks.cases.{family}.{path.stem}").cases(threads, wanted)


def names(family: str, text: str) -> list[str]:
    found: list[str] = []

    def note(name: str) -> bool:
        found.append(name)
        return False

    list(cases(family, 1, note))
    return [name for name in found if text in name]


def selected(options: argparse.Namespace, threads: int) -> Iterator[Any]:
    """Cases, made one by one; in the place of one that cannot be made, its name and the reason."""
    for family in options.families or FAMILIES:
        for name in names(family, options.filter):
            yield made(family, name, threads)


def made(family: str, name: str, threads: int) -> Any:
    try:
        return next(cases(family, threads, lambda n: n == name))
    except Exception as error:  # not there, not on this device, or refused: the other cases are run all the same
        return name, f"{type(error).__name__}: {error}"


def measure(options: argparse.Namespace, threads: int) -> int:
    import mpskit
    from benchmarks.harness import environment, limits, report, timing

    load = os.getloadavg()[0]
    mpskit.set_num_threads(threads)
    if options.device:
        mpskit.device(options.device).__enter__()
    machine = limits.measure(threads)
    rows: list[report.Row] = []
    missing: dict[str, str] = {}
    for case in selected(options, threads):
        if isinstance(case, tuple):
            missing[case[0]] = case[1]
            print(f"not run: {case[0]}: {case[1]}", file=sys.stderr, flush=True)
            continue
        if options.peers is not None:
            case.keep(options.peers)
        try:
            measured, left_out = timing.run(case, options.rounds, options.budget)
        except Exception as error:
            missing[case.name] = f"{type(error).__name__}: {error}"
            print(f"not run: {case.name}: {missing[case.name]}", file=sys.stderr, flush=True)
            continue
        rows.append(report.Row(case, measured, left_out, machine))
        print(rows[-1].line(), flush=True)
    if not rows:
        print("no case matches, or none could be run", file=sys.stderr)
        return 2
    recorded = environment.record(threads, load)
    text = report.markdown(rows, recorded, machine, missing)
    stem = options.out / f"{time.strftime('%Y%m%d-%H%M')}-{threads}t"
    report.write_json(stem.with_suffix(".json"), rows, recorded, machine, missing)
    stem.with_suffix(".md").write_text(text)
    written = [".json", ".md"]
    try:
        report.plot(stem.with_suffix(".png"), rows, recorded)
        written.append(".png")
    except ImportError:
        print("no plot: matplotlib is not installed", file=sys.stderr)
    print(f"\n{text}\n{stem}{', '.join(written)}")
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
