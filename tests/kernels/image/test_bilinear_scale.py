"""BilinearScale against float64: each axis is a matrix of weights, written from the definition."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode, random_image
from tests.support.frame import Framed

BilinearScale = mps.image.BilinearScale
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)

# (source height, width, channels) to (height, width): single pixels, one lane more and less than registers of every ISA, each
# channel count that has code of its own, up and down and both, one axis alone.
SIZES = [
    ((1, 1, 1), (1, 1)), ((1, 1, 3), (5, 4)), ((5, 7, 1), (9, 16)), ((9, 17, 1), (3, 2)), ((33, 15, 1), (17, 31)),
    ((20, 65, 4), (10, 33)), ((17, 33, 3), (34, 99)), ((31, 63, 2), (11, 16)), ((8, 9, 6), (7, 10)), ((13, 21, 4), (13, 8)),
    ((13, 21, 3), (5, 21)), ((16, 16, 4), (16, 16)), ((2, 700, 1), (3, 2)), ((600, 3, 4), (2, 5)), ((2, 3, 3), (41, 70)),
    ((40, 90, 4), (20, 45)), ((50, 90, 5), (25, 30)), ((40, 66, 2), (20, 33)), ((12, 300, 3), (5, 40)), ((44, 260, 1), (22, 130)),
    ((36, 130, 3), (18, 65)), ((12, 300, 4), (5, 40)), ((9, 150, 4), (40, 203)),
]  # fmt: skip


def axis(src: int, dst: int, scale: float | None = None, translate: float = 0.0) -> Array:
    """The (dst, src) matrix of weights: the two nearest pixels; the edge pixel answers beyond the border."""
    scale = dst / src if scale is None else scale
    position = (np.arange(dst) + 0.5 - translate) / scale - 0.5
    position = np.clip(position, 0, src - 1)  # the same: between two copies of the edge pixel lies the edge pixel
    first = np.floor(position).astype(int)
    matrix = np.zeros((dst, src))
    np.add.at(matrix, (np.arange(dst), first), 1 - (position - first))
    np.add.at(matrix, (np.arange(dst), np.minimum(first + 1, src - 1)), position - first)
    return matrix


def resize(x: Array, rows: Array, columns: Array) -> Array:
    """(..., height, width, channels) stored elements to exact values."""
    return np.einsum("yh,...hwc,xw->...yxc", rows, decode(x), columns, optimize=True)


def check(kernel: Any, got: Array, exact: Array, engine: Engine, scale: float = 8.0) -> None:
    """Images of tests reach to 8: their sums round there."""
    absolute, relative = tolerance_of(kernel, got.dtype, engine)
    if got.dtype.name in CODES:
        assert_close(got, encode(exact, got.dtype.name), absolute)
    else:
        assert_close(got, exact, absolute * scale, relative)


@DTYPES
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for (height, width, channels), size in SIZES:
        x = random_image(rng, (height, width, channels), dtype)
        kernel = BilinearScale(width=size[1], height=size[0])
        got = kernel(x)
        assert (got.shape, got.dtype) == ((*size, channels), x.dtype)
        check(kernel, got, resize(x, axis(height, size[0]), axis(width, size[1])), engine)
    for to in IMAGE_DTYPES:
        x = random_image(rng, (7, 37, 3), dtype)
        kernel = BilinearScale(width=20, height=9)
        check(kernel, kernel(x, dtype=to), resize(x, axis(7, 9), axis(37, 20)), engine)


@DTYPES
def test_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape, size in (
        ((3, 11, 19, 1), (7, 24)),
        ((2, 8, 17, 4), (19, 35)),
        ((2, 7, 9, 3), (7, 4)),
        ((2, 8, 90, 3), (4, 45)),
    ):
        src = Framed(shape, dtype, 2, fill=0x7F if dtype in CODES else 0xFF)  # NaN around floats
        src.array[...] = random_image(rng, shape, dtype)
        dst = Framed((shape[0], *size, shape[3]), dtype, 2)
        assert BilinearScale()(src.array, out=dst.array) is dst.array
        check(BilinearScale(), dst.array, resize(src.array, axis(shape[1], size[0]), axis(shape[2], size[1])), engine)
        dst.check()
        src.check()


@pytest.mark.parametrize(
    "transform",
    [None, (0.5, 0.5, 0.0, 0.0), (2.0, 3.0, -7.25, 4.5), (0.3, 1.7, 5.1, -3.3), (1.0, 1.0, -3.0, 2.0),
     (1.5, 1.0, 1e300, -1e300), (1 / 4096, 1e300, 0.25, 0.0)],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_scale_transform(
    engine: Engine, rng: np.random.Generator, dtype: str, transform: tuple[float, ...] | None
) -> None:
    x = random_image(rng, (19, 23, 4), dtype)
    for clip in (None, (4, 3, 20, 9)):
        left, top, width, height = clip or (0, 0, 27, 18)
        out = np.full((18, 27, 4), 1, dtype)
        kernel = BilinearScale(scale_transform=transform, clip_rect=clip)
        kernel(x, out=out)
        inside = np.s_[top : top + height, left : left + width]
        if transform is None:  # a mask: the picture stays where it is
            exact = resize(x, axis(19, 18), axis(23, 27))[inside]
        else:
            sx, sy, tx, ty = transform
            exact = resize(x, axis(19, height, sy, ty), axis(23, width, sx, tx))
        check(kernel, out[inside], exact, engine)
        out[inside] = 1
        assert (out == 1).all()


def test_pixels_of_weight_zero_are_not_read(engine: Engine, rng: np.random.Generator) -> None:
    x = rng.random((13, 37, 3)).astype(np.float32)
    x[5, 7, 1] = np.nan
    np.testing.assert_array_equal(BilinearScale()(x), x)
    moved = BilinearScale(scale_transform=(1, 1, -5, 2), clip_rect=(0, 2, 37, 8))(x, out=np.zeros_like(x))
    np.testing.assert_array_equal(moved[2:10, :32], x[[0, 0, *range(6)], 5:])
    twice = BilinearScale(width=74, height=26)(x)
    wanted = np.zeros((26, 74, 3), bool)
    wanted[9:13, 13:17, 1] = True
    np.testing.assert_array_equal(np.isnan(twice), wanted)


@DTYPES
def test_flat_stays_flat(engine: Engine, dtype: str) -> None:
    most = int(CODES.get(dtype, 1))
    for value in (0, 1, most // 3, most - 1, most) if dtype in CODES else (0.3, -5.0, 1.0):
        x = np.full((41, 333, 1), value, dtype)
        for size in ((13, 50), (90, 700), (1, 1), (82, 100)):
            got = BilinearScale(width=size[1], height=size[0])(x)
            assert_close(got, np.full(got.shape, x[0, 0, 0], np.float64), 0, 0 if dtype in CODES else 5e-7)


def test_opencv_agrees(engine: Engine, rng: np.random.Generator) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    x = rng.random((90, 120, 3)).astype(np.float32)
    for height, width in ((45, 50), (200, 300), (90, 61)):
        theirs = cv2.resize(x, (width, height), interpolation=cv2.INTER_LINEAR)
        assert_close(BilinearScale(width=width, height=height)(x), theirs, 2e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edge_mode": "zero"}, "edge_mode is 'zero'; allowed: 'clamp'"),
        ({"offset": (1, 0)}, "offset is (1, 0); allowed: (0, 0). Move the picture with the translation"),
        ({"scale_transform": (0.0, 1, 0, 0)}, "scale_transform has scale_x 0.0; allowed: scale_x >= 1/4096"),
        ({"scale_transform": (1, 1, float("nan"), 0)}, "scale_transform is nan"),
        ({"width": 0}, "width is 0; allowed: 1 <= width <= 1048576 px"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape("BilinearScale: " + message)):
        BilinearScale(**options)


def test_bad_operands(engine: Engine) -> None:
    x = np.zeros((4, 5, 3), np.float32)
    for kernel, source, out, message in (
        (BilinearScale(), x, np.zeros((4, 5, 4), np.float32), "image has 3 channels, out has 4; allowed: the same"),
        (BilinearScale(width=7), x, np.zeros((4, 5, 3), np.float32), "out is 5 x 4, the kernel says width 7"),
        (
            BilinearScale(clip_rect=(5, 0, 2, 2)),
            x,
            None,
            "clip_rect begins at (5, 0) and holds no pixel of out (5 x 4)",
        ),
        (BilinearScale(), x[:0], None, "image is (0, 5, 3) float32; allowed: at least one pixel"),
    ):
        with pytest.raises(ValueError, match=re.escape("BilinearScale: " + message)):
            kernel(source, out=out)
