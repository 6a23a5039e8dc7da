"""LaplacianPyramidAdd against float64, written from the definition."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import pyramids
from tests.kernels.image.pyramids import random_levels, run_laplacian, run_laplacian_errors, run_laplacian_frames
from tests.support.compare import assert_close
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES

LaplacianPyramidAdd = mps.image.LaplacianPyramidAdd
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)


@DTYPES
@pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    run_laplacian(engine, rng, dtype, LaplacianPyramidAdd(edge_mode=edge_mode))


@DTYPES
def test_other_weights(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    pyramids.run_laplacian_weights(engine, rng, dtype, LaplacianPyramidAdd)


@DTYPES
def test_bias_and_scale(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    pyramids.run_laplacian_bias_and_scale(engine, rng, dtype, LaplacianPyramidAdd)


@DTYPES
def test_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    run_laplacian_frames(engine, rng, dtype, LaplacianPyramidAdd())


def test_one_level_is_copied(engine: Engine, rng: np.random.Generator) -> None:
    pyramids.run_one_level(rng, LaplacianPyramidAdd)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    run_laplacian_errors(LaplacianPyramidAdd)


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
def test_it_undoes_subtract(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    """To the rounding of what is stored: half a code at a quarter of the scale is two, more where a level below was rounded too."""
    gaussian = random_levels(rng, (1, 37, 50, 3), dtype, 5)
    classical = (4 * pyramids.window()).astype(np.float32)  # at the border its differences are too large for codes
    for weights in (None,) if dtype == "uint8" else (None, classical):
        options = {"laplacian_bias": 0.5, "laplacian_scale": 0.25, "weights": weights}
        laplacian = mps.image.LaplacianPyramidSubtract(**options)(gaussian)
        restored = LaplacianPyramidAdd(**options)(laplacian)
        for a, b in zip(restored, gaussian, strict=True):
            assert_close(
                a,
                b.astype(np.float64),
                {"float32": 4e-6, "float16": 2e-2, "uint8": 5}[dtype],
                4e-3 if dtype == "float16" else 0,
            )


def test_the_last_level_alone(engine: Engine) -> None:
    """A difference of nothing is what the last level expands to, which keeps a constant, inside, when the weights add to 4."""
    levels = np.zeros((16, 18), np.float32), np.full((8, 9), 0.7, np.float32)
    level = LaplacianPyramidAdd(weights=(4 * pyramids.window()).astype(np.float32))(levels)[0]
    assert_close(level[2:-2, 2:-2], np.full((12, 14), 0.7), 1e-6)
