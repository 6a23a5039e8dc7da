"""OpenCV's tables and alpha."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender
from .opencv import contender


def looked_up(x: Any, tables: Any, threads: int) -> Contender | None:
    """Every channel by its own table; by one where they are the same."""
    out = np.empty(x.shape, tables.dtype)
    is_one = bool((tables == tables[:, :1]).all())
    table = tables[:, 0].copy() if is_one else tables[None]
    return contender(threads, "LUT", lambda cv2: lambda: cv2.LUT(x, table, dst=out))


def straight(x: Any, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return contender(threads, "cvtColor", lambda cv2: lambda: cv2.cvtColor(x, cv2.COLOR_mRGBA2RGBA, dst=out))


def reversed_colors(x: Any, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return contender(
        threads,
        "cvtColor",
        lambda cv2: lambda: cv2.cvtColor(x, cv2.COLOR_BGR2RGB if x.shape[2] == 3 else cv2.COLOR_BGRA2RGBA, dst=out),
    )


def gray(x: Any, threads: int) -> Contender | None:
    out = np.empty(x.shape[:2], x.dtype)
    return contender(
        threads,
        "cvtColor",
        lambda cv2: lambda: cv2.cvtColor(x, cv2.COLOR_RGB2GRAY if x.shape[2] == 3 else cv2.COLOR_RGBA2GRAY, dst=out),
    )
