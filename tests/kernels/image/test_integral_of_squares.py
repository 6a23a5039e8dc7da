"""IntegralOfSquares against float64 sums."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import integrals
from tests.kernels.image.filters import Exact
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES

IntegralOfSquares = mps.image.IntegralOfSquares


def summand(x: Exact) -> Exact:
    return x * x


@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    integrals.run(engine, rng, IntegralOfSquares, dtype, summand)


def test_formats_places_and_special_values(engine: Engine, rng: np.random.Generator) -> None:
    integrals.values(engine, rng, IntegralOfSquares, summand)


def test_threads_take_strips(engine: Engine, rng: np.random.Generator) -> None:
    integrals.strips(engine, rng, IntegralOfSquares, summand)


def test_opencv_agrees(engine: Engine, rng: np.random.Generator) -> None:
    pytest.importorskip("cv2", reason="needs OpenCV")
    integrals.opencv(engine, rng, IntegralOfSquares, True)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    integrals.errors(IntegralOfSquares)
