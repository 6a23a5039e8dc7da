"""LaplacianPyramidSubtract against float64, written from the definition."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import pyramids
from tests.kernels.image.pyramids import run_laplacian, run_laplacian_errors, run_laplacian_frames
from tests.support.compare import assert_close
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES

LaplacianPyramidSubtract = mps.image.LaplacianPyramidSubtract
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)


@DTYPES
@pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    run_laplacian(engine, rng, dtype, LaplacianPyramidSubtract(edge_mode=edge_mode))


@DTYPES
def test_other_weights(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    pyramids.run_laplacian_weights(engine, rng, dtype, LaplacianPyramidSubtract)


@DTYPES
def test_bias_and_scale(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    pyramids.run_laplacian_bias_and_scale(engine, rng, dtype, LaplacianPyramidSubtract)


@DTYPES
def test_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    run_laplacian_frames(engine, rng, dtype, LaplacianPyramidSubtract())


def test_one_level_is_copied(engine: Engine, rng: np.random.Generator) -> None:
    pyramids.run_one_level(rng, LaplacianPyramidSubtract)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    run_laplacian_errors(LaplacianPyramidSubtract)


def test_constant_pyramids_leave_nothing_or_three_quarters(engine: Engine) -> None:
    """Of weights that add to 1 a quarter meets a pixel; those that add to 4 expand a constant to itself, inside."""
    levels = [np.full((n, n), 1.0, np.float32) for n in (16, 8, 4)]
    for factor, wanted in ((1, 0.75), (4, 0.0)):
        weights = (factor * pyramids.window()).astype(np.float32)
        for level in LaplacianPyramidSubtract(weights=weights)(levels)[:2]:
            assert_close(level[2:-2, 2:-2], np.full((level.shape[0] - 4, level.shape[1] - 4), wanted), 1e-6)


def test_gaussian_pyramids_of_a_command_buffer(engine: Engine, rng: np.random.Generator) -> None:
    x = rng.random((33, 46, 3)).astype(np.float32)
    wanted = LaplacianPyramidSubtract()(mps.image.GaussianPyramid(4)(x))
    with mps.device(engine.device) as device, device.command_buffer() as cb:
        gaussian = mps.image.GaussianPyramid(4).encode(cb, mps.Image(x))
        laplacian = LaplacianPyramidSubtract().encode(cb, gaussian, temporary=False)
    for a, b in zip(laplacian, wanted, strict=True):
        assert_close(np.asarray(a), b, 1e-6)
