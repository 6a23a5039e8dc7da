"""Pillow: bytes, a new picture for every call."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender


def _with(name: str, work: Any, *arrays: Any, **more: Any) -> Contender | None:
    """work(PIL, pictures...)."""
    try:
        import PIL
        import PIL.ImageChops
        import PIL.ImageFilter
        from PIL import Image
    except ImportError:
        return None
    if any(x.dtype != np.uint8 for x in arrays):
        return None
    pictures = [Image.fromarray(np.asarray(x)) for x in arrays]
    return Contender(f"Pillow.{name}", PIL.__version__, lambda: work(PIL, *pictures), **more)


def median(x: Any, side: int) -> Contender | None:
    return _with("MedianFilter", lambda p, image: image.filter(p.ImageFilter.MedianFilter(side)), x)


def maximum(x: Any, side: int) -> Contender | None:
    return _with("MaxFilter", lambda p, image: image.filter(p.ImageFilter.MaxFilter(side)), x)


def box(x: Any, side: int) -> Contender | None:
    return _with("BoxBlur", lambda p, image: image.filter(p.ImageFilter.BoxBlur(side // 2)), x)


def gaussian(x: Any, sigma: float) -> Contender | None:
    return _with(
        "GaussianBlur",
        lambda p, image: image.filter(p.ImageFilter.GaussianBlur(sigma)),
        x,
        is_exact=False,
        note="three boxes",
    )


def gray(x: Any) -> Contender | None:
    return _with("convert L", lambda _, image: image.convert("L"), x) if x.shape[2] == 3 else None


def transposed(x: Any) -> Contender | None:
    return _with("transpose", lambda p, image: image.transpose(p.Image.Transpose.TRANSPOSE), x)


def counts(x: Any) -> Contender | None:
    return _with("histogram", lambda _, image: image.histogram(), x, result=lambda h: np.array(h).reshape(-1, 256))


def combine(function: str, x: Any, y: Any) -> Contender | None:
    """ImageChops.add, subtract or multiply."""
    return _with(f"ImageChops.{function}", lambda p, a, b: getattr(p.ImageChops, function)(a, b), x, y)


def premultiplied(x: Any) -> Contender | None:
    return _with(
        "convert RGBa",
        lambda _, image: image.convert("RGBa"),
        x,
        result=lambda i: np.frombuffer(i.tobytes(), np.uint8).reshape(x.shape),
    )


def lanczos(x: Any, size: tuple[int, int]) -> Contender | None:
    """The same kernel; at the borders it renormalises instead of clamping."""
    return _with(
        "resize",
        lambda p, image: image.resize(size, p.Image.Resampling.LANCZOS),
        x,
        is_exact=False,
        note="differs at the borders",
    )
