"""FindKeypoints against the pixels that NumPy finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.engine import Engine
from tests.support.frame import Framed

FindKeypoints = mps.image.FindKeypoints
KEYPOINT = np.dtype([("x", "<u2"), ("y", "<u2"), ("value", "<f4")])
Array = NDArray[Any]


def reference(x: Array, threshold: float, maximum: int, regions: Any) -> tuple[Array, Array]:
    v = x.astype(np.float32) / np.float32(255)
    counts, data = [], np.zeros((len(regions), maximum), KEYPOINT)
    for r, (left, top, width, height) in enumerate(regions):
        ys, xs = np.nonzero(v[top : top + height, left : left + width] >= np.float32(threshold))
        n = min(len(ys), maximum)
        counts.append(n)
        data[r, :n]["x"], data[r, :n]["y"] = xs[:n] + left, ys[:n] + top
        data[r, :n]["value"] = v[ys[:n] + top, xs[:n] + left]
    return data, np.array(counts, np.uint32)


def assert_found(engine: Engine, got: Any, wanted: Any) -> None:
    (data, counts), (wanted_data, wanted_counts) = got, wanted
    assert (data.dtype, counts.dtype) == (KEYPOINT, np.uint32)
    np.testing.assert_array_equal(counts, wanted_counts)
    # A device promises no order.
    np.testing.assert_array_equal(np.sort(data) if engine.is_metal else data, np.sort(wanted_data) if engine.is_metal else wanted_data)  # fmt: skip


def test_matches_numpy(engine: Engine, rng: np.random.Generator) -> None:
    for shape in [(1, 1), (3, 5), (1, 31), (2, 32), (7, 33), (5, 64), (3, 129), (17, 300)]:
        x = rng.integers(0, 256, shape).astype(np.uint8)
        for threshold in (0.0, 0.3, 128 / 255, 0.9, 1.0):
            got = FindKeypoints(maximum_keypoints=x.size, minimum_threshold_value=threshold)(x)
            assert_found(engine, got, reference(x, threshold, x.size, [(0, 0, shape[1], shape[0])]))
            got = FindKeypoints(maximum_keypoints=x.size, minimum_threshold_value=threshold)(np.zeros_like(x) + 255)
            assert got[1] == [x.size]


def test_every_code_and_threshold(engine: Engine) -> None:
    x = np.arange(256, dtype=np.uint8).reshape(2, 128)
    for code in (0, 1, 2, 77, 127, 128, 254, 255):
        exact = np.float32(code) / np.float32(255)
        for threshold in (exact, np.nextafter(exact, np.float32(2)), np.nextafter(exact, np.float32(-1))):
            threshold = min(max(float(threshold), 0.0), 1.0)
            got = FindKeypoints(maximum_keypoints=256, minimum_threshold_value=threshold)(x)
            assert_found(engine, got, reference(x, threshold, 256, [(0, 0, 128, 2)]))


def test_regions_and_batches(engine: Engine, rng: np.random.Generator) -> None:
    src = Framed((3, 41, 67, 1), "uint8", 2, fill=0xFF)
    src.array[...] = rng.integers(0, 256, src.array.shape)
    regions = [(0, 0, 67, 41), (5, 40, 1, 1), (3, 7, 40, 20), (60, 30, 100, 100)]
    cut = [*regions[:3], (60, 30, 7, 11)]
    kernel = FindKeypoints(maximum_keypoints=3000, minimum_threshold_value=0.75, regions=regions)
    assert kernel.regions == tuple(regions)
    found = [reference(image[..., 0], 0.75, 3000, cut) for image in src.array]
    wanted = np.stack([f[0] for f in found]), np.stack([f[1] for f in found])
    assert_found(engine, kernel(src.array), wanted)
    data, counts = Framed((3, 4, 3000), "uint64", 1), Framed((3, 4), "uint32", 1)
    view = data.array.view(KEYPOINT)
    got = kernel(src.array, out=(view, counts.array))
    assert got[0] is view
    assert_found(engine, (view, counts.array), wanted)
    data.check()
    counts.check()
    before = mps.num_threads()
    try:
        for threads in (1, 3):
            mps.set_num_threads(threads)
            assert_found(engine, kernel(np.repeat(src.array, 20, 0)), tuple(np.repeat(w, 20, 0) for w in wanted))
    finally:
        mps.set_num_threads(before)


def test_more_than_there_is_room_for(engine: Engine, rng: np.random.Generator) -> None:
    x = rng.integers(0, 256, (50, 300)).astype(np.uint8)
    for maximum in (1, 7, 300, 2000):
        data, counts = FindKeypoints(maximum_keypoints=maximum, minimum_threshold_value=0.8)(x)
        assert counts == [maximum]
        wanted = reference(x, 0.8, maximum, [(0, 0, 300, 50)])
        if not engine.is_metal:
            assert_found(engine, (data, counts), wanted)
        assert (x[data[0]["y"], data[0]["x"]] >= 204).all()
        np.testing.assert_array_equal(data[0]["value"], x[data[0]["y"], data[0]["x"]] / np.float32(255))
        assert len({(int(k["x"]), int(k["y"])) for k in data[0]}) == maximum


def test_images_give_matrices(engine: Engine, rng: np.random.Generator) -> None:
    x = rng.integers(0, 256, (9, 20)).astype(np.uint8)
    device = next(d for d in mps.devices() if str(d) == engine.device)
    kernel = FindKeypoints(maximum_keypoints=180)
    data, counts = kernel(mps.Image(x, device=device))
    assert (data.shape, counts.shape) == ((1, 360), (1,))
    wanted = reference(x, 0.5, 180, [(0, 0, 20, 9)])
    assert_found(engine, (np.asarray(data).view(mps.image.KeypointData), np.asarray(counts)), wanted)
    with device.command_buffer() as buffer:
        strong = mps.image.ThresholdToZero(threshold_value=0.7).encode(buffer, x)
        data, counts = kernel.encode(buffer, strong, temporary=False)
    assert counts.shape == (1,)
    wanted = reference(np.where(x > 178.5, x, 0), 0.5, 180, [(0, 0, 20, 9)])
    assert_found(engine, (np.asarray(data).view(KEYPOINT), np.asarray(counts)), wanted)


def test_value(engine: Engine) -> None:
    kernel = FindKeypoints(regions=[[1, 2, 3, 4]])
    assert kernel == FindKeypoints(regions=((1, 2, 3, 4),))
    assert hash(kernel) != hash(FindKeypoints())
    assert (kernel.maximum_keypoints, kernel.minimum_threshold_value) == (1024, 0.5)
    assert mps.image.KeypointData == KEYPOINT


@pytest.mark.parametrize(
    ("options", "shape", "message"),
    [
        ({}, (2, 3, 2), r"FindKeypoints: image has 2 channels; allowed: 1\. Pass one of them"),
        ({}, (0, 3), r"FindKeypoints: image is .*; allowed: at least one pixel\."),
        ({}, (1, 65537), r"FindKeypoints: image is 65537 x 1 pixels; allowed: 65536 a side, as x and y have 16 bits\."),
        ({"regions": [(0, 0, 1, 1), (3, 0, 1, 1)]}, (2, 3), r"region 1 is \(3, 0, 1, 1\) and holds no pixel of image \(3 x 2\); allowed: rectangles"),
        ({"regions": [(0, 0, 0, 1)]}, (2, 3), r"region 0 is \(0, 0, 0, 1\) and holds no pixel"),
    ],
)  # fmt: skip
def test_refuses_pictures(engine: Engine, options: dict[str, Any], shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FindKeypoints(**options)(np.zeros(shape, np.uint8))


def test_refuses_the_rest(engine: Engine) -> None:
    x = np.zeros((4, 5), np.uint8)
    kernel: Any = FindKeypoints(maximum_keypoints=3)
    with pytest.raises(TypeError, match=r"FindKeypoints: image is float32; allowed: uint8\."):
        kernel(x.astype(np.float32))
    with pytest.raises(ValueError, match="maximum_keypoints is 0; allowed: 1 <= maximum_keypoints"):
        FindKeypoints(maximum_keypoints=0)
    with pytest.raises(
        ValueError, match=r"minimum_threshold_value is 1\.5; allowed: 0 <= minimum_threshold_value <= 1"
    ):
        FindKeypoints(minimum_threshold_value=1.5)
    with pytest.raises(ValueError, match="regions is -1; allowed: 0 <= regions"):
        FindKeypoints(regions=[(-1, 0, 1, 1)])
    with pytest.raises(
        ValueError, match=r"keypoints is .*; allowed: \(1, 6\) uint32.*half as wide of mps\.image\.KeypointData"
    ):
        kernel(x, out=(np.zeros((1, 4), KEYPOINT), np.zeros(1, np.uint32)))
    with pytest.raises(ValueError, match=r"counts is \(2,\) uint32; allowed: \(1,\) uint32, one for each region"):
        kernel(x, out=(np.zeros((1, 3), KEYPOINT), np.zeros(2, np.uint32)))
    with pytest.raises(TypeError, match="dtype is float32; allowed: none, keypoints are records"):
        kernel(x, dtype="float32")
    with pytest.raises(ValueError, match="channels is 2; allowed: none"):
        kernel(x, channels=2)
