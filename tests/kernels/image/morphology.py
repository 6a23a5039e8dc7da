"""What tests of AreaMax, AreaMin, Dilate and Erode share. `sign` is 1 for the largest and -1 for the smallest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.kernels.image import filters
from tests.support.compare import assert_close
from tests.support.engine import Engine
from tests.support.formats import CODES, random_image

Array = NDArray[Any]

# Shape, window (height, width): single pixels; one lane more and less; channel counts; more than a tile; beyond the picture; runs that
# are whole and that overlap, on every level of four.
CASES = [
    ((1, 1, 1, 1), (3, 3)), ((1, 5, 7, 1), (1, 1)), ((2, 9, 33, 3), (3, 5)), ((1, 17, 15, 4), (7, 1)), ((3, 8, 16, 2), (9, 9)),
    ((1, 4, 2100, 1), (3, 3)), ((1, 90, 40, 3), (17, 11)), ((2, 6, 3, 7), (1, 3)), ((1, 40, 130, 1), (33, 29)), ((1, 30, 20, 1), (63, 127)),
]  # fmt: skip


def extreme(source: Array, height: int, width: int, sign: int) -> Array:
    """Along one axis, then along the other: stored elements, beyond the border the nearest."""
    x = source.astype(np.float64) * sign
    for axis, side in ((1, height), (2, width)):
        length, reach = x.shape[axis], side // 2
        x = np.stack(
            [x.take(range(max(i - reach, 0), min(i + reach + 1, length)), axis).max(axis) for i in range(length)], axis
        )
    return (x * sign).astype(source.dtype)


def area_matches(engine: Engine, rng: np.random.Generator, kernel: type, dtype: str, sign: int) -> None:
    for shape, (height, width) in CASES:
        x = random_image(rng, shape, dtype)
        got = kernel(kernel_width=width, kernel_height=height)(x)
        assert (got.shape, got.dtype) == (x.shape, x.dtype)
        np.testing.assert_array_equal(got, extreme(x, height, width, sign))


def area_reference(height: int, width: int, sign: int) -> filters.Reference:
    return lambda look: sign * (sign * filters.stack(look, height, width)).max(0)


def area_places(engine: Engine, rng: np.random.Generator, kernel: type, dtype: str, sign: int) -> None:
    for width, height in ((5, 3), (9, 13)):
        k = kernel(kernel_width=width, kernel_height=height)
        filters.run_places(engine, rng, dtype, k, area_reference(height, width, sign))
    k = kernel(kernel_width=3, kernel_height=5)
    filters.run_formats(engine, rng, dtype, k, area_reference(5, 3, sign))


def large_windows(engine: Engine, rng: np.random.Generator, kernel: type, sign: int) -> None:
    """Beyond what Apple's classes do at once: several passes, also where offset leads outside."""
    x = rng.permutation(np.arange(3 * 1600) % 60000).astype(np.uint16).reshape(1, 3, 1600, 1)
    for width, height in ((243, 1), (1023, 3), (481, 263)):
        k = kernel(kernel_width=width, kernel_height=height)
        np.testing.assert_array_equal(k(x), extreme(x, height, width, sign))
    for offset, clip in (((-300, -2), (0, 0, 700, 3)), ((1500, 1), (20, 1, 600, 2))):
        k = kernel(kernel_width=401, kernel_height=3, offset=offset, clip_rect=clip)
        out = np.zeros((1, 3, 720, 1), np.uint16)
        k(x, out=out)
        wide = np.pad(x, ((0, 0), (4, 4), (1000, 1000), (0, 0)), mode="edge")
        whole = extreme(wide, 3, 401, sign)
        rows = slice(clip[1], min(clip[1] + clip[3], 3))
        top = offset[1] + 4
        wanted = whole[:, top : top + rows.stop - rows.start, offset[0] + 1000 : offset[0] + 1000 + clip[2]]
        np.testing.assert_array_equal(out[:, rows, clip[0] : clip[0] + clip[2]], wanted)


def area_values(engine: Engine, rng: np.random.Generator, kernel: type, sign: int) -> None:
    """Metamorphic: flat, mirrored and turned pictures, windows of windows, infinity, tiles, threads."""
    for dtype in ("uint8", "float32"):  # read where it lies, rows that all lie within
        x = random_image(rng, (1, 20, 300, 1), dtype)
        out = np.zeros((1, 8, 300, 1), dtype)
        kernel(kernel_width=9, kernel_height=11, offset=(0, 6))(x, out=out)
        np.testing.assert_array_equal(out, extreme(x, 11, 9, sign)[:, 6:14])
    for dtype in ("uint8", "float16", "float32"):
        x = random_image(rng, (26, 41), dtype)
        k = kernel(kernel_width=7, kernel_height=3)
        for turn in (np.flipud, np.fliplr):
            np.testing.assert_array_equal(k(np.ascontiguousarray(turn(x))), turn(k(x)))
        turned = kernel(kernel_width=3, kernel_height=7)
        np.testing.assert_array_equal(turned(np.ascontiguousarray(x.T)), k(x).T)
        twice = kernel(kernel_width=13, kernel_height=5)
        np.testing.assert_array_equal(k(k(x)), twice(x))
    infinite = np.full((9, 20), 0.5, np.float32)
    infinite[4, 7] = sign * np.inf
    wanted = np.full((9, 20), 0.5)
    wanted[3:6, 4:11] = sign * np.inf
    np.testing.assert_array_equal(k(infinite), wanted)
    filters.run_tiles(engine, k, random_image(rng, (33, 47, 3), "uint8"), (11, 16))
    filters.run_threads(engine, k, random_image(rng, (150, 300), "float32"))


def area_errors(kernel: type) -> None:
    name = kernel.__name__
    filters.plain_errors(kernel())
    filters.refused(ValueError, f"{name}: kernel_width is 4; allowed: ", lambda: kernel(kernel_width=4))
    filters.refused(ValueError, f"{name}: kernel_height is 1025; allowed: ", lambda: kernel(kernel_height=1025))
    filters.refused(ValueError, f"{name}: edge_mode is 'zero'; allowed: 'clamp'", lambda: kernel(edge_mode="zero"))


# ---- Dilate and Erode


def probed(values: Any, sign: int) -> filters.Reference:
    probe = np.asarray(values, np.float64)
    return lambda look: sign * (sign * filters.stack(look, *probe.shape) - probe.reshape(-1, 1, 1, 1, 1)).max(0)


def random_probe(rng: np.random.Generator, height: int, width: int, kind: str = "any") -> Array:
    values = rng.random((height, width)) * 1.2
    if kind == "signed":
        values -= 0.4
    if kind == "codes":
        values = np.round(values * 255) / 255
    if kind == "shape":
        values = np.floor(values * 1.6)
    values[height // 2, width // 2] = 0
    return values.astype(np.float32)


def probe_matches(engine: Engine, rng: np.random.Generator, kernel: type, dtype: str, sign: int) -> None:
    for i, (shape, (height, width)) in enumerate(CASES[:-1]):
        if width * height > 300:
            height, width = 5, 23
        probe = random_probe(rng, height, width, ("any", "codes", "shape", "signed")[i % 4])
        x = random_image(rng, shape, dtype)
        filters.check(kernel(probe), x, kernel(probe)(x), probed(probe, sign), engine, scale=8)


def probe_places(engine: Engine, rng: np.random.Generator, kernel: type, dtype: str, sign: int) -> None:
    for kind in ("any", "codes"):
        probe = random_probe(rng, 3, 5, kind)
        filters.run_places(engine, rng, dtype, kernel(probe), probed(probe, sign), scale=8)
    filters.run_formats(engine, rng, dtype, kernel(probe), probed(probe, sign), scale=8)


def probe_values(engine: Engine, rng: np.random.Generator, kernel: type, area: type, sign: int) -> None:
    for dtype in ("uint8", "uint16", "float32"):
        x = random_image(rng, (26, 41, 3), dtype)
        flat = kernel(np.zeros((5, 7), np.float32))
        np.testing.assert_array_equal(flat(x), area(kernel_width=7, kernel_height=5)(x))
        if dtype in CODES:  # places that are left out: exact
            shape = np.ones((5, 5), np.float32)
            shape[2] = shape[:, 2] = 0
            stored = x.astype(np.float64)[None]
            wanted = probed(shape * CODES[dtype], sign)(filters.looker(stored, (26, 41)))[0]
            np.testing.assert_array_equal(kernel(shape)(x), np.clip(wanted, 0, CODES[dtype]))
    for low, high in ((0, 0.25), (0, 1.5), (-0.5, 0)):  # two numbers, elements beyond [0, 1]
        probe = np.where(rng.random((7, 9)) < 0.4, low, high).astype(np.float32)
        probe[3, 4] = 0
        for dtype in ("float16", "float32"):
            x = (random_image(rng, (1, 20, 61, 2), dtype) * 6 - 3).astype(dtype)
            filters.check(kernel(probe), x, kernel(probe)(x), probed(probe, sign), engine, scale=8)
    probe = random_probe(rng, 3, 5)
    x = random_image(rng, (26, 41), "float32")
    for turn in (np.flipud, np.fliplr, np.transpose):
        turned = kernel(np.ascontiguousarray(turn(probe)))
        assert_close(turned(np.ascontiguousarray(turn(x))), turn(kernel(probe)(x)), 1e-6)
    point = np.full((9, 9), 0.5 - sign * 0.4, np.float32)
    point[4, 4] = 0.5 + sign * 0.4
    got = kernel(probe)(
        point
    )  # the probe is not turned around: the window's first place looks at what is above and to the left
    assert_close(
        got[3:6, 2:7], sign * np.maximum(sign * (0.5 + sign * 0.4) - probe[::-1, ::-1], sign * (0.5 - sign * 0.4)), 1e-6
    )
    filters.run_tiles(engine, kernel(probe), random_image(rng, (33, 47, 3), "uint8"), (11, 16))


def probe_errors(kernel: type) -> None:
    name = kernel.__name__
    zeros = np.zeros((3, 3), np.float32)
    filters.plain_errors(kernel(zeros))
    ones = np.ones((3, 3), np.float32)
    for error, text, call in (
        (ValueError, f"{name}: values is None; allowed: a float32 array of (kernel_height, kernel_width).", lambda: kernel()),
        (ValueError, f"{name}: values has 1.0 in its centre; allowed: 0, as Apple's classes assume.", lambda: kernel(ones)),
        (TypeError, f"{name}: values is float64; allowed: float32.", lambda: kernel(np.zeros((3, 3)))),
        (ValueError, f"{name}: values is 3 x 2; allowed: odd sides", lambda: kernel(zeros[:, :2])),
        (ValueError, f"{name}: values has inf in it; allowed: finite numbers.", lambda: kernel(ones * np.float32("inf"))),
        (ValueError, f"{name}: edge_mode is 'zero'; allowed: 'clamp'", lambda: kernel(zeros, edge_mode="zero")),
    ):  # fmt: skip
        filters.refused(error, text, call)
