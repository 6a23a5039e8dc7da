"""OpenCV's filters over windows, thresholds and sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.case import Contender
from ..harness.definitions import unit_of
from .opencv import contender


def blur(x: Any, side: int, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return contender(
        threads, "blur", lambda cv2: lambda: cv2.blur(x, (side, side), dst=out, borderType=cv2.BORDER_REPLICATE)
    )


def separable(x: Any, taps: Any, threads: int) -> Contender | None:
    """With the very weights of a definition."""
    out, taps = np.empty_like(x), taps.astype(np.float32)
    return contender(
        threads,
        "sepFilter2D",
        lambda cv2: lambda: cv2.sepFilter2D(x, -1, taps, taps, dst=out, borderType=cv2.BORDER_REPLICATE),
    )


def gaussian_blur(x: Any, sigma: float, radius: int, threads: int) -> Contender | None:
    out, sides = np.empty_like(x), (2 * radius + 1,) * 2
    return contender(
        threads,
        "GaussianBlur",
        lambda cv2: lambda: cv2.GaussianBlur(x, sides, sigma, dst=out, borderType=cv2.BORDER_REPLICATE),
    )


def sobel_magnitude(x: Any, threads: int) -> Contender | None:
    gx, gy, out = (np.empty(x.shape, np.float32) for _ in range(3))
    scale = 1 / unit_of(x.dtype)

    def make(cv2: Any) -> Callable[[], Any]:
        def work() -> Any:
            cv2.Sobel(x, cv2.CV_32F, 1, 0, dst=gx, scale=scale, borderType=cv2.BORDER_REPLICATE)
            cv2.Sobel(x, cv2.CV_32F, 0, 1, dst=gy, scale=scale, borderType=cv2.BORDER_REPLICATE)
            return cv2.magnitude(gx, gy, out)

        return work

    return contender(threads, "Sobel+magnitude", make)


def filter_2d(x: Any, weights: Any, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return contender(
        threads, "filter2D", lambda cv2: lambda: cv2.filter2D(x, -1, weights, dst=out, borderType=cv2.BORDER_REPLICATE)
    )


def laplacian(x: Any, threads: int) -> Contender | None:
    out = np.empty(x.shape, np.float32)
    scale = 1 / unit_of(x.dtype)
    return contender(
        threads,
        "Laplacian",
        lambda cv2: (
            lambda: cv2.Laplacian(x, cv2.CV_32F, dst=out, ksize=1, scale=scale, borderType=cv2.BORDER_REPLICATE)
        ),
    )


def dilate(x: Any, shape: Any, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return contender(
        threads, "dilate", lambda cv2: lambda: cv2.dilate(x, shape, dst=out, borderType=cv2.BORDER_REPLICATE)
    )


def erode(x: Any, shape: Any, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return contender(
        threads, "erode", lambda cv2: lambda: cv2.erode(x, shape, dst=out, borderType=cv2.BORDER_REPLICATE)
    )


def median(x: Any, side: int, threads: int) -> Contender | None:
    if x.dtype != np.uint8 and side > 5:
        return None
    out = np.empty_like(x)
    return contender(threads, "medianBlur", lambda cv2: lambda: cv2.medianBlur(x, side, dst=out))


def threshold(x: Any, value: float, most: float, kind: str, threads: int) -> Contender | None:
    out = np.empty(x.shape[:2], x.dtype)
    if x.ndim == 2:
        return contender(
            threads, "threshold", lambda cv2: lambda: cv2.threshold(x, value, most, getattr(cv2, kind), dst=out)[1]
        )
    gray = np.empty(x.shape[:2], x.dtype)

    def make(cv2: Any) -> Callable[[], Any]:
        return lambda: cv2.threshold(
            cv2.cvtColor(x, cv2.COLOR_RGBA2GRAY, dst=gray), value, most, getattr(cv2, kind), dst=out
        )[1]

    return contender(
        threads,
        "cvtColor+threshold",
        make,
        is_exact=x.dtype != np.uint8,
        note="rounds gray to a byte" if x.dtype == np.uint8 else "",
    )


def transpose(x: Any, threads: int) -> Contender | None:
    out = np.empty((x.shape[1], x.shape[0], *x.shape[2:]), x.dtype)
    return contender(threads, "transpose", lambda cv2: lambda: cv2.transpose(x, dst=out))


def integral(x: Any, threads: int) -> Contender | None:
    out = np.empty((x.shape[0] + 1, x.shape[1] + 1, *x.shape[2:]), np.int32 if x.dtype == np.uint8 else np.float64)
    return contender(
        threads,
        "integral",
        lambda cv2: lambda: cv2.integral(x, sum=out, sdepth=cv2.CV_32S if x.dtype == np.uint8 else cv2.CV_64F),
        lambda s: s[1:, 1:] / unit_of(x.dtype),
    )


def distance_transform(x: Any, threads: int) -> Contender | None:
    out = np.empty(x.shape, np.float32)
    zeros = np.where(x == 0, 255, 0).astype(np.uint8)  # measured to where there is 0
    return contender(
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

    return contender(threads, "boxFilter, composed", make, lambda ab: result(np.stack(ab)))
