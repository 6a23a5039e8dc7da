"""NormalizedHistogram against the range of numpy and counts by numpy.bincount."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image import filters, histograms
from tests.kernels.image.histograms import LIMITS, NO_LIMITS
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES, decode, random_image
from tests.support.frame import Framed

Normalized = mps.image.NormalizedHistogram
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)
SHAPES = [(1, 1, 1), (3, 5, 1), (1, 49, 1), (1, 961, 1), (7, 17, 2), (9, 43, 3), (5, 13, 4)]


def exact(x: NDArray[Any], bins: int = 256, limits: Any = NO_LIMITS, for_alpha: bool = False) -> tuple[Any, Any, Any]:
    """Counts, range, and how many values lie within a rounding of each bin's beginning: they may be in the bin before."""
    pixels = decode(x).reshape(-1, x.shape[-1])
    least, greatest = pixels.min(0), pixels.max(0)
    low = np.maximum(least, histograms.floats(limits[0])[: len(least)])
    high = np.minimum(greatest, histograms.floats(limits[1])[: len(least)])
    high = np.where(high > low, high, low + 1)
    counts = np.zeros((histograms.counted(x.shape[-1], for_alpha), bins), np.uint32)
    close = np.zeros(counts.shape, np.int64)
    for c in range(len(counts)):
        counts[c] = np.bincount(histograms.bins_of(pixels[:, c], low[c], high[c], bins), minlength=bins)
        place = (np.clip(pixels[:, c], low[c], high[c]) - low[c]) / (high[c] - low[c]) * bins
        beginning = np.rint(place).astype(np.int64)
        at_beginning = (np.abs(place - beginning) < 1e-4) & (beginning > 0) & (beginning < bins)
        close[c] = np.bincount(beginning[at_beginning], minlength=bins)
    return counts, np.stack([least, greatest])[None], close


def check(engine: Engine, kernel: Any, x: NDArray[Any], wanted: tuple[Any, Any, Any]) -> None:
    counts, minmax = kernel(x)
    assert (counts.dtype, minmax.dtype) == (np.uint32, np.float32)
    np.testing.assert_array_equal(counts.sum(-1), wanted[0].sum(-1))
    moved = np.cumsum(counts.astype(np.int64) - wanted[0], -1)  # over the end of each bin
    assert (np.abs(moved[:, :-1]) <= wanted[2][:, 1:]).all()
    assert_close(minmax, wanted[1], *tolerance_of(kernel, "float32", engine))


@DTYPES
def test_matches_counts(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape in SHAPES:
        x = random_image(rng, shape, dtype)
        check(engine, Normalized(), x, exact(x))
        check(engine, Normalized(512, histogram_for_alpha=True, min_pixel_value=LIMITS[0], max_pixel_value=LIMITS[1]), x,
              exact(x, 512, LIMITS, True))  # fmt: skip


def test_ranges_that_divide_evenly(engine: Engine) -> None:
    codes = np.arange(65, 129, dtype=np.uint8)[None]  # 64 codes over 63 steps: bins of 63 / 256 of a code
    counts, minmax = Normalized()(codes)
    wanted = np.zeros(256, np.uint32)
    wanted[np.minimum(np.arange(64) * 256 // 63, 255)] = 1
    np.testing.assert_array_equal(counts[0], wanted)
    assert_close(minmax, np.array([[65, 128]]) / 255, 0, 1e-7)
    steps = (np.arange(1024, dtype=np.float32) / 1024 * 4 - 2).reshape(4, 256)
    counts, minmax = Normalized(min_pixel_value=(-8,) * 4, max_pixel_value=(8,) * 4)(steps)
    np.testing.assert_array_equal(counts[0], np.bincount(np.minimum(np.arange(1024) * 256 // 1023, 255)))
    np.testing.assert_array_equal(minmax, [[-2, 4 * 1023 / 1024 - 2]])


@DTYPES
def test_padded_batches_and_sums(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for channels in (1, 3, 4):
        src = Framed((3, 7, 19, channels), dtype, 2, fill=0x7F)
        src.array[...] = random_image(rng, src.array.shape, dtype)
        dst, minmax = Framed((3, min(channels, 3), 256), "uint32", 1), Framed((3, 1, 2, channels), "float32", 2)
        dst.array[...] = 9
        kernel = Normalized(clip_rect_source=(2, 1, 11, 5))
        kernel(src.array, out=(dst.array, minmax.array))
        once = dst.array.copy()
        for n in range(3):
            part = src.array[n, 1:6, 2:13]
            alone = Normalized()(np.ascontiguousarray(part))
            np.testing.assert_array_equal(dst.array[n], alone[0])
            np.testing.assert_array_equal(minmax.array[n], alone[1])
            assert dst.array[n].sum() == part[..., 0].size * min(channels, 3)
            assert_close(minmax.array[n], exact(part)[1], 0, 1e-7)
        kernel.replace(zero_histogram=False)(src.array, out=(dst.array, minmax.array))
        np.testing.assert_array_equal(dst.array, 2 * once)
        dst.check()
        minmax.check()


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_pieces(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for channels in (1, 3):
        x = random_image(rng, (200, 700, channels), dtype)
        check(engine, Normalized(), x, exact(x))
        if not engine.is_metal:
            filters.run_threads(engine, lambda y: Normalized()(y)[0], x)


def test_flat_infinite_and_nan(engine: Engine) -> None:
    counts, minmax = Normalized()(np.full((4, 5), 0.25, np.float32))
    assert counts[0, 0] == 20
    np.testing.assert_array_equal(minmax, [[0.25, 0.25]])
    above = np.array(
        [[0.875, 1.0, 1.375]], np.float32
    )  # all beyond the limits: bins are one wide from the least value on
    counts, minmax = Normalized(max_pixel_value=(0.5,) * 4)(above)
    assert (counts[0, 0], counts[0, 32], counts[0, 128], counts.sum()) == (1, 1, 1, 3)
    counts, minmax = Normalized()(np.array([[-np.inf, 0.0, 0.5, np.inf]], np.float32))
    assert (counts[0, 0], counts[0, 128], counts[0, 255]) == (2, 1, 1)
    np.testing.assert_array_equal(minmax, [[-np.inf, np.inf]])
    if not engine.is_metal:
        counts, minmax = Normalized()(np.array([[np.nan, 0.0, 0.5, 1.0]], np.float32))
        assert counts.sum() == 3
        np.testing.assert_array_equal(minmax, [[0, 1]])
        counts, minmax = Normalized()(np.full((3, 3), np.nan, np.float32))
        assert counts.sum() == 0
        assert np.isnan(minmax).all()


def test_errors(engine: Engine) -> None:
    x = np.zeros((6, 8, 3), np.float32)
    counts, minmax = np.zeros((3, 256), np.uint32), np.zeros((1, 2, 3), np.float32)
    cases: list[tuple[type[Exception], str, Any]] = [
        (ValueError, "NormalizedHistogram: number_of_histogram_entries is 300; allowed: a power of two", lambda: Normalized(300)),
        (ValueError, "NormalizedHistogram: image has 5 channels; allowed: 1 to 4", lambda: Normalized()(np.zeros((2, 2, 5), np.uint8))),
        (ValueError, "NormalizedHistogram: minmax is (1, 2, 2) float32; allowed: (1, 2, 3) float32",
         lambda: Normalized()(x, out=(counts, minmax[..., :2].copy()))),
        (ValueError, "NormalizedHistogram: out is (2, 256) uint32; allowed: (3, 256)", lambda: Normalized()(x, out=(counts[:2], minmax))),
        (TypeError, "NormalizedHistogram: out is ndarray; allowed: a tuple of 2", lambda: Normalized()(x, out=counts)),
        (ValueError, "NormalizedHistogram: zero_histogram is False and out is missing", lambda: Normalized(zero_histogram=False)(x)),
        (ValueError, "NormalizedHistogram: clip_rect_source begins at (8, 0)", lambda: Normalized(clip_rect_source=(8, 0, 1, 1))(x)),
    ]  # fmt: skip
    for error, text, call in cases:
        filters.refused(error, text, call)
