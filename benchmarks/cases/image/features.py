"""Keypoints, edges and segments at 1920 x 1080."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

from ...harness import definitions
from ...harness.case import Case, Wanted
from ...harness.pictures import picture
from ...peers import kornia, opencv_features


def cases(threads: int, wanted: Wanted) -> Iterator[Case]:
    yield from _keypoints(threads, wanted)
    yield from _edges(threads, wanted)
    yield from _segments(threads, wanted)


def _keypoints(threads: int, wanted: Wanted) -> Iterator[Case]:
    for part, kind in ((0.0001, "g8"), (0.02, "g8"), (0.02, "4K g8")):
        if wanted(name := f"keypoints, {100 * part:g} % of {kind}"):
            x = picture(kind)
            x //= 2
            code = 255
            x[np.random.default_rng(1).random(x.shape) < part] = code
            ys, xs = np.nonzero(x >= code)
            kernel = mps.image.FindKeypoints(
                maximum_keypoints=len(xs) + 1000, minimum_threshold_value=(code - 0.5) / 255
            )
            out = (np.empty((1, len(xs) + 1000), mps.image.KeypointData), np.empty(1, np.uint32))

            def found(got: Any) -> NDArray[Any]:
                records = got[0][0, : got[1][0]]
                return np.stack([records["x"], records["y"]], -1)

            yield (
                Case(name, "image", lambda xs=xs, ys=ys: np.stack([xs, ys], -1).astype(np.float64), 0.0, x.nbytes + 8.0 * len(xs), 1.0 * x.size)
                .ours(lambda x=x, kernel=kernel, out=out: kernel(x, out=out), found)
                .add(opencv_features.places(x, code, lambda got: np.reshape(got, (-1, 2)), threads))
            )  # fmt: skip


def _part(edges: Any) -> NDArray[np.float64]:
    """How much of the picture is edge: single pixels of close decisions may differ."""
    return np.array([np.count_nonzero(edges) / edges.size])


def _expected(x: NDArray[Any], sigma: float, low: float, high: float) -> NDArray[np.float64]:
    taps = definitions.gaussian_taps(sigma) if sigma else np.ones(1)

    def along(p: NDArray[Any], taps: NDArray[Any]) -> NDArray[Any]:
        reach = len(taps) // 2
        wide = np.pad(p, ((0, 0), (reach, reach)), "edge")
        return sum(t * wide[:, k : k + p.shape[1]] for k, t in enumerate(taps))  # type: ignore[return-value]

    def both(p: NDArray[Any], across: Any, down: Any) -> NDArray[Any]:
        return along(along(p, np.asarray(across)).T, np.asarray(down)).T

    b = both(x.astype(np.float64), taps, taps)
    gx, gy = both(b, [-1, 0, 1], [1, 2, 1]), both(b, [1, 2, 1], [-1, 0, 1])
    g = np.hypot(gx, gy)
    sector = np.rint(np.arctan2(gy, gx) / (np.pi / 4)).astype(int) % 4
    p = np.pad(g, 1)
    peak = np.zeros(g.shape, bool)
    for s, (dx, dy) in enumerate(((1, 0), (1, 1), (0, 1), (-1, 1))):
        before, behind = (p[1 + k * dy :, 1 + k * dx :][: g.shape[0], : g.shape[1]] for k in (-1, 1))
        peak |= (sector == s) & (g >= before) & (g > behind)
    weak, edge = peak & (g > low), peak & (g > high)
    count = 0
    while count != (count := int(edge.sum())):
        wide = np.pad(edge, 1)
        rows = wide[:-2] | wide[1:-1] | wide[2:]
        edge = weak & (rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:])
    return _part(edge)


def _edges(threads: int, wanted: Wanted) -> Iterator[Case]:
    for sigma, kind in ((0.0, "g8"), (2**0.5, "g8"), (0.0, "4K g8")):
        if wanted(name := f"canny, sigma {sigma:.1f}, {kind}"):
            x = picture(kind)
            low, high = (25.25, 60.25) if sigma else (50.25, 120.25)
            kernel = mps.image.Canny(sigma=sigma, low_threshold=low / 255, high_threshold=high / 255)
            out = mps.empty(x.shape, x.dtype)
            yield (
                Case(name, "image", lambda x=x, s=sigma, a=low, b=high: _expected(x, s, a, b), 1e-4, 2.0 * x.nbytes, 30.0 * x.size)
                .ours(lambda x=x, kernel=kernel, out=out: kernel(x, out=out), _part)
                .add(
                    opencv_features.edges(x, sigma, low, high, _part, threads),
                    None if sigma else kornia.edges(x, low, high, _part),
                )
            )  # fmt: skip


def _segments(threads: int, wanted: Wanted) -> Iterator[Case]:
    if wanted(name := "segments of stripes, g8"):
        y, x = np.mgrid[:1080, :1920]
        stripes = np.where((y + 0.2 * x) % 120 < 60, 60, 190).astype(np.uint8)
        tilt = lambda ends: np.array([np.median((ends[:, 3] - ends[:, 1]) / (ends[:, 2] - ends[:, 0]))])  # noqa: E731
        yield (
            Case(name, "image", lambda: np.array([-0.2]), 0.01, 1.0 * stripes.nbytes, 30.0 * stripes.size)
            .ours(lambda: mps.image.EDLines()(stripes), lambda got: tilt(got[0][: got[1][0]].astype(float)))
            .add(opencv_features.segments(stripes, lambda got: tilt(np.reshape(got, (-1, 4))), threads))
        )
