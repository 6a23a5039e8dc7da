"""Tent against float64: weights written from the definition."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import filters
from tests.kernels.image.reference import Array
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, random_image

Tent = mps.image.Tent
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)

# Sides whose halves are odd and even; windows beyond the picture; sums of 16 bits, of 32, and too large for integers.
CASES = [
    ((1, 1, 1, 1), (3, 3)), ((1, 5, 7, 1), (1, 1)), ((2, 9, 33, 3), (5, 3)), ((1, 17, 15, 4), (1, 7)), ((3, 8, 16, 2), (9, 11)),
    ((1, 9, 700, 1), (3, 5)), ((1, 60, 40, 3), (13, 17)), ((2, 6, 3, 7), (3, 1)), ((1, 30, 50, 1), (63, 31)), ((1, 3, 4, 1), (255, 255)),
]  # fmt: skip


def tent(width: int, height: int) -> mps.image.Tent:
    return Tent(kernel_width=width, kernel_height=height)


def taps(n: int) -> Array:
    t = np.minimum(np.arange(n) + 1, n - np.arange(n)).astype(np.float64)
    return t / t.sum()


def reference(width: int, height: int) -> filters.Reference:
    return filters.weighted(np.outer(taps(height), taps(width)))


@DTYPES
@pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    filters.run_separable(engine, rng, dtype, CASES, tent, taps, edge_mode)


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for edge_mode in ("clamp", "zero"):
        filters.run_places(engine, rng, dtype, tent(5, 3), reference(5, 3), edge_mode)


@DTYPES
def test_formats_may_differ(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    filters.run_formats(engine, rng, dtype, tent(3, 7), reference(3, 7))


def test_an_impulse_becomes_the_tent(engine: Engine) -> None:
    x = np.zeros((31, 64), np.float32)
    x[12, 30] = 1
    wanted = np.zeros((31, 64))
    wanted[9:16, 26:35] = np.outer(taps(7), taps(9))
    assert_close(tent(9, 7)(x), wanted, 1e-8, 1e-6)


@DTYPES
def test_a_flat_picture_stays_flat(engine: Engine, dtype: str) -> None:
    x = np.full((18, 50), 0.7 * CODES.get(dtype, 1), dtype)
    for side in (3, 101):
        assert_close(tent(side, side)(x), x, *tolerance_of(Tent(), dtype, engine))


def test_mirrored_and_turned_pictures(engine: Engine, rng: np.random.Generator) -> None:
    x = random_image(rng, (26, 41), "float32")
    for turn in (np.flipud, np.fliplr):
        assert_close(tent(7, 5)(np.ascontiguousarray(turn(x))), turn(tent(7, 5)(x)), *tolerance_of(Tent(), "float32"))
    assert_close(tent(5, 7)(np.ascontiguousarray(x.T)), tent(7, 5)(x).T, *tolerance_of(Tent(), "float32"))


def test_tiles_make_the_whole(engine: Engine, rng: np.random.Generator) -> None:
    filters.run_tiles(engine, tent(5, 7), random_image(rng, (33, 47, 3), "uint8"), (11, 16))


def test_scipy_agrees(engine: Engine, rng: np.random.Generator) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="needs SciPy")
    x = rng.random((45, 61)).astype(np.float32)
    wanted = ndimage.correlate(x.astype(np.float64), np.outer(taps(9), taps(5)), mode="nearest")
    assert_close(tent(5, 9)(x), wanted, *tolerance_of(Tent(), "float32", engine))


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    filters.plain_errors(Tent())
    filters.refused(ValueError, "Tent: kernel_width is 4; allowed: ", lambda: Tent(kernel_width=4))
    filters.refused(ValueError, "Tent: kernel_height is 0; allowed: ", lambda: Tent(kernel_height=0))
