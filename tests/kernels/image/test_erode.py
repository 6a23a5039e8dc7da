"""Erode against float64, written from the definition."""

from __future__ import annotations

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image import morphology
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES, random_image

Erode = mps.image.Erode
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)


@DTYPES
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    morphology.probe_matches(engine, rng, Erode, dtype, -1)


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    morphology.probe_places(engine, rng, Erode, dtype, -1)


def test_flat_probes_turned_and_cut_pictures(engine: Engine, rng: np.random.Generator) -> None:
    morphology.probe_values(engine, rng, Erode, mps.image.AreaMin, -1)


def test_opencv_agrees(engine: Engine, rng: np.random.Generator) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    x = random_image(rng, (45, 61, 3), "uint8")
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 5))
    wanted = cv2.erode(x, disk, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_array_equal(Erode(1 - disk.astype(np.float32))(x), wanted)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    morphology.probe_errors(Erode)
