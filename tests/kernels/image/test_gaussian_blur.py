"""GaussianBlur against float64: two matrices of weights, written from the definition."""

from __future__ import annotations

import re
from functools import cache
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

Blur = mps.image.GaussianBlur
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)
EDGES = pytest.mark.parametrize("edge_mode", ["clamp", "zero"])

# (images, height, width, channels), sigma. Single pixels; registers of every ISA and one element more or less; pictures wider
# and higher than a strip and a band; every remainder of the radius by four; a filter wider than the picture, and than 64 taps.
CASES = [
    ((1, 1, 1, 1), 1.0), ((1, 1, 1, 3), 20.0), ((1, 5, 7, 1), 0.5), ((2, 9, 33, 3), 0.8), ((1, 17, 15, 4), 1.0), ((3, 8, 16, 2), 1.3),
    ((1, 33, 31, 1), 2.0), ((1, 3, 530, 1), 2.0), ((1, 2, 150, 4), 3.3), ((1, 150, 5, 1), 2.6), ((1, 70, 9, 3), 6.0), ((2, 6, 3, 7), 1.5),
    ((1, 40, 210, 1), 10.0), ((1, 12, 30, 1), 19.0), ((1, 4, 3, 300), 0.7), ((1, 3, 4, 1), 512.0),
]  # fmt: skip


def taps(sigma: float) -> Array:
    if sigma == 0:
        return np.ones(1)
    sigma = float(np.float32(sigma))
    radius = int(np.ceil(3.7 * sigma))
    weights = np.exp(-(np.arange(-radius, radius + 1.0) ** 2) / (2 * sigma * sigma))
    return weights / weights.sum()


def kernel(engine: Engine, **keywords: Any) -> Any:
    """Apple's own kernel is approximate; `exact` asks for this definition."""
    return Blur(exact=engine.is_metal, **keywords)


def check(got: Array, source: Array, sigma: float, engine: Engine, **keywords: Any) -> None:
    """The written part of `got` against the definition; shapes (images, height, width, channels)."""
    exact = separable(decode(source), taps(sigma), taps(sigma), got.shape[1:3], **options(**keywords))
    dtype = got.dtype.name
    rows, columns = written(got.shape[1:3], keywords.get("clip_rect"))
    wanted = encode(exact, dtype) if dtype in CODES else exact
    assert_close(got[:, rows, columns], wanted, *tolerance_of(Blur(), dtype, engine))


@DTYPES
@EDGES
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    for shape, sigma in CASES:
        x = random_image(rng, shape, dtype)
        got = kernel(engine, sigma=sigma, edge_mode=edge_mode)(x)
        assert (got.shape, got.dtype) == (x.shape, x.dtype)
        check(got, x, sigma, engine, edge_mode=edge_mode)


@pytest.mark.parametrize("to", IMAGE_DTYPES)
@DTYPES
def test_formats_may_differ(engine: Engine, rng: np.random.Generator, dtype: str, to: str) -> None:
    x = random_image(rng, (1, 7, 37, 3), dtype)
    check(kernel(engine, sigma=1.2)(x, dtype=to), x, 1.2, engine)


@DTYPES
@EDGES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    """offset and clip_rect beyond every border, rows and images that do not follow each other in memory."""
    cases: list[tuple[tuple[int, int], tuple[int, int, int, int] | None, float]] = [
        ((0, 0), (2, 1, 9, 5), 1.0), ((-4, 3), (1, 2, 1000, 1000), 1.5), ((5, -6), None, 0.7), ((-60, 2), (0, 3, 7, 4), 2.0),
        ((3, 90), (5, 0, 13, 9), 1.0), ((-700, -2), None, 1.0), ((400, 0), (20, 10, 1, 1), 0.0), ((-1, 1), None, 0.0),
    ]  # fmt: skip
    source = Framed((2, 19, 21, 2), dtype, 2)
    source.array[...] = random_image(rng, source.array.shape, dtype)
    for offset, clip_rect, sigma in cases:
        out = Framed((2, 14, 23, 2), dtype, 2)
        out.array[...] = random_image(rng, out.array.shape, dtype)
        old = out.array.copy()
        keywords = {"edge_mode": edge_mode, "offset": offset, "clip_rect": clip_rect}
        assert kernel(engine, sigma=sigma, **keywords)(source.array, out=out.array) is out.array
        check(out.array, source.array, sigma, engine, **keywords)
        rows, columns = written((14, 23), clip_rect)
        old[:, rows, columns] = out.array[:, rows, columns]
        np.testing.assert_array_equal(out.array, old)
        out.check()
        source.check()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize(("sigma", "radius"), [(1.0, 4), (2.2, 9), (6.0, 23)])
def test_nan_and_infinity_spread_as_far_as_the_filter(engine: Engine, dtype: str, sigma: float, radius: int) -> None:
    for shape, at in (
        ((1, 40, 60, 1), (20, 30)),
        ((1, 30, 21, 3), (0, 20)),
        ((1, 9, 280, 1), (8, 255)),
        ((1, 60, 130, 4), (20, 61)),
    ):
        x = np.full(shape, 0.5, dtype)
        for value in (np.nan, np.inf, -np.inf):
            x[0, at[0], at[1], 0] = value
            got = kernel(engine, sigma=sigma)(x)
            window = np.ones(2 * radius + 1)
            hit = separable((x != 0.5) * 1.0, window, window, shape[1:3]) > 0
            assert_close(got, np.where(hit, value, 0.5), *tolerance_of(Blur(), dtype, engine))


def test_unorm_takes_nan_as_zero_and_clamps(engine: Engine) -> None:
    for value, code in ((np.nan, 0), (np.inf, 1), (-np.inf, 0), (7.0, 1), (-7.0, 0)):
        for dtype in CODES:
            got = kernel(engine, sigma=0.6)(np.full((9, 21), value, np.float32), dtype=dtype)
            np.testing.assert_array_equal(got, np.full((9, 21), code * CODES[dtype]))


def test_largest_floats_stay_finite(engine: Engine) -> None:
    top = np.finfo(np.float32).max / 2
    assert_close(kernel(engine, sigma=2)(np.full((20, 20), top, np.float32)), np.full((20, 20), top), 0, 2e-6)


@DTYPES
def test_a_flat_picture_stays_flat(engine: Engine, dtype: str) -> None:
    for sigma in (0.4, 2.0, 9.0):
        x = np.full((18, 50), 0.7 * CODES.get(dtype, 1), dtype)
        got = kernel(engine, sigma=sigma)(x)
        if dtype in CODES:
            np.testing.assert_array_equal(got, x)
        assert_close(got, x, *tolerance_of(Blur(), dtype, engine))


@EDGES
def test_bytes_round_the_exact_value(engine: Engine, rng: np.random.Generator, edge_mode: str) -> None:
    """The CPU engine's sums of bytes are 16 bits wide up to radius 40. Their error before rounding has a bound; only a value
    that is nearer than this to a half may become the other code."""
    height, width = 97, 150
    pictures = [rng.integers(0, 256, (height, width)), rng.integers(0, 2, (height, width)) * 255]
    pictures += [
        np.broadcast_to(rng.integers(0, 2, (height, 1)) * 255, (height, width)),
        np.broadcast_to(rng.integers(0, 2, width) * 255, (height, width)),
    ]
    impulse = np.zeros((height, width))
    impulse[48, 70] = 255
    pictures += [impulse, 255 - impulse]
    x = np.stack([p.astype(np.uint8) for p in pictures])[..., None]
    for sigma in (0.28, 0.6, 2.0, 5.3, 10.8, 10.9):  # radius 2, 3, 8, 20, 40; 41 is summed in floats
        filters = taps(sigma)
        got = kernel(engine, sigma=sigma, edge_mode=edge_mode)(x)
        exact = separable(x * 1.0, filters, filters, (height, width), edge_mode)
        bound = (1.5 * (len(filters) // 2 + 1) + 1) / 256
        assert_close(got, exact, tolerance_of(Blur(), "uint8", engine)[0] + 0.5 if engine.is_metal else 0.5 + bound)


def test_every_byte_stays_flat(engine: Engine) -> None:
    x = np.broadcast_to(np.arange(256, dtype=np.uint8)[:, None, None, None], (256, 3, 5, 1))
    for sigma in (0.28, 2.0, 10.8):
        np.testing.assert_array_equal(kernel(engine, sigma=sigma)(x), x)


def test_an_impulse_becomes_the_filter(engine: Engine) -> None:
    sigma, (y, x) = 2.5, (12, 30)
    image = np.zeros((31, 64), np.float32)
    image[y, x] = 1
    weights = taps(sigma)
    wanted = np.zeros((31, 64))
    wanted[y - 10 : y + 11, x - 10 : x + 11] = np.outer(weights, weights)
    assert_close(kernel(engine, sigma=sigma)(image), wanted, 1e-8, 2e-6)


@DTYPES
def test_mirrored_and_turned_pictures(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    x = random_image(rng, (26, 41), dtype)
    blur = kernel(engine, sigma=1.7)
    tolerance = tolerance_of(Blur(), dtype, engine)
    for turn in (np.flipud, np.fliplr, np.transpose):
        assert_close(blur(np.ascontiguousarray(turn(x))), turn(blur(x)), *tolerance)


@DTYPES
def test_sigma_zero_copies(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    x = random_image(rng, (13, 29, 3), dtype)
    np.testing.assert_array_equal(kernel(engine, sigma=0)(x), x)


@EDGES
def test_scipy_agrees(engine: Engine, rng: np.random.Generator, edge_mode: str) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="needs SciPy")
    x = rng.random((45, 61))
    for sigma in (0.9, 4.0):
        radius = int(np.ceil(3.7 * sigma))
        mode = {"clamp": "nearest", "zero": "constant"}[edge_mode]
        wanted = ndimage.gaussian_filter(x, np.float32(sigma), mode=mode, radius=radius)
        got = kernel(engine, sigma=sigma, edge_mode=edge_mode)(x.astype(np.float32))
        assert_close(got, wanted, *tolerance_of(Blur(), "float32", engine))


def test_threads_do_not_change_the_result(engine: Engine, rng: np.random.Generator) -> None:
    before = mps.num_threads()
    try:
        for dtype in ("uint8", "float32"):
            x = random_image(rng, (150, 260), dtype)
            results = []
            for threads in (1, 2, 3):
                mps.set_num_threads(threads)
                results.append(kernel(engine, sigma=3)(x))
            np.testing.assert_array_equal(results[1], results[0])
            np.testing.assert_array_equal(results[2], results[0])
    finally:
        mps.set_num_threads(before)


@cache
def picture(dtype: str = "float32") -> Array:
    return np.zeros((6, 8, 3), dtype)


@pytest.mark.parametrize(
    ("error", "text", "call"),
    [
        (ValueError, "GaussianBlur: sigma is -1; allowed: 0 <= sigma <= 512 px.", lambda: Blur(sigma=-1)),
        (ValueError, "GaussianBlur: sigma is nan; allowed: 0 <= sigma <= 512 px.", lambda: Blur(sigma=float("nan"))),
        (ValueError, "GaussianBlur: sigma is 513; allowed: 0 <= sigma <= 512 px.", lambda: Blur(sigma=513)),
        (TypeError, "GaussianBlur: sigma is '2' (str); allowed: a number.", lambda: Blur(sigma="2")),
        (ValueError, "GaussianBlur: edge_mode is 'mirror'; allowed: 'zero', 'clamp'.", lambda: Blur(edge_mode="mirror")),
        (TypeError, "GaussianBlur: image is float64; allowed: uint8, uint16, float16, float32.", lambda: Blur()(picture("float64"))),
        (TypeError, "GaussianBlur: out is int8; allowed: uint8, uint16, float16, float32.", lambda: Blur()(picture(), dtype="int8")),
        (ValueError, "GaussianBlur: image has 3 channels, out has 1; allowed: the same number.", lambda: Blur()(picture(), channels=1)),
        (ValueError, "GaussianBlur: image is (0, 8, 3) float32; allowed: at least one pixel", lambda: Blur()(picture()[:0])),
        (ValueError, "GaussianBlur: image has 1 image, out has 2; allowed: the same number.",
         lambda: Blur()(picture()[None], out=np.zeros((2, 6, 8, 3), np.float32))),
        (ValueError, "GaussianBlur: clip_rect begins at (8, 0) and holds no pixel of out (8 x 6); allowed: a rectangle that meets it.",
         lambda: Blur(clip_rect=(8, 0, 2, 2))(picture())),
    ],
)  # fmt: skip
def test_errors_say_what_is_allowed(engine: Engine, error: type[Exception], text: str, call: Any) -> None:
    with pytest.raises(error, match=re.escape(text)):
        call()
