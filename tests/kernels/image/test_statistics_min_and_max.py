"""StatisticsMinAndMax against float64."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import reductions
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES, decode

StatisticsMinAndMax = mps.image.StatisticsMinAndMax


def exact(x: reductions.Array) -> reductions.Array:
    pixels = decode(x).reshape(-1, x.shape[-1])
    return np.stack([pixels.min(0), pixels.max(0)])[None]


@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    reductions.run(engine, rng, StatisticsMinAndMax, dtype, exact, False)


def test_pieces_and_threads(engine: Engine, rng: np.random.Generator) -> None:
    reductions.large(engine, rng, StatisticsMinAndMax, exact)


def test_infinity_and_nan_stay_in_their_channel(engine: Engine, rng: np.random.Generator) -> None:
    reductions.special(engine, rng, StatisticsMinAndMax, exact, False)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    reductions.errors(StatisticsMinAndMax, (2, 1), False)
