"""Laplacian against float64, written from the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import filters
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES, random_image

Laplacian = mps.image.Laplacian
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)
OPERATOR = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
SHAPES = [(1, 1, 1, 1), (1, 5, 7, 1), (2, 9, 33, 3), (1, 17, 15, 4), (3, 8, 16, 2), (1, 9, 700, 1), (1, 70, 9, 5)]


@DTYPES
@pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    cases: Any = [(shape, Laplacian(bias=0.5), filters.weighted(OPERATOR, 0.5)) for shape in SHAPES]
    filters.run_shapes(engine, rng, dtype, cases, edge_mode, scale=8 if dtype.startswith("float") else 1)


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    scale = 8 if dtype.startswith("float") else 1
    for edge_mode in ("clamp", "zero"):
        filters.run_places(engine, rng, dtype, Laplacian(), filters.weighted(OPERATOR), edge_mode, scale=scale)


@DTYPES
def test_formats_may_differ(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    x = random_image(rng, (1, 7, 37, 3), dtype)
    for to in IMAGE_DTYPES:
        scale = 8 if to.startswith("float") else 1
        filters.check(
            Laplacian(bias=0.25), x, Laplacian(bias=0.25)(x, dtype=to), filters.weighted(OPERATOR, 0.25), engine, scale
        )


def test_an_impulse_and_a_ramp(engine: Engine) -> None:
    x = np.zeros((7, 8), np.float32)
    x[3, 4] = 1
    wanted = np.zeros((7, 8))
    wanted[2:5, 3:6] = OPERATOR
    np.testing.assert_array_equal(Laplacian()(x), wanted)
    ramp = np.add.outer(np.arange(9), 2 * np.arange(20)).astype(np.float32)
    np.testing.assert_array_equal(Laplacian(bias=2)(ramp)[1:-1, 1:-1], np.full((7, 18), 2))


def test_mirrored_and_turned_pictures(engine: Engine, rng: np.random.Generator) -> None:
    x = random_image(rng, (26, 41), "float32")
    for turn in (np.flipud, np.fliplr, np.transpose):
        assert_close(Laplacian()(np.ascontiguousarray(turn(x))), turn(Laplacian()(x)), 8 * 2e-6, 1e-6)


def test_tiles_make_the_whole(engine: Engine, rng: np.random.Generator) -> None:
    filters.run_tiles(engine, Laplacian(bias=0.5), random_image(rng, (33, 47, 3), "uint8"), (11, 16))


def test_opencv_agrees(engine: Engine, rng: np.random.Generator) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    x = rng.random((45, 61)).astype(np.float32)
    wanted = cv2.Laplacian(x, cv2.CV_32F, ksize=1, borderType=cv2.BORDER_REPLICATE)
    assert_close(Laplacian()(x), wanted, *tolerance_of(Laplacian(), "float32", engine))


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    filters.plain_errors(Laplacian())
    filters.refused(ValueError, "Laplacian: bias is nan; allowed: ", lambda: Laplacian(bias=float("nan")))
