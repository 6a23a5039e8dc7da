"""Median against NumPy's partition: always one of the window's elements, so exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image import filters
from tests.support.engine import Engine
from tests.support.formats import IMAGE_DTYPES, random_image

Median = mps.image.Median
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)

# Shape, diameter: each way of doing it for each format, channel counts, alpha, more than a tile, beyond the picture.
CASES = [
    ((1, 1, 1, 1), 3), ((1, 5, 7, 1), 5), ((2, 9, 33, 3), 3), ((1, 17, 15, 4), 5), ((3, 8, 16, 2), 7), ((1, 40, 150, 1), 7),
    ((1, 4, 1100, 1), 3), ((1, 12, 20, 3), 9), ((1, 9, 11, 4), 11), ((1, 20, 31, 1), 13), ((1, 19, 40, 2), 15), ((1, 11, 30, 1), 17),
    ((1, 3, 5, 1), 41), ((1, 6, 9, 7), 11), ((1, 21, 70, 2), 21),
]  # fmt: skip


def middle(diameter: int) -> filters.Reference:
    def reference(look: filters.Look) -> filters.Exact:
        pixels = filters.stack(look, diameter, diameter)
        half = diameter * diameter // 2
        out: filters.Exact = np.partition(pixels, half, axis=0)[half]
        if out.shape[-1] == 4:
            out[..., 3] = look(0, 0)[..., 3]  # alpha passes
        return out

    return reference


def skip_on_metal(engine: Engine, dtype: str) -> None:
    if engine.is_metal and dtype != "uint8":
        pytest.skip("MPSImageMedian takes 8 bits a channel")


@DTYPES
@pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
def test_matches(engine: Engine, rng: np.random.Generator, dtype: str, edge_mode: str) -> None:
    skip_on_metal(engine, dtype)
    for shape, diameter in CASES:
        is_refused = engine.is_metal and shape[3] > 4
        if is_refused or (edge_mode == "zero" and diameter > 7):
            continue
        x = random_image(rng, shape, dtype)
        got = Median(kernel_diameter=diameter, edge_mode=edge_mode)(x)
        wanted = middle(diameter)(filters.looker(x.astype(np.float64), shape[1:3], edge_mode))
        np.testing.assert_array_equal(got, wanted.astype(dtype), f"{shape}, {diameter}")


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    skip_on_metal(engine, dtype)
    for diameter, channels, edge_mode in ((3, 2, "clamp"), (7, 3, "zero"), (5, 4, "clamp")):
        filters.run_places(engine, rng, dtype, Median(kernel_diameter=diameter), middle(diameter), edge_mode, channels)


@DTYPES
def test_formats_may_differ(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    if engine.is_metal:
        x = random_image(rng, (5, 6), "uint8")
        filters.refused(
            mps.UnsupportedError,
            "allowed there: uint8, as MPSImageMedian takes 8 bits a channel.",
            lambda: Median()(x, dtype="float32"),
        )
        return
    for diameter in (3, 11):
        filters.run_formats(engine, rng, dtype, Median(kernel_diameter=diameter), middle(diameter))
    x = random_image(rng, (5, 6, 6), dtype)
    got = Median(kernel_diameter=11)(x, dtype="float32")
    np.testing.assert_array_equal(
        got, np.dstack([Median(kernel_diameter=11)(x[..., i], dtype="float32") for i in range(6)])
    )


def test_large_windows_of_smooth_and_of_wild_pictures(engine: Engine, rng: np.random.Generator) -> None:
    ramp = np.add.outer(np.arange(50) * 3, np.arange(90) * 2).astype(np.uint8)[None, ..., None]
    steps = np.kron(rng.integers(0, 256, (10, 18)), np.ones((5, 5))).astype(np.uint8)[None, ..., None]
    for x in (ramp, steps):
        for diameter in (9, 21, 43):
            wanted = middle(diameter)(filters.looker(x.astype(np.float64), x.shape[1:3]))
            np.testing.assert_array_equal(Median(kernel_diameter=diameter)(x), wanted)
    flat = np.full((20, 30), 77, np.uint8)
    np.testing.assert_array_equal(Median(kernel_diameter=127)(flat), flat)


def test_extreme_values(engine: Engine, rng: np.random.Generator) -> None:
    if engine.is_metal:
        pytest.skip("MPSImageMedian takes 8 bits a channel")
    x = rng.choice([-np.inf, -1e30, -1e-40, 0.0, 1e-40, 2.5, np.inf], (1, 20, 24, 1)).astype(np.float32)
    for diameter in (3, 5, 7, 15):
        wanted = middle(diameter)(filters.looker(x.astype(np.float64), (20, 24)))
        np.testing.assert_array_equal(Median(kernel_diameter=diameter)(x), wanted)


def test_mirrored_and_turned_pictures(engine: Engine, rng: np.random.Generator) -> None:
    x = random_image(rng, (26, 41), "uint8")
    for diameter in (3, 5, 9):
        k = Median(kernel_diameter=diameter)
        for turn in (np.flipud, np.fliplr, np.transpose):
            np.testing.assert_array_equal(k(np.ascontiguousarray(turn(x))), turn(k(x)))
        np.testing.assert_array_equal(k(255 - x), 255 - k(x))
        filters.run_tiles(engine, k, random_image(rng, (33, 47, 3), "uint8"), (11, 16))


def test_threads_do_not_change_the_result(engine: Engine, rng: np.random.Generator) -> None:
    for diameter in (9, 13, 43):
        filters.run_threads(engine, Median(kernel_diameter=diameter), random_image(rng, (150, 300), "uint8"))


def test_opencv_agrees(engine: Engine, rng: np.random.Generator) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    x = random_image(rng, (45, 61, 3), "uint8")
    for diameter in (3, 5, 13):
        np.testing.assert_array_equal(Median(kernel_diameter=diameter)(x), cv2.medianBlur(x, diameter))


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    filters.refused(ValueError, "Median: kernel_diameter is 4; allowed: ", lambda: Median(kernel_diameter=4))
    filters.refused(ValueError, "Median: kernel_diameter is 129; allowed: ", lambda: Median(kernel_diameter=129))
    filters.refused(ValueError, "Median: kernel_diameter is 1; allowed: ", lambda: Median(kernel_diameter=1))
    if not engine.is_metal:
        filters.plain_errors(Median())
        return
    x = np.zeros((4, 5, 6), np.uint8)
    filters.refused(mps.UnsupportedError, "image has 6 channels; allowed there: 4", lambda: Median()(x))
