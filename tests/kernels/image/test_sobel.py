"""Sobel against float64: two pairs of filters and a root, written from the definition."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image.reference import options, separable, written
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode, random_image
from tests.support.frame import Framed

Sobel = mps.image.Sobel
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)
EDGES = pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
BT601 = (0.299, 0.587, 0.114)

# (images, height, width, channels): single pixels, rows and columns; registers of every ISA and one element more or less; wider
# and higher than a strip and a band.
SHAPES = [
    (1, 1, 1, 1), (1, 1, 1, 4), (1, 1, 18, 1), (1, 19, 1, 2), (1, 5, 7, 1), (2, 9, 33, 3), (1, 17, 15, 4), (3, 8, 16, 2), (1, 33, 31, 1),
    (1, 3, 1040, 1), (1, 2, 150, 4), (1, 70, 5, 1), (1, 4, 3, 300), (1, 32, 8, 5),
]  # fmt: skip


def random_pixels(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """Within [-1, 1], where the absolute tolerance holds."""
    return random_image(rng, shape, dtype) if dtype in CODES else rng.uniform(-1, 1, shape).astype(dtype)


def magnitude(source: Array, out_hw: tuple[int, int], **keywords: Any) -> Array:
    smooth, slope = np.array([1.0, 2, 1]), np.array([-1.0, 0, 1])
    return np.hypot(
        separable(source, smooth, slope, out_hw, **options(**keywords)),
        separable(source, -slope, smooth, out_hw, **options(**keywords)),
    )


def gray(source: Array, weights: tuple[float, ...]) -> Array:
    """Alpha is no colour, and a missing channel is 0."""
    used = min(3, source.shape[-1])
    return source[..., :used] @ np.asarray(weights, np.float32).astype(float)[:used, None]


def check(got: Array, source: Array, engine: Engine, **keywords: Any) -> None:
    exact = decode(source)
    if got.shape[-1] == 1 and exact.shape[-1] > 1:
        exact = gray(exact, keywords.get("color_transform", BT601))
    exact = magnitude(exact, got.shape[1:3], **keywords)
    dtype = got.dtype.name
    rows, columns = written(got.shape[1:3], keywords.get("clip_rect"))
    wanted = encode(exact, dtype) if dtype in CODES else exact
    assert_close(got[:, rows, columns], wanted, *tolerance_of(Sobel(), dtype, engine))


@DTYPES
@EDGES
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    for shape in SHAPES:
        x = random_pixels(rng, shape, dtype)
        got = Sobel(edge_mode=edge_mode)(x)
        assert (got.shape, got.dtype) == (x.shape, x.dtype)
        check(got, x, engine, edge_mode=edge_mode)


@pytest.mark.parametrize("to", IMAGE_DTYPES)
@DTYPES
def test_formats_may_differ(engine: Engine, rng: np.random.Generator, dtype: str, to: str) -> None:
    x = random_pixels(rng, (1, 7, 37, 3), dtype) // (1 if dtype.startswith("f") else 6)  # less of it saturates
    check(Sobel()(x, dtype=to), x, engine)


@DTYPES
@EDGES
def test_gray_of_colours(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    for channels in (2, 3, 4, 5):
        x = random_pixels(rng, (2, 11, 39, channels), dtype)
        for weights in (BT601, (0.7, -0.2, 0.4), (0, 0, 1)):
            sobel = Sobel(color_transform=weights, edge_mode=edge_mode)
            out = sobel(x, channels=1, dtype="float32")
            check(out, x, engine, color_transform=weights, edge_mode=edge_mode)
            if channels == 4:  # alpha is no colour
                x[..., 3] = 0
                np.testing.assert_array_equal(sobel(x, channels=1, dtype="float32"), out)
    # Separate channels ignore the weights.
    np.testing.assert_array_equal(Sobel(color_transform=(1, 2, 3))(x), Sobel()(x))


@DTYPES
@EDGES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    """offset and clip_rect beyond every border, rows and images that do not follow each other in memory."""
    cases: list[tuple[tuple[int, int], tuple[int, int, int, int] | None, int]] = [
        ((0, 0), (2, 1, 9, 5), 3), ((-4, 3), (1, 2, 1000, 1000), 1), ((5, -6), None, 3), ((-60, 2), (0, 3, 7, 4), 3), ((3, 90), (5, 0, 13, 9), 1),
        ((-1, -1), None, 1), ((20, 18), None, 3),
    ]  # fmt: skip
    source = Framed((2, 19, 21, 3), dtype, 2)
    source.array[...] = random_pixels(rng, source.array.shape, dtype)
    for offset, clip_rect, channels in cases:
        out = Framed((2, 14, 23, channels), dtype, 2)
        out.array[...] = random_pixels(rng, out.array.shape, dtype)
        old = out.array.copy()
        keywords = {"edge_mode": edge_mode, "offset": offset, "clip_rect": clip_rect}
        assert Sobel(**keywords)(source.array, out=out.array) is out.array
        check(out.array, source.array, engine, **keywords)
        rows, columns = written((14, 23), clip_rect)
        old[:, rows, columns] = out.array[:, rows, columns]
        np.testing.assert_array_equal(out.array, old)
        out.check()
        source.check()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_nan_and_infinity_reach_their_neighbours_only(engine: Engine, dtype: str) -> None:
    for value in (np.nan, np.inf):
        x = np.full((1, 12, 40, 2), 0.5, dtype)
        x[0, 5, 20, 1] = value
        got = Sobel()(x)
        near = np.zeros(x.shape, bool)
        near[0, 4:7, 19:22, 1] = True
        near[0, 5, 20, 1] = False  # has weight 0 itself
        assert not np.isfinite(got[near]).any()
        near[0, 5, 20, 1] = True
        np.testing.assert_array_equal(got[~near], 0)
    got = Sobel()(np.full((6, 20), np.nan, np.float32), dtype="uint8")
    np.testing.assert_array_equal(got, np.zeros((6, 20)))


def test_large_and_small_gradients(engine: Engine, rng: np.random.Generator) -> None:
    if engine.is_metal:
        pytest.skip("Apple states no range for the squares of its own kernel")
    x = rng.uniform(-1, 1, (1, 40, 70, 1)).astype(np.float32)
    for scale in (2.0**70, 2.0**123, 2.0**-40):
        exact = magnitude((x * np.float32(scale)).astype(float), (40, 70))
        assert_close(Sobel()(x * np.float32(scale)), exact, 4e-6 * scale, 1e-6)


@DTYPES
def test_flat_pictures_and_ramps(engine: Engine, dtype: str) -> None:
    unit = CODES.get(dtype, 1)
    flat = np.full((9, 40, 3), 0.4 * unit, dtype)
    np.testing.assert_array_equal(Sobel()(flat), np.zeros(flat.shape))
    step = 2 if dtype in CODES else 2 / 256
    ramp = (np.arange(40) * step + np.arange(30)[:, None] * 0).astype(dtype)
    got = Sobel()(ramp, dtype="float32")
    assert_close(got[:, 1:-1], np.full((30, 38), 8 * step / unit), *tolerance_of(Sobel(), "float32", engine))
    np.testing.assert_array_equal(Sobel()(np.ascontiguousarray(ramp.T), dtype="float32"), got.T)


@DTYPES
def test_mirrored_and_turned_pictures(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    x = random_pixels(rng, (26, 41), dtype)
    tolerance = tolerance_of(Sobel(), dtype, engine)
    for turn in (np.flipud, np.fliplr, np.transpose):
        assert_close(Sobel()(np.ascontiguousarray(turn(x))), turn(Sobel()(x)), *tolerance)


@EDGES
def test_scipy_agrees(engine: Engine, rng: np.random.Generator, edge_mode: str) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="needs SciPy")
    x = rng.random((45, 61))
    mode = {"clamp": "nearest", "zero": "constant"}[edge_mode]
    wanted = np.hypot(ndimage.sobel(x, 0, mode=mode), ndimage.sobel(x, 1, mode=mode))
    assert_close(Sobel(edge_mode=edge_mode)(x.astype(np.float32)), wanted, *tolerance_of(Sobel(), "float32", engine))


@pytest.mark.parametrize(
    ("error", "text", "call"),
    [
        (ValueError, "Sobel: color_transform is (1, 2); allowed: 3 numbers. Pass a tuple of 3.", lambda: Sobel(color_transform=(1, 2))),
        (ValueError, "Sobel: color_transform is nan; allowed: any finite number.", lambda: Sobel(color_transform=(1, 2, float("nan")))),
        (ValueError, "Sobel: edge_mode is 'mirror'; allowed: 'zero', 'clamp'.", lambda: Sobel(edge_mode="mirror")),
        (TypeError, "Sobel: image is float64; allowed: uint8, uint16, float16, float32.", lambda: Sobel()(np.zeros((4, 4)))),
        (ValueError, "Sobel: image has 3 channels, out has 2; allowed: the same number, or 1 for the gradient of the gray picture.",
         lambda: Sobel()(np.zeros((4, 4, 3), np.uint8), channels=2)),
        (ValueError, "Sobel: image has 1 channel, out has 3; allowed: the same number, or 1",
         lambda: Sobel()(np.zeros((4, 4, 1), np.uint8), channels=3)),
        (ValueError, "Sobel: image is (4, 0, 1) float32; allowed: at least one pixel", lambda: Sobel()(np.zeros((4, 0), np.float32))),
    ],
)  # fmt: skip
def test_errors_say_what_is_allowed(engine: Engine, error: type[Exception], text: str, call: Any) -> None:
    with pytest.raises(error, match=re.escape(text)):
        call()
