"""What a call costs beyond its work: through Python, into an open command buffer, at import, in memory.

    python benchmarks/overhead.py [--calls N]

Work of one pixel and of 4 x 4 numbers, one thread, the least of many rounds: interruptions only add.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# microseconds, milliseconds, MiB: what we aim at
CALL, ENCODE, IMPORT, GROWTH = 3.0, 1.5, 60.0, 2.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100_000, metavar="N", help="of the memory test (default: 100,000)")
    options = parser.parse_args()
    os.environ.setdefault("MPSKIT_NUM_THREADS", "1")
    from benchmarks.harness import environment

    load = os.getloadavg()[0]
    for name, microseconds, aim in (*calls(), *encodes()):
        print(f"{name:<52}{microseconds:8.2f} us{_aim(microseconds, aim)}", flush=True)
    of_numpy, of_mpskit = import_times("numpy", "mpskit")
    milliseconds = of_mpskit - of_numpy
    print(f"{'import mpskit, beyond that of NumPy':<52}{milliseconds:8.1f} ms{_aim(milliseconds, IMPORT)}", flush=True)
    mib = growth(options.calls)
    print(f"{f'resident memory gained in {options.calls} calls':<52}{mib:8.2f} MiB{_aim(mib, GROWTH)}")
    e = environment.record(1, load)
    print(f"\n{e['processor']}, {e['system']}, Python {e['python']}, mpskit at {e['commit']}, load {load:.1f}")
    return 0


def _aim(value: float, aim: float | None) -> str:
    return "" if aim is None else f"   aim {aim:g}{'' if value < aim else ': missed'}"


def least(body: Callable[[int], float], rounds: int = 400, calls: int = 100) -> float:
    """Microseconds of one call; body(n) makes n and returns their seconds. Rounds are shorter than the scheduler's slices."""
    body(200)
    return min(body(calls) for _ in range(rounds)) / calls * 1e6


def repeated(call: Callable[[], Any]) -> Callable[[int], float]:
    def body(n: int) -> float:
        begin = time.perf_counter()
        for _ in range(n):
            call()
        return time.perf_counter() - begin

    return body


def calls() -> list[tuple[str, float, float | None]]:
    import numpy as np

    import mpskit as mps

    x = np.zeros((1, 1), np.float32)
    image, out = mps.Image(x), mps.empty((1, 1), "float32")
    out_image = mps.Image(out)
    blur = mps.image.GaussianBlur(sigma=0)
    a, c = np.eye(4, dtype=np.float32), mps.empty((4, 4), "float32")
    matrix, out_matrix = mps.Matrix(a), mps.Matrix(c)
    multiply = mps.linalg.MatrixMultiplication()
    nothing = least(repeated(lambda: None))
    table: list[tuple[str, Callable[[], Any], float | None]] = [
        ("GaussianBlur, 1 x 1: Image to Image, out=", lambda: blur(image, out=out_image), CALL),
        ("GaussianBlur, 1 x 1: array to array, out=", lambda: blur(x, out=out), CALL),
        ("GaussianBlur, 1 x 1: array to new array", lambda: blur(x), CALL),
        ("MatrixMultiplication, 4 x 4: Matrix, out=", lambda: multiply(matrix, matrix, out=out_matrix), CALL),
        ("MatrixMultiplication, 4 x 4: arrays, out=", lambda: multiply(a, a, out=c), CALL),
        ("MatrixMultiplication, 4 x 4: arrays to new array", lambda: multiply(a, a), CALL),
        ("numpy.matmul, 4 x 4, out=", lambda: np.matmul(a, a, out=c), None),
        ("GaussianBlur: submit and wait", lambda: blur.submit(image).wait(), None),
        ("GaussianBlur(sigma=2), constructed", lambda: mps.image.GaussianBlur(sigma=2), None),
        ("mps.empty((4, 4))", lambda: mps.empty((4, 4), "float32"), None),
        ("mps.Image(array)", lambda: mps.Image(x), None),
    ]
    try:
        import cv2

        table.insert(6, ("cv2.GaussianBlur, 1 x 1, dst=", lambda: cv2.GaussianBlur(x, (1, 1), 1, dst=out), None))
    except ImportError:
        pass
    try:
        import torch

        t = torch.eye(4)
        table.insert(7, ("torch.matmul, 4 x 4", lambda: torch.matmul(t, t), None))
    except ImportError:
        pass
    return [(name, least(repeated(call)) - nothing, aim) for name, call, aim in table]


def encodes() -> list[tuple[str, float, float | None]]:
    import numpy as np

    import mpskit as mps

    device = mps.default_device()
    blur = mps.image.GaussianBlur(sigma=0)
    image, out = mps.Image(np.zeros((1, 1), np.float32)), mps.Image(np.zeros((1, 1), np.float32))

    def into_out(n: int) -> float:
        with device.command_buffer() as buffer:
            begin = time.perf_counter()
            for _ in range(n):
                blur.encode(buffer, image, out=out)
            return time.perf_counter() - begin

    def into_temporary(n: int) -> float:
        with device.command_buffer() as buffer:
            begin = time.perf_counter()
            for _ in range(n):
                blur.encode(buffer, image)
            return time.perf_counter() - begin

    def alone() -> None:
        with device.command_buffer() as buffer:
            blur.encode(buffer, image, out=out)

    return [
        ("encode into an open command buffer, out=", least(into_out), ENCODE),
        ("encode into an open command buffer, a temporary", least(into_temporary), ENCODE),
        ("command buffer with one kernel, opened and waited for", least(repeated(alone)), None),
    ]


def import_times(*modules: str) -> list[float]:
    """Milliseconds of processor time of a fresh interpreter, turn by turn: other work on the machine counts little, and for all alike."""
    import resource

    def once(module: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    rounds = [[once(module) for module in modules] for _ in range(21)]
    return [min(times) * 1e3 for times in zip(*rounds, strict=True)]


def growth(count: int) -> float:
    """MiB of resident memory gained over so many calls of three kinds, after as many to warm up as a tenth."""
    import gc

    import numpy as np

    import mpskit as mps

    x = np.zeros((8, 8), np.float32)
    blur, multiply = mps.image.GaussianBlur(sigma=1), mps.linalg.MatrixMultiplication()

    def some(n: int) -> None:
        for _ in range(n):
            blur(x)
            multiply(x, x)
            blur.submit(x).wait()

    some(count // 10)
    gc.collect()
    before = _resident()
    some(count // 3)
    gc.collect()
    return (_resident() - before) / 2**20


def _resident() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    raise SystemExit(main())
