"""OpenCV, on the same arrays and with the destination reused."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender


def _cv2(threads: int) -> Any:
    try:
        import cv2
    except ImportError:
        return None
    cv2.setNumThreads(threads)
    return cv2


def gaussian(x: Any, taps: Any, threads: int) -> Contender | None:
    """sepFilter2D with the very weights of the definition; GaussianBlur's own radius differs."""
    cv2 = _cv2(threads)
    if cv2 is None:
        return None
    out = np.empty_like(x)
    kernel = taps.astype(np.float32)
    return Contender(
        "cv2.sepFilter2D",
        cv2.__version__,
        lambda: cv2.sepFilter2D(x, -1, kernel, kernel, dst=out, borderType=cv2.BORDER_REPLICATE),
    )


def gaussian_blur(x: Any, sigma: float, radius: int, threads: int) -> Contender | None:
    cv2 = _cv2(threads)
    if cv2 is None:
        return None
    out = np.empty_like(x)
    size = 2 * radius + 1
    return Contender(
        "cv2.GaussianBlur",
        cv2.__version__,
        lambda: cv2.GaussianBlur(x, (size, size), sigma, dst=out, borderType=cv2.BORDER_REPLICATE),
    )


def sobel_magnitude(x: Any, threads: int) -> Contender | None:
    cv2 = _cv2(threads)
    if cv2 is None:
        return None
    gx, gy, out = np.empty(x.shape, np.float32), np.empty(x.shape, np.float32), np.empty(x.shape, np.float32)
    scale = 1 / 255 if x.dtype == np.uint8 else 1.0

    def work() -> Any:
        cv2.Sobel(x, cv2.CV_32F, 1, 0, dst=gx, scale=scale, borderType=cv2.BORDER_REPLICATE)
        cv2.Sobel(x, cv2.CV_32F, 0, 1, dst=gy, scale=scale, borderType=cv2.BORDER_REPLICATE)
        return cv2.magnitude(gx, gy, out)

    return Contender("cv2.Sobel+magnitude", cv2.__version__, work)


def lanczos4(x: Any, size: tuple[int, int], threads: int) -> Contender | None:
    cv2 = _cv2(threads)
    if cv2 is None:
        return None
    out = np.empty((size[1], size[0], *x.shape[2:]), x.dtype)
    return Contender(
        "cv2.INTER_LANCZOS4",
        cv2.__version__,
        lambda: cv2.resize(x, size, dst=out, interpolation=cv2.INTER_LANCZOS4),
        is_exact=False,
        note="eight taps whatever the reduction: it aliases",
    )


def mean_std(x: Any, threads: int) -> Contender | None:
    cv2 = _cv2(threads)
    if cv2 is None:
        return None
    unit = 255.0 if x.dtype == np.uint8 else 1.0

    def result(pair: Any) -> Any:
        mean, deviation = pair
        return np.stack([mean[:, 0] / unit, (deviation[:, 0] / unit) ** 2])

    return Contender("cv2.meanStdDev", cv2.__version__, lambda: cv2.meanStdDev(x), result)
