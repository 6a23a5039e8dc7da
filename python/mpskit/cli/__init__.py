"""The command `mpskit`: run, demo, gallery, info."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from types import FrameType
from typing import Any

__all__ = ["main"]

OK, SOME_FAILED, WRONG_USE, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    before = None
    with contextlib.suppress(ValueError):  # called from another thread than the first: signals are somebody else's
        before = signal.signal(signal.SIGTERM, _terminate)
    try:
        code = int(options.command(options))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as error:
        print("mpskit: stopped; finished results are whole, none is half-written.", file=sys.stderr)
        return TERMINATED if isinstance(error, _Terminated) else INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED
    except (ValueError, TypeError, OSError, ImportError, NotImplementedError, RuntimeError) as error:
        print(f"mpskit: {error}", file=sys.stderr)
        return WRONG_USE
    finally:
        if before is not None:  # the caller may be a program of its own
            signal.signal(signal.SIGTERM, before)


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a run as cleanly as Ctrl-C."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated


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
        description="Apply kernels, one after the other, to every picture, and write the results under the same names into a folder.",
        epilog="""\
example:
  mpskit run "gaussian_blur(sigma=2) | lanczos_scale(width=299, height=299)" photos --out small

exit code:
  0 all done; 1 some files were bad (each is named, the others are done); 2 wrong use, nothing was done;
  130, 143 stopped by Ctrl-C or SIGTERM (finished results are whole; go on with --skip-existing)""",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("kernels", metavar="KERNELS", help='"name(key=value) | name(key=value)", names as in mps.image')
    run.add_argument("paths", nargs="+", metavar="PHOTOS", help="JPEG, PNG, TIFF, WebP files, or folders of them")
    run.add_argument("--out", required=True, metavar="DIR", help="folder for the results, made when missing")
    run.add_argument("--device", metavar="NAME", help="cpu or metal (default: the best there is)")
    run.add_argument(
        "--threads", type=int, metavar="N", help="pictures worked on at once on the host (default: one a core)"
    )
    run.add_argument("--in-flight", type=int, metavar="N", help="pictures under way at once (default: threads + 1)")
    run.add_argument(
        "--format", choices=["jpeg", "png", "tiff", "webp"], help="of the results (default: as each source)"
    )
    run.add_argument("--quality", type=int, default=90, metavar="1..100", help="of JPEG and WebP results (default: 90)")
    run.add_argument("--strict", action="store_true", help="stop at the first bad file")
    existing = run.add_mutually_exclusive_group()
    existing.add_argument("--force", action="store_true", help="replace results that exist")
    existing.add_argument("--skip-existing", action="store_true", help="leave out files whose results exist")
    run.add_argument("--json", action="store_true", help="print the summary as JSON")
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
    demo.add_argument("--device", metavar="NAME", help="cpu or metal (default: the best there is)")
    demo.add_argument("--quick", action="store_true", help="small pictures and little else, for a slow device")
    demo.add_argument("--force", action="store_true", help="replace a contact sheet that exists")
    demo.set_defaults(command=_demo)

    gallery = commands.add_parser(
        "gallery",
        help="show every image kernel, before and after, on one contact sheet",
        description="Apply every image kernel to a picture that suits it and write one contact sheet with all of them, before and "
        "after. The pictures are photographs that scikit-image brings along (pip install 'mpskit[gallery]'), or drawn by code.",
    )
    gallery.add_argument(
        "--out", default="mpskit-gallery.png", metavar="FILE", help="the contact sheet (default: %(default)s)"
    )
    gallery.add_argument("--device", metavar="NAME", help="cpu or metal (default: the best there is)")
    gallery.add_argument("--force", action="store_true", help="replace a contact sheet that exists")
    gallery.set_defaults(command=_gallery)

    info = commands.add_parser("info", help="devices, instruction sets, versions, what is missing and why")
    info.add_argument("--json", action="store_true", help="print it as JSON")
    info.set_defaults(command=_info)
    return parser


def _run(options: argparse.Namespace) -> int:
    from ..pipeline import Pipeline, Summary

    # Pillow warns of pictures above 89 megapixels; here somebody asked for them. It still refuses twice that.
    warnings.filterwarnings("ignore", message="Image size .* exceeds limit")
    pipeline = Pipeline(options.kernels, device=options.device, threads=options.threads)
    bar = None if options.quiet else _progress_bar()
    reported = 0

    def progress(summary: Summary) -> None:
        nonlocal reported
        for name, reason in summary.failed[reported:]:
            line = f"failed: {name}: {reason}"
            print(line, file=sys.stderr) if bar is None else bar.write(line, file=sys.stderr)
        reported = len(summary.failed)
        if bar is not None:
            bar.update(summary.done + len(summary.failed) - bar.n)

    def total(count: int) -> None:
        if bar is not None:
            bar.reset(count)

    try:
        summary = pipeline.run(
            options.paths,
            options.out,
            in_flight=options.in_flight,
            strict=options.strict,
            force=options.force,
            skip_existing=options.skip_existing,
            format=options.format,
            quality=options.quality,
            progress=progress,
            total=total,
        )
    except ValueError:
        if options.strict and reported:  # the bad file is named already
            print("mpskit: stopped at the first bad file (--strict); finished results are whole.", file=sys.stderr)
            return SOME_FAILED
        raise
    finally:
        if bar is not None:
            bar.close()
    if options.json:
        print(json.dumps(summary.as_dict(), indent=2))
    else:
        print(_in_words(summary, options.out))
    return SOME_FAILED if summary.failed else OK


def _in_words(summary: Any, folder: str) -> str:
    speed = f" in {summary.seconds:.2f} s ({summary.images_per_second:.1f} images/s)" if summary.done else ""
    return (
        f"{summary.done} {'picture' if summary.done == 1 else 'pictures'}{speed} on {summary.device}, {summary.threads} threads"
        + (f", into {folder}" if summary.done else "")
        + (f"; {summary.existing} existed" if summary.existing else "")
        + (f"; {len(summary.failed)} failed" if summary.failed else "")
    )


def _progress_bar() -> Any:
    if not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(unit=" images", dynamic_ncols=True, file=sys.stderr, total=0)


def _demo(options: argparse.Namespace) -> int:
    from ..demos import run

    return run(options.out, options.device, options.pictures, quick=options.quick, force=options.force)


def _gallery(options: argparse.Namespace) -> int:
    from ..demos.gallery import run

    return run(options.out, options.device, force=options.force)


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
