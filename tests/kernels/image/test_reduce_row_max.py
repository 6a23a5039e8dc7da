"""ReduceRowMax against float64."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import reductions
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES

ReduceRowMax = mps.image.ReduceRowMax
exact = reductions.row_or_column("max", "row")


@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    reductions.run(engine, rng, ReduceRowMax, dtype, exact, False)


def test_pieces_and_threads(engine: Engine, rng: np.random.Generator) -> None:
    reductions.large(engine, rng, ReduceRowMax, exact)


def test_infinity_and_nan_stay_in_their_channel(engine: Engine, rng: np.random.Generator) -> None:
    reductions.special(engine, rng, ReduceRowMax, exact, False)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    reductions.errors(ReduceRowMax, (1, 6), False)


def test_numpy_agrees(engine: Engine, rng: np.random.Generator) -> None:
    reductions.numpy_agrees(rng, ReduceRowMax, np.max, axis=1)
