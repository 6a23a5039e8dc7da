"""Convolution against float64 sums over windows, element by element, within the bound that its descriptor states."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.cnn.reference import convolution, extent, neuron, placement
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode
from tests.support.frame import Framed

Convolution, ArrayDataSource = mps.cnn.Convolution, mps.cnn.ArrayDataSource
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)


def pixels(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    if dtype in CODES:
        return rng.integers(0, int(CODES[dtype]) + 1, shape, dtype=dtype)
    return rng.uniform(-1, 1, shape).astype(dtype)


def filters(rng: np.random.Generator, *shape: int, dtype: str = "float32") -> Array:
    """Sums stay near [-1, 1], so that unorm results do not all saturate."""
    return (rng.uniform(-1, 1, shape) * (3 / np.prod(shape[1:])) ** 0.5).astype(dtype)


def assert_sums(got: Array, exact: Array, scale: Array, engine: Engine) -> None:
    dtype = got.dtype.name
    absolute, relative = tolerance_of(Convolution, dtype, engine)
    if dtype in CODES:
        assert_close(got, encode(exact, dtype), absolute)
    else:
        assert_close(got, exact, absolute, relative, scale=np.maximum(scale, 1e-30))


def check(got: Array, x: Array, w: Array, bias: Array | None, engine: Engine, **options: Any) -> None:
    """`got` is what a kernel with these parameters gave for x; sizes are checked too."""
    stride, dilation = options.get("stride", (1, 1)), options.get("dilation", (1, 1))
    window = (extent(w.shape[1], dilation[0]), extent(w.shape[2], dilation[1]))
    size, centre = placement(
        x.shape[1:3], window, stride, options.get("padding", "same"), options.get("padding_remainder", "top_left")
    )
    exact, scale = convolution(
        decode(x), w, bias, size, centre, stride, dilation, options.get("groups", 1), options.get("edge_mode", "zero")
    )
    assert got.shape == exact.shape
    assert_sums(got, exact, scale, engine)


# (images, height, width, channels), outputs, kernel (height, width), options: single pixels; a register of every ISA and one more or
# less on either side; windows larger than the image; every path: 1x1 in place, gathered rows, several blocks of terms, depthwise.
CASES: list[tuple[tuple[int, int, int, int], int, tuple[int, int], dict[str, Any]]] = [
    ((1, 1, 1, 1), 1, (1, 1), {}),
    ((1, 1, 1, 3), 2, (3, 3), {}),
    ((1, 5, 7, 3), 16, (3, 3), {}),
    ((2, 6, 5, 4), 17, (3, 3), {"stride": (2, 2)}),
    ((1, 9, 8, 5), 7, (5, 3), {"stride": (2, 1), "padding_remainder": "bottom_right"}),
    ((2, 7, 9, 8), 33, (1, 1), {}),
    ((1, 7, 9, 8), 9, (1, 1), {"stride": (2, 3), "padding": "valid"}),
    ((1, 6, 6, 2), 3, (2, 2), {"padding": "valid"}),
    ((1, 4, 5, 2), 3, (2, 4), {"padding": "full"}),
    ((1, 4, 4, 3), 5, (7, 7), {"edge_mode": "clamp"}),
    ((1, 9, 11, 4), 6, (3, 3), {"dilation": (2, 3)}),
    ((1, 9, 11, 4), 6, (3, 2), {"dilation": (2, 3), "padding": ((1, 2), (0, 3)), "edge_mode": "clamp"}),
    ((1, 12, 10, 3), 16, (7, 7), {"stride": (2, 2), "padding": 3}),
    ((1, 8, 9, 4), 5, (3, 3), {"padding": (0, 2), "stride": (1, 2)}),
    ((1, 8, 8, 3), 4, (3, 3), {"padding": ((-1, 0), (2, -2))}),
    ((1, 5, 5, 130), 20, (3, 3), {}),
    ((1, 6, 7, 8), 12, (3, 3), {"groups": 4}),
    ((2, 5, 6, 12), 8, (3, 3), {"groups": 4, "stride": (2, 2), "edge_mode": "clamp"}),
    ((1, 7, 30, 8), 8, (3, 3), {"groups": 8}),
    ((2, 9, 21, 19), 19, (3, 3), {"groups": 19, "stride": (2, 2)}),
    ((1, 8, 17, 33), 33, (5, 5), {"groups": 33, "edge_mode": "clamp"}),
    ((1, 9, 19, 16), 16, (5, 5), {"groups": 16, "stride": (2, 2), "padding": 2}),
    ((1, 6, 7, 3), 3, (4, 2), {"groups": 3, "dilation": (1, 2), "padding": "full"}),
    ((1, 5, 6, 9), 9, (20, 3), {"groups": 9}),
    ((1, 5, 6, 4), 12, (3, 3), {"groups": 4}),
]  # fmt: skip
IDS = [f"{s[0]}x{s[1]}x{s[2]}x{s[3]}-{o}-{k[0]}x{k[1]}-{i}" for i, (s, o, k, _) in enumerate(CASES)]


@DTYPES
@pytest.mark.parametrize(("shape", "outputs", "kernel", "options"), CASES, ids=IDS)
def test_matches_float64(
    engine: Engine, rng: np.random.Generator, dtype: str, shape: Any, outputs: int, kernel: Any, options: Any
) -> None:
    x = pixels(rng, shape, dtype)
    w, bias = filters(rng, outputs, *kernel, shape[3] // options.get("groups", 1)), filters(rng, outputs)
    layer = Convolution(w, bias=bias, **options)
    if engine.is_metal and not layer.supports(x):
        pytest.skip(layer.why_not(x))
    got = layer(x)
    assert got.dtype == x.dtype
    check(got, x, w, bias, engine, **options)


@pytest.mark.parametrize("to", IMAGE_DTYPES)
@DTYPES
def test_formats_may_differ(engine: Engine, rng: np.random.Generator, dtype: str, to: str) -> None:
    for groups in (1, 12):
        x, w = pixels(rng, (1, 5, 11, 12), dtype), filters(rng, 12, 3, 3, 12 // groups)
        check(Convolution(w, groups=groups)(x, dtype=to), x, w, None, engine, groups=groups)


@pytest.mark.parametrize(
    ("row", "w", "options", "wanted"),
    [
        ((1, 2, 3, 4, 5), (1, 10), {}, (10, 21, 32, 43, 54)),
        ((1, 2, 3, 4, 5), (1, 10), {"dilation": (1, 3)}, (20, 30, 41, 52, 3)),
        ((1, 2, 3, 4, 5), (1, 10), {"offset": (1, 0)}, (21, 32, 43, 54, 5)),
        ((1, 2, 3, 4), (1, 10, 100), {}, (210, 321, 432, 43)),
    ],
)
def test_golden_rows(engine: Engine, row: Any, w: Any, options: Any, wanted: Any) -> None:
    """An even window reaches further to the left, and further still with dilation."""
    options = {"padding": "same", **options}
    if "offset" not in options and len(w) == 2:
        options["offset"] = (0, 0)
    layer = Convolution(np.array(w, np.float32).reshape(1, 1, -1, 1), **options)
    out = np.zeros((1, len(row), 1), np.float32)
    layer(np.array(row, np.float32).reshape(1, -1, 1), out=out)
    np.testing.assert_array_equal(out.ravel(), wanted)


@pytest.mark.parametrize(
    ("padding", "kernel", "stride", "source", "top_left", "bottom_right"),
    [  # (size of the result, centre of its first window)
        ("same", 3, 2, 4, (2, 0), (2, 1)),
        ("same", 7, 2, 224, (112, 0), (112, 1)),
        ("valid", 3, 3, 8, (2, 1), (2, 2)),
        ("full", 3, 1, 4, (6, -1), (6, -1)),
        ("valid", 2, 3, 7, (2, 1), (2, 2)),
        ("same", 11, 4, 227, (57, 1), (57, 1)),
        ("full", 7, 2, 224, (115, -3), (115, -2)),
    ],
)
def test_golden_policies(
    engine: Engine, padding: str, kernel: int, stride: int, source: int, top_left: Any, bottom_right: Any
) -> None:
    x = np.arange(1, source + 1, dtype=np.float32).reshape(1, source, 1)
    for remainder, (size, centre) in (("top_left", top_left), ("bottom_right", bottom_right)):
        one = np.zeros((1, 1, kernel, 1), np.float32)
        one[0, 0, kernel // 2] = 1  # reads the centre of each window
        row = {"weights": one, "stride_in_pixels_x": stride, "padding_remainder": remainder}
        got = Convolution(padding=padding, **row)(x).ravel()
        at = centre + stride * np.arange(size)
        np.testing.assert_array_equal(got, np.where((at >= 0) & (at < source), at + 1, 0))


def test_offset_and_clip_rect(engine: Engine, rng: np.random.Generator) -> None:
    """Destination pixel clip_rect.origin + (x, y) has its window at offset + stride * (x, y)."""
    for groups in (1, 8):
        x, w = pixels(rng, (4, 9, 10, 8), "float32"), filters(rng, 8, 3, 4, 8 // groups)
        out = Framed((5, 7, 11, 8), "float32", 2)
        old = out.array.copy()
        layer = Convolution(w, stride=(2, 1), groups=groups, offset=(-1, 3, 1), clip_rect=(2, 1, 3, 6, 4, 2))
        layer(x, out=out.array)
        exact, scale = convolution(x[1:3], w, None, (4, 6), (3, -1), (2, 1), groups=groups)
        assert_sums(out.array[3:5, 1:5, 2:8], exact, scale, engine)
        old[3:5, 1:5, 2:8] = out.array[3:5, 1:5, 2:8]
        np.testing.assert_array_equal(out.array.view(np.uint32), old.view(np.uint32))
        out.check()


def test_channels_of_larger_images(engine: Engine, rng: np.random.Generator) -> None:
    x = Framed((2, 6, 7, 20), "float16", 2)
    x.array[...] = pixels(rng, x.array.shape, "float16")
    for groups, kernel in ((1, 3), (1, 1), (8, 3)):
        w = filters(rng, 8, kernel, kernel, 8 // groups)
        out = Framed((2, 6, 7, 16), "float16", 2)
        old = out.array.copy()
        layer = Convolution(
            w, groups=groups, source_feature_channel_offset=8, source_feature_channel_max_count=8,
            destination_feature_channel_offset=4,
        )  # fmt: skip
        layer(x.array, out=out.array)
        check(out.array[..., 4:12], x.array[..., 8:16], w, None, engine, groups=groups)
        for channels in (slice(0, 4), slice(12, 16)):
            np.testing.assert_array_equal(
                np.ascontiguousarray(out.array[..., channels]).view(np.uint16), np.ascontiguousarray(old[..., channels]).view(np.uint16)
            )  # fmt: skip
        out.check()
        fresh = layer(x.array)  # channels before the first are zero
        assert fresh.shape == (2, 6, 7, 12)
        assert not fresh[..., :4].any()
        np.testing.assert_array_equal(fresh[..., 4:], out.array[..., 4:12])


NEURONS = [
    ("none", {}), ("relu", {"a": 0}), ("relu", {"a": 0.25}), ("linear", {"a": -1.5, "b": 0.5}), ("sigmoid", {}),
    ("hard_sigmoid", {"a": 0.2, "b": 0.5}), ("tanh", {"a": 1.5, "b": 0.75}), ("absolute", {}), ("softplus", {"a": 2, "b": 1.5}), ("softsign", {}),
    ("elu", {"a": 1.25}), ("relun", {"a": 0, "b": 0.5}), ("relun", {"a": 1, "b": 0.5}), ("power", {"a": 0.1, "b": 4, "c": 2.5}),
    ("exponential", {"a": 0.5, "b": 0.25, "c": -1}), ("exponential", {"a": 0.5, "b": 0, "c": 3}), ("logarithm", {"a": 0.25, "b": 4, "c": -1}),
    ("logarithm", {"a": 0.25, "b": 4, "c": 2}), ("gelu", {}), ("prelu", {}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "numbers"), NEURONS, ids=[f"{kind}-{i}" for i, (kind, _) in enumerate(NEURONS)])
def test_neurons(engine: Engine, rng: np.random.Generator, kind: str, numbers: dict[str, float]) -> None:
    for groups in (1, 2, 11 * 2):
        data = {"data": rng.uniform(-1, 1, 22).astype(np.float32)} if kind == "prelu" else {}
        descriptor = mps.cnn.NeuronDescriptor(kind, **numbers, **data)
        x, w, bias = pixels(rng, (1, 4, 9, 22), "float32"), filters(rng, 22, 3, 3, 22 // groups), filters(rng, 22)
        layer = Convolution(w * 4, bias=bias, groups=groups, neuron=descriptor)
        if engine.is_metal and not layer.supports(x):
            continue
        sums, scale = convolution(x, w * 4, bias, *placement((4, 9), (3, 3), (1, 1), "same"), groups=groups)
        steepest = 4 * max(1.0, *(abs(v) for v in numbers.values()), 0.0)
        assert_sums(layer(x), neuron(sums, kind, **numbers, **data), scale * steepest, engine)


def test_usual_numbers_of_neurons(engine: Engine) -> None:
    x = np.array([-3, -0.5, 0, 0.5, 3, 7], np.float32).reshape(1, 6, 1)
    one = np.ones((1, 1), np.float32)
    for kind, numbers in {
        "relu": {"a": 0}, "linear": {"a": 1, "b": 0}, "hard_sigmoid": {"a": np.float32(0.2), "b": 0.5}, "tanh": {"a": 1, "b": 1},
        "softplus": {"a": 1, "b": 1}, "elu": {"a": 1}, "relun": {"a": 1, "b": 6}, "power": {"a": 1, "b": 0, "c": 1},
        "exponential": {"a": 1, "b": 0, "c": -1},
    }.items():  # fmt: skip
        wanted = neuron(x.astype(np.float64), kind, **numbers)
        assert_close(Convolution(one, neuron=kind)(x), wanted, 1e-6, 1e-6)
    relu6 = mps.cnn.NeuronDescriptor("relun", a=0, b=6)
    np.testing.assert_array_equal(Convolution(one, neuron=relu6)(x).ravel(), [0, 0, 0, 0.5, 3, 6])


def test_nan_and_infinity(engine: Engine) -> None:
    if engine.is_metal:
        pytest.skip("MPS does not say what NaN becomes")
    x = np.zeros((1, 5, 9), np.float32)
    x[0, 2], x[0, 4, 8] = np.nan, np.inf
    for w, groups in ((np.ones((9, 1, 3, 9), np.float32), 1), (np.ones((9, 1, 3, 1), np.float32), 9)):
        got = Convolution(w, neuron="relu", groups=groups)(x)
        assert np.isnan(got[0, 1:4]).all()
        assert (got[0, 4, 8] == np.inf).all()
        assert np.isfinite(got[0, 0]).all()


@pytest.mark.parametrize("groups", [1, 3, 12])
def test_batch_normalization(engine: Engine, rng: np.random.Generator, groups: int) -> None:
    x, w, bias = pixels(rng, (1, 6, 7, 12), "float32"), filters(rng, 12, 3, 3, 12 // groups), filters(rng, 12)
    mean, variance, gamma, beta = (rng.uniform(0.25, 1, 12).astype(np.float32) for _ in range(4))
    size, centre = placement((6, 7), (3, 3), (1, 1), "same")
    for given in ({}, {"gamma": gamma, "beta": beta, "epsilon": 1e-3}):
        parameters = mps.cnn.BatchNormalizationParameters(mean=mean, variance=variance, **given)
        layer = Convolution(w, bias=bias, groups=groups, batch_normalization=parameters, neuron="relu")
        if engine.is_metal and not layer.supports(x):
            pytest.skip(layer.why_not(x))
        sums, scale = convolution(x, w, bias, size, centre, groups=groups)
        epsilon = np.float64(np.float32(given.get("epsilon", np.finfo(np.float32).tiny)))
        factor = given.get("gamma", np.ones(12)) / np.sqrt(variance.astype(np.float64) + epsilon)
        exact = (sums - mean) * factor + given.get("beta", 0.0)
        assert_sums(layer(x), np.maximum(exact, 0), (scale + mean) * factor + 1, engine)


def test_weight_formats(engine: Engine, rng: np.random.Generator) -> None:
    x = pixels(rng, (1, 9, 10, 8), "float32")
    size, centre = placement((9, 10), (3, 3), (1, 1), "same")
    codes = rng.integers(0, 256, (12, 3, 3, 8), dtype=np.uint8)
    ranges = np.sort(rng.uniform(-0.5, 0.5, (12, 2)), axis=1).astype(np.float32)
    table = rng.uniform(-0.3, 0.3, 256).astype(np.float32)
    low, high = (ranges[:, i].reshape(-1, 1, 1, 1).astype(np.float64) for i in range(2))
    half = filters(rng, 12, 3, 3, 8, dtype="float16")
    for source, meant in (
        (ArrayDataSource(half), half),
        (ArrayDataSource(codes, ranges=ranges), codes / 255 * (high - low) + low),
        (ArrayDataSource(codes, lookup_table=table), table[codes].astype(np.float64)),
    ):
        if engine.is_metal and source.weights.dtype == np.uint8:
            meant = meant.astype(np.float16)  # MPS keeps them so
        exact, scale = convolution(x, meant, None, size, centre)
        assert_sums(Convolution(source)(x), exact, scale, engine)


def test_codes_of_weights() -> None:
    """u / 255 * (max - min) + min."""
    source = ArrayDataSource(np.array([[0], [128], [255]], np.uint8), ranges=np.array([[-1, 3]] * 3, np.float32))
    with mps.device("cpu"):
        got = Convolution(source)(np.ones((1, 1, 1), np.float32)).ravel()
    np.testing.assert_allclose(got, [-1, 1.0078431, 3], rtol=1e-6)


def test_accumulator_precision(engine: Engine, rng: np.random.Generator) -> None:
    x, w = pixels(rng, (1, 6, 7, 8), "float16"), filters(rng, 8, 3, 3, 8)
    exact, scale = convolution(x, w, None, *placement((6, 7), (3, 3), (1, 1), "same"))
    got = Convolution(w, accumulator_precision_option="half")(x)
    assert_close(got, exact, 4e-3, 1e-3, scale=scale)


def test_threads_do_not_change_results(rng: np.random.Generator) -> None:
    with mps.device("cpu"):
        before = mps.num_threads()
        try:
            for shape, w, options in (
                ((2, 33, 35, 16), filters(rng, 40, 3, 3, 16), {}),
                ((1, 33, 35, 48), filters(rng, 48, 3, 3, 1), {"groups": 48}),
                ((1, 20, 20, 32), filters(rng, 64, 3, 3, 8), {"groups": 4}),
            ):
                x, results = pixels(rng, shape, "float32"), []
                for threads in (1, 2, 3):
                    mps.set_num_threads(threads)
                    results.append(Convolution(w, **options)(x))
                for result in results[1:]:
                    np.testing.assert_array_equal(result, results[0])
        finally:
            mps.set_num_threads(before)


class Counted:
    """A data source of the user's, which tells what happens to it."""

    label = "conv1"
    stride = 2
    neuron = "relu"

    def __init__(self, w: Array, events: list[str] | None = None) -> None:
        self.all, self.events = w, [] if events is None else events
        self.weights: Any = None

    def load(self) -> bool:
        self.events.append("load")
        self.weights = self.all
        return True

    def purge(self) -> None:
        self.events.append("purge")
        self.weights = None


def test_own_data_source(engine: Engine, rng: np.random.Generator) -> None:
    x, source = pixels(rng, (1, 6, 7, 4), "float32"), Counted(filters(rng, 8, 3, 3, 4))
    layer = Convolution(source, padding=1)
    assert layer.weights is source
    assert source.events == ["load", "purge"], "sizes are asked for when the kernel is made"
    got = layer(x)
    exact, scale = convolution(x, source.all, None, *placement((6, 7), (3, 3), (2, 2), 1), (2, 2))
    assert_sums(got, np.maximum(exact, 0), scale, engine)
    assert source.events == ["load", "purge"] * 2
    layer(x)
    assert source.events == ["load", "purge"] * 2, "a plan is made once"
    assert layer == Convolution(source, padding=1)
    assert layer != Convolution(Counted(source.all), padding=1)


def test_what_the_kernel_says_wins(engine: Engine, rng: np.random.Generator) -> None:
    x, source = pixels(rng, (1, 6, 7, 4), "float32"), Counted(filters(rng, 8, 3, 3, 4))
    bias = filters(rng, 8)
    got = Convolution(source, stride=1, neuron="none", bias=bias)(x)
    check(got, x, source.all, bias, engine)


def test_descriptor_of_a_data_source(engine: Engine, rng: np.random.Generator) -> None:
    """With a descriptor, sizes are known while the weights are not there."""

    class Late:
        descriptor = mps.cnn.ConvolutionDescriptor(
            kernel_size=(3, 1), input_feature_channels=4, output_feature_channels=8, neuron="relu"
        )
        bias: Any = None
        weights: Any = None
        loads = 0

        def load(self) -> None:
            self.loads += 1

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(name)

    source = Late()
    layer = Convolution(source)
    x = pixels(rng, (1, 5, 6, 4), "float32")
    with pytest.raises(ValueError, match=re.escape("Late: weights is None after load(); allowed: an array")):
        layer(x)
    source.weights, source.bias = filters(rng, 8, 3, 2, 4), filters(rng, 8)
    with pytest.raises(
        ValueError, match=re.escape("Late: weights is (8, 3, 2, 4) float32, the descriptor says (8, 3, 1, 4)")
    ):
        layer(x)
    source.weights = filters(rng, 8, 3, 1, 4)
    exact, scale = convolution(x, source.weights, source.bias, *placement((5, 6), (3, 1), (1, 1), "same"))
    assert_sums(layer(x), np.maximum(exact, 0), scale, engine)


def test_data_sources_that_fail(engine: Engine, rng: np.random.Generator) -> None:
    class Failing(Counted):
        fails_to_load = refuses = fails_to_purge = False

        def load(self) -> bool:
            super().load()
            if self.fails_to_load:
                raise OSError("the disk is gone")
            return not self.refuses

        def purge(self) -> None:
            super().purge()
            if self.fails_to_purge:
                raise KeyError("purge")

    x, source = pixels(rng, (1, 5, 6, 4), "float32"), Failing(filters(rng, 8, 3, 3, 4))
    layer = Convolution(source)
    wanted = layer(x)
    source.fails_to_load = True
    with pytest.raises(OSError, match="the disk is gone"):
        layer.replace()
    with pytest.raises(OSError, match="the disk is gone"):
        layer(x[:, :4])
    source.fails_to_load, source.refuses = False, True
    with pytest.raises(ValueError, match=re.escape("Failing 'conv1': load() returned False; allowed: True or None")):
        layer(x[:, :4])
    source.refuses, source.fails_to_purge = False, True
    with pytest.raises(KeyError, match="purge"):
        layer(x[:, :4])
    source.fails_to_purge = False
    np.testing.assert_array_equal(layer(x), wanted)
    source.events.clear()
    source.all = source.all[:, :2]
    with pytest.raises(ValueError, match="the descriptor says"):
        layer(x[:, :4])
    assert source.events == ["load", "purge"], "what was loaded is purged when it does not fit"


def test_values(rng: np.random.Generator) -> None:
    w, bias = filters(rng, 8, 3, 3, 4), filters(rng, 8)
    layer = Convolution(w, bias=bias, neuron="relu", padding=((1, 1), (0, 2)), stride=(2, 1))
    assert (layer.stride_in_pixels_y, layer.stride_in_pixels_x, layer.padding) == (2, 1, ((1, 1), (0, 2)))
    assert isinstance(layer.weights, ArrayDataSource)
    np.testing.assert_array_equal(layer.weights.weights, w)
    assert not layer.weights.weights.flags.writeable
    assert layer.weights.weights.base is not None, "shared, not copied"
    assert np.shares_memory(layer.weights.weights, w)
    again = pickle.loads(pickle.dumps(layer))
    assert again == layer
    assert hash(again) == hash(layer)
    assert layer != layer.replace(padding="same")
    assert layer != layer.replace(weights=w * 2)
    assert layer.replace(stride=3).stride_in_pixels_y == 3
    assert Convolution(w.astype(np.float16)).weights.weights.dtype == np.float16
    assert Convolution(np.asfortranarray(w)) == Convolution(w), "rows that are not contiguous are copied"
    assert Convolution(w, bias=[1.0] * 8) == Convolution(w, bias=np.ones(8, np.float32))
    assert Convolution(w, fused_neuron_descriptor="relu") == Convolution(w, neuron=mps.cnn.NeuronDescriptor("relu"))
    assert "neuron=NeuronDescriptor(type='relu')" in repr(layer)
    assert len(repr(Convolution(filters(rng, 256, 3, 3, 64)))) < 300


W = np.zeros((8, 3, 3, 4), np.float32)


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Convolution(), ValueError, "Convolution: weights is None; allowed: a data source, or an array (output, height"),
        (lambda: Convolution("w.npy"), TypeError, "Convolution: weights is 'w.npy' (str); allowed: an array with one to four axes"),
        (lambda: Convolution(W.astype(np.float64)), TypeError, "weights is (8, 3, 3, 4) float64; allowed: float32, float16, uint8"),
        (lambda: Convolution(W[0]), ValueError, "weights is (3, 3, 4) float32; allowed: (output, height, width, input / groups)"),
        (lambda: Convolution(W[:0]), ValueError, "weights is (0, 3, 3, 4) float32; allowed: one or more on each axis"),
        (lambda: Convolution(W.astype(np.uint8)), ValueError, "with neither ranges nor lookup_table; allowed: one of"),
        (lambda: Convolution(W, bias=W), ValueError, "Convolution: bias is (8, 3, 3, 4) float32; allowed: 8 numbers"),
        (lambda: Convolution(W, bias=np.zeros(8)), TypeError, "Convolution: bias is (8,) float64; allowed: float32"),
        (lambda: Convolution(W, groups=3), ValueError, "groups is 3, output_feature_channels is 8; allowed: a divisor"),
        (lambda: Convolution(W, groups=0), ValueError, "groups is 0; allowed: 1 <= groups"),
        (lambda: Convolution(W, stride=0), ValueError, "stride_in_pixels_x is 0; allowed: 1 <= stride_in_pixels_x"),
        (lambda: Convolution(W, stride=1, stride_in_pixels_x=1), TypeError, "stride and stride_in_pixels_x are both given"),
        (lambda: Convolution(W, neuron="rel"), ValueError, "NeuronDescriptor: type is 'rel'; allowed: 'none', 'relu'"),
        (lambda: Convolution(W, padding="sam"), ValueError, "padding is 'sam'; allowed: 'same', 'valid', 'full'. Did you mean 'same'?"),
        (lambda: Convolution(W, padding=(1, 2, 3)), ValueError, "padding is (1, 2, 3); allowed: 'same', 'valid', 'full', an integer"),
        (lambda: Convolution(W, padding=1.5), TypeError, "padding is 1.5 (float); allowed"),
        (lambda: Convolution(W, padding=True), TypeError, "padding is True (bool); allowed"),
        (lambda: Convolution(W, padding=1 << 40), ValueError, "padding is 1099511627776; allowed: -65536 <= padding <= 65536 px"),
        (lambda: Convolution(W, edge_mode="mirror"), ValueError, "edge_mode is 'mirror'; allowed: 'zero', 'clamp'"),
        (lambda: Convolution(W, offset=(1 << 60, 0)), ValueError, "allowed: x and y within 2**30 pixels"),
        (lambda: Convolution(W, offset=(0, 0, -1)), ValueError, "offset is (0, 0, -1); allowed"),
        (lambda: Convolution(W, source_feature_channel_offset=2), ValueError, "is 2; allowed: a multiple of 4"),
        (lambda: Convolution(W, destination_feature_channel_offset=6), ValueError, "is 6; allowed: a multiple of 4"),
        (lambda: Convolution(W, strid=2), TypeError, "unknown keyword 'strid'"),
        (lambda: ArrayDataSource(), ValueError, "ArrayDataSource: weights is None"),
        (lambda: ArrayDataSource(W, ranges=W), ValueError, "ranges is (8, 3, 3, 4) float32; allowed: 16 numbers, (min, max)"),
        (lambda: ArrayDataSource(W, [0.0] * 7, label="a"), ValueError, "ArrayDataSource 'a': bias is (7,) float32; allowed: 8 numbers"),
        (lambda: mps.cnn.NeuronDescriptor("sigmoid", a=1), ValueError, "NeuronDescriptor: a is 1.0; allowed: none, 'sigmoid' has no a"),
        (lambda: mps.cnn.NeuronDescriptor("prelu"), ValueError, "NeuronDescriptor: data is None; allowed: the slopes of 'prelu'"),
        (lambda: mps.cnn.NeuronDescriptor("relu", data=[1.0]), ValueError, "data is given; allowed: for 'prelu' only"),
        (lambda: mps.cnn.NeuronDescriptor("logarithm", c=1), ValueError, "c is 1.0; allowed: a base other than 1"),
        (lambda: mps.cnn.NeuronDescriptor("exponential", c=-2), ValueError, "c is -2.0; allowed: a base c > 0, or -1 for e"),
        (lambda: Convolution(W, neuron=mps.cnn.NeuronDescriptor("prelu", data=[1.0])), ValueError, "the neuron has 1 slopes; allowed: 8"),
        (lambda: mps.cnn.BatchNormalizationParameters(mean=[1.0]), ValueError, "variance is None; allowed: float32, one a channel"),
        (lambda: mps.cnn.BatchNormalizationParameters([1.0], [1.0, 2.0]), ValueError, "variance is (2,) float32, mean is (1,) float32"),
        (lambda: Convolution(W, batch_normalization=mps.cnn.BatchNormalizationParameters([1.0], [1.0])), ValueError,
         "batch_normalization has 1 channel; allowed: 8"),
        (lambda: mps.cnn.ConvolutionDescriptor(groups=2, input_feature_channels=3), ValueError, "groups is 2, input_feature_channels is 3"),
    ],
)  # fmt: skip
def test_parameters_that_are_refused(make: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        make()


@pytest.mark.parametrize(
    ("options", "shape", "call", "text"),
    [
        ({}, (1, 5, 5, 3), {}, "Convolution: image has 3 channels to read; allowed: 4, which the weights take"),
        ({}, (1, 5, 5, 8), {}, "Choose some with source_feature_channel_offset and source_feature_channel_max_count"),
        ({"source_feature_channel_offset": 4}, (1, 5, 5, 4), {}, "source_feature_channel_offset is 4, image has 4 channels"),
        ({"padding": "valid"}, (1, 2, 5, 4), {}, "Convolution: image is 5 x 2 and windows are 3 x 3, so that none fits"),
        ({"padding": -3}, (1, 5, 5, 4), {}, "so that none fits"),
        ({"dilation": 1 << 16}, (1, 5, 5, 4), {}, "windows with dilation are 131073 x 131073 px; allowed: 65536 at most"),
        ({}, (1, 5, 5, 4), {"channels": 3}, "channels is 3; allowed: 8, which it makes"),
        ({}, (1, 5, 5, 4), {"out": np.zeros((1, 5, 6, 8), np.float32)}, "out is 6 x 5, the padding makes 5 x 5; allowed: the same size"),
        ({}, (1, 5, 5, 4), {"out": np.zeros((1, 5, 5, 7), np.float32)}, "out has 7 channels; allowed: 8 or more"),
        ({}, (1, 5, 5, 4), {"out": np.zeros((2, 5, 5, 8), np.float32)}, "image has 1 image, out has 2; allowed: the same number"),
        ({"clip_rect": (9, 0, 4, 4)}, (1, 5, 5, 4), {}, "clip_rect begins at (9, 0) and holds no pixel of out (5 x 5)"),
        ({"offset": (0, 0, 2)}, (3, 5, 5, 4), {"out": np.zeros((2, 5, 5, 8), np.float32)}, "images 2 to 3 are read, image has 3"),
        ({"clip_rect": (0, 0, 5, 4, 4, 1)}, (3, 5, 5, 4), {"out": np.zeros((2, 5, 5, 8), np.float32)}, "clip_rect begins at image 5, out has 2"),
    ],
)  # fmt: skip
def test_calls_that_are_refused(options: Any, shape: Any, call: Any, text: str) -> None:
    with mps.device("cpu"), pytest.raises(ValueError, match=re.escape(text)):
        Convolution(W, **options)(np.zeros(shape, np.float32), **call)
    source = ArrayDataSource(W, label="stem")
    with mps.device("cpu"), pytest.raises(ValueError, match=r"^Convolution 'stem': "):
        Convolution(source, **options)(np.zeros(shape, np.float32), **call)
