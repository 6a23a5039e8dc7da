"""OpenCV's pyramids, with the border and the sizes of ours: replicated, rounded down."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender
from .opencv import contender


def gaussian_pyramid(x: Any, levels: int, threads: int) -> Contender | None:
    out = [np.empty((x.shape[0] >> n, x.shape[1] >> n, *x.shape[2:]), x.dtype) for n in range(1, levels)]

    def make(cv2: Any) -> Any:
        def run() -> Any:
            level = x
            for dst in out:
                level = cv2.pyrDown(
                    level, dst=dst, dstsize=(dst.shape[1], dst.shape[0]), borderType=cv2.BORDER_REPLICATE
                )
            return out

        return run

    return contender(threads, "pyrDown", make, lambda results: np.concatenate([np.ravel(r) for r in results]))
