"""kornia-rs: bytes, channels last, a new result for every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.case import Contender


def _with(name: str, x: Any, work: Callable[[Any, Any], Any], **more: Any) -> Contender | None:
    """work(imgproc, picture of three axes)."""
    try:
        import kornia_rs
        from kornia_rs import imgproc
    except ImportError:
        return None
    picture = np.asarray(x if x.ndim == 3 else x[..., None])
    more.setdefault("result", lambda y: np.asarray(y).reshape(x.shape))
    return Contender(f"kornia_rs.{name}", kornia_rs.__version__, lambda: work(imgproc, picture), **more)


def median(x: Any, side: int) -> Contender | None:
    if x.dtype != np.uint8 or side > 5 or x.shape[2:] == (4,):
        return None
    return _with("median_blur", x, lambda k, p: k.median_blur(p, side))


def dilate(x: Any, side: int) -> Contender | None:
    if x.dtype != np.uint8:
        return None
    return _with("dilate", x, lambda k, p: k.dilate(p, "box", (side, side)))


def box(x: Any, side: int) -> Contender | None:
    if x.dtype != np.uint8:
        return None
    return _with(
        "box_blur", x, lambda k, p: k.box_blur(p, (side, side)), is_exact=False, note="cuts off instead of rounding"
    )


def gaussian(x: Any, sigma: float, radius: int) -> Contender | None:
    if x.dtype != np.uint8:
        return None
    sides, sigmas = (2 * radius + 1,) * 2, (sigma,) * 2
    return _with(
        "gaussian_blur", x, lambda k, p: k.gaussian_blur(p, sides, sigmas), is_exact=False, note="coarser weights"
    )


def bilinear(x: Any, size: tuple[int, int]) -> Contender | None:
    if x.dtype != np.uint8 or x.ndim != 3 or x.shape[2] != 3:
        return None
    return _with("resize", x, lambda k, p: k.resize(p, size[::-1], "bilinear"), result=np.asarray)


def gray(x: Any) -> Contender | None:
    if x.shape[2] != 3:
        return None
    name = "gray_from_rgb" if x.dtype == np.uint8 else "gray_from_rgb_f32"
    return _with(name, x, lambda k, p: getattr(k, name)(p), result=lambda y: np.asarray(y)[..., 0])


def counts(x: Any) -> Contender | None:
    if x.dtype != np.uint8 or x.ndim != 2:
        return None
    return _with("compute_histogram", x, lambda k, p: k.compute_histogram(p, 256), result=lambda h: np.array(h)[None])


def edges(x: Any, low: float, high: float, result: Any) -> Contender | None:
    return _with(
        "canny", x, lambda k, p: k.canny(p, low, high, l2_gradient=True), result=lambda y: result(np.asarray(y)[..., 0])
    )
