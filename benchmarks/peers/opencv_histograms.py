"""OpenCV's histograms, copies of channels and alpha."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender
from .opencv import contender


def counts(x: Any, threads: int) -> Contender | None:
    """calcHist counts one channel at a time."""
    channels = 1 if x.ndim == 2 else x.shape[2]
    top = 256.0 if x.dtype == np.uint8 else 1.0

    def make(cv2: Any) -> Any:
        return lambda: [cv2.calcHist([x], [c], None, [256], [0, top]) for c in range(channels)]

    result = lambda each: np.stack([h.ravel() for h in each])  # noqa: E731
    if x.dtype == np.uint8:
        return contender(threads, "calcHist", make, result)
    return contender(threads, "calcHist", make, result, is_exact=False, note="bins in float32")


def equalized(x: Any, threads: int) -> Contender | None:
    """Its table begins at the first count instead of at 0: a look at speed only."""
    out = np.empty_like(x)
    return contender(
        threads,
        "equalizeHist",
        lambda cv2: lambda: cv2.equalizeHist(x, dst=out),
        is_exact=False,
        note="another table",
    )


def split(x: Any, threads: int) -> Contender | None:
    planes = [np.empty(x.shape[:2], x.dtype) for _ in range(x.shape[2])]
    return contender(
        threads,
        "split",
        lambda cv2: lambda: cv2.split(x, planes),
        lambda each: np.stack(each).reshape(1, -1),
    )


def merge(planes: Any, threads: int) -> Contender | None:
    out = np.empty((*planes[0].shape, len(planes)), planes[0].dtype)
    return contender(threads, "merge", lambda cv2: lambda: cv2.merge(planes, dst=out))


def premultiplied(x: Any, threads: int) -> Contender | None:
    out = np.empty_like(x)
    return contender(threads, "cvtColor", lambda cv2: lambda: cv2.cvtColor(x, cv2.COLOR_RGBA2mRGBA, dst=out))
