"""OpenCV's edges, segments and places of pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender
from .opencv import contender


def places(x: Any, code: int, result: Any, threads: int) -> Contender | None:
    """A mask, and where it is not zero: it knows no room, and gives no values."""
    mask = np.empty_like(x)

    def make(cv2: Any) -> Any:
        return lambda: cv2.findNonZero(cv2.threshold(x, code - 1, 255, cv2.THRESH_BINARY, dst=mask)[1])

    return contender(threads, "threshold + findNonZero", make, result)


def edges(x: Any, sigma: float, low: float, high: float, result: Any, threads: int) -> Contender | None:
    """Its Canny leaves out the blur, the picture's border, and breaks ties otherwise."""
    blurred, out = np.empty_like(x), np.empty_like(x)

    def make(cv2: Any) -> Any:
        if sigma == 0:
            return lambda: cv2.Canny(x, low, high, out, L2gradient=True)
        side = 2 * int(np.ceil(3.7 * sigma)) + 1

        def work() -> Any:
            cv2.GaussianBlur(x, (side, side), sigma, dst=blurred, borderType=cv2.BORDER_REPLICATE)
            return cv2.Canny(blurred, low, high, out, L2gradient=True)

        return work

    name = "Canny" if sigma == 0 else "GaussianBlur + Canny"
    return contender(threads, name, make, result, is_exact=False, note="other borders and ties, blur in codes")


def segments(x: Any, result: Any, threads: int) -> Contender | None:
    """Regions of one direction instead of edge drawing: a look at speed only."""

    def make(cv2: Any) -> Any:
        detector = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD)
        return lambda: detector.detect(x)[0]

    return contender(threads, "LineSegmentDetector", make, result, is_exact=False, note="another method")
