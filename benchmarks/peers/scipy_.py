"""SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender


def _ndimage(name: str, x: Any, work: Any) -> Contender | None:
    """work(ndimage, picture, out), beyond the border the nearest pixel."""
    try:
        import scipy
        from scipy import ndimage
    except ImportError:
        return None
    if x.ndim != 2:
        return None
    picture, out = np.asarray(x), np.empty_like(x)
    return Contender(
        f"scipy.ndimage.{name}", scipy.__version__, lambda: (work(ndimage, picture, out), out), lambda pair: pair[1]
    )


def gaussian(x: Any, sigma: float, radius: int) -> Contender | None:
    if x.dtype != np.float32:
        return None  # bytes are cut off between the passes
    return _ndimage(
        "gaussian_filter", x, lambda n, p, out: n.gaussian_filter(p, sigma, output=out, mode="nearest", radius=radius)
    )


def box(x: Any, side: int) -> Contender | None:
    if x.dtype != np.float32:
        return None
    return _ndimage("uniform_filter", x, lambda n, p, out: n.uniform_filter(p, side, output=out, mode="nearest"))


def convolved(x: Any, weights: Any) -> Contender | None:
    if x.dtype != np.float32:
        return None
    return _ndimage("correlate", x, lambda n, p, out: n.correlate(p, weights, output=out, mode="nearest"))


def maximum(x: Any, side: int) -> Contender | None:
    return _ndimage("maximum_filter", x, lambda n, p, out: n.maximum_filter(p, side, output=out, mode="nearest"))


def median(x: Any, side: int) -> Contender | None:
    return _ndimage("median_filter", x, lambda n, p, out: n.median_filter(p, side, output=out, mode="nearest"))


def distance_transform(x: Any) -> Contender | None:
    try:
        import scipy
        from scipy import ndimage
    except ImportError:
        return None
    zeros = np.asarray(x) == 0  # measured to where there is False
    return Contender(
        "scipy.ndimage.distance_transform_edt", scipy.__version__, lambda: ndimage.distance_transform_edt(zeros)
    )
