"""scikit-image."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender
from ..harness.definitions import unit_of


def integral(x: Any) -> Contender | None:
    try:
        import skimage
        from skimage import transform
    except ImportError:
        return None
    if x.ndim != 2:
        return None
    unit, picture = unit_of(x.dtype), np.asarray(x)
    return Contender(
        "skimage.integral_image", skimage.__version__, lambda: transform.integral_image(picture), lambda s: s / unit
    )


def median(x: Any, side: int) -> Contender | None:
    try:
        import skimage
        from skimage.filters import rank
    except ImportError:
        return None
    if x.ndim != 2 or x.dtype != np.uint8:
        return None
    square, out, picture = np.ones((side, side), np.uint8), np.empty_like(x), np.asarray(x)
    return Contender(
        "skimage.rank.median",
        skimage.__version__,
        lambda: rank.median(picture, square, out=out),
        is_exact=False,
        note="leaves out what lies beyond the border",
    )
