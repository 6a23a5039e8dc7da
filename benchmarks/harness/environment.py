"""What a number was measured on: it means nothing without."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PEERS = (
    "numpy",
    "opencv-python-headless",
    "torch",
    "onnxruntime",
    "openvino",
    "mkl",
    "scipy",
    "pillow",
    "scikit-image",
    "pyvips",
    "kornia-rs",
)


def record(threads: int, load: float) -> dict[str, Any]:
    import mpskit

    def version(name: str) -> str | None:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return None

    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True
    ).stdout.strip()
    changed = subprocess.run(
        ["git", "status", "--porcelain"], cwd=Path(__file__).parent, capture_output=True, text=True
    ).stdout.strip()
    return {
        "date": time.strftime("%Y-%m-%d %H:%M", time.gmtime()),
        "command": "benchmarks/run.py " + " ".join(sys.argv[1:]),
        "threads": threads,
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": load,
        "commit": commit + ("+changes" if changed else ""),
        "mpskit": mpskit.__version__,
        "device": str(mpskit.default_device()),
        "isa": mpskit._core._active_isa(),
        "peers": {name: found for name in PEERS if (found := version(name))},
        "thread_pools": _thread_pools(),
    }


def _thread_pools() -> dict[str, int]:
    """Threads of each BLAS and OpenMP library that is loaded, as it says itself."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return {}
    return {Path(pool["filepath"]).name.split(".so")[0]: pool["num_threads"] for pool in threadpool_info()}


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()
