"""ThresholdToZero against float64, written from the definition."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import thresholds
from tests.kernels.image.filters import Exact
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES

ThresholdToZero = mps.image.ThresholdToZero


def rule(x: Exact, t: float, m: float) -> Exact:
    return np.where(x > t, x, 0.0)


@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    thresholds.run(engine, rng, ThresholdToZero, dtype, rule, False)


def test_equal_is_not_above_and_gray_is_weighed(engine: Engine, rng: np.random.Generator) -> None:
    thresholds.values(engine, rng, ThresholdToZero, rule, False)


def test_opencv_agrees(engine: Engine, rng: np.random.Generator) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    thresholds.opencv(engine, rng, ThresholdToZero, cv2.THRESH_TOZERO, False)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    thresholds.errors(ThresholdToZero, False)
