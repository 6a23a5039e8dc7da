"""The limits of this machine, measured: bandwidth by working set, FMA rate, AMX rate."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any


def measure(threads: int) -> dict[str, Any]:
    """Build and run limits.cpp; empty when there is no compiler."""
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        return {}
    source = Path(__file__).with_suffix(".cpp")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "limits"
        subprocess.run(
            [
                compiler,
                "-std=c++20",
                "-O3",
                "-march=native",
                "-ffp-contract=fast",
                "-Wno-psabi",
                "-pthread",
                str(source),
                "-o",
                str(program),
            ],
            check=True,
        )
        out = subprocess.run([str(program), str(threads)], check=True, capture_output=True, text=True).stdout
    limits: dict[str, Any] = json.loads(out)
    limits["compiler"] = subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.splitlines()[0]
    return limits


def seconds_at_least(
    limits: dict[str, Any], bytes_moved: float, flops: float, tile_products: float = 0
) -> tuple[float, str]:
    """The shortest time that compulsory traffic and arithmetic allow, and which of them binds.

    With `tile_products` products of bfloat16 for one of the case's, arithmetic may go by AMX, where there is one.
    """
    if not limits:
        return 0.0, ""
    mib = bytes_moved / 2**20
    sizes = sorted(limits["copy_gbs"], key=int)
    size = next((s for s in sizes if int(s) >= mib), sizes[-1])
    tiles = limits["amx_bf16_gflops"] / tile_products if tile_products else 0.0
    rate, unit = max((limits["fma_f32_gflops"], "fma"), (tiles, "amx"))
    memory, arithmetic = bytes_moved / (limits["copy_gbs"][size] * 1e9), flops / (rate * 1e9)
    return (memory, "mem") if memory >= arithmetic else (arithmetic, unit)
