"""What tests of Integral and IntegralOfSquares share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image import filters
from tests.kernels.image.reference import written
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode, random_image
from tests.support.frame import Framed

Array = NDArray[Any]
Summand = Callable[[filters.Exact], filters.Exact]
# Registers and one element more and less; more than a band; sums beyond 32 bits.
SHAPES = [
    (1, 1, 1, 1),
    (1, 5, 7, 1),
    (2, 9, 33, 3),
    (1, 17, 15, 4),
    (3, 8, 16, 2),
    (1, 3, 700, 1),
    (1, 150, 31, 1),
    (1, 140, 20, 3),
    (2, 6, 3, 7),
]


def assert_sums(kernel: Any, got: Array, exact: filters.Exact, magnitudes: filters.Exact, engine: Engine) -> None:
    absolute, relative = tolerance_of(kernel, got.dtype, engine)
    wanted = encode(exact, got.dtype.name) if got.dtype.name in CODES else exact
    if engine.is_metal and got.dtype == np.float32:
        absolute, relative = 1e-6 * float(magnitudes.max()), 0.0
    assert_close(got, wanted, absolute, relative)


def sums(summands: filters.Exact) -> filters.Exact:
    return summands.cumsum(1).cumsum(2)


def run(engine: Engine, rng: np.random.Generator, kernel: type, dtype: str, summand: Summand) -> None:
    for shape in SHAPES:
        x = random_image(rng, shape, dtype)
        each = summand(decode(x))
        got = kernel()(x)
        assert (got.shape, got.dtype) == (x.shape, np.float32)
        assert_sums(kernel(), got, sums(each), sums(np.abs(each)), engine)
        assert_close(got[:, 0, 0], summand(decode(x[:, 0, 0])), 0, 2e-7)  # the pixel itself is in its sum
    if dtype in CODES and not engine.is_metal:  # exact: every code of a large picture counts
        x = np.full((1, 300, 900, 1), CODES[dtype], dtype)
        assert_close(kernel()(x), sums(np.ones(x.shape)), 0, 2e-7)


def strips(engine: Engine, rng: np.random.Generator, kernel: type, summand: Summand) -> None:
    """Rows long enough for every thread to take columns of its own; the same result with one."""
    for dtype, channels in itertools.product(CODES, (1, 2, 3, 4, 5)):
        x = random_image(rng, (1, 7, 4111 // channels, channels), dtype)
        each = summand(decode(x))
        results = []
        threads = mps.num_threads()
        try:
            for n in (1, 2, 3, 4):
                mps.set_num_threads(n)
                results.append(kernel()(x))
                assert_sums(kernel(), results[-1], sums(each), sums(np.abs(each)), engine)
        finally:
            mps.set_num_threads(threads)
        for result in results[1:]:
            np.testing.assert_array_equal(result, results[0])


def values(engine: Engine, rng: np.random.Generator, kernel: type, summand: Summand) -> None:
    for dtype in IMAGE_DTYPES:
        x = random_image(rng, (1, 7, 37, 3), dtype) // (9 if dtype in CODES else 1)
        each = summand(decode(x))
        for to in IMAGE_DTYPES:
            assert_sums(kernel(), kernel()(x, dtype=to), sums(each), sums(np.abs(each)), engine)
        source = Framed((2, 19, 21, 2), dtype, 2)
        source.array[...] = random_image(rng, source.array.shape, dtype)
        for edge_mode in ("clamp", "zero"):
            for offset, clip_rect in filters.PLACES[:4]:
                out = Framed((2, 14, 23, 2), "float32", 2)
                out.array[...] = 7
                kernel(edge_mode=edge_mode, offset=offset, clip_rect=clip_rect)(source.array, out=out.array)
                each = summand(filters.looker(decode(source.array), (14, 23), edge_mode, offset, clip_rect)(0, 0))
                rows, columns = written((14, 23), clip_rect)
                assert_sums(kernel(), out.array[:, rows, columns], sums(each), sums(np.abs(each)), engine)
                out.array[:, rows, columns] = 7
                assert (out.array == 7).all()
                out.check()
                source.check()
    x = np.ones((9, 20), np.float32)
    x[4, 7] = np.nan
    got = kernel()(x)
    assert np.isnan(got[4:, 7:]).all()
    assert_close(got[:4], sums(np.ones((1, 4, 20)))[0], 0)
    assert_close(got[:, :7], sums(np.ones((1, 9, 7)))[0], 0)
    # Four corners give the sum of a rectangle.
    x = random_image(rng, (40, 50), "uint8")
    s = kernel()(x).astype(np.float64)
    part = summand(x[11:31, 6:41] / 255.0).sum()
    assert abs(s[30, 40] - s[10, 40] - s[30, 5] + s[10, 5] - part) < 1e-6 * float(s[-1, -1])
    filters.run_threads(engine, kernel(), random_image(rng, (300, 200), "float32"))
    filters.run_threads(engine, kernel(), random_image(rng, (300, 200), "uint8"))


def opencv(engine: Engine, rng: np.random.Generator, kernel: type, is_squared: bool) -> None:
    import cv2

    x = rng.random((45, 61)).astype(np.float32)
    wanted = cv2.integral2(x, sdepth=cv2.CV_64F, sqdepth=cv2.CV_64F)[int(is_squared)][1:, 1:]
    assert_close(kernel()(x), wanted, 1e-6 * float(wanted[-1, -1]))


def errors(kernel: type) -> None:
    filters.plain_errors(kernel())
