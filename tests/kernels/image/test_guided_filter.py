"""GuidedFilter against least squares in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image import filters
from tests.kernels.image.filters import refused
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode
from tests.support.frame import Framed

Array = NDArray[Any]
Exact = NDArray[np.float64]
GuidedFilter = mps.image.GuidedFilter
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)


def sums(x: Exact, diameter: int) -> Exact:
    """Over the windows of (images, height, width, ...), cut to the picture."""
    r = diameter // 2
    padded = np.pad(x, ((0, 0), (r, r), (r, r)) + ((0, 0),) * (x.ndim - 3))
    return np.asarray(sliding_window_view(padded, (diameter, diameter), (1, 2)).sum((-2, -1)))


def regression(image: Exact, guidance: Exact, diameter: int, epsilon: float, weights: Exact | None = None) -> Exact:
    """(images, height, width, guides + 1): a, then b, of one channel of image under all of guidance."""
    w = np.ones(image.shape) if weights is None else weights
    total = sums(w, diameter)
    counts = total > 0
    total = np.where(counts, total, 1)

    def mean(x: Exact) -> Exact:
        return sums(w * x, diameter) / total

    m, p = mean(guidance), mean(image)
    pairs = guidance[..., :, None] * guidance[..., None, :]
    covariance = sums(w[..., None] * pairs, diameter) / total[..., None] - m[..., :, None] * m[..., None, :]
    with_image = mean(guidance * image) - m * p
    a = np.linalg.solve(covariance + epsilon * np.eye(m.shape[-1]), with_image[..., None])[..., 0]
    b = p - (a * m).sum(-1, keepdims=True)
    models = np.where(counts, np.concatenate([a, b], -1), 0)
    return sums(models, diameter) / sums(np.ones(models.shape), diameter)


def stretched(x: Exact, height: int, width: int) -> Exact:
    """Between the centres of the pixels."""
    for axis, count in ((1, height), (2, width)):
        length = x.shape[axis]
        at = (np.arange(count) + 0.5) * length / count - 0.5
        first = np.floor(at).astype(int)
        part = (at - first).reshape([-1 if i == axis else 1 for i in range(4)])
        before, after = (x.take(np.clip(first + k, 0, length - 1), axis) for k in (0, 1))
        x = before * (1 - part) + after * part
    return x


def reconstruction(guidance: Exact, models: Exact, scale: float = 1, offset: float = 0) -> Exact:
    m = stretched(models, *guidance.shape[1:3])
    return ((m[..., :-1] * guidance).sum(-1, keepdims=True) + m[..., -1:]) * scale + offset


def picture(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """Smooth, with edges and noise, within [0, 1]."""
    y, x = np.mgrid[: shape[1], : shape[2]]
    base = 0.4 + 0.2 * np.sin(x / 3.0 + y / 5.0) + 0.2 * (x + 2 * y > shape[2])
    values = base[None, ..., None] + rng.normal(0, 0.07, shape)
    return encode(np.clip(values, 0, 1), dtype)


def assert_like(kernel: Any, got: Array, exact: Exact, engine: Engine) -> None:
    absolute, relative = tolerance_of(kernel, got.dtype, engine)
    assert_close(got, encode(exact, got.dtype.name) if got.dtype.name in CODES else exact, absolute, relative)


# image, diameter: registers and one more and less, windows larger than the picture, more than a band.
CASES = [
    ((1, 1, 1), 3),
    ((1, 5, 7), 5),
    ((2, 9, 33), 3),
    ((1, 17, 16), 9),
    ((1, 6, 4), 15),
    ((1, 75, 9), 7),
    ((1, 4, 90), 1),
]


@DTYPES
def test_regression_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for (n, h, w), diameter in CASES:
        for channels, weighted in ((3, False), (4, True)):
            image, guidance = picture(rng, (n, h, w, 1), dtype), picture(rng, (n, h, w, channels), dtype)
            weights = encode(rng.random((n, h, w, 1)) * (rng.random((n, h, w, 1)) < 0.8), dtype)
            k = GuidedFilter("regression", kernel_diameter=diameter, epsilon=0.01)
            got = k(image, guidance, weights) if weighted else k(image, guidance)
            assert (got.shape, got.dtype) == ((n, h, w, 4), np.float32)
            exact = regression(
                decode(image), decode(guidance)[..., :3], diameter, 0.01, decode(weights) if weighted else None
            )
            assert_like(k, got, exact, engine)


@DTYPES
def test_a_picture_under_itself_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for shape, channels in (((1, 9, 33), 1), ((2, 37, 6), 3)):
        image, weights = picture(rng, (*shape, channels), dtype), encode(rng.random((*shape, 1)), dtype)
        k = GuidedFilter("regression", independent_channels=True, kernel_diameter=5, epsilon=0.002)
        for given in ((), (weights,)):
            got = k(image, image, *given)
            for c in range(channels):
                x = decode(image)[..., c : c + 1]
                exact = regression(x, x, 5, 0.002, decode(weights) if given else None)
                for i in range(2):
                    assert_like(k, got[i][..., c : c + 1], exact[..., i : i + 1], engine)


@DTYPES
def test_independent_channels_match_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for ((n, h, w), diameter), channels in zip(CASES, (1, 2, 9, 4, 6, 3, 5), strict=True):
        image, guidance = picture(rng, (n, h, w, channels), dtype), picture(rng, (n, h, w, channels), dtype)
        weights = encode(rng.random((n, h, w, 1)), dtype)
        k = GuidedFilter("regression", independent_channels=True, kernel_diameter=diameter, epsilon=0.002)
        for given in ((), (weights,)):
            got_a, got_b = k(image, guidance, *given)
            assert got_a.shape == got_b.shape == image.shape
            for c in range(channels):
                own = slice(c, c + 1)
                exact = regression(
                    decode(image)[..., own], decode(guidance)[..., own], diameter, 0.002, *map(decode, given)
                )
                assert_like(k, got_a[..., own], exact[..., :1], engine)
                assert_like(k, got_b[..., own], exact[..., 1:], engine)


@DTYPES
def test_reconstruction_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for small, large in (((5, 7), (5, 7)), ((4, 3), (13, 11)), ((1, 1), (6, 5)), ((9, 8), (4, 17)), ((3, 40), (2, 39))):
        for stored in ("float32", "float16"):
            models = rng.uniform(-0.5, 0.5, (2, *small, 4)).astype(stored)
            guidance = picture(rng, (2, *large, 3), dtype)
            k = GuidedFilter("reconstruction", reconstruct_scale=0.7, reconstruct_offset=0.2)
            got = k(guidance, models)
            assert (got.shape, got.dtype) == ((2, *large, 1), guidance.dtype)
            assert_like(k, got, reconstruction(decode(guidance), decode(models), 0.7, 0.2), engine)
            k = k.replace(independent_channels=True)
            a, b = models[..., [0, 1, 2, 3, 0, 2, 1]], models[..., [3, 1, 0, 2, 2, 3, 0]]
            guidance = picture(rng, (2, *large, 7), dtype)
            got = k(guidance, np.ascontiguousarray(a), np.ascontiguousarray(b), dtype="float32")
            for c in range(7):
                own = np.stack([a[..., c], b[..., c]], -1)
                exact = reconstruction(decode(guidance)[..., c : c + 1], decode(own), 0.7, 0.2)
                assert_like(k, got[..., c : c + 1], exact, engine)


def test_formats_of_results(engine: Engine, rng: np.random.Generator) -> None:
    image, guidance = picture(rng, (1, 8, 9, 1), "uint8"), picture(rng, (1, 8, 9, 3), "uint8")
    k = GuidedFilter(kernel_diameter=3, epsilon=0.01)
    exact = regression(decode(image), decode(guidance), 3, 0.01)
    for dtype in ("float16", "float32"):
        assert_like(k, k(image, guidance, dtype=dtype), exact, engine)
    value = GuidedFilter("reconstruction")
    for dtype in IMAGE_DTYPES:
        got = value(guidance, exact.astype(np.float32), dtype=dtype)
        assert_like(value, got, reconstruction(decode(guidance), exact), engine)
    # Without the axis of images, and of the one channel.
    got = k(image[0, ..., 0], guidance[0])
    assert got.shape == (8, 9, 4)
    assert_like(k, got, exact[0], engine)


def test_padded_batches(engine: Engine, rng: np.random.Generator) -> None:
    for operation, independent in (("regression", False), ("regression", True), ("reconstruction", False)):
        k = GuidedFilter(operation, independent_channels=independent, kernel_diameter=5, epsilon=0.01)
        guidance, image = Framed((2, 19, 21, 3), "float32", 2), Framed((2, 19, 21, 3 if independent else 1), "uint8", 2)
        guidance.array[...] = picture(rng, guidance.array.shape, "float32")
        image.array[...] = picture(rng, image.array.shape, "uint8")
        if operation == "regression":
            outs = [Framed((2, 19, 21, 3 if independent else 4), "float32", 2) for _ in range(2 if independent else 1)]
            inputs = (image.array, guidance.array)
        else:
            outs = [Framed((2, 19, 21, 1), "uint16", 2)]
            inputs = (guidance.array, GuidedFilter(kernel_diameter=5)(image.array, guidance.array))
        fresh = k(*inputs, **({} if operation == "regression" else {"dtype": "uint16"}))
        arrays = [out.array for out in outs]
        k(*inputs, out=tuple(arrays) if independent else arrays[0])
        for got, wanted in zip(arrays, fresh if independent else [fresh], strict=True):
            np.testing.assert_array_equal(got, wanted)
        for frame in (guidance, image, *outs):
            frame.check()


def test_filter_keeps_edges_of_the_guide(engine: Engine, rng: np.random.Generator) -> None:
    """What it is for: a coarse mask takes the outline of a picture, from a regression of small pictures."""
    y, x = np.mgrid[:60, :80]
    inside = np.hypot(y - 30, x - 40) < 18
    guidance = np.where(inside[..., None], [0.8, 0.3, 0.2], [0.1, 0.4, 0.6]).astype(np.float32)
    mask = (np.hypot(y - 31, x - 42) < 18).astype(np.float32)
    small = GuidedFilter("regression", kernel_diameter=9, epsilon=1e-4)(mask[::2, ::2], guidance[::2, ::2])
    matte = GuidedFilter("reconstruction")(guidance, small)[..., 0]
    assert np.mean((matte > 0.5) != inside) < 0.5 * np.mean((mask > 0.5) != inside)


def test_batch_in_a_command_buffer(engine: Engine, rng: np.random.Generator) -> None:
    """Coefficients of a batch that exist only within a command buffer."""
    image, guidance = picture(rng, (3, 12, 10, 1), "float32"), picture(rng, (3, 12, 10, 3), "float32")
    fit, value = GuidedFilter("regression", kernel_diameter=3), GuidedFilter("reconstruction")
    with mps.default_device().command_buffer() as commands:
        got = value.encode(commands, guidance, fit.encode(commands, image, guidance), temporary=False)
    assert_like(
        value,
        np.asarray(got),
        reconstruction(decode(guidance), regression(decode(image), decode(guidance), 3, 0.001)),
        engine,
    )


def test_windows_without_weight(engine: Engine, rng: np.random.Generator) -> None:
    image, guidance = picture(rng, (1, 20, 40, 1), "float32"), picture(rng, (1, 20, 40, 3), "float32")
    weights = np.zeros((1, 20, 40, 1), np.float32)
    weights[:, :, :7] = rng.random((1, 20, 7, 1)) * 1e-3
    k = GuidedFilter(kernel_diameter=5, epsilon=0.01)
    got = k(image, guidance, weights)
    assert (got[:, :, 11:] == 0).all()
    assert_like(k, got, regression(decode(image), decode(guidance), 5, 0.01, decode(weights)), engine)
    assert (k(image, guidance, np.zeros_like(weights)) == 0).all()


def test_threads_do_not_change_the_result(engine: Engine, rng: np.random.Generator) -> None:
    image, guidance = picture(rng, (1, 150, 200, 1), "float32"), picture(rng, (1, 150, 200, 3), "float32")
    if engine.is_metal:
        pytest.skip("needs the CPU engine: a GPU has no number of threads")

    def both(x: Array) -> Array:
        return np.asarray(GuidedFilter("reconstruction")(guidance, GuidedFilter(kernel_diameter=7)(x, guidance)))

    filters.run_threads(engine, both, image)


def test_errors_say_what_is_allowed(engine: Engine) -> None:
    gray, rgb = np.zeros((6, 8, 1), np.float32), np.zeros((6, 8, 3), np.float32)
    models = np.zeros((3, 4, 4), np.float32)
    fit, value = GuidedFilter(), GuidedFilter("reconstruction")
    apart, values = fit.replace(independent_channels=True), value.replace(independent_channels=True)
    for error, text, call in (
        (ValueError, "guidance has 1 channel; allowed: 3, or 4 with alpha. Pass independent_channels=True", lambda: fit(gray, gray)),
        (ValueError, "image has 3 channels; allowed: 1, such as a mask.", lambda: fit(rgb, rgb)),
        (ValueError, "image is (5, 8, 1) float32, guidance is (6, 8, 3) float32; allowed: the same images, height and width.", lambda: fit(gray[:5], rgb)),
        (ValueError, "image has 1 channel; allowed: 3, as guidance.", lambda: apart(gray, rgb)),
        (ValueError, "weights has 3 channels; allowed: 1, a number for each pixel.", lambda: fit(gray, rgb, rgb)),
        (ValueError, "weights is (6, 7, 1) float32, guidance is", lambda: fit(gray, rgb, gray[:, :7])),
        (ValueError, "out has 3 channels; allowed: 4, a of red, green and blue, and b.", lambda: fit(gray, rgb, out=rgb.copy())),
        (ValueError, "out is (5, 8, 4) float32, guidance is", lambda: fit(gray, rgb, out=np.zeros((5, 8, 4), np.float32))),
        (ValueError, "guidance is (0, 8, 3) float32; allowed: at least one pixel", lambda: fit(gray[:0], rgb[:0])),
        (TypeError, "out is uint8; allowed: float16, float32.", lambda: fit(gray, rgb, dtype="uint8")),
        (TypeError, "coefficients is uint8; allowed: float16, float32.", lambda: value(rgb, models.astype(np.uint8))),
        (ValueError, "coefficients has 3 channels; allowed: 4, a of red", lambda: value(rgb, rgb)),
        (ValueError, "coefficients has 2 images, guidance has 1; allowed: the same number.", lambda: value(rgb[None], np.stack([models] * 2))),
        (ValueError, "coefficients is (0, 4, 4) float32; allowed: at least one pixel", lambda: value(rgb, models[:0])),
        (ValueError, "coefficients has 4 channels; allowed: 3, as guidance.", lambda: values(rgb, models, models)),
        (ValueError, "coefficients_b is (3, 4, 3) float32, coefficients is (6, 8, 3)", lambda: values(rgb, rgb, rgb[:3, :4])),
        (ValueError, "kernel_diameter is 4; allowed: 1 <= kernel_diameter <= 16383, odd px.", lambda: GuidedFilter(kernel_diameter=4)),
        (ValueError, "epsilon is 0; allowed: 0 < epsilon", lambda: GuidedFilter(epsilon=0)),
        (ValueError, "operation is 'both'; allowed: 'regression', 'reconstruction'.", lambda: GuidedFilter("both")),
    ):  # fmt: skip
        refused(error, text, call)
