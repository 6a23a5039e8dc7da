"""Histogram against counts by numpy.bincount."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import filters, histograms
from tests.kernels.image.histograms import LIMITS, LOWEST
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES, random_image
from tests.support.frame import Framed

Histogram = mps.image.Histogram
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)
# One pixel; one element more and less than what is counted at a time, for each number of channels.
SHAPES = [(1, 1, 1), (3, 5, 1), (1, 47, 1), (1, 49, 1), (1, 961, 1), (7, 17, 2), (9, 43, 3), (1, 321, 3), (1, 8, 3), (5, 13, 4), (2, 241, 4)]  # fmt: skip


@DTYPES
def test_matches_counts(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape in SHAPES:
        x = random_image(rng, shape, dtype)
        got = Histogram()(x)
        assert (got.shape, got.dtype) == ((histograms.counted(shape[2], False), 256), np.uint32)
        np.testing.assert_array_equal(got, histograms.histogram(x, 256))


@DTYPES
@pytest.mark.parametrize("bins", [256, 512, 2048])
def test_limits_and_thresholds(engine: Engine, rng: np.random.Generator, dtype: str, bins: int) -> None:
    for channels in (1, 2, 3, 4):
        x = random_image(rng, (13, 29, channels), dtype)
        for least in (LOWEST, (0.3, 0.0, 0.5, 0.2)):
            kernel = Histogram(bins=bins, histogram_for_alpha=True, min_pixel_value=LIMITS[0], max_pixel_value=LIMITS[1],
                               min_pixel_threshold_value=least)  # fmt: skip
            wanted = histograms.histogram(x, bins, LIMITS, np.float32(least), for_alpha=True)
            np.testing.assert_array_equal(kernel(x), wanted)


def test_codes_are_bins(engine: Engine) -> None:
    codes = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert (Histogram()(codes.astype(np.uint8)) == 256).all()
    np.testing.assert_array_equal(Histogram(65536)(codes), np.ones((1, 65536), np.uint32))
    wide = np.minimum(
        np.arange(65536) * 256 // 65535, 255
    )  # in integers: every value lies on its side of each bin's end
    np.testing.assert_array_equal(Histogram()(codes)[0], np.bincount(wide))
    np.testing.assert_array_equal(Histogram()(np.arange(256, dtype=np.uint8)[None]), np.ones((1, 256), np.uint32))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_pieces(engine: Engine, rng: np.random.Generator, dtype: str, channels: int) -> None:
    """Several pieces, whole and cut from a wider picture; flat ones, where the same count grows all the time."""
    x = random_image(rng, (300, 700, channels), dtype)
    x[:200] = x[0, 0]
    np.testing.assert_array_equal(Histogram()(x), histograms.histogram(x, 256))
    got = Histogram(clip_rect_source=(5, 3, 690, 10000))(x)
    np.testing.assert_array_equal(got, histograms.histogram(x[3:, 5:695], 256))
    if not engine.is_metal:
        filters.run_threads(engine, Histogram(), x)


@DTYPES
def test_padded_batches_and_sums(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for channels in (1, 3, 4):
        src = Framed((3, 7, 19, channels), dtype, 2, fill=0x7F)
        src.array[...] = random_image(rng, src.array.shape, dtype)
        dst = Framed((3, histograms.counted(channels, False), 256), "uint32", 1)
        dst.array[...] = 9
        kernel = Histogram(clip_rect_source=(2, 1, 11, 5))
        wanted = np.stack([histograms.histogram(image[1:6, 2:13], 256) for image in src.array])
        assert kernel(src.array, out=dst.array) is dst.array
        np.testing.assert_array_equal(dst.array, wanted)
        kernel.replace(zero_histogram=False)(src.array, out=dst.array)
        np.testing.assert_array_equal(dst.array, 2 * wanted)
        dst.check()
        np.testing.assert_array_equal(kernel(src.array), wanted)
    many = random_image(rng, (40, 3, 5, 2), dtype)
    np.testing.assert_array_equal(Histogram()(many), [histograms.histogram(image, 256) for image in many])


def test_what_is_not_counted(engine: Engine) -> None:
    x = np.array([[-1.0, -0.0, 0.5, 2.0, np.inf, -np.inf]], np.float32)
    got = Histogram()(x)[0]
    assert (got[0], got[128], got[255], got.sum()) == (1, 1, 2, 4)
    got = Histogram(min_pixel_threshold_value=LOWEST)(x)[0]
    assert (got[0], got.sum()) == (2, 5)
    if not engine.is_metal:
        assert Histogram(min_pixel_threshold_value=LOWEST)(np.full((3, 5), np.nan, np.float32)).sum() == 0
    opaque = np.full((4, 4, 4), 255, np.uint8)
    assert Histogram()(opaque).shape == (3, 256)
    assert Histogram(histogram_for_alpha=True)(opaque)[3, 255] == 16


def test_in_a_command_buffer(engine: Engine, rng: np.random.Generator) -> None:
    x = random_image(rng, (9, 33, 3), "uint8")
    device = next(d for d in mps.devices() if str(d) == engine.device)
    with device.command_buffer() as buffer:
        counts = Histogram().encode(buffer, x)
        out = np.empty_like(x)
        mps.image.HistogramEqualization().encode(buffer, x, counts, out=out)
    np.testing.assert_array_equal(out, mps.image.HistogramEqualization()(x))


def test_like_opencv(engine: Engine, rng: np.random.Generator) -> None:
    import cv2

    x = random_image(rng, (45, 61), "uint8")
    np.testing.assert_array_equal(Histogram()(x)[0], cv2.calcHist([x], [0], None, [256], [0, 256]).ravel())


def test_value(engine: Engine) -> None:
    assert Histogram(512) == Histogram(bins=512) == Histogram(number_of_histogram_entries=512)
    assert Histogram().min_pixel_value == (0, 0, 0, 0)
    assert Histogram().max_pixel_value == (1, 1, 1, 1)


def test_errors(engine: Engine) -> None:
    x = np.zeros((6, 8, 3), np.float32)
    cases: list[tuple[type[Exception], str, Any]] = [
        (ValueError, "Histogram: number_of_histogram_entries is 300; allowed: a power of two from 256 to 65536.", lambda: Histogram(300)),
        (ValueError, "Histogram: number_of_histogram_entries is 128; allowed: ", lambda: Histogram(128)),
        (ValueError, "Histogram: min_pixel_value of channel 2 is 1.0, max_pixel_value 1.0; allowed: a maximum above the minimum.",
         lambda: Histogram(min_pixel_value=(0, 0, 1, 0))),
        (ValueError, "Histogram: max_pixel_value is ", lambda: Histogram(max_pixel_value=(1, 2, 3))),
        (ValueError, "Histogram: image has 5 channels; allowed: 1 to 4", lambda: Histogram()(np.zeros((2, 2, 5), np.uint8))),
        (ValueError, "Histogram: image is (0, 8, 3) float32; allowed: at least one pixel", lambda: Histogram()(x[:0])),
        (ValueError, "Histogram: out is (3, 128) uint32; allowed: (3, 256), a row of 256 bins for each channel.",
         lambda: Histogram()(x, out=np.zeros((3, 128), np.uint32))),
        (ValueError, "Histogram: out is (4, 256) uint32; allowed: (3, 256), a row of 256 bins for each channel but alpha.",
         lambda: Histogram()(np.zeros((2, 2, 4), np.uint8), out=np.zeros((4, 256), np.uint32))),
        (ValueError, "Histogram: out is (3, 256) uint32; allowed: (3, 256) for each image, (2, 3, 256), a row",
         lambda: Histogram()(np.zeros((2, 6, 8, 3), np.uint8), out=np.zeros((3, 256), np.uint32))),
        (TypeError, "Histogram: out is int32; allowed: uint32.", lambda: Histogram()(x, out=np.zeros((3, 256), np.int32))),
        (TypeError, "Histogram: dtype is float32; allowed: uint32.", lambda: Histogram()(x, dtype="float32")),
        (ValueError, "Histogram: channels is 2; allowed: none", lambda: Histogram()(x, channels=2)),
        (ValueError, "Histogram: zero_histogram is False and out is missing", lambda: Histogram(zero_histogram=False)(x)),
        (ValueError, "Histogram: clip_rect_source begins at (8, 0) and holds no pixel of image (8 x 6)",
         lambda: Histogram(clip_rect_source=(8, 0, 1, 1))(x)),
        (ValueError, "Histogram: clip_rect_source selects images by z", lambda: Histogram(clip_rect_source=(0, 0, 1, 1, 1, 1))(x)),
        (TypeError, "Histogram: image is float64; allowed: uint8, uint16, float16, float32.", lambda: Histogram()(x.astype(np.float64))),
    ]  # fmt: skip
    for error, text, call in cases:
        filters.refused(error, text, call)
