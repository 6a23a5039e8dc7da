"""Whole networks against NumPy references that know nothing of mpskit: numbers, sizes, memory, weights that come and go, files."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from mpskit.graph import ConcatenationNode, ConvolutionNode, Graph, ImageNode, PoolingMaxNode, SoftMaxNode
from tests.kernels.cnn.reference import convolution, extent, neuron, placement, pooling_max, softmax
from tests.support.compare import assert_close
from tests.support.engine import Engine

Array = NDArray[Any]


@pytest.fixture(autouse=True)
def _poison() -> Iterator[None]:
    """Memory is NaN before it is written and after it was last read: a plan that shares too much cannot pass."""
    mps._core.graph._poison_memory(True)
    yield
    mps._core.graph._poison_memory(False)


class Source:
    """Weights of a layer, with a diary that all layers of a network share."""

    def __init__(
        self, rng: np.random.Generator, label: str, *shape: int, diary: list[str] | None = None, **options: Any
    ) -> None:
        self.label, self.diary = label, [] if diary is None else diary
        self.kept = (rng.uniform(-1, 1, shape) * (3 / np.prod(shape[1:])) ** 0.5).astype(np.float32)
        self.kept_bias = rng.uniform(-0.2, 0.2, shape[0]).astype(np.float32)
        self.weights: Any = None
        self.bias: Any = None
        self.options = options
        self.__dict__.update(options)

    def load(self) -> None:
        self.diary.append(f"load {self.label}")
        self.weights, self.bias = self.kept, self.kept_bias

    def purge(self) -> None:
        self.diary.append(f"purge {self.label}")
        self.weights = self.bias = None


def pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def convolved(x: Array, s: Source, padding: Any = "same", remainder: str = "top_left") -> Array:
    stride, dilation, w = pair(s.options.get("stride", 1)), pair(s.options.get("dilation", 1)), s.kept
    window = (extent(w.shape[1], dilation[0]), extent(w.shape[2], dilation[1]))
    size, centre = placement(x.shape[1:3], window, stride, padding, remainder)
    y, _ = convolution(x, w, s.kept_bias, size, centre, stride, dilation, s.options.get("groups", 1))
    return neuron(y, s.options.get("neuron", "none"), b=1) if s.options.get("neuron") != "tanh" else np.tanh(y)


def pooled(x: Array, taps: int, stride: int, padding: Any = "same") -> Array:
    size, centre = placement(x.shape[1:3], (taps, taps), (stride, stride), padding)
    return pooling_max(x, size, centre, (taps, taps), (stride, stride), "clamp")


def classifier(rng: np.random.Generator, diary: list[str] | None = None) -> tuple[Any, Any]:
    """A node, and its reference: stem, two branches put together, a depthwise layer, pooling, probabilities."""
    stem = Source(rng, "stem", 8, 3, 3, 3, stride=2, neuron="relu", diary=diary)
    left = Source(rng, "left", 12, 1, 1, 8, neuron="relu", diary=diary)
    right = Source(rng, "right", 20, 3, 3, 8, neuron="tanh", diary=diary)
    deep = Source(rng, "deep", 32, 3, 3, 1, groups=32, diary=diary)
    last = Source(rng, "last", 10, 4, 5, 32, diary=diary)
    x = ImageNode("image")
    first = PoolingMaxNode(ConvolutionNode(x, stem), 3, 2)
    both = ConcatenationNode(ConvolutionNode(first, left), ConvolutionNode(first, right))
    node = SoftMaxNode(ConvolutionNode(ConvolutionNode(both, deep), last, padding="valid"))

    def reference(x: Array) -> Array:
        y = pooled(convolved(x, stem), 3, 2)
        y = np.concatenate([convolved(y, left), convolved(y, right)], axis=-1)
        return softmax(convolved(convolved(y, deep), last, "valid"))

    return node, reference


def test_classifier(engine: Engine, rng: np.random.Generator) -> None:
    node, reference = classifier(rng)
    graph = Graph(node)
    x = rng.uniform(0, 1, (3, 16, 20, 3)).astype(np.float32)
    got = graph(x)
    assert got.shape == (3, 1, 1, 10)
    assert_close(got, reference(x), 1e-5)
    assert_close(graph(x[1]), reference(x[1:2])[0], 1e-5)
    half = Graph(node, format="float16")(x)
    assert half.dtype == np.float16
    assert_close(half, reference(x), 1e-2)
    assert_close(graph((x * 255).astype(np.uint8)), reference((x * 255).astype(np.uint8) / 255), 1e-5)


def test_branches_are_written_in_place(engine: Engine, rng: np.random.Generator) -> None:
    sources = [Source(rng, f"branch{i}", channels, 3, 3, 4) for i, channels in enumerate((8, 4, 6, 3))]
    x = ImageNode()
    graph = Graph(
        ConvolutionNode(
            ConcatenationNode([ConvolutionNode(x, s) for s in sources]), last := Source(rng, "last", 5, 1, 1, 21)
        )
    )
    image = rng.uniform(-1, 1, (1, 6, 7, 4)).astype(np.float32)
    wanted = convolved(np.concatenate([convolved(image, s) for s in sources], axis=-1), last)
    assert_close(graph(image), wanted, 1e-5)
    if not engine.is_metal:
        plan = graph.memory_plan()
        # The fourth begins at channel 18: kernels write from multiples of four on.
        assert [step for step in plan.steps if step.startswith("copy")] == ["copy for 'Concatenation' (Concatenation)"]


@pytest.mark.parametrize("remainder", ["top_left", "bottom_right"])
@pytest.mark.parametrize("padding", ["same", "valid", "full", 1, ((0, 1), (2, 0))])
def test_padding_policies(engine: Engine, rng: np.random.Generator, padding: Any, remainder: str) -> None:
    a, b = Source(rng, "a", 8, 3, 3, 4, stride=2), Source(rng, "b", 4, 2, 3, 8, stride=(3, 1), dilation=(1, 2))
    x = ImageNode()
    options: dict[str, Any] = {"padding": padding, "padding_remainder": remainder}
    graph = Graph(ConvolutionNode(ConvolutionNode(x, a, **options), b, **options))
    image = rng.uniform(-1, 1, (1, 19, 22, 4)).astype(np.float32)
    wanted = convolved(convolved(image, a, padding, remainder), b, padding, remainder)
    assert_close(graph(image), wanted, 1e-5)


def test_weights_come_one_layer_after_the_other(engine: Engine, rng: np.random.Generator) -> None:
    diary: list[str] = []
    node, reference = classifier(rng, diary)
    names = ["stem", "left", "right", "deep", "last"]
    assert diary == [f"{what} {name}" for name in names for what in ("load", "purge")], "sizes, when a node is made"
    diary.clear()
    graph = Graph(node)
    assert not diary
    x = rng.uniform(0, 1, (16, 20, 3)).astype(np.float32)
    wanted = reference(x[None])[0]
    assert_close(graph(x), wanted, 1e-5)
    assert diary[1::2] == [entry.replace("load", "purge") for entry in diary[::2]], "never two at once"
    assert sorted(diary[::2]) == sorted(f"load {name}" for name in names)
    diary.clear()
    graph(x)
    assert not diary, "plans keep what they made of them"
    graph.reload_from_data_sources()
    assert sorted(diary[::2]) == sorted(f"load {name}" for name in names)


def test_reloading(engine: Engine, rng: np.random.Generator) -> None:
    source = Source(rng, "a", 4, 3, 3, 4)
    graph = Graph(ConvolutionNode(ImageNode(), source))
    x = rng.uniform(-1, 1, (1, 6, 7, 4)).astype(np.float32)
    first = graph(x)
    source.kept = source.kept * 2
    np.testing.assert_array_equal(graph(x), first)
    graph.reload_from_data_sources()
    assert_close(graph(x), convolved(x, source), 1e-5)


def test_a_source_that_fails(engine: Engine, rng: np.random.Generator) -> None:
    source = Source(rng, "broken", 4, 3, 3, 4)
    graph = Graph(ConvolutionNode(ImageNode(), source))
    x = rng.uniform(-1, 1, (1, 6, 7, 4)).astype(np.float32)
    kept, source.kept = source.kept, np.zeros((4, 3, 3, 5), np.float32)
    with pytest.raises(ValueError, match="broken"):
        graph(x)
    source.kept = kept
    assert_close(graph(x), convolved(x, source), 1e-5)


def test_saving(engine: Engine, rng: np.random.Generator, tmp_path: Path) -> None:
    diary: list[str] = []
    node, reference = classifier(rng, diary)
    graph = Graph(node)
    diary.clear()
    graph.save(tmp_path / "net.safetensors")
    assert diary[1::2] == [entry.replace("load", "purge") for entry in diary[::2]], "never two at once"
    x = rng.uniform(0, 1, (2, 16, 20, 3)).astype(np.float32)
    for restored in (Graph.load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(graph))):
        assert_close(restored(x), reference(x), 1e-5)
        assert [line.split()[0] for line in restored.summary().splitlines()] == [
            line.split()[0] for line in graph.summary().splitlines()
        ]
    # Other tools read the weights.
    kept = mps.cnn.FileDataSource(tmp_path / "net.safetensors", "stem.weights.weights")
    kept.load()
    assert kept.weights is not None
    assert kept.weights.shape == (8, 3, 3, 3)


def test_values_of_a_layer_are_saved(engine: Engine, rng: np.random.Generator, tmp_path: Path) -> None:
    w = rng.integers(0, 256, (6, 3, 3, 4), dtype=np.uint8)
    ranges = np.sort(rng.uniform(-0.5, 0.5, (6, 2)), axis=1).astype(np.float32)
    parameters = mps.cnn.BatchNormalizationParameters(
        rng.random(6, np.float32), rng.random(6, np.float32), epsilon=1e-3
    )
    slopes = mps.cnn.NeuronDescriptor("relu", a=0.25)
    source = mps.cnn.ArrayDataSource(
        w, ranges=ranges, batch_normalization=parameters, neuron=slopes, stride=2, label="one"
    )
    graph = Graph(ConvolutionNode(ImageNode(), source, padding=((1, 0), (2, 1))))
    graph.save(tmp_path / "net.safetensors")
    x = rng.uniform(-1, 1, (7, 8, 4)).astype(np.float32)
    np.testing.assert_array_equal(Graph.load(tmp_path / "net.safetensors")(x), graph(x))


def test_from_many_threads(engine: Engine, rng: np.random.Generator) -> None:
    node, reference = classifier(rng)
    graph = Graph(node)
    images = [rng.uniform(0, 1, (16, 20 + 4 * (i % 2), 3)).astype(np.float32) for i in range(8)]
    wanted = [reference(x[None])[0] for x in images]
    got: list[Any] = [None] * len(images)

    def work(i: int) -> None:
        got[i] = graph(images[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(got, wanted, strict=True):
        assert_close(a, b, 1e-5)


def test_sizes_that_do_not_fit_name_the_node(rng: np.random.Generator) -> None:
    node, _ = classifier(rng)
    with mps.device("cpu"):
        with pytest.raises(
            ValueError,
            match=r"Graph: node 'last' \(Convolution\): Convolution 'last': image is 2 x 2 and windows are 5 x 4",
        ):
            Graph(node)(np.zeros((8, 8, 3), np.float32))
        with pytest.raises(
            ValueError, match=r"Graph: node 'stem' \(Convolution\): Convolution 'stem': image has 4 channels to read"
        ):
            Graph(node)(np.zeros((16, 20, 4), np.float32))
