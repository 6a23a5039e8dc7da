"""What tests of Add, Subtract, Multiply and Divide share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.kernels.image import filters
from tests.kernels.image.reference import written
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode, random_image
from tests.support.frame import Framed

Array = NDArray[Any]
Rule = Callable[[filters.Exact, filters.Exact], filters.Exact]  # of the scaled values
# One pixel, registers and one element more and less, rows longer than a strip, channels of every kind.
SHAPES = [(1, 1, 1, 1), (1, 5, 7, 1), (2, 9, 33, 3), (1, 17, 15, 4), (1, 2, 2500, 1), (2, 6, 3, 7), (1, 130, 129, 2)]
OPTIONS: list[dict[str, Any]] = [
    {},
    {"primary_scale": 0.5, "secondary_scale": 0.25, "bias": 0.125},
    {"primary_scale": 2.0, "minimum_value": 0.25, "maximum_value": 0.75},
    {"bias": -0.25, "maximum_value": 0.5},
]


def reference(rule: Rule, x: Array, y: Array, out_hw: tuple[int, int], **options: Any) -> filters.Exact:
    """The written part of the output, (images, rows, columns, channels), unrounded."""

    def seen(picture: Array, name: str) -> filters.Exact:
        strides = (*options.get(f"{name}_stride_in_pixels", (1, 1)), 1)[:3]
        offset = options.get(f"{name}_offset", (0, 0))
        rows, columns = written(out_hw, options.get("clip_rect"))
        ys = offset[1] + strides[1] * np.arange(rows.stop - rows.start)
        xs = offset[0] + strides[0] * np.arange(columns.stop - columns.start)
        exact = decode(picture)
        height, width = exact.shape[1:3]
        pixels = exact[:, np.clip(ys, 0, height - 1)[:, None], np.clip(xs, 0, width - 1)[None]]
        if options.get(f"{name}_edge_mode", "clamp") == "zero":
            inside = ((ys >= 0) & (ys < height))[:, None] & ((xs >= 0) & (xs < width))
            pixels = np.where(inside[None, ..., None], pixels, 0.0)
        return pixels * float(np.float32(options.get(f"{name}_scale", 1.0)))

    with np.errstate(divide="ignore", invalid="ignore"):
        result = rule(seen(x, "primary"), seen(y, "secondary")) + float(np.float32(options.get("bias", 0.0)))
    limits = [options.get(f"{end}_value", np.inf * sign) for end, sign in (("minimum", -1), ("maximum", 1))]
    return np.clip(result, *(np.float64(np.float32(v)) for v in limits))


def check(kernel: Any, rule: Rule, x: Array, y: Array, got: Array, engine: Engine, **options: Any) -> None:
    exact = reference(rule, x, y, got.shape[1:3], **options)
    rows, columns = written(got.shape[1:3], options.get("clip_rect"))
    dtype = got.dtype.name
    absolute, relative = tolerance_of(kernel, dtype, engine)
    if dtype in CODES:
        assert_close(got[:, rows, columns], encode(exact, dtype), absolute)
    else:  # images of tests reach to 8: their sums and products round there
        assert_close(got[:, rows, columns], exact, 16 * absolute, relative)


def second(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, is_quotient: bool) -> Array:
    y = random_image(rng, shape, dtype)
    if not is_quotient:
        return y
    if dtype in CODES:
        return np.maximum(y, 1)
    return (np.sign(y) * (np.abs(y) + 0.25)).astype(dtype)


def run(
    engine: Engine, rng: np.random.Generator, kernel: type, dtype: str, rule: Rule, is_quotient: bool = False
) -> None:
    for i, shape in enumerate(SHAPES):
        x, y = random_image(rng, shape, dtype), second(rng, shape, dtype, is_quotient)
        before = x.copy(), y.copy()
        for options in OPTIONS if i in (1, 2) else (OPTIONS[i % 4], {}):
            k = kernel(**options)
            got = k(x, y)
            assert (got.shape, got.dtype) == (x.shape, x.dtype)
            check(k, rule, x, y, got, engine, **options)
        np.testing.assert_array_equal((x, y), before)
    y = second(rng, (1, 7, 37, 3), "uint16" if dtype == "float32" else "float32", is_quotient)
    x = random_image(rng, (1, 7, 37, 3), dtype)
    for to in IMAGE_DTYPES:  # one format each
        check(kernel(), rule, x, y, kernel()(x, y, dtype=to), engine)
    places(engine, rng, kernel, dtype, rule, is_quotient)


def places(engine: Engine, rng: np.random.Generator, kernel: type, dtype: str, rule: Rule, is_quotient: bool) -> None:
    """Offsets, edges and repeats in padded batches: what is not written keeps its values, sentinels around all of it."""
    x, y = Framed((2, 19, 21, 2), dtype, 2), Framed((2, 11, 30, 2), dtype, 2)
    x.array[...] = random_image(rng, x.array.shape, dtype)
    y.array[...] = second(rng, y.array.shape, dtype, is_quotient)
    lone = np.ascontiguousarray(y.array[:1])
    zero = "clamp" if is_quotient else "zero"
    for options in (
        {"primary_offset": (2, -3), "secondary_offset": (-5, 4), "clip_rect": (1, 2, 1000, 1000)},
        {"primary_edge_mode": "zero", "secondary_edge_mode": zero, "primary_offset": (-40, 3), "secondary_offset": (9, -2)},
        {"secondary_stride_in_pixels": (0, 1), "secondary_offset": (3, 1), "clip_rect": (2, 1, 9, 5)},
        {"secondary_stride_in_pixels": (1, 0), "primary_stride_in_pixels": (0, 1), "secondary_offset": (0, 10)},
        {"secondary_stride_in_pixels": (0, 0, 0), "secondary_offset": (29, 3), "primary_scale": 0.5},
        {"primary_stride_in_pixels": (0, 0), "primary_offset": (-1, 400), "clip_rect": (22, 13, 1, 1)},
    ):  # fmt: skip
        out = Framed((2, 14, 23, 2), dtype, 2)
        out.array[...] = random_image(rng, out.array.shape, dtype)
        old = out.array.copy()
        k = kernel(**options)
        b = lone if options.get("secondary_stride_in_pixels", ())[2:] == (0,) else y.array
        assert k(x.array, b, out=out.array) is out.array
        check(k, rule, x.array, b, out.array, engine, **options)
        rows, columns = written((14, 23), options.get("clip_rect"))
        old[:, rows, columns] = out.array[:, rows, columns]
        np.testing.assert_array_equal(out.array, old)
        for framed in (out, x, y):
            framed.check()


def errors(kernel: type) -> None:
    name = kernel.__name__
    x = np.zeros((6, 8, 3), np.float32)
    two = np.zeros((2, 6, 8, 3), np.float32)
    for error, text, call in (
        (ValueError, "primary is (6, 8, 3) float32, secondary is (6, 7, 3) float32; allowed without out: the same width.", lambda: kernel()(x, x[:, :7])),
        (ValueError, "primary is (6, 8, 3) float32, secondary is (5, 8, 3) float32; allowed without out: the same height.", lambda: kernel()(x, x[:5])),
        (ValueError, "secondary has 1 channel, out has 3; allowed: the same number in all three.", lambda: kernel()(x, x[..., :1])),
        (ValueError, "secondary has 1 image, out has 2; allowed: the same number. One image for all takes secondary_stride_in_pixels=(1, 1, 0).",
         lambda: kernel()(two, x[None], out=np.zeros_like(two))),
        (ValueError, "secondary has 2 images; allowed: 1, as its stride is 0", lambda: kernel(secondary_stride_in_pixels=(1, 1, 0))(two, two)),
        (ValueError, "primary is (0, 8, 3) float32; allowed: at least one pixel", lambda: kernel()(x[:0], x, out=x.copy())),
        (ValueError, "clip_rect begins at (90, 0) and holds no pixel", lambda: kernel(clip_rect=(90, 0, 2, 2))(x, x)),
        (ValueError, "primary_offset selects images by z", lambda: kernel(primary_offset=(0, 0, 1))(x, x)),
        (ValueError, "primary_edge_mode is 'mirror'; allowed: 'zero', 'clamp'.", lambda: kernel(primary_edge_mode="mirror")),
        (ValueError, "primary_stride_in_pixels is (2, 1, 1); allowed: 1, or 0 to repeat", lambda: kernel(primary_stride_in_pixels=(2, 1))),
        (ValueError, "minimum_value is 0.5, maximum_value is 0.25; allowed: minimum_value <= maximum_value.", lambda: kernel(minimum_value=0.5, maximum_value=0.25)),
        (ValueError, "bias is nan; allowed: ", lambda: kernel(bias=float("nan"))),
        (ValueError, "primary_scale is 1e+39; allowed: ", lambda: kernel(primary_scale=1e39)),
        (TypeError, "secondary is float64; allowed: uint8, uint16, float16, float32.", lambda: kernel()(x, x.astype(np.float64))),
    ):  # fmt: skip
        filters.refused(error, f"{name}: {text}", call)
