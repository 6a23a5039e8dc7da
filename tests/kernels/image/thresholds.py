"""What tests of the five thresholds share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.kernels.image import filters
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, random_image

Array = NDArray[Any]
Rule = Callable[[filters.Exact, float, float], filters.Exact]  # gray, threshold, maximum
GRAY = (0.299, 0.587, 0.114)
SHAPES = [(1, 1, 1, 1), (1, 5, 7, 1), (2, 9, 33, 3), (1, 17, 15, 4), (3, 8, 16, 2), (1, 3, 2100, 1), (2, 6, 3, 7)]


def reference(rule: Rule, threshold: float, maximum: float = 1.0, gray: tuple[float, ...] = GRAY) -> filters.Reference:
    def result(look: filters.Look) -> filters.Exact:
        x = look(0, 0)
        if x.shape[-1] > 1:
            colours = min(x.shape[-1], 3)
            x = x[..., :colours] @ np.array(gray[:colours], np.float32).astype(np.float64)[:, None]
        return rule(x, float(np.float32(threshold)), float(np.float32(maximum)))

    return result


def between(dtype: str) -> float:
    """A threshold that no code comes near to."""
    return {"uint8": 100.5 / 255, "uint16": 30000.5 / 65535}.get(dtype, 0.4)


def run(engine: Engine, rng: np.random.Generator, kernel: type, dtype: str, rule: Rule, has_maximum: bool) -> None:
    more = {"maximum_value": 0.7} if has_maximum else {}
    threshold = between(dtype)
    k = kernel(threshold_value=threshold, **more)
    exact = reference(rule, threshold, 0.7)
    for shape in SHAPES:
        x = random_image(rng, shape, dtype)
        got = k(x)
        assert (got.shape, got.dtype) == ((*shape[:3], 1), x.dtype)
        filters.check(k, x, got, exact, engine, scale=8)
    for channels in (1, 4):
        x = random_image(rng, (1, 5, 70, channels), dtype)
        for to in IMAGE_DTYPES:
            filters.check(k, x, k(x, dtype=to), exact, engine, scale=8)
    for value in (-0.5, 1.5, 0.0, 1.0):  # beyond and at the ends of codes
        wide = kernel(threshold_value=value, **more)
        x = random_image(rng, (1, 4, 70, 1), dtype)
        filters.check(wide, x, wide(x), reference(rule, value, 0.7), engine, scale=8)
    places(engine, rng, k, dtype, exact)


def places(engine: Engine, rng: np.random.Generator, kernel: Any, dtype: str, exact: filters.Reference) -> None:
    filters.run_places(engine, rng, dtype, kernel, exact, "zero", channels=1, scale=8)
    source = random_image(rng, (1, 9, 11, 3), dtype)
    for offset, clip in (((-2, 3), (1, 2, 6, 90)), ((5, -1), None)):
        options = {"offset": offset, "clip_rect": clip, "edge_mode": "clamp"}
        out = np.zeros((1, 9, 11, 1), dtype)
        kernel.replace(**options)(source, out=out)
        filters.check(kernel, source, out, exact, engine, 8, options)


def values(engine: Engine, rng: np.random.Generator, kernel: type, rule: Rule, has_maximum: bool) -> None:
    """What equals the threshold is not above it; weights of gray; every code; NaN and infinity; tiles."""
    exact = np.array([[0.25, 0.5, np.nextafter(np.float32(0.5), np.float32(1)), 0.75]], np.float32)
    np.testing.assert_array_equal(kernel(threshold_value=0.5)(exact), rule(exact, 0.5, 1.0).astype(np.float32))
    codes = np.arange(256, dtype=np.uint8).reshape(4, 64)
    for limit in (0, 1, 100, 254):  # a quarter above a code: what is stored is no tie
        got = kernel(threshold_value=(limit + 0.25) / 255)(codes)
        np.testing.assert_array_equal(got, np.rint(rule(codes / 255.0, (limit + 0.25) / 255, 1.0) * 255))
    colour = random_image(rng, (6, 9, 4), "float32")
    k = kernel(threshold_value=0.3, transform=(0.5, 0.25, -0.25))
    assert k == kernel(threshold_value=0.3, linear_gray_color_transform=(0.5, 0.25, -0.25))
    filters.check(k, colour[None], k(colour)[None], reference(rule, 0.3, 1.0, (0.5, 0.25, -0.25)), engine, scale=8)
    infinite = np.array([[np.inf, -np.inf, 0.1, 0.9]], np.float32)
    np.testing.assert_array_equal(kernel()(infinite), rule(infinite, 0.5, 1.0).astype(np.float32))
    if not engine.is_metal:
        nan = kernel()(np.array([[np.nan]], np.float32))
        np.testing.assert_array_equal(nan, rule(np.array([[np.nan]]), 0.5, 1.0))
    for dtype in ("uint8", "float32"):
        x = random_image(rng, (33, 47), dtype)
        filters.run_tiles(engine, kernel(threshold_value=between(dtype)), x, (11, 16))
        whole = kernel(threshold_value=between(dtype))(x)
        np.testing.assert_array_equal(kernel(threshold_value=between(dtype))(np.ascontiguousarray(x.T)), whole.T)


def opencv(engine: Engine, rng: np.random.Generator, kernel: type, flag: int, has_maximum: bool) -> None:
    import cv2

    for dtype in ("uint8", "float32"):
        x = random_image(rng, (45, 61), dtype)
        unit = CODES.get(dtype, 1.0)
        threshold = 100.0 if dtype == "uint8" else 0.5
        wanted = cv2.threshold(x, threshold, unit, flag)[1]
        got = kernel(threshold_value=(threshold + (0.5 if dtype == "uint8" and has_maximum else 0)) / unit)(x)
        assert_close(got, wanted, *tolerance_of(kernel(), dtype, engine))


def errors(kernel: type, has_maximum: bool) -> None:
    name = kernel.__name__
    x = np.zeros((6, 8, 3), np.float32)
    for error, text, call in (
        (ValueError, f"{name}: out has 3 channels; allowed: 1.", lambda: kernel()(x, channels=3)),
        (ValueError, f"{name}: threshold_value is nan; allowed: ", lambda: kernel(threshold_value=float("nan"))),
        (ValueError, f"{name}: transform is ", lambda: kernel(transform=(1.0, 2.0))),
        (TypeError, f"{name}: image is float64; allowed: uint8, uint16, float16, float32.", lambda: kernel()(x.astype(np.float64))),
        (ValueError, f"{name}: clip_rect begins at (90, 0) and holds no pixel", lambda: kernel(clip_rect=(90, 0, 2, 2))(x)),
    ):  # fmt: skip
        filters.refused(error, text, call)
    if has_maximum:
        filters.refused(
            ValueError, f"{name}: maximum_value is inf; allowed: ", lambda: kernel(maximum_value=float("inf"))
        )
