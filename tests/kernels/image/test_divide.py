"""Divide against float64, written from the definition."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import arithmetic
from tests.kernels.image.filters import Exact
from tests.support.compare import assert_close
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, random_image

Divide = mps.image.Divide


def rule(x: Exact, y: Exact) -> Exact:
    return x / y


@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    arithmetic.run(engine, rng, Divide, dtype, rule, True)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_division_by_zero(engine: Engine, dtype: str) -> None:
    x, y = np.array([[1, -1, 0, 0.5]], dtype), np.array([[0, 0, 0, -0.25]], dtype)
    got = Divide()(x, y)
    assert np.isnan(got[0, 2])
    assert got[0, 3] == -2
    if engine.is_metal:  # its limits hold infinity too
        assert abs(got[0, 0]) > 6e4
        assert got[0, 1] == -got[0, 0]
    else:
        np.testing.assert_array_equal(got[0, :2], [np.inf, -np.inf])
    np.testing.assert_array_equal(Divide()(x, y, dtype="uint8"), [[255, 0, 0, 0]])
    np.testing.assert_array_equal(
        Divide(maximum_value=3, minimum_value=-3)(x, y), np.array([[3, -3, np.nan, -2]], dtype)
    )


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_opencv_agrees(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    x, y = (random_image(rng, (45, 61, 3), dtype) for _ in range(2))
    assert_close(
        Divide()(x, np.where(y == 0, 1, y).astype(dtype)),
        cv2.divide(x, np.where(y == 0, 1, y).astype(dtype), scale=CODES.get(dtype, 1.0)),
        int(dtype in CODES),
        1e-6,
    )


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    arithmetic.errors(Divide)
