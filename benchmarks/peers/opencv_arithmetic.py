"""OpenCV's arithmetic of two images, and its reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender
from .opencv_filters import _with


def combine(function: str, x: Any, y: Any, threads: int, scale: float | None = None) -> Contender | None:
    """cv2.add, subtract, multiply or divide; `scale` is what makes codes the values that they mean."""
    out = np.empty_like(x)
    more = {} if scale is None else {"scale": scale}
    return _with(threads, function, lambda cv2: lambda: getattr(cv2, function)(x, y, dst=out, **more))


def add_weighted(x: Any, a: float, y: Any, b: float, bias: float, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return _with(threads, "addWeighted", lambda cv2: lambda: cv2.addWeighted(x, a, y, b, bias, dst=out))


def reduce(x: Any, axis: int, what: str, threads: int) -> Contender | None:
    is_sum = what == "SUM"
    dtype = np.float32 if is_sum else x.dtype
    unit = 255.0 if is_sum and x.dtype == np.uint8 else 1.0
    shape = [*x.shape]
    shape[axis] = 1
    out = np.empty(shape, dtype)
    return _with(
        threads,
        "reduce",
        lambda cv2: (
            lambda: cv2.reduce(x, axis, getattr(cv2, f"REDUCE_{what}"), dst=out, dtype=cv2.CV_32F if is_sum else -1)
        ),
        lambda r: r.reshape(shape) / unit,
    )


def min_max(x: Any, threads: int) -> Contender | None:
    if x.ndim != 2:
        return None
    return _with(threads, "minMaxLoc", lambda cv2: lambda: cv2.minMaxLoc(x), lambda r: np.array([[r[0]], [r[1]]]))


def mean(x: Any, threads: int) -> Contender | None:
    unit = 255.0 if x.dtype == np.uint8 else 1.0
    channels = 1 if x.ndim == 2 else x.shape[2]
    return _with(threads, "mean", lambda cv2: lambda: cv2.mean(x), lambda m: np.array(m[:channels])[None] / unit)


def resize(x: Any, size: tuple[int, int], threads: int) -> Contender | None:
    out = np.empty((size[1], size[0], *x.shape[2:]), x.dtype)
    return _with(
        threads, "INTER_LINEAR", lambda cv2: lambda: cv2.resize(x, size, dst=out, interpolation=cv2.INTER_LINEAR)
    )
