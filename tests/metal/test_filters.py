"""What filters of MPS refuse, and how they fail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import mpskit as mps


def test_windows_that_a_median_refuses(metal: mps.Device, knob: Callable[[str, str], None]) -> None:
    x = np.zeros((5, 7), np.uint8)
    knob("MEDIAN", "9")
    assert np.array_equal(mps.image.Median(kernel_diameter=9)(x), x)
    with pytest.raises(
        mps.UnsupportedError, match=r"kernel_diameter is 11; allowed there: 3 to 9\. Pass device=\"cpu\""
    ):
        mps.image.Median(kernel_diameter=11)(x)


def test_pyramids_that_are_not_taken(
    metal: mps.Device, knob: Callable[[str, str], None], rng: np.random.Generator
) -> None:
    pyramid = mps.image.GaussianPyramid()
    x = mps.empty((9, 12), dtype="float32")
    x[...] = rng.random(x.shape)
    wanted = [np.array(level) for level in pyramid(x)]
    errors = []
    for call in range(1, 30):
        knob("FAIL_ALLOCATION", str(call))
        try:
            pyramid(x)
        except mps.DeviceError as error:
            errors.append(str(error))
        knob("FAIL_ALLOCATION", "")
        for level, want in zip(pyramid(x), wanted, strict=True):
            assert np.array_equal(level, want)
    assert any("did not take the texture. Pass device=" in e for e in errors), errors


@pytest.mark.parametrize("name", ["AreaMax", "AreaMin"])
def test_windows_whose_margins_no_texture_holds(metal: mps.Device, name: str) -> None:
    kernel = getattr(mps.image, name)
    x = np.zeros((1, 16384), np.uint8)
    limit = r"401 x 3 px over 16384 x 1 pixels; allowed there: 16384 pixels a side, margins included\. Cut the picture"
    with pytest.raises(mps.UnsupportedError, match=limit):
        kernel(kernel_width=401)(x)
    assert kernel(kernel_width=401)(x[:, :-160]).shape == (1, 16224)
