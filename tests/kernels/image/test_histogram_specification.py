"""HistogramSpecification against tables in exact integers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image import filters, histograms
from tests.kernels.image.histograms import LIMITS, LOWEST, NO_LIMITS
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, encode, random_image
from tests.support.frame import Framed

Specification = mps.image.HistogramSpecification
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)


def exact(x: NDArray[Any], source: NDArray[Any], desired: NDArray[Any], limits: Any = NO_LIMITS) -> NDArray[Any]:
    low, high = histograms.floats(limits[0]), histograms.floats(limits[1])
    tables = [histograms.specified(s, d, low[c], high[c]) for c, (s, d) in enumerate(zip(source, desired, strict=True))]
    return histograms.exchanged(x, tables, limits)


def check(engine: Engine, got: NDArray[Any], wanted: NDArray[Any]) -> None:
    dtype = got.dtype.name
    assert_close(
        got, encode(wanted, dtype) if dtype in CODES else wanted, *tolerance_of(Specification(), dtype, engine)
    )


@DTYPES
def test_matches_its_definition(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for channels in (1, 2, 3, 4):
        x = random_image(rng, (9, 31, channels), dtype)
        desired = Framed((histograms.counted(channels, False), 256), "uint32", 1)
        desired.array[...] = rng.integers(0, 50, desired.array.shape, np.uint32)
        own = histograms.histogram(x, 256, least=LOWEST)
        check(engine, Specification()(x, desired.array), exact(x, own, desired.array))
        source = rng.integers(0, 99, own.shape, np.uint32)
        check(engine, Specification()(x, desired.array, source), exact(x, source, desired.array))
        check(
            engine,
            Specification()(x, desired.array, source_histogram=source, dtype="float32"),
            exact(x, source, desired.array),
        )
        kernel = Specification(
            min_pixel_value=LIMITS[0], max_pixel_value=LIMITS[1], offset=(-3, 2), clip_rect=(4, 1, 100, 7)
        )
        out = Framed((12, 23, channels), dtype, 2)
        out.array[...] = 1
        kernel(x, desired.array, source, out=out.array)
        under = histograms.around(x, (12, 23), "clamp", (-3, 2), (4, 1, 100, 7))
        check(engine, out.array[1:8, 4:], exact(under, source, desired.array, LIMITS))
        out.array[1:8, 4:] = 1
        assert (out.array == 1).all()
        out.check()


def test_its_own_histogram_changes_nothing(engine: Engine) -> None:
    x = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(16, 48)
    np.testing.assert_array_equal(Specification()(x, mps.image.Histogram()(x)), x)
    reverse = np.zeros((1, 256), np.uint32)
    reverse[0, [10, 200]] = 1, 3
    got = Specification()(x, reverse)
    np.testing.assert_array_equal(got, np.where(x < 64, 10, 200))


def test_sums_beyond_any_float(engine: Engine) -> None:
    """Shares whose numerators differ in the last of 80 bits."""
    if engine.is_metal:
        pytest.skip("needs the CPU engine: the stand-in compares in float64, Apple does not say")
    big = np.uint32(2**32 - 1)
    source, desired = np.full((1, 65536), big, np.uint32), np.full((1, 65536), big, np.uint32)
    desired[0, 0] -= 1
    desired[0, -1] -= 1
    x = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    got = Specification(65536)(x, desired, source).ravel()
    wanted = np.arange(65536)
    wanted[:32767] += 1  # where (b + 1) * 2 is below the 65536 that the desired sums lack
    np.testing.assert_array_equal(got, wanted)


def test_batches(engine: Engine, rng: np.random.Generator) -> None:
    x = random_image(rng, (3, 9, 21, 3), "uint8")
    desired = rng.integers(0, 50, (3, 3, 256), np.uint32)
    own = np.stack([histograms.histogram(image, 256) for image in x])
    for given in (desired, desired[1]):
        each = np.broadcast_to(given, desired.shape)
        wanted = np.stack([exact(x[n], own[n], each[n]) for n in range(3)])
        check(engine, Specification()(x, given), wanted)
        check(engine, Specification()(x, given, own), wanted)
    check(engine, Specification()(x, desired[0], own[0]), np.stack([exact(image, own[0], desired[0]) for image in x]))
    if not engine.is_metal:
        filters.run_threads(engine, lambda y: Specification()(y, desired[0]), random_image(rng, (200, 700, 3), "uint8"))


def test_what_passes_through(engine: Engine, rng: np.random.Generator) -> None:
    for dtype in ("uint8", "float16"):
        x = random_image(rng, (5, 40, 4), dtype)
        empty, full = np.zeros((3, 256), np.uint32), np.ones((3, 256), np.uint32)
        np.testing.assert_array_equal(Specification()(x, empty), x)
        np.testing.assert_array_equal(Specification()(x, full, empty), x)
        np.testing.assert_array_equal(Specification()(x, full)[..., 3], x[..., 3])


def test_errors(engine: Engine) -> None:
    x, counts = np.zeros((6, 8, 3), np.float32), np.zeros((3, 256), np.uint32)
    cases: list[tuple[type[Exception], str, Any]] = [
        (TypeError, "HistogramSpecification: 1 input given; allowed: image, desired_histogram, source_histogram (optional).", lambda: Specification()(x)),
        (ValueError, "HistogramSpecification: desired_histogram is (2, 256) uint32; allowed: (3, 256), a row", lambda: Specification()(x, counts[:2])),
        (ValueError, "HistogramSpecification: source_histogram is (3, 128) uint32; allowed: (3, 256), a row",
         lambda: Specification()(x, counts, counts[:, :128])),
        (ValueError, "HistogramSpecification: image has 5 channels; allowed: 1 to 4",
         lambda: Specification()(np.zeros((2, 2, 5), np.uint8), counts)),
    ]  # fmt: skip
    for error, text, call in cases:
        filters.refused(error, text, call)
