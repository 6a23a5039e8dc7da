"""The main job: a folder of photographs blurred, made small and written, by `mpskit run` and by other libraries.

    python benchmarks/main_job.py [--count 200] [--threads 2] [--rounds 7]

Photographs of 1920 x 1080 are made from scikit-image's pictures into a temporary folder. Every contender runs as a process
of its own, in turns; the time is from the first file to the last, without starting Python and importing. Results are
checked first. Writes results/<date>-main-job-<threads>t.json and .md, and prints the table.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.harness import definitions, environment, report  # noqa: E402
from benchmarks.peers.photos import LIMIT, PEERS, QUALITY, SIDE, SIGMA, installed  # noqa: E402

OURS = "mpskit run"
CHAIN = f"gaussian_blur(sigma={SIGMA}) | lanczos_scale(width={SIDE}, height={SIDE})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, metavar="N", help="photographs (default: 200)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="of every contender (default: 2)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="default: 7")
    parser.add_argument("--peers", nargs="*", metavar="NAME", help="only peers whose names begin so")
    parser.add_argument("--out", type=Path, default=HERE / "results", metavar="DIR")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    versions = installed()
    names = [OURS, *(n for n in versions if not options.peers or n.startswith(tuple(options.peers)))]
    with tempfile.TemporaryDirectory(prefix="mpskit-main-job-") as folder:
        root = Path(folder)
        photos = make_photos(root / "photos", options.count)
        mebibytes = sum(p.stat().st_size for p in photos.iterdir()) / 2**20
        print(f"{options.count} photographs, {mebibytes:.0f} MiB", flush=True)
        differences = check(names, root)
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for number in range(options.rounds):
            for name in names[number % len(names) :] + names[: number % len(names)]:
                runs[name].append(run(name, photos, root / "out", options.threads))
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
    recorded = environment.record(options.threads, load)
    recorded["command"] = "benchmarks/main_job.py " + " ".join(sys.argv[1:])
    text = table(runs, differences, versions, recorded, options.count, mebibytes)
    stem = options.out / f"{time.strftime('%Y%m%d-%H%M')}-main-job-{options.threads}t"
    stem.parent.mkdir(parents=True, exist_ok=True)
    everything = {"environment": recorded, "versions": versions, "mean_difference": differences, "runs": runs}
    stem.with_suffix(".json").write_text(json.dumps(everything, indent=1))
    stem.with_suffix(".md").write_text(text)
    print(f"\n{text}\n{stem}.json, .md")
    return 0


def make_photos(folder: Path, count: int) -> Path:
    """Crops of scikit-image's photographs, enlarged, with a camera's noise: JPEG files of the size and detail of photographs."""
    from PIL import Image
    from skimage import data

    sources = [
        data.astronaut(),
        data.coffee(),
        data.chelsea(),
        data.rocket(),
        data.hubble_deep_field(),
        data.immunohistochemistry(),
        data.stereo_motorcycle()[0],
    ]
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for i in range(count):
        source = Image.fromarray(sources[i % len(sources)])
        width = min(source.width, int(source.height * 16 / 9)) * rng.uniform(0.6, 1.0)
        height = width * 9 / 16
        left, top = rng.uniform(0, source.width - width), rng.uniform(0, source.height - height)
        box = (left, top, left + width, top + height)
        large = source.resize((1920, 1080), Image.Resampling.LANCZOS, box)
        grain = rng.normal(0, 4, (1080, 1920, 1)).astype(np.float32)
        noisy = np.clip(np.asarray(large) + grain, 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{i:04}.jpg", quality=QUALITY)
    return folder


def run(name: str, photos: Path, out: Path, threads: int, format: str = "jpeg") -> dict[str, Any]:
    """One contender over the folder; its own account of the time, and the process's as `wall`."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    if name == OURS:
        command = ["-m", "mpskit", "run", CHAIN, str(photos), "--out", str(out), "--threads", str(threads)]
        command += ["--quality", str(QUALITY), "--format", format, "--json", "--quiet"]
    else:
        command = ["-m", "benchmarks.peers.photos", name, str(photos), str(out), str(threads)]
    variables = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MPSKIT_NUM_THREADS"), str(threads))
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], cwd=HERE.parent, env=os.environ | variables, stdout=subprocess.PIPE, check=True
    )
    wall = time.perf_counter() - begin
    told: dict[str, Any] = json.loads(done.stdout)
    written = len(list(out.iterdir()))
    if name != LIMIT and written != told["images"]:
        raise RuntimeError(f"{name} wrote {written} of {told['images']} files")
    return told | {"wall": wall}


def check(names: list[str], root: Path) -> dict[str, float]:
    """Mean difference of each contender's files from a float64 computation, in codes; ours exactly, as PNG."""
    photos = make_photos(root / "three", 3)
    wanted = {path.stem: reference(decoded(path)) for path in photos.iterdir()}
    run(OURS, photos, root / "check", 1, "png")
    for stem, y in wanted.items():
        worst = float(np.abs(decoded(root / "check" / f"{stem}.png") - y).max())
        if worst > 1.5:  # the result is rounded, and so may be the picture between the two kernels
            raise AssertionError(f"{OURS}: a pixel differs by {worst:.2f} codes from the definition, allowed 1.5")
    differences = {}
    for name in names:
        if name == LIMIT:
            continue
        run(name, photos, root / "check", 1)
        of_files = [np.abs(decoded(root / "check" / f"{stem}.jpg") - y).mean() for stem, y in wanted.items()]
        differences[name] = float(np.mean(of_files))
        if differences[name] > 6:
            raise AssertionError(f"{name} does another job: {differences[name]:.1f} codes on average")
    return differences


def decoded(path: Path) -> NDArray[np.float64]:
    from mpskit import io

    return io.load(path).array.astype(np.float64)


def reference(x: NDArray[np.float64]) -> NDArray[np.float64]:
    blurred = definitions.separable(x, definitions.gaussian_taps(SIGMA))
    return np.clip(definitions.lanczos(blurred, (SIDE, SIDE)), 0, 255)


def table(
    runs: dict[str, list[dict[str, Any]]],
    differences: dict[str, float],
    versions: dict[str, str],
    e: dict[str, Any],
    count: int,
    mebibytes: float,
) -> str:
    ours = [r["seconds"] for r in runs[OURS]]
    lines = [
        f"{e['date']}, {e['processor']}, {e['threads']} of {e['cores']} threads, {e['system']}, Python {e['python']}, mpskit {e['mpskit']} "
        f"at {e['commit']} ({e['isa']}). Load of the machine {e['load']:.1f}. `{e['command']}`",
        "",
        f"{count} JPEG photographs of 1920 x 1080, {mebibytes:.0f} MiB: decode, Gaussian blur with sigma {SIGMA}, {SIDE} x {SIDE}, encode.",
        "",
    ]
    if e["load"] > report.BUSY:
        lines += ["**The machine was busy: these numbers are for orientation only.**", ""]
    lines += [
        "| contender | images/s | ± | mpskit is | with starting Python | mean difference, codes |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name in sorted(runs, key=lambda n: statistics.median(r["seconds"] for r in runs[n])):
        seconds = [r["seconds"] for r in runs[name]]
        low, middle, high = (
            statistics.quantiles(seconds, n=4) if len(seconds) > 3 else (0, statistics.median(seconds), 0)
        )
        faster = statistics.median(theirs / own for theirs, own in zip(seconds, ours, strict=True))
        exact = "" if name in (OURS, LIMIT) or PEERS[name].is_exact else " ≠"
        version = f" {versions[name]}" if name in versions else ""
        lines.append(
            f"| {name}{version}{exact} | {count / middle:.1f} | {(high - low) / 2 / middle:.0%} | "
            f"{'' if name == OURS else f'{faster:.2f} ×'} | {count / statistics.median(r['wall'] for r in runs[name]):.1f} | "
            f"{f'{differences[name]:.2f}' if name in differences else ''} |"
        )
    stages = {
        stage: statistics.median(r["stage_seconds"][stage] for r in runs[OURS]) / count * 1e3
        for stage in runs[OURS][0]["stage_seconds"]
    }
    told = ", ".join(f"{stage} {milliseconds:.2f}" for stage, milliseconds in stages.items())
    lines += [
        "",
        f"mpskit, milliseconds of one thread a picture: {told}. ≠: another blur, or a resize that is not an antialiased Lanczos.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
