"""StatisticsMean against exact sums."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import reductions
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES

StatisticsMean = mps.image.StatisticsMean


def exact(x: reductions.Array) -> reductions.Array:
    return reductions.exact_sum(x.reshape(-1, 1, x.shape[-1]), 0) / (x.shape[0] * x.shape[1])


@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    reductions.run(engine, rng, StatisticsMean, dtype, exact, True)


def test_pieces_and_threads(engine: Engine, rng: np.random.Generator) -> None:
    reductions.large(engine, rng, StatisticsMean, exact)


def test_infinity_and_nan_stay_in_their_channel(engine: Engine, rng: np.random.Generator) -> None:
    reductions.special(engine, rng, StatisticsMean, exact, True)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    reductions.errors(StatisticsMean, (1, 1), True)


def test_numpy_agrees(engine: Engine, rng: np.random.Generator) -> None:
    reductions.numpy_agrees(rng, StatisticsMean, np.mean, axis=(0, 1))
