"""EDLines against the geometry of pictures that are drawn here: within 2 px and 2 degrees of the edges that are there, and none else."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES
from tests.support.frame import Framed

EDLines = mps.image.EDLines
Array = NDArray[Any]
Ends = tuple[float, float, float, float]


def picture(inside: Array, dtype: str = "uint8", low: float = 0.2, high: float = 0.8) -> Array:
    values = np.where(inside, high, low)
    return np.rint(values * np.iinfo(dtype).max).astype(dtype) if dtype in CODES else values.astype(dtype)


def grid(height: int, width: int) -> tuple[Array, Array]:
    y, x = np.mgrid[0:height, 0:width]
    return x, y


def distance(points: Array, line: Ends) -> Array:
    a, b = np.array(line[:2]), np.array(line[2:])
    d = (b - a) / np.hypot(*(b - a))
    return np.abs((points[..., 0] - a[0]) * d[1] - (points[..., 1] - a[1]) * d[0])


def assert_lines(got: Array, count: int, wanted: list[Ends], part: float = 0.85) -> None:
    """Every segment lies along one of these, and they are covered."""
    assert not got[count:].any()
    covered = np.zeros(len(wanted))
    for segment in got[:count].astype(float):
        ends = segment.reshape(2, 2)
        errors = [distance(ends, w).max() for w in wanted]
        best = int(np.argmin(errors))
        assert errors[best] <= 2, f"{segment} lies {errors[best]:.1f} px from every line"
        w = wanted[best]
        length = np.hypot(w[2] - w[0], w[3] - w[1])
        turned = np.cross([*(ends[1] - ends[0]), 0], [w[2] - w[0], w[3] - w[1], 0])[2]
        assert abs(turned) <= np.sin(np.radians(2)) * length * np.hypot(*(ends[1] - ends[0]))
        covered[best] += np.hypot(*(ends[1] - ends[0])) / length
    assert (covered >= part).all(), f"covered: {covered}"
    assert (covered <= 1.1).all(), f"covered: {covered}"


@pytest.mark.parametrize("dtype", IMAGE_DTYPES)
def test_a_step(engine: Engine, dtype: str) -> None:
    x, y = grid(90, 120)
    for ends in ((60, 0, 60, 89), (0, 45, 119, 45), (20, 0, 109, 89), (0, 70, 119, 20), (40, 0, 75, 89)):
        side = (x - ends[0]) * (ends[3] - ends[1]) - (y - ends[1]) * (ends[2] - ends[0]) + 0.5
        for inside in (side > 0, side < 0):
            endpoints, counts = EDLines()(picture(inside, dtype))
            assert (endpoints.shape, endpoints.dtype, counts.shape, counts.dtype) == (
                (256, 4),
                np.uint16,
                (1,),
                np.uint32,
            )
            assert_lines(endpoints, int(counts[0]), [ends])


def test_several_lines(engine: Engine) -> None:
    x, y = grid(200, 300)
    bands = ((y - 0.1 * x) % 60 < 30) & (y - 0.1 * x > 0) & (y - 0.1 * x < 150)
    wanted = [(0.0, 30.0 * i - 0.5, 299.0, 30.0 * i + 29.4) for i in range(6)]
    wanted = [(0.0, a, 299.0, b) for _, a, _, b in wanted if b < 199]
    endpoints, counts = EDLines(max_lines=20)(picture(bands))
    assert endpoints.shape == (20, 4)
    assert_lines(endpoints, int(counts[0]), wanted)
    few, counts = EDLines(max_lines=3)(picture(bands))
    assert counts == [3]
    known = {tuple(sorted((tuple(e[:2]), tuple(e[2:])))) for e in endpoints.tolist()}
    assert {tuple(sorted((tuple(e[:2]), tuple(e[2:])))) for e in few.tolist()} <= known


def test_edges_are_drawn(engine: Engine) -> None:
    x, y = grid(80, 100)
    for dtype in ("uint8", "float32"):
        src = picture(x - 0.5 * y > 30, dtype)
        endpoints, counts, (edges,) = EDLines()(src, return_edges=True)
        assert (edges.shape, edges.dtype) == (src.shape, src.dtype)
        assert set(np.unique(edges)) == {0, 255 if dtype == "uint8" else 1}
        ys, xs = np.nonzero(edges)
        assert np.abs(xs - 0.5 * ys - 30).max() <= 2
        assert len(np.unique(ys)) >= 76
        ends, number = EDLines()(src)
        np.testing.assert_array_equal(ends, endpoints)
        np.testing.assert_array_equal(number, counts)


def test_batches_parts_and_memory(engine: Engine) -> None:
    x, _ = grid(90, 110)
    shifts = (20, 55, 80)
    src = Framed((3, 90, 110, 1), "uint8", 2, fill=0x99)
    src.array[..., 0] = [picture(x > s) for s in shifts]
    kernel: Any = EDLines(max_lines=5, clip_rect_source=(10, 30, 80, 200))
    ends, counts, edges = Framed((3, 5, 4), "uint16", 1), np.full(3, 99, np.uint32), Framed((3, 90, 110, 1), "uint8", 2)
    got = kernel(src.array, out=(ends.array, counts, edges.array), return_edges=True)
    assert got[0] is ends.array
    ends.check()
    edges.check()
    for n, shift in enumerate(shifts):
        assert_lines(ends.array[n], int(counts[n]), [(shift + 0.5, 30, shift + 0.5, 89)])
    if not engine.is_metal:
        assert not edges.array[:, :30].any()
    else:
        # Whether MPS draws beyond the part that it searches is open.
        assert edges.array[:, 30:].any()
    before = mps.num_threads()
    many = np.repeat(src.array, 4, 0)
    try:
        for threads in (1, 3):
            mps.set_num_threads(threads)
            again, numbers = kernel(many)
            np.testing.assert_array_equal(again, np.repeat(ends.array, 4, 0))
            np.testing.assert_array_equal(numbers, np.repeat(counts, 4))
    finally:
        mps.set_num_threads(before)


def test_nothing_there(engine: Engine, rng: np.random.Generator) -> None:
    for shape in ((1, 1), (3, 200), (70, 70)):
        endpoints, counts = EDLines()(np.full(shape, 77, np.uint8))
        assert counts == [0]
        assert not endpoints.any()
    x, _ = grid(90, 120)
    step = picture(x > 60)
    assert EDLines(min_line_length=91)(step)[1] == [0]
    assert EDLines(gradient_threshold=2.5)(step)[1] == [0]
    assert EDLines(gradient_threshold=1)(step)[1] == [0]  # 8 * 0.6 / (2 sqrt(2 pi)) at most, as it is blurred
    assert EDLines(gradient_threshold=0.85)(step)[1] == [1]
    assert EDLines(gaussian_sigma=0, gradient_threshold=2.3)(step)[1] == [1]


def test_sides_of_polygons(engine: Engine) -> None:
    if engine.is_metal:
        pytest.skip("needs the CPU engine's rule for corners")
    x, y = grid(160, 200)
    endpoints, counts = EDLines()(picture((x >= 40) & (x < 150) & (y >= 30) & (y < 120)))
    sides = [
        (39.5, 29.5, 149.5, 29.5),
        (39.5, 119.5, 149.5, 119.5),
        (39.5, 29.5, 39.5, 119.5),
        (149.5, 29.5, 149.5, 119.5),
    ]
    assert_lines(endpoints, int(counts[0]), sides, 0.75)
    lengths = np.hypot(endpoints[:, 2] - endpoints[:, 0].astype(float), endpoints[:, 3] - endpoints[:, 1].astype(float))
    assert (np.diff(lengths) <= 2).all()
    assert (endpoints[:, 1] <= endpoints[:, 3]).all()
    diamond = np.abs(x - 100) / 70 + np.abs(y - 80) / 60 < 1
    endpoints, counts = EDLines(detail_ratio=7)(picture(diamond))
    assert_lines(
        endpoints, int(counts[0]), [(100, 20, 170, 80), (100, 20, 30, 80), (100, 140, 30, 80), (100, 140, 170, 80)], 0.7
    )


def test_lines_are_merged(engine: Engine) -> None:
    if engine.is_metal:
        pytest.skip("needs the CPU engine's rule for gaps")
    x, y = grid(200, 100)
    # The step fades away in the middle, too slowly for an edge of its own.
    src = np.where(x > 50, 0.2 + 0.6 * np.minimum(np.abs(y - 100) / 30, 1), 0.2).astype(np.float32)
    _, counts = EDLines(merge_locality_threshold=0)(src)
    assert counts == [2]
    joined, counts = EDLines(merge_locality_threshold=0.1)(src)
    assert counts == [1]
    assert joined[0, 3] - joined[0, 1] > 190


def test_value(engine: Engine) -> None:
    kernel = EDLines()
    assert (kernel.gaussian_sigma, kernel.min_line_length, kernel.max_lines, kernel.detail_ratio) == (2, 32, 256, 32)
    assert (kernel.gradient_threshold, kernel.line_error_threshold, kernel.merge_locality_threshold) == (
        0.2,
        0.05,
        0.0025,
    )
    assert kernel.clip_rect_source is None
    assert EDLines(max_lines=5) == EDLines(max_lines=5) != kernel


def test_errors(engine: Engine) -> None:
    def refused(error: type[Exception], text: str, call: Any) -> None:
        with pytest.raises(error, match=re.escape(text)):
            call()

    x = np.zeros((4, 5), np.uint8)
    refused(
        ValueError,
        "EDLines: image has 3 channels; allowed: 1. Pass one of them, or a gray picture.",
        lambda: EDLines()(np.zeros((4, 5, 3), np.uint8)),
    )
    refused(ValueError, "allowed: at least one pixel.", lambda: EDLines()(np.zeros((0, 5), np.uint8)))
    refused(
        ValueError,
        "image is 65537 x 1 pixels; allowed: 65536 a side",
        lambda: EDLines()(np.zeros((1, 65537), np.uint8)),
    )
    refused(
        ValueError,
        "min_line_length is 0; allowed: 1 <= min_line_length <= 65535 px.",
        lambda: EDLines(min_line_length=0),
    )
    refused(
        ValueError,
        "detail_ratio is 65536; allowed: 1 <= detail_ratio <= 65535 px.",
        lambda: EDLines(detail_ratio=65536),
    )
    refused(
        ValueError,
        "clip_rect_source begins at (5, 0) and holds no pixel of image (5 x 4)",
        lambda: EDLines(clip_rect_source=(5, 0, 1, 1))(x),
    )
    refused(ValueError, "clip_rect_source selects images by z", lambda: EDLines(clip_rect_source=(0, 0, 1, 1, 1, 1))(x))
    refused(TypeError, "dtype is float32; allowed: none, endpoints are uint16", lambda: EDLines()(x, dtype="float32"))
    refused(ValueError, "channels is 1; allowed: none", lambda: EDLines()(x, channels=1))
    out = (np.zeros((255, 4), np.uint16), np.zeros(1, np.uint32))
    refused(ValueError, "endpoints is (255, 4) uint16; allowed: (256, 4) uint16.", lambda: EDLines()(x, out=out))
