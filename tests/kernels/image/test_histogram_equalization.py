"""HistogramEqualization against tables in float64."""

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

Equalization = mps.image.HistogramEqualization
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)
SHAPES = [(1, 1, 1), (3, 5, 1), (1, 47, 1), (1, 961, 1), (7, 17, 2), (9, 43, 3), (1, 321, 3), (5, 13, 4), (2, 241, 4)]


def exact(x: NDArray[Any], counts: NDArray[Any], limits: Any = NO_LIMITS) -> NDArray[Any]:
    low, high = histograms.floats(limits[0]), histograms.floats(limits[1])
    return histograms.exchanged(x, [histograms.equalized(row, low[c], high[c]) for c, row in enumerate(counts)], limits)


def check(engine: Engine, got: NDArray[Any], wanted: NDArray[Any]) -> None:
    dtype = got.dtype.name
    assert_close(got, encode(wanted, dtype) if dtype in CODES else wanted, *tolerance_of(Equalization(), dtype, engine))


@DTYPES
def test_by_its_own_histogram(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape in SHAPES:
        x = random_image(rng, shape, dtype)
        got = Equalization()(x)
        assert (got.shape, got.dtype) == (x.shape, x.dtype)
        check(engine, got, exact(x, histograms.histogram(x, 256, least=LOWEST)))


@DTYPES
@pytest.mark.parametrize("edge_mode", ["zero", "clamp"])
def test_by_a_given_histogram(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    for channels in (1, 2, 3, 4):
        counts = Framed((channels, 512), "uint32", 1)
        counts.array[...] = rng.integers(0, 1000, counts.array.shape, np.uint32)
        x = Framed((11, 29, channels), dtype, 2)
        x.array[...] = random_image(rng, x.array.shape, dtype)
        for offset, clip in (((0, 0), None), ((-3, 2), (4, 1, 100, 7)), ((2, -40), None)):
            kernel = Equalization(512, histogram_for_alpha=True, min_pixel_value=LIMITS[0], max_pixel_value=LIMITS[1],
                                  edge_mode=edge_mode, offset=offset, clip_rect=clip)  # fmt: skip
            out = Framed((12, 23, channels), dtype, 2)
            out.array[...] = 1
            kernel(x.array, counts.array, out=out.array)
            under = histograms.around(x.array, (12, 23), edge_mode, offset, clip)
            rows, columns = histograms.written((12, 23), clip)
            check(engine, out.array[rows, columns], exact(under, counts.array, LIMITS))
            out.array[rows, columns] = 1
            assert (out.array == 1).all()
            out.check()


@DTYPES
def test_formats_of_the_result(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    x = random_image(rng, (7, 37, 4), dtype)
    counts = histograms.histogram(x, 256)
    for to in IMAGE_DTYPES:
        check(engine, Equalization()(x, counts, dtype=to), exact(x, counts))


def test_batches(engine: Engine, rng: np.random.Generator) -> None:
    for dtype in ("uint8", "float32"):
        x = random_image(rng, (3, 9, 21, 3), dtype)
        counts = np.stack([histograms.histogram(image, 256) for image in x])
        check(
            engine, Equalization()(x, counts), np.stack([exact(image, c) for image, c in zip(x, counts, strict=True)])
        )
        check(engine, Equalization()(x, counts[1]), np.stack([exact(image, counts[1]) for image in x]))
        own = np.stack([histograms.histogram(image, 256, least=LOWEST) for image in x])
        check(engine, Equalization()(x), np.stack([exact(image, c) for image, c in zip(x, own, strict=True)]))
        if not engine.is_metal:
            filters.run_threads(engine, Equalization(), random_image(rng, (200, 700, 3), dtype))


def test_what_passes_through(engine: Engine, rng: np.random.Generator) -> None:
    for dtype in ("uint8", "uint16", "float32"):
        x = random_image(rng, (5, 40, 4), dtype)
        np.testing.assert_array_equal(Equalization()(x)[..., 3], x[..., 3])
        np.testing.assert_array_equal(Equalization()(x, np.zeros((3, 256), np.uint32)), x)
        some = np.zeros((3, 256), np.uint32)
        some[1] = 1
        got = Equalization()(x, some)
        np.testing.assert_array_equal(got[..., [0, 2, 3]], x[..., [0, 2, 3]])
        assert (got[..., 1] != x[..., 1]).any()
    if not engine.is_metal:
        got = Equalization()(np.array([[np.nan, 0.25, 0.75]], np.float32))
        np.testing.assert_array_equal(got, [[np.nan, 0.5, 1.0]])


def test_errors(engine: Engine) -> None:
    x, counts = np.zeros((6, 8, 3), np.float32), np.zeros((3, 256), np.uint32)
    cases: list[tuple[type[Exception], str, Any]] = [
        (ValueError, "HistogramEqualization: number_of_histogram_entries is 300; allowed: a power of two", lambda: Equalization(300)),
        (ValueError, "HistogramEqualization: image has 5 channels; allowed: 1 to 4", lambda: Equalization()(np.zeros((2, 2, 5), np.uint8))),
        (ValueError, "HistogramEqualization: histogram is (2, 256) uint32; allowed: (3, 256), a row", lambda: Equalization()(x, counts[:2])),
        (ValueError, "HistogramEqualization: histogram is (3, 3, 256) uint32; allowed: (3, 256) or (2, 3, 256), a row",
         lambda: Equalization()(np.stack([x] * 2), np.stack([counts] * 3))),
        (TypeError, "HistogramEqualization: histogram is int32; allowed: uint32.", lambda: Equalization()(x, counts.astype(np.int32))),
        (ValueError, "HistogramEqualization: image has 3 channels, out has 2", lambda: Equalization()(x, channels=2)),
        (ValueError, "HistogramEqualization: clip_rect begins at (90, 0) and holds no pixel", lambda: Equalization(clip_rect=(90, 0, 2, 2))(x)),
    ]  # fmt: skip
    for error, text, call in cases:
        filters.refused(error, text, call)
