"""The command `mpskit`: run, demo, info."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["main"]

OK, SOME_FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except KeyboardInterrupt:
        print("mpskit: stopped; finished pictures are whole, none is half-written.", file=sys.stderr)
        return INTERRUPTED
    except (ValueError, TypeError, OSError, ImportError, NotImplementedError) as error:
        print(f"mpskit: {error}", file=sys.stderr)
        return WRONG_USE


def _parser() -> argparse.ArgumentParser:
    from .. import __version__

    parser = argparse.ArgumentParser(
        prog="mpskit",
        description="Metal Performance Shaders for Python: pictures by the folder, on the GPU of a Mac or on any CPU.",
    )
    parser.add_argument("--version", action="version", version=f"mpskit {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")

    run = commands.add_parser(
        "run",
        help="apply kernels to files and folders of pictures",
        epilog='example: mpskit run "gaussian_blur(sigma=2) | lanczos_scale(width=299, height=299)" photos --out small',
    )
    run.add_argument("kernels", help='"name(key=value) | name(key=value)", names as in mps.image')
    run.add_argument("paths", nargs="+", metavar="PHOTOS", help="JPEG, PNG, TIFF, WebP files, or folders of them")
    run.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    run.add_argument("--device", help="cpu or metal (default: the best there is)")
    run.add_argument(
        "--threads", type=int, metavar="N", help="pictures worked on at once on the host (default: one a core)"
    )
    run.add_argument("--in-flight", type=int, metavar="N", help="pictures under way at once (default: threads + 1)")
    run.add_argument(
        "--format", choices=["jpeg", "png", "tiff", "webp"], help="of the results (default: as each source)"
    )
    run.add_argument("--quality", type=int, default=90, metavar="1..100", help="of JPEG and WebP results (default: 90)")
    run.add_argument("--strict", action="store_true", help="stop at the first broken file")
    run.add_argument("--force", action="store_true", help="replace results that exist")
    run.add_argument("--json", action="store_true", help="print a summary as JSON")
    run.add_argument("--quiet", action="store_true", help="no progress bar")
    run.set_defaults(command=_run)

    demo = commands.add_parser(
        "demo", help="draw pictures by code, run image, matrix, graph and LSTM work, write a contact sheet"
    )
    demo.add_argument(
        "--out", default="mpskit-demo.png", metavar="FILE", help="the contact sheet (default: %(default)s)"
    )
    demo.add_argument(
        "--pictures", metavar="DIR", help="also write ten of the drawn pictures there, to try `mpskit run` on"
    )
    demo.add_argument("--device", help="cpu or metal (default: the best there is)")
    demo.set_defaults(command=_demo)

    info = commands.add_parser("info", help="devices, instruction sets, versions, what is missing and why")
    info.add_argument("--json", action="store_true", help="print it as JSON")
    info.set_defaults(command=_info)
    return parser


def _run(options: argparse.Namespace) -> int:
    from ..pipeline import Pipeline, Summary

    pipeline = Pipeline(options.kernels, device=options.device, threads=options.threads)
    bar = _progress_bar(options)

    def progress(summary: Summary) -> None:
        if bar is None:
            return
        reported = summary.done + len(summary.failed)
        if len(summary.failed) > bar.failures:
            bar.failures = len(summary.failed)
            bar.bar.write(f"skipped {summary.failed[-1][0]}: {summary.failed[-1][1]}", file=sys.stderr)
        bar.bar.update(reported - bar.bar.n)

    try:
        summary = pipeline.run(
            options.paths,
            options.out,
            in_flight=options.in_flight,
            strict=options.strict,
            force=options.force,
            format=options.format,
            quality=options.quality,
            progress=progress,
            total=bar.set_total if bar else None,
        )
    finally:
        if bar is not None:
            bar.bar.close()
    if bar is None:
        for name, reason in summary.failed:
            print(f"skipped {name}: {reason}", file=sys.stderr)
    if options.json:
        print(json.dumps(summary.as_dict(), indent=2))
    else:
        print(
            f"{summary.done} pictures in {summary.seconds:.2f} s ({summary.images_per_second:.1f} a second) on {summary.device}, "
            f"{summary.threads} threads" + (f"; {len(summary.failed)} skipped" if summary.failed else "")
        )
    return SOME_FAILED if summary.failed else OK


class _Bar:
    def __init__(self, tqdm: Any) -> None:
        self.bar = tqdm(unit=" images", dynamic_ncols=True, file=sys.stderr)
        self.failures = 0

    def set_total(self, total: int) -> None:
        self.bar.reset(total)


def _progress_bar(options: argparse.Namespace) -> _Bar | None:
    if options.quiet or options.json:
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return _Bar(tqdm)


def _demo(options: argparse.Namespace) -> int:
    from ..demos import run

    return run(options.out, options.device, options.pictures)


def _info(options: argparse.Namespace) -> int:
    from ..profile import environment

    facts = environment()
    if options.json:
        print(json.dumps(facts, indent=2))
        return OK
    print(f"mpskit {facts['mpskit']}, Python {facts['python']}, NumPy {facts['numpy']}, {facts['system']}")
    print("devices:")
    for device in facts["devices"]:
        features = ", ".join(device["features"])
        print(f"  {device['name']}: {device['description']}; {device['memory_gib']:.1f} GiB; {features}")
    for name, reason in facts["missing"].items():
        print(f"  {name}: not here: {reason}")
    print(
        f"CPU engine: {facts['isa']} of {', '.join(facts['isas'])}; {facts['threads']} threads (MPSKIT_NUM_THREADS, mps.set_num_threads)"
    )
    print("extras:")
    for name, state in facts["extras"].items():
        print(f"  {name}: {state}")
    return OK
