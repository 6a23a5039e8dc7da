"""Multiply against float64, written from the definition."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import arithmetic
from tests.kernels.image.filters import Exact
from tests.support.compare import assert_close
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, random_image

Multiply = mps.image.Multiply


def rule(x: Exact, y: Exact) -> Exact:
    return x * y


@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    arithmetic.run(engine, rng, Multiply, dtype, rule)


def test_every_pair_of_bytes(engine: Engine) -> None:
    x, y = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    a, b = x.astype(np.int64), y.astype(np.int64)
    np.testing.assert_array_equal(Multiply()(x, y), np.rint(a * b / 255))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_opencv_agrees(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    x, y = (random_image(rng, (45, 61, 3), dtype) for _ in range(2))
    assert_close(Multiply()(x, y), cv2.multiply(x, y, scale=1 / CODES.get(dtype, 1.0)), int(dtype in CODES), 1e-6)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    arithmetic.errors(Multiply)
