"""OpenCV's filters over windows, thresholds and sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.case import Contender
from .opencv import _cv2


def _with(
    threads: int, name: str, make: Callable[[Any], Callable[[], Any]], result: Any = np.asarray, **more: Any
) -> Contender | None:
    cv2 = _cv2(threads)
    if cv2 is None:
        return None
    return Contender(f"cv2.{name}", cv2.__version__, make(cv2), result, **more)


def blur(x: Any, side: int, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return _with(
        threads, "blur", lambda cv2: lambda: cv2.blur(x, (side, side), dst=out, borderType=cv2.BORDER_REPLICATE)
    )


def separable(x: Any, taps: Any, threads: int) -> Contender | None:
    out, taps = np.empty_like(x), taps.astype(np.float32)
    return _with(
        threads,
        "sepFilter2D",
        lambda cv2: lambda: cv2.sepFilter2D(x, -1, taps, taps, dst=out, borderType=cv2.BORDER_REPLICATE),
    )


def filter_2d(x: Any, weights: Any, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return _with(
        threads, "filter2D", lambda cv2: lambda: cv2.filter2D(x, -1, weights, dst=out, borderType=cv2.BORDER_REPLICATE)
    )


def laplacian(x: Any, threads: int) -> Contender | None:
    out = np.empty(x.shape, np.float32)
    scale = 1 / 255 if x.dtype == np.uint8 else 1.0
    return _with(
        threads,
        "Laplacian",
        lambda cv2: (
            lambda: cv2.Laplacian(x, cv2.CV_32F, dst=out, ksize=1, scale=scale, borderType=cv2.BORDER_REPLICATE)
        ),
    )


def dilate(x: Any, shape: Any, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return _with(threads, "dilate", lambda cv2: lambda: cv2.dilate(x, shape, dst=out, borderType=cv2.BORDER_REPLICATE))


def erode(x: Any, shape: Any, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return _with(threads, "erode", lambda cv2: lambda: cv2.erode(x, shape, dst=out, borderType=cv2.BORDER_REPLICATE))


def median(x: Any, side: int, threads: int) -> Contender | None:
    if x.dtype != np.uint8 and side > 5:
        return None
    out = np.empty_like(x)
    return _with(threads, "medianBlur", lambda cv2: lambda: cv2.medianBlur(x, side, dst=out))


def threshold(x: Any, value: float, most: float, kind: str, threads: int) -> Contender | None:
    out = np.empty(x.shape[:2], x.dtype)
    if x.ndim == 2:
        return _with(
            threads, "threshold", lambda cv2: lambda: cv2.threshold(x, value, most, getattr(cv2, kind), dst=out)[1]
        )
    gray = np.empty(x.shape[:2], x.dtype)

    def make(cv2: Any) -> Callable[[], Any]:
        return lambda: cv2.threshold(
            cv2.cvtColor(x, cv2.COLOR_RGBA2GRAY, dst=gray), value, most, getattr(cv2, kind), dst=out
        )[1]

    return _with(
        threads,
        "cvtColor+threshold",
        make,
        is_exact=x.dtype != np.uint8,
        note="rounds gray to a byte" if x.dtype == np.uint8 else "",
    )


def transpose(x: Any, threads: int) -> Contender | None:
    out = np.empty((x.shape[1], x.shape[0], *x.shape[2:]), x.dtype)
    return _with(threads, "transpose", lambda cv2: lambda: cv2.transpose(x, dst=out))


def integral(x: Any, threads: int) -> Contender | None:
    unit = 255.0 if x.dtype == np.uint8 else 1.0
    out = np.empty((x.shape[0] + 1, x.shape[1] + 1, *x.shape[2:]), np.int32 if x.dtype == np.uint8 else np.float64)
    return _with(
        threads,
        "integral",
        lambda cv2: lambda: cv2.integral(x, sum=out, sdepth=cv2.CV_32S if x.dtype == np.uint8 else cv2.CV_64F),
        lambda s: s[1:, 1:] / unit,
    )


def distance_transform(x: Any, threads: int) -> Contender | None:
    out = np.empty(x.shape, np.float32)
    zeros = np.where(x == 0, 255, 0).astype(np.uint8)  # measured to where there is 0
    return _with(
        threads,
        "distanceTransform",
        lambda cv2: lambda: cv2.distanceTransform(zeros, cv2.DIST_L2, cv2.DIST_MASK_PRECISE, dst=out),
    )


def guided_lines(x: Any, side: int, epsilon: float, threads: int, result: Any) -> Contender | None:
    """OpenCV's guided filter is not in every build: the same of boxFilter."""

    def make(cv2: Any) -> Callable[[], Any]:
        def mean(z: Any) -> Any:
            return cv2.boxFilter(z, -1, (side, side), borderType=cv2.BORDER_REPLICATE)

        def work() -> Any:
            m = mean(x)
            variance = mean(x * x) - m * m
            a = variance / (variance + epsilon)
            return mean(a), mean(m - a * m)

        return work

    return _with(threads, "boxFilter, composed", make, lambda ab: result(np.stack(ab)))
