"""Pillow: bytes, a new picture for every call."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender


def _with(name: str, x: Any, work: Any, **more: Any) -> Contender | None:
    """work(PIL, picture)."""
    try:
        import PIL
        import PIL.ImageChops
        import PIL.ImageFilter
        from PIL import Image
    except ImportError:
        return None
    if x.dtype != np.uint8:
        return None
    picture = Image.fromarray(np.asarray(x))
    return Contender(f"Pillow.{name}", PIL.__version__, lambda: work(PIL, picture), **more)


def median(x: Any, side: int) -> Contender | None:
    return _with("MedianFilter", x, lambda p, image: image.filter(p.ImageFilter.MedianFilter(side)))


def maximum(x: Any, side: int) -> Contender | None:
    return _with("MaxFilter", x, lambda p, image: image.filter(p.ImageFilter.MaxFilter(side)))


def box(x: Any, side: int) -> Contender | None:
    return _with("BoxBlur", x, lambda p, image: image.filter(p.ImageFilter.BoxBlur(side // 2)))


def gaussian(x: Any, sigma: float) -> Contender | None:
    return _with(
        "GaussianBlur",
        x,
        lambda p, image: image.filter(p.ImageFilter.GaussianBlur(sigma)),
        is_exact=False,
        note="three boxes",
    )


def gray(x: Any) -> Contender | None:
    return _with("convert L", x, lambda _, image: image.convert("L")) if x.shape[2] == 3 else None


def transposed(x: Any) -> Contender | None:
    return _with("transpose", x, lambda p, image: image.transpose(p.Image.Transpose.TRANSPOSE))


def counts(x: Any) -> Contender | None:
    return _with("histogram", x, lambda _, image: image.histogram(), result=lambda h: np.array(h).reshape(-1, 256))


def combine(function: str, x: Any, y: Any) -> Contender | None:
    """ImageChops.add, subtract or multiply."""
    try:
        from PIL import Image
    except ImportError:
        return None
    if x.dtype != np.uint8:
        return None
    other = Image.fromarray(np.asarray(y))
    return _with(f"ImageChops.{function}", x, lambda p, image: getattr(p.ImageChops, function)(image, other))


def premultiplied(x: Any) -> Contender | None:
    return _with(
        "convert RGBa",
        x,
        lambda _, image: image.convert("RGBa"),
        result=lambda i: np.frombuffer(i.tobytes(), np.uint8).reshape(x.shape),
    )


def lanczos(x: Any, size: tuple[int, int]) -> Contender | None:
    try:
        import PIL
        from PIL import Image
    except ImportError:
        return None
    image = Image.fromarray(x)  # the same kernel; at the borders it renormalises instead of clamping
    return Contender(
        "Pillow",
        PIL.__version__,
        lambda: image.resize(size, Image.Resampling.LANCZOS),
        np.asarray,
        is_exact=False,
        note="differs at the borders",
    )
