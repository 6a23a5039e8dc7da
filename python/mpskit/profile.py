"""What this machine has, and what is missing."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

from . import _core

__all__ = ["environment"]

_EXTRAS = {"Pillow": "io", "simplejpeg": "io", "tqdm": "io", "onnx": "onnx", "scikit-image": "gallery"}


def environment() -> dict[str, Any]:
    """Devices, instruction sets, threads and versions, as plain data.

    Returns
    -------
    dict
        Keys mpskit, python, numpy, system, devices, missing, isa, isas, threads, extras. `missing` gives the reason for each
        device and instruction set that could be there and is not.
    """
    import numpy

    names = [str(device) for device in _core.devices()]
    missing = {}
    if "metal" not in names:
        missing["metal"] = (
            "no device that MPS supports was found"
            if platform.system() == "Darwin"
            else f"Metal exists on macOS only; this is {platform.system()}"
        )
    for isa in _core._isas_not_built():
        missing[isa] = "this machine has it, this build does not: install a wheel, or build with MPSKIT_ISAS=all"
    return {
        "mpskit": _core.__version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "devices": [
            {
                "name": str(d),
                "description": d.description,
                "memory_gib": d.memory_bytes / 2**30,
                "features": list(d.features),
            }
            for d in _core.devices()
        ],
        "missing": missing,
        "isa": _core._active_isa(),
        "isas": list(_core._isas()),
        "threads": _core.num_threads(),
        "extras": {name: _version_of(name, extra) for name, extra in _EXTRAS.items()},
    }


def _version_of(distribution: str, extra: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return f"not installed: pip install 'mpskit[{extra}]'"
