"""AreaMin against the smallest stored element of each window: exact."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import morphology
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES, random_image

AreaMin = mps.image.AreaMin
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)


@DTYPES
def test_matches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    morphology.area_matches(engine, rng, AreaMin, dtype, -1)


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    morphology.area_places(engine, rng, AreaMin, dtype, -1)


def test_large_windows(engine: Engine, rng: np.random.Generator) -> None:
    morphology.large_windows(engine, rng, AreaMin, -1)


def test_mirrored_turned_and_cut_pictures(engine: Engine, rng: np.random.Generator) -> None:
    morphology.area_values(engine, rng, AreaMin, -1)


def test_scipy_agrees(engine: Engine, rng: np.random.Generator) -> None:
    ndimage = pytest.importorskip("scipy.ndimage", reason="needs SciPy")
    x = random_image(rng, (45, 61), "uint8")
    wanted = ndimage.minimum_filter(x, (5, 9), mode="nearest")
    np.testing.assert_array_equal(AreaMin(kernel_width=9, kernel_height=5)(x), wanted)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    morphology.area_errors(AreaMin)
