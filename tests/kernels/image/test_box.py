"""Box against float64: the mean of a window, written from the definition."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import filters
from tests.kernels.image.reference import separable
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, random_image

Box = mps.image.Box
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)

# Shape, window: single pixels; one lane more and less; every channel count that matters; pictures wider and higher than a tile;
# windows beyond the picture; runs of one to seven, and of two and three levels of four; sums of 16 and of 32 bits.
CASES = [
    ((1, 1, 1, 1), (3, 3)), ((1, 5, 7, 1), (1, 1)), ((2, 9, 33, 3), (5, 3)), ((1, 17, 15, 4), (1, 7)), ((3, 8, 16, 2), (9, 9)),
    ((1, 9, 1100, 1), (3, 5)), ((1, 70, 40, 3), (13, 17)), ((2, 6, 3, 7), (3, 1)), ((1, 40, 210, 1), (31, 29)), ((1, 90, 30, 1), (11, 63)),
    ((1, 3, 4, 1), (255, 255)), ((1, 4, 3, 300), (3, 3)),
]  # fmt: skip


def box(width: int, height: int) -> mps.image.Box:
    return Box(kernel_width=width, kernel_height=height)


def mean(width: int, height: int) -> filters.Reference:
    return filters.weighted(np.full((height, width), 1 / (width * height)))


@DTYPES
@pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    filters.run_separable(engine, rng, dtype, CASES, box, lambda n: np.full(n, 1 / n), edge_mode)


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for edge_mode in ("clamp", "zero"):
        filters.run_places(engine, rng, dtype, box(5, 3), mean(5, 3), edge_mode)


@DTYPES
def test_formats_may_differ(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    filters.run_formats(engine, rng, dtype, box(3, 5), mean(3, 5))


@DTYPES
def test_a_flat_picture_stays_flat(engine: Engine, dtype: str) -> None:
    for width, height in ((3, 3), (99, 255)):
        x = np.full((18, 50), 0.7 * CODES.get(dtype, 1), dtype)
        got = box(width, height)(x)
        if dtype in CODES:
            np.testing.assert_array_equal(got, x)
        assert_close(got, x, *tolerance_of(Box(), dtype, engine))


def test_integer_sums_are_exact(engine: Engine, rng: np.random.Generator) -> None:
    for dtype in CODES:
        x = random_image(rng, (60, 70), dtype)
        got = box(5, 9)(x, dtype="float32") * CODES[dtype] * 45
        exact = separable(x[None, ..., None].astype(np.float64), np.ones(9), np.ones(5), (60, 70))[0, ..., 0]
        assert_close(got, exact, 0.01, 2e-7)


def test_float_errors_do_not_drift(engine: Engine, rng: np.random.Generator) -> None:
    """What was far above in an earlier window leaves nothing behind."""
    x = rng.random((40, 1500)).astype(np.float32)
    x[3, 5] = x[20, 700] = 1e30
    exact = separable(x[None, ..., None].astype(np.float64), np.full(7, 1 / 7), np.full(31, 1 / 31), x.shape)[0, ..., 0]
    assert_close(box(31, 7)(x), exact, *tolerance_of(Box(), "float32", engine))
    largest = np.full((30, 40), 1e36, np.float32)
    assert_close(box(31, 7)(largest), largest, 0, 2e-6)


def test_nan_and_infinity_reach_as_far_as_the_window(engine: Engine) -> None:
    for dtype in ("float32", "float16"):
        for value in (np.nan, np.inf, -np.inf):
            x = np.full((31, 90, 1), 0.5, dtype)
            x[20, 60] = value
            got = box(9, 5)(x)
            wanted = np.full(x.shape, 0.5)
            wanted[18:23, 56:65] = value
            assert_close(got, wanted, *tolerance_of(Box(), dtype, engine))


@DTYPES
def test_mirrored_and_turned_pictures(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    x = random_image(rng, (26, 41), dtype)
    tolerance = tolerance_of(Box(), dtype, engine)
    for turn in (np.flipud, np.fliplr):
        assert_close(box(7, 3)(np.ascontiguousarray(turn(x))), turn(box(7, 3)(x)), *tolerance)
    assert_close(box(3, 7)(np.ascontiguousarray(x.T)), box(7, 3)(x).T, *tolerance)


def test_tiles_make_the_whole(engine: Engine, rng: np.random.Generator) -> None:
    filters.run_tiles(engine, box(5, 7), random_image(rng, (33, 47, 3), "float32"), (11, 16))


def test_threads_do_not_change_the_result(engine: Engine, rng: np.random.Generator) -> None:
    filters.run_threads(engine, box(9, 9), random_image(rng, (150, 700), "float32"))


def test_opencv_agrees(engine: Engine, rng: np.random.Generator) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    for dtype in ("uint8", "float32"):
        x = random_image(rng, (45, 61, 3), dtype)
        wanted = cv2.blur(x, (7, 5), borderType=cv2.BORDER_REPLICATE)
        assert_close(box(7, 5)(x), wanted, *tolerance_of(Box(), dtype, engine))


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    filters.plain_errors(Box())
    filters.refused(ValueError, "Box: kernel_width is 4; allowed: ", lambda: Box(kernel_width=4))
    filters.refused(ValueError, "Box: kernel_height is 257; allowed: ", lambda: Box(kernel_height=257))
    filters.refused(ValueError, "Box: kernel_height is -1; allowed: ", lambda: Box(kernel_height=-1))
    filters.refused(TypeError, "Box: kernel_width is 3.5 (float); allowed: ", lambda: Box(kernel_width=3.5))  # type: ignore[arg-type]
