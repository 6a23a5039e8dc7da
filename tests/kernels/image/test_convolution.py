"""Convolution against float64, written from the definition."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image import filters
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES, random_image

Convolution = mps.image.Convolution
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)

# Shape, window: single pixels; one lane more and less; channel counts; more than a tile; windows beyond the picture; each width that
# has code of its own; sums in several parts.
CASES = [
    ((1, 1, 1, 1), (3, 3)), ((1, 5, 7, 1), (1, 1)), ((2, 9, 33, 3), (3, 5)), ((1, 17, 15, 4), (7, 1)), ((3, 8, 16, 2), (1, 9)),
    ((1, 9, 700, 1), (5, 3)), ((1, 50, 30, 3), (5, 5)), ((2, 6, 3, 7), (3, 1)), ((1, 12, 21, 1), (11, 11)), ((1, 3, 4, 1), (33, 23)),
]  # fmt: skip


def random_weights(rng: np.random.Generator, height: int, width: int) -> Array:
    """Their magnitudes add to 2, so that results may leave [0, 1]."""
    w = rng.normal(0.3, 1, (height, width))
    return (w / np.abs(w).sum() * 2).astype(np.float32)


@DTYPES
@pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    def cases() -> Any:
        for shape, (height, width) in CASES:
            w = random_weights(rng, height, width)
            yield shape, Convolution(weights=w, bias=0.125), filters.weighted(w, 0.125)

    filters.run_shapes(engine, rng, dtype, cases(), edge_mode, scale=2)


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    w = random_weights(rng, 3, 5)
    for edge_mode in ("clamp", "zero"):
        filters.run_places(engine, rng, dtype, Convolution(w), filters.weighted(w), edge_mode, scale=2)


@DTYPES
def test_formats_may_differ(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    w = random_weights(rng, 5, 3)
    filters.run_formats(
        engine, rng, dtype, Convolution(w, bias=-0.1), filters.weighted(w, float(np.float32(-0.1))), scale=2
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_codes_of_large_weights(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    """One code, as far as the descriptor promises it: magnitudes that add to 64."""
    for (height, width), channels in (((3, 3), 1), ((7, 7), 4), ((1, 15), 3), ((11, 11), 1)):
        w = rng.normal(0, 1, (height, width))
        w -= w.mean()
        w = (w / np.abs(w).sum() * 64).astype(np.float32)
        x = random_image(rng, (1, 30, 50, channels), dtype)
        filters.check(Convolution(w, bias=0.5), x, Convolution(w, bias=0.5)(x), filters.weighted(w, 0.5), engine)


def test_products_of_a_column_and_a_row(engine: Engine, rng: np.random.Generator) -> None:
    """They are taken one after the other; large and small factors, zeros, and one that is not quite a product."""
    x = random_image(rng, (1, 40, 50, 3), "float32")
    column, row = rng.normal(size=9), rng.normal(size=13)
    row[3] = column[0] = 0
    for factor in (1.0, 1e30, 1e-30):
        w = (np.outer(column, row) * factor).astype(np.float32)
        size = float(np.abs(w.astype(np.float64)).sum())
        exact = filters.weighted(w)(filters.looker(x.astype(np.float64), (40, 50)))
        assert_close(Convolution(w)(x) / size, exact / size, 2e-6)
    w = np.outer(column, row).astype(np.float32)
    w[5, 5] *= 1.001
    filters.check(Convolution(w), x, Convolution(w)(x), filters.weighted(w), engine, float(np.abs(w).sum()))


def test_the_window_is_not_turned(engine: Engine) -> None:
    x = np.zeros((7, 8), np.float32)
    x[3, 4] = 1
    w = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
    wanted = np.zeros((7, 8))
    wanted[2:5, 3:6] = w[::-1, ::-1]
    np.testing.assert_array_equal(Convolution(w)(x), wanted)


def test_a_shift(engine: Engine, rng: np.random.Generator) -> None:
    for dtype in IMAGE_DTYPES:
        x = random_image(rng, (20, 40, 3), dtype)
        w = np.zeros((5, 7), np.float32)
        w[4, 0] = 1  # two rows below, three columns to the left
        np.testing.assert_array_equal(Convolution(w)(x)[:-2, 3:], x[2:, :-3])


def test_many_weights_lose_no_digits(engine: Engine, rng: np.random.Generator) -> None:
    w = rng.random((61, 61)).astype(np.float32)
    w /= w.sum()
    x = rng.random((1, 5, 9, 1)).astype(np.float32)
    filters.check(Convolution(w), x, Convolution(w)(x), filters.weighted(w), engine)


def test_nan_and_infinity_reach_as_far_as_the_window(engine: Engine) -> None:
    for w in (np.full((3, 5), 1 / 15, np.float32), np.arange(1, 16, dtype=np.float32).reshape(3, 5) / 120):
        for value in (np.nan, np.inf, -np.inf):
            x = np.full((30, 40, 1), 0.5, np.float32)
            x[20, 30] = value
            wanted = np.full(x.shape, 0.5)
            wanted[19:22, 28:33] = value
            assert_close(Convolution(w)(x), wanted, *tolerance_of(Convolution(w), "float32", engine))


def test_tiles_make_the_whole(engine: Engine, rng: np.random.Generator) -> None:
    filters.run_tiles(engine, Convolution(random_weights(rng, 5, 3)), random_image(rng, (33, 47, 3), "uint8"), (11, 16))


def test_threads_do_not_change_the_result(engine: Engine, rng: np.random.Generator) -> None:
    filters.run_threads(engine, Convolution(random_weights(rng, 3, 3)), random_image(rng, (150, 300), "float32"))


def test_scipy_agrees(engine: Engine, rng: np.random.Generator) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="needs SciPy")
    x = rng.random((45, 61)).astype(np.float32)
    w = random_weights(rng, 7, 5)
    wanted = ndimage.correlate(x.astype(np.float64), w.astype(np.float64), mode="constant")
    assert_close(Convolution(w, edge_mode="zero")(x), wanted, 4e-6)


def test_weights_make_a_value(engine: Engine) -> None:
    w = np.arange(15, dtype=np.float32).reshape(3, 5)
    k = Convolution(weights=w, bias=0.5)
    flat = Convolution(weights=list(range(15)), kernel_width=5, kernel_height=3, bias=0.5)
    assert pickle.loads(pickle.dumps(k)) == k
    assert k == Convolution(w.copy(), bias=0.5) != k.replace(bias=1)
    x = np.linspace(0, 1, 60, dtype=np.float32).reshape(6, 10)
    np.testing.assert_array_equal(k(x), flat(x))


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    filters.plain_errors(Convolution(np.ones((3, 3), np.float32)))
    ones = np.ones((3, 3), np.float32)
    for error, text, call in (
        (ValueError, "Convolution: weights is None; allowed: a float32 array of (kernel_height, kernel_width).", lambda: Convolution()),
        (TypeError, "Convolution: weights is float64; allowed: float32. Pass weights.astype('float32').", lambda: Convolution(np.ones((3, 3)))),
        (ValueError, "Convolution: weights is 2 x 3; allowed: odd sides from 1 to 255.", lambda: Convolution(ones[:2])),
        (ValueError, "Convolution: weights is 1 x 257; allowed: odd sides from 1 to 255.", lambda: Convolution(np.ones((1, 257), np.float32))),
        (ValueError, "Convolution: weights has nan in it; allowed: finite numbers.", lambda: Convolution(ones * np.float32("nan"))),
        (ValueError, "Convolution: weights is (9,) float32; allowed: the shape (kernel_height, kernel_width).", lambda: Convolution(ones.ravel())),
        (ValueError, "Convolution: weights is (3, 3) float32; allowed: 1 x 9 numbers", lambda: Convolution(ones, kernel_width=9, kernel_height=1)),
        (ValueError, "Convolution: kernel_width is 2; allowed: ", lambda: Convolution(ones, kernel_width=2)),
        (ValueError, "Convolution: bias is inf; allowed: ", lambda: Convolution(ones, bias=float("inf"))),
    ):  # fmt: skip
        filters.refused(error, text, call)
