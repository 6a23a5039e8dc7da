"""StatisticsMeanAndVariance against exact sums: integers for codes, math.fsum for floats."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, encode, random_image
from tests.support.frame import Framed

Statistics = mps.image.StatisticsMeanAndVariance
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)
# One pixel; one element more and less than registers, and than blocks of three; each channel count that has code of its own.
SHAPES = [(1, 1, 1), (1, 2, 3), (3, 5, 1), (1, 31, 1), (1, 33, 1), (9, 43, 3), (7, 17, 2), (8, 16, 4), (5, 13, 4), (5, 64, 1),
          (4, 11, 5), (3, 7, 8), (2, 3, 33)]  # fmt: skip


def moments(x: Array) -> Array:
    """(height, width, channels) stored elements to (1, 2, channels): mean and population variance."""
    pixels, unit = x.reshape(-1, x.shape[-1]), CODES.get(x.dtype.name, 1.0)
    n = len(pixels)
    out = np.empty((1, 2, pixels.shape[1]))
    for c in range(pixels.shape[1]):
        if x.dtype.name in CODES:
            codes = [int(v) for v in pixels[:, c]]
            total, squares = sum(codes), sum(v * v for v in codes)
            mean, variance = Fraction(total, n), Fraction(n * squares - total * total, n * n)
            out[0, :, c] = float(mean / int(unit)), float(variance / int(unit) ** 2)
        else:
            values = pixels[:, c].astype(np.float64)
            centre = math.fsum(values) / n
            out[0, :, c] = centre, math.fsum((values - centre) ** 2) / n
    return out


def assert_moments(got: Array, exact: Array, engine: Engine) -> None:
    wanted = encode(exact, got.dtype.name) if got.dtype.name in CODES else exact
    assert_close(got, wanted, *tolerance_of(Statistics(), got.dtype, engine))


@DTYPES
def test_matches_exact_sums(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape in SHAPES:
        x = random_image(rng, shape, dtype)
        got = Statistics()(x)
        assert (got.shape, got.dtype) == ((1, 2, shape[2]), np.float32)
        assert_moments(got, moments(x), engine)


# Enough for several pieces, whole and cut from a wider picture; the largest codes fill the counters.
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_pieces(engine: Engine, rng: np.random.Generator, dtype: str, channels: int) -> None:
    x = rng.random((700, 1300, channels), np.float32)
    if dtype == "uint8":
        x = np.rint(x * 40 + 215).astype(np.uint8)
        x[:500] = 255
    pixels = x.astype(np.float64).reshape(-1, channels) / CODES.get(dtype, 1)
    assert_moments(Statistics()(x), np.stack([pixels.mean(0), pixels.var(0)])[None], engine)
    part = x[3:, 5:1290].astype(np.float64).reshape(-1, channels) / CODES.get(dtype, 1)
    got = Statistics(clip_rect_source=(5, 3, 1285, 10000))(x)
    assert_moments(got, np.stack([part.mean(0), part.var(0)])[None], engine)


def test_many_short_rows(engine: Engine) -> None:
    rows = 16384 if engine.is_metal else 300000  # the largest side of a Metal texture
    x = np.full((rows, 7, 1), 255, np.uint8)
    assert_close(Statistics(clip_rect_source=(2, 0, 1, rows))(x), np.array([[[1.0], [0.0]]]), 1e-7)


@DTYPES
def test_padded_rows_and_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape in ((3, 6, 19, 1), (2, 9, 17, 4), (2, 5, 9, 3), (1, 4, 3, 7)):
        src = Framed(shape, dtype, 2, fill=0x7F if dtype in CODES else 0xFF)  # NaN around floats
        src.array[...] = random_image(rng, shape, dtype)
        dst = Framed((shape[0], 3, 5, shape[3]), "float32", 2)
        dst.array[...] = 7
        kernel = Statistics(clip_rect=(2, 1, 3, 1))
        assert kernel(src.array, out=dst.array) is dst.array
        exact = np.stack([moments(image) for image in src.array])
        assert_moments(dst.array[:, 1:2, 2:4], exact, engine)
        dst.array[:, 1:2, 2:4] = 7
        assert (dst.array == 7).all()
        dst.check()


@pytest.mark.parametrize("rect", [(0, 0, 1, 1), (3, 2, 5, 4), (9, 8, 100, 100), (0, 5, 11, 1), (10, 0, 1, 9)])
def test_clip_rect_source(engine: Engine, rng: np.random.Generator, rect: tuple[int, int, int, int]) -> None:
    x, y, width, height = rect
    for dtype in ("uint8", "float32"):
        for channels in (1, 3, 4):
            image = random_image(rng, (9, 11, channels), dtype)
            part = image[y : y + height, x : x + width]
            assert_moments(Statistics(clip_rect_source=rect)(image), moments(part), engine)


@DTYPES
def test_formats_of_the_result(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for source in ("uint8", "float32"):
        x = random_image(rng, (13, 21, 3), source)
        out = np.empty((1, 2, 3), dtype)
        assert_moments(Statistics()(x, out=out), moments(x), engine)
    assert Statistics()(x, dtype="float16").dtype == np.float16


@pytest.mark.parametrize(
    ("dtype", "offset", "step"), [("float32", 1e6, 0.0625), ("float32", -3e15, 0), ("float16", 1000, 0.5)]
)
def test_large_offset_small_variance(
    engine: Engine, rng: np.random.Generator, dtype: str, offset: float, step: float
) -> None:
    for channels in (1, 3, 4, 5):
        x = (offset + step * rng.integers(-3, 4, (60, 90, channels))).astype(dtype)
        assert_moments(Statistics()(x), moments(x), engine)
        x[0, 0] = 5  # an outlier where the sums begin
        assert_moments(Statistics()(x), moments(x), engine)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_nan_and_infinity_stay_in_their_channel(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for place in ((0, 0), (6, 13)):
        x = rng.random((7, 14, 4)).astype(dtype)
        x[(*place, 0)], x[(*place, 1)], x[(*place, 2)] = np.nan, np.inf, -np.inf
        got = Statistics()(x)[0]
        np.testing.assert_array_equal(got[0, :3], [np.nan, np.inf, -np.inf])
        assert not np.isfinite(got[1, :3]).any()
        assert_moments(got[None, :, 3:], moments(x[..., 3:]), engine)


def test_flat_pictures_have_no_variance(engine: Engine) -> None:
    for dtype, value in (
        ("uint8", 255),
        ("uint8", 1),
        ("uint16", 40000),
        ("float32", 0.1),
        ("float16", -3.14),
        ("float32", 1e15 if engine.is_metal else 3e38),
    ):
        for shape in ((1, 1, 1), (300, 401, 3)):
            got = Statistics()(np.full(shape, value, dtype))[0]
            np.testing.assert_allclose(got[0], np.float64(np.array(value, dtype)) / CODES.get(dtype, 1), rtol=1e-7)
            # A GPU sums in float32 and may take the difference of two large numbers.
            assert (got[1] == 0).all() or (
                engine.is_metal and np.isclose(got[1], 0, atol=1e-5 * float(value) ** 2).all()
            )


def test_order_of_pixels_does_not_matter(engine: Engine, rng: np.random.Generator) -> None:
    for dtype in ("uint8", "uint16"):  # exact sums: equal to the last bit
        x = random_image(rng, (40, 50, 3), dtype)
        shuffled = rng.permutation(x.reshape(-1, 3)).reshape(50, 40, 3)
        np.testing.assert_array_equal(Statistics()(x), Statistics()(shuffled))


def test_numpy_agrees(engine: Engine, rng: np.random.Generator) -> None:
    x = rng.normal(3, 2, (123, 77, 3)).astype(np.float32)
    wide = x.astype(np.float64)
    got = Statistics()(x)[0]
    np.testing.assert_allclose(got, [wide.mean((0, 1)), wide.var((0, 1))], rtol=1e-6)


@pytest.mark.threads
def test_threads_do_not_change_results(rng: np.random.Generator) -> None:
    before = mps.num_threads()
    x = rng.normal(0, 1, (3, 500, 800, 3)).astype(np.float32)
    try:
        results = []
        for threads in (1, 2, 5):
            mps.set_num_threads(threads)
            with mps.device("cpu"):
                results.append(Statistics()(x))
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0], results[2])
    finally:
        mps.set_num_threads(before)


def test_bad_operands(engine: Engine) -> None:
    x = np.zeros((4, 5, 3), np.float32)
    name = "StatisticsMeanAndVariance: "
    for kernel, source, out, message in (
        (Statistics(), x, np.zeros((1, 2, 1), np.float32), "image has 3 channels, out has 1; allowed: the same number"),
        (Statistics(), x, np.zeros((2, 1, 3), np.float32), "out holds 1 x 2 pixels from (0, 0) on, where clip_rect begins; allowed: at least 2 x 1."),
        (Statistics(clip_rect=(1, 0, 9, 9)), x, np.zeros((1, 2, 3), np.float32), "out holds 1 x 1 pixels from (1, 0) on"),
        (Statistics(clip_rect_source=(5, 0, 1, 1)), x, None, "clip_rect_source begins at (5, 0) and holds no pixel of image"),
        (Statistics(clip_rect_source=(0, 0, 1, 1, 1, 1)), x, None, "clip_rect_source selects images by z"),
        (Statistics(), x[:, :0], None, "image is (4, 0, 3) float32; allowed: at least one pixel"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=re.escape(name + message)):
            kernel(source, out=out)
    with pytest.raises(TypeError, match=re.escape(name + "dtype is uint8; allowed: float32, float16")):
        Statistics()(x, dtype="uint8")
