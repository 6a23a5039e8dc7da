"""Results of 16 MiB and more go past the caches: pictures of such a batch are those that come out of it one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.support.engine import Engine

image = mps.image
IMAGES = 3

KEPT_ALPHA = {"source_alpha": "non_premultiplied", "destination_alpha": "non_premultiplied"}
LINEAR = {"source_color_space": "srgb", "destination_color_space": "linear_srgb"}


def shape(side: int) -> Any:
    """A disk, of more places than are met one by one."""
    axis = np.arange(side) - side // 2
    return (np.hypot.outer(axis, axis) > side / 2).astype(np.float32)


# Widths that leave rows where no line and no register begins.
Make = Callable[[], Any]
ONE_INPUT: list[tuple[str, Make, int, str]] = [
    ("threshold", lambda: image.ThresholdToZero(threshold_value=0.4), 1, "float32"),
    ("laplacian", image.Laplacian, 1, "float32"),
    ("laplacian", image.Laplacian, 4, "float32"),
    ("convolution", lambda: image.Convolution(weights=np.arange(9, dtype=np.float32).reshape(3, 3) / 36), 1, "float32"),
    ("box", lambda: image.Box(kernel_width=3, kernel_height=5), 3, "float32"),
    ("box of many places", lambda: image.Box(kernel_width=35, kernel_height=37), 1, "float32"),
    ("gaussian", lambda: image.GaussianBlur(sigma=6), 4, "float32"),
    ("area max", lambda: image.AreaMax(kernel_width=9, kernel_height=5), 4, "float32"),
    ("area max of bytes", lambda: image.AreaMax(kernel_width=9, kernel_height=5), 1, "uint8"),
    ("erosion", lambda: image.Erode(1 - np.eye(3, dtype=np.float32)), 1, "uint8"),
    ("dilation by a shape", lambda: image.Dilate(shape(7)), 4, "float32"),
    ("erosion by a shape", lambda: image.Erode(shape(9)), 1, "uint8"),
    ("transpose", image.Transpose, 4, "float32"),
    ("bilinear", lambda: image.BilinearScale(width=1201, height=1203), 1, "float32"),
    ("bilinear of bytes", lambda: image.BilinearScale(width=2503, height=2401), 1, "uint8"),
    ("colours in another order", lambda: image.Conversion(source_channel_order="bgra", **KEPT_ALPHA), 4, "uint8"),
    ("colours in another order", lambda: image.Conversion(source_channel_order="bgra", **KEPT_ALPHA), 3, "float32"),
    ("conversion of nothing", lambda: image.Conversion(**KEPT_ALPHA), 4, "float32"),
    ("linear bytes", lambda: image.Conversion(**LINEAR), 3, "uint8"),
    ("linear floats", lambda: image.Conversion(**LINEAR, **KEPT_ALPHA), 4, "float32"),
    ("straight alpha of bytes", lambda: image.Conversion(source_alpha="premultiplied", destination_alpha="non_premultiplied"), 4, "uint8"),
    ("integral", image.Integral, 1, "float32"),
    ("integral of squares", image.IntegralOfSquares, 4, "uint8"),
]  # fmt: skip


def pictures(rng: np.random.Generator, channels: int, dtype: str) -> Any:
    """So large that a batch is streamed and one is not."""
    pixels = (17 << 20) / (IMAGES * channels * np.dtype(dtype).itemsize)
    width = int(pixels**0.5) | 1
    shape = (IMAGES, int(pixels / width) + 1, width, *((channels,) if channels > 1 else ()))
    return rng.random(shape, np.float32) if dtype == "float32" else rng.integers(0, 256, shape, np.uint8)


def batch(x: Any) -> Any:
    return mps.Image(x if x.ndim == 4 else x[..., None])


@pytest.mark.parametrize(("name", "make", "channels", "dtype"), ONE_INPUT)
def test_a_batch_is_its_pictures(
    engine: Engine, rng: np.random.Generator, name: str, make: Make, channels: int, dtype: str
) -> None:
    if engine.is_metal:
        pytest.skip("only the CPU engine chooses how it stores")
    x, kernel = pictures(rng, channels, dtype), make()
    got = np.asarray(kernel(batch(x)))
    for i in range(IMAGES):
        np.testing.assert_array_equal(
            got[i], np.asarray(kernel(batch(x[i : i + 1])))[0], err_msg=f"{name}, picture {i}"
        )


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_batch_of_sums(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    if engine.is_metal:
        pytest.skip("only the CPU engine chooses how it stores")
    a, b = pictures(rng, 3, dtype), pictures(rng, 3, dtype)
    got = np.asarray(image.Add()(batch(a), batch(b)))
    for i in range(IMAGES):
        np.testing.assert_array_equal(got[i], np.asarray(image.Add()(batch(a[i : i + 1]), batch(b[i : i + 1])))[0])
