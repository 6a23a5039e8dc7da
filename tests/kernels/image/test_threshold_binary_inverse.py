"""ThresholdBinaryInverse against float64, written from the definition."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import thresholds
from tests.kernels.image.filters import Exact
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES

ThresholdBinaryInverse = mps.image.ThresholdBinaryInverse


def rule(x: Exact, t: float, m: float) -> Exact:
    return np.where(x > t, 0.0, m)


@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    thresholds.run(engine, rng, ThresholdBinaryInverse, dtype, rule, True)


def test_equal_is_not_above_and_gray_is_weighed(engine: Engine, rng: np.random.Generator) -> None:
    thresholds.values(engine, rng, ThresholdBinaryInverse, rule, True)


def test_opencv_agrees(engine: Engine, rng: np.random.Generator) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    thresholds.opencv(engine, rng, ThresholdBinaryInverse, cv2.THRESH_BINARY_INV, True)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    thresholds.errors(ThresholdBinaryInverse, True)
