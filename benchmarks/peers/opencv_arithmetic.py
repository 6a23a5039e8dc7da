"""OpenCV's arithmetic of two images, and its reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender
from ..harness.definitions import unit_of
from .opencv import contender


def combine(function: str, x: Any, y: Any, threads: int, scale: float | None = None) -> Contender | None:
    """cv2.add, subtract, multiply or divide; `scale` is what makes codes the values that they mean."""
    out = np.empty_like(x)
    more = {} if scale is None else {"scale": scale}
    return contender(threads, function, lambda cv2: lambda: getattr(cv2, function)(x, y, dst=out, **more))


def add_weighted(x: Any, a: float, y: Any, b: float, bias: float, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return contender(threads, "addWeighted", lambda cv2: lambda: cv2.addWeighted(x, a, y, b, bias, dst=out))


def reduce(x: Any, axis: int, what: str, threads: int) -> Contender | None:
    is_sum = what == "SUM"
    dtype = np.float32 if is_sum else x.dtype
    unit = unit_of(x.dtype) if is_sum else 1.0
    shape = [*x.shape]
    shape[axis] = 1
    out = np.empty(shape, dtype)
    return contender(
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
    return contender(threads, "minMaxLoc", lambda cv2: lambda: cv2.minMaxLoc(x), lambda r: np.array([[r[0]], [r[1]]]))


def mean(x: Any, threads: int) -> Contender | None:
    channels = 1 if x.ndim == 2 else x.shape[2]
    return contender(
        threads, "mean", lambda cv2: lambda: cv2.mean(x), lambda m: np.array(m[:channels])[None] / unit_of(x.dtype)
    )


def mean_std(x: Any, threads: int) -> Contender | None:
    unit = unit_of(x.dtype)
    return contender(
        threads,
        "meanStdDev",
        lambda cv2: lambda: cv2.meanStdDev(x),
        lambda pair: np.stack([pair[0][:, 0] / unit, (pair[1][:, 0] / unit) ** 2]),
    )


def resize(x: Any, size: tuple[int, int], threads: int) -> Contender | None:
    out = np.empty((size[1], size[0], *x.shape[2:]), x.dtype)
    return contender(
        threads, "INTER_LINEAR", lambda cv2: lambda: cv2.resize(x, size, dst=out, interpolation=cv2.INTER_LINEAR)
    )


def lanczos4(x: Any, size: tuple[int, int], threads: int) -> Contender | None:
    out = np.empty((size[1], size[0], *x.shape[2:]), x.dtype)
    return contender(
        threads,
        "INTER_LANCZOS4",
        lambda cv2: lambda: cv2.resize(x, size, dst=out, interpolation=cv2.INTER_LANCZOS4),
        is_exact=False,
        note="eight taps whatever the reduction: it aliases",
    )
