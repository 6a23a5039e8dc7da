"""Canny against its steps in float64. Pictures of few bits without a blur leave nothing to rounding; others are compared where no
decision is close."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image.reference import separable, written
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES
from tests.support.frame import Framed

Canny = mps.image.Canny
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)
TOP = {"uint8": 255, "uint16": 65535, "float16": 1, "float32": 1}
STEPS = np.array([(1, 0), (1, 1), (0, 1), (-1, 1)])


def blurred(x: Array, sigma: float, edge_mode: str) -> Array:
    radius = int(np.ceil(3.7 * sigma))
    i = np.arange(-radius, radius + 1)
    taps = np.exp(-(i * i) / (2.0 * sigma * sigma)) if sigma else np.ones(1)
    taps = taps / taps.sum()
    return separable(x, taps, taps, x.shape[1:3], edge_mode)


def gradients(x: Array, sigma: float, edge_mode: str) -> tuple[Array, Array]:
    """Of pictures (images, height, width, channels): across, and down."""
    b, smooth, slope = blurred(x, sigma, edge_mode), np.array([1.0, 2, 1]), np.array([-1.0, 0, 1])
    return separable(b, smooth, slope, x.shape[1:3], edge_mode), separable(b, slope, smooth, x.shape[1:3], edge_mode)


def beside(g: Array, sector: Array, sign: int) -> Array:
    p = np.pad(g, 1)
    y, x = np.mgrid[0 : g.shape[0], 0 : g.shape[1]]
    return p[y + 1 + sign * STEPS[sector, 1], x + 1 + sign * STEPS[sector, 0]]


def thin(gx: Array, gy: Array) -> Array:
    """The magnitude where it stays, of one plane."""
    g = np.sqrt(gx * gx + gy * gy)
    sector = np.rint(np.arctan2(gy, gx) / (np.pi / 4)).astype(int) % 4
    return np.where((g >= beside(g, sector, -1)) & (g > beside(g, sector, 1)), g, 0.0)


def follow(strong: Array, weak: Array) -> Array:
    out, work = strong.copy(), list(zip(*np.nonzero(strong), strict=True))
    while work:
        y, x = work.pop()
        for j in range(max(0, y - 1), min(out.shape[0], y + 2)):
            for i in range(max(0, x - 1), min(out.shape[1], x + 2)):
                if weak[j, i] and not out[j, i]:
                    out[j, i] = True
                    work.append((j, i))
    return out


def reference(
    x: Array,
    out_hw: tuple[int, int] | None = None,
    *,
    sigma: float,
    low: float = 0.2,
    high: float = 0.4,
    edge_mode: str = "clamp",
    offset: tuple[int, int] = (0, 0),
    clip_rect: Any = None,
) -> Array:
    """0 and 1, the written part of (images, height, width, channels)."""
    low, high = float(np.float32(low)), float(np.float32(high))
    rows, columns = written(out_hw or x.shape[1:3], clip_rect)
    out = np.zeros((x.shape[0], rows.stop - rows.start, columns.stop - columns.start, x.shape[3]))
    ys, xs = np.arange(out.shape[1]) + offset[1], np.arange(out.shape[2]) + offset[0]
    inside = ((ys >= 0) & (ys < x.shape[1]))[:, None] & ((xs >= 0) & (xs < x.shape[2]))
    gx, gy = gradients(x, sigma, edge_mode)
    for n in range(x.shape[0]):
        for c in range(x.shape[3]):
            g = thin(gx[n, ..., c], gy[n, ..., c])
            g = np.where(inside, g[np.clip(ys, 0, x.shape[1] - 1)[:, None], np.clip(xs, 0, x.shape[2] - 1)], 0.0)
            out[n, ..., c] = follow(g > high, (g > low) & (g <= high))
    return out


def stored(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> tuple[Array, Array, float]:
    """Patches and noise as a picture, its exact elements, and what one of them is: gradients and their squares are exact floats."""
    levels = rng.integers(0, 32, shape)
    levels[:, : shape[1] // 2 + 1, : shape[2] // 2 + 1] //= 8
    if dtype in CODES:
        return levels.astype(dtype), levels.astype(float), 1.0 / TOP[dtype]
    return (levels / 32).astype(dtype), levels / 32, 1.0


def check_exact(
    rng: np.random.Generator, shape: tuple[int, ...], dtype: str, low: float, high: float, **options: Any
) -> None:
    x, exact, scale = stored(rng, shape, dtype)
    unit = scale if dtype in CODES else 1 / 32  # of one level
    got = Canny(sigma=0, low_threshold=low * unit, high_threshold=high * unit, **options)(x)
    assert (got.shape, got.dtype) == (x.shape, x.dtype)
    steps = unit / scale
    options.pop("use_fast_mode", None)
    wanted = reference(exact, sigma=0, low=low * steps, high=high * steps, **options)
    assert 0 < wanted.mean() < 1 or wanted.size < 40
    np.testing.assert_array_equal(got, wanted * TOP[dtype])


# Registers of every ISA and one pixel more or less; wider than a strip, higher than a band.
SHAPES = [
    (1, 1, 1, 1), (1, 1, 18, 1), (1, 19, 1, 1), (2, 9, 33, 3), (1, 17, 15, 4), (3, 8, 16, 2), (1, 31, 1040, 1), (1, 201, 31, 1), (1, 5, 300, 4),
]  # fmt: skip


@DTYPES
def test_matches_the_steps(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape in SHAPES:
        check_exact(rng, shape, dtype, 30.5, 70.25)
    for low, high in ((20.25, 20.25), (0.5, 90.5), (60.5, 100.0)):
        check_exact(rng, (1, 23, 45, 1), dtype, low, high, edge_mode="zero")
        check_exact(rng, (1, 23, 45, 2), dtype, low, high, use_fast_mode=False)


@pytest.mark.parametrize("edge_mode", ["clamp", "zero"])
@pytest.mark.parametrize("sigma", [0.5, 2**0.5, 3.0])
def test_blurred_magnitudes(engine: Engine, rng: np.random.Generator, sigma: float, edge_mode: str) -> None:
    """Equal thresholds leave nothing to follow, so each pixel is judged by itself, wherever no comparison is close."""
    for shape in [(1, 1, 1, 1), (1, 7, 9, 1), (1, 40, 70, 2), (1, 130, 37, 1), (1, 12, 530, 1)]:
        x = rng.uniform(0, 1, shape).astype(np.float32)
        gx, gy = gradients(x.astype(float), sigma, edge_mode)
        level = float(np.float32(np.median(np.hypot(gx, gy))))
        got = Canny(sigma=sigma, low_threshold=level, high_threshold=level, edge_mode=edge_mode)(x)
        for c in range(shape[3]):
            a, b = gx[0, ..., c], gy[0, ..., c]
            g, angle = np.hypot(a, b), np.arctan2(b, a) / (np.pi / 4)
            sector = np.rint(angle).astype(int) % 4
            close = np.abs(g - level) < 1e-5
            close |= (np.abs(g - beside(g, sector, 1)) < 1e-5) | (np.abs(g - beside(g, sector, -1)) < 1e-5)
            close |= np.abs(np.abs(angle - np.rint(angle)) - 0.5) * g < 1e-4
            assert close.mean() < 0.02 or g.size < 100
            np.testing.assert_array_equal(np.where(close, 0, got[0, ..., c]), np.where(close, 0, thin(a, b) > level))


def test_a_picture(engine: Engine, rng: np.random.Generator) -> None:
    y, x = np.mgrid[0:150, 0:200]
    disk = (np.hypot(x - 90, y - 70) < 50) * 0.5 + (np.abs(x - 2 * y) < 30) * 0.2 + rng.normal(0, 0.01, x.shape)
    picture = np.rint(np.clip(disk, 0, 1) * 255).astype(np.uint8)
    got = Canny()(picture) > 0
    wanted = reference(picture[None, ..., None] / 255, sigma=float(np.float32(2**0.5)))[0, ..., 0] > 0
    assert (got & wanted).sum() > 0.995 * (got | wanted).sum() > 300


def test_long_edges_cross_bands_and_strips(engine: Engine) -> None:
    """A weak edge through the whole picture, strong at its far end."""
    contrast = np.interp(np.arange(1100), [1000, 1100], [0.125, 1])
    down = np.where(np.arange(30) < 15, 0, contrast[:, None]).astype(np.float32)
    kernel = Canny(sigma=0, low_threshold=0.25, high_threshold=2)
    for x in (down, down.T.copy()):
        got = kernel(x)
        np.testing.assert_array_equal(got, reference(x[None, ..., None].astype(float), sigma=0, low=0.25, high=2)[0, ..., 0])  # fmt: skip
        assert got.sum() == 1100
        assert not kernel(x[:1000, :1000]).any()


@DTYPES
def test_places(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for options in (
        {"offset": (3, 2), "clip_rect": (3, 2, 11, 9)},
        {"offset": (-4, -3), "edge_mode": "zero"},
        {"offset": (15, 10)},
        {"offset": (500, 0)},
        {"clip_rect": (19, 14, 100, 100)},
        {"offset": (2, -30), "clip_rect": (1, 1, 5, 5)},
    ):
        x, exact, scale = stored(rng, (2, 17, 23, 2), dtype)
        level = 1 / 32 if scale == 1 else scale
        src, dst = Framed(x.shape, dtype, 2, fill=0x3C), Framed(x.shape, dtype, 2)
        src.array[...], dst.array[...] = x, 7
        kernel: Any = Canny(sigma=0, low_threshold=20.25 * level, high_threshold=50.25 * level, **options)
        assert kernel(src.array, out=dst.array) is dst.array
        rows, columns = written(x.shape[1:3], options.get("clip_rect"))
        wanted = np.full(x.shape, 7, dtype)
        wanted[:, rows, columns] = TOP[dtype] * reference(
            exact, sigma=0, low=20.25 * level / scale, high=50.25 * level / scale, **options
        )  # type: ignore[arg-type]
        np.testing.assert_array_equal(dst.array, wanted)
        dst.check()


def test_gray(engine: Engine, rng: np.random.Generator) -> None:
    for channels in (2, 3, 4, 5):
        x = rng.integers(0, 32, (1, 21, 37, channels)) / 32
        weights = (0.5, 0.25, 0.125)
        gray = x[..., :3] @ np.array(weights[: min(channels, 3)])[:, None]
        got = Canny(sigma=0, color_transform=weights)(x.astype(np.float32), channels=1)
        np.testing.assert_array_equal(got, reference(gray, sigma=0))
    assert Canny()(np.zeros((4, 5, 3), np.uint8)).shape == (4, 5, 3)
    half = Canny(sigma=0)(np.eye(9, dtype=np.float32), dtype="float16")
    np.testing.assert_array_equal(half, reference(np.eye(9)[None, ..., None], sigma=0)[0, ..., 0])


def test_threads(engine: Engine, rng: np.random.Generator) -> None:
    x = rng.uniform(0, 1, (3, 230, 610)).astype(np.float32)[..., None]
    before = mps.num_threads()
    try:
        results = []
        for threads in (1, 3):
            mps.set_num_threads(threads)
            results.append(Canny(low_threshold=0.1)(x))
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0][1], Canny(low_threshold=0.1)(x[1]))
    finally:
        mps.set_num_threads(before)


def test_what_is_no_number(engine: Engine) -> None:
    if engine.is_metal:
        pytest.skip("needs the CPU engine's rule for NaN")
    x = np.zeros((20, 30), np.float32)
    x[:, 15:] = 1
    x[10, 14] = np.nan
    got = Canny(sigma=0)(x)
    assert not got[9:12, 13:16].any()
    assert got[:8, 15].all()
    assert got[13:, 15].all()
    x[0, 0] = np.inf
    assert np.isfinite(Canny()(x)).all()


def test_like_opencv(engine: Engine, rng: np.random.Generator) -> None:
    import cv2

    x = cv2.GaussianBlur(rng.integers(0, 256, (90, 130)).astype(np.uint8), (0, 0), 2)
    got = Canny(sigma=0, low_threshold=40.5 / 255, high_threshold=80.5 / 255)(x) > 0
    peer = cv2.Canny(x, 40.5, 80.5, L2gradient=True) > 0
    inner = np.s_[2:-2, 2:-2]  # OpenCV has no edges at the border
    assert (got & peer)[inner].sum() > 0.9 * (got | peer)[inner].sum() > 500


def test_value(engine: Engine) -> None:
    kernel = Canny()
    assert kernel == Canny(sigma=2**0.5, low_threshold=0.2, high_threshold=0.4, use_fast_mode=True)
    assert kernel.color_transform == (0.299, 0.587, 0.114)
    assert repr(Canny(sigma=2)) == "Canny(sigma=2.0)"


def test_errors(engine: Engine) -> None:
    def refused(error: type[Exception], text: str, call: Any) -> None:
        with pytest.raises(error, match=re.escape(text)):
            call()

    x = np.zeros((4, 5, 3), np.uint8)
    refused(ValueError, "Canny: sigma is -1; allowed: 0 <= sigma <= 64 px.", lambda: Canny(sigma=-1))
    refused(
        ValueError,
        "Canny: low_threshold is 0.5, high_threshold is 0.4; allowed: a low one that is not above",
        lambda: Canny(low_threshold=0.5),
    )
    refused(ValueError, "Canny: high_threshold is -1; allowed: 0 <= high_threshold.", lambda: Canny(high_threshold=-1))
    refused(
        ValueError,
        "Canny: image has 3 channels, out has 2; allowed: the same number, or 1",
        lambda: Canny()(x, channels=2),
    )
    refused(ValueError, "allowed: at least one pixel and one channel.", lambda: Canny()(np.zeros((0, 5), np.uint8)))
    refused(ValueError, "holds no pixel of out", lambda: Canny(clip_rect=(9, 0, 1, 1))(x))
    refused(TypeError, "image is float64; allowed: uint8, uint16, float16, float32.", lambda: Canny()(x.astype(float)))
