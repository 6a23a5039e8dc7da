"""What only Metal has of networks: batches larger than a texture, graphs that MPS has and lacks, weights and memory that fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from mpskit.graph import ConcatenationNode, ConvolutionNode, FilterNode, Graph, ImageNode, PoolingMaxNode, SoftMaxNode

Array = NDArray[Any]
Knob = Callable[[str, str], None]


def softmax(x: Array) -> Array:
    e = np.exp(x.astype(np.float64) - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def pointwise(x: Array, w: Array) -> Array:
    return x.astype(np.float64) @ w[:, 0, 0].astype(np.float64).T


def test_batches_larger_than_a_texture(metal: mps.Device, rng: np.random.Generator) -> None:
    """2048 slices are in a texture; here a batch has 3000, and half of it is an image's."""
    x = rng.standard_normal((3, 1, 2, 4000)).astype(np.float32)
    w = rng.uniform(-0.02, 0.02, (5, 1, 1, 4000)).astype(np.float32)
    convolution = mps.cnn.Convolution(w)
    np.testing.assert_allclose(mps.cnn.SoftMax()(x), softmax(x), rtol=1e-6)
    np.testing.assert_allclose(convolution(x), pointwise(x, w), atol=1e-4)
    with metal.command_buffer() as cb:
        between = mps.cnn.SoftMax().encode(cb, x)  # too many slices for a texture: bytes
        y = convolution.encode(cb, between, temporary=False)
    np.testing.assert_allclose(y, pointwise(softmax(x), w), atol=1e-6)
    graph = Graph(ConvolutionNode(SoftMaxNode(ImageNode()), w))
    np.testing.assert_allclose(graph(x), pointwise(softmax(x), w), atol=1e-6)


def test_images_of_a_batch_are_chosen(metal: mps.Device, rng: np.random.Generator) -> None:
    x = rng.standard_normal((5, 2, 3, 6)).astype(np.float32)
    out = np.full((4, 2, 3, 6), 7, np.float32)
    kernel = mps.cnn.SoftMax(offset=(0, 0, 2), clip_rect=(0, 0, 1, 3, 2, 2))
    kernel(x, out=out)
    np.testing.assert_allclose(out[1:3], softmax(x[2:4]), rtol=1e-6)
    assert np.all(out[[0, 3]] == 7)
    with metal.command_buffer() as cb:
        temporary = mps.cnn.PoolingMax(kernel_size=1).encode(cb, x)
        y = mps.cnn.SoftMax(offset=(0, 0, 2)).encode(cb, temporary, temporary=False)
    np.testing.assert_allclose(y, softmax(x[2:]), rtol=1e-6)


def network(rng: np.random.Generator, first: int, second: int, *, reads: bool) -> tuple[Graph, list[Array]]:
    """Two branches joined; when `reads`, something reads what they join."""
    x = ImageNode("x", format="float32")
    weights = [rng.uniform(-1, 1, (n, 1, 1, 3)).astype(np.float32) for n in (first, second)]
    joined = ConcatenationNode(*(ConvolutionNode(x, w) for w in weights))
    return Graph([joined, SoftMaxNode(joined)] if reads else joined), weights


@pytest.mark.parametrize("reads", [False, True])
@pytest.mark.parametrize(("first", "second"), [(4, 8), (8, 3), (3, 5), (1, 4)])
def test_concatenations(metal: mps.Device, rng: np.random.Generator, first: int, second: int, reads: bool) -> None:
    """MPS rounds each source up to whole slices of four channels: nothing of that may show."""
    graph, weights = network(rng, first, second, reads=reads)
    for images in (1, 3):
        x = rng.uniform(-1, 1, (images, 4, 5, 3)).astype(np.float32)
        wanted = np.concatenate([pointwise(x, w) for w in weights], axis=-1)
        for source in (x, mps.Image(x)):
            results = graph(source)
            got = results if reads else (results,)
            np.testing.assert_allclose(np.asarray(got[0]), wanted, atol=1e-6)
            if reads:
                np.testing.assert_allclose(np.asarray(got[1]), softmax(wanted), rtol=1e-5)


def test_graphs_within_a_command_buffer(metal: mps.Device, rng: np.random.Generator) -> None:
    """Operands are temporaries of the command buffer; a chain of kernels has its own beside them."""
    w = rng.uniform(-1, 1, (3, 1, 1, 3)).astype(np.float32)
    own = Graph(ConvolutionNode(ConvolutionNode(ImageNode(), w), w))
    copied = FilterNode(mps.image.GaussianBlur(sigma=0), ImageNode("y"))
    chain = Graph(ConcatenationNode(copied, FilterNode(mps.image.GaussianBlur(sigma=0), copied), copied))
    x = rng.uniform(-1, 1, (2, 3, 4, 3)).astype(np.float32)
    with metal.command_buffer() as cb:
        first = own.encode(cb, x)
        second = chain.encode(cb, first)
        third = chain.encode(cb, first, temporary=False)
        last = mps.cnn.PoolingMax(kernel_size=1).encode(cb, second, temporary=False)
    wanted = np.concatenate([pointwise(pointwise(x, w), w)] * 3, axis=-1)
    np.testing.assert_allclose(np.asarray(third), wanted, atol=1e-6)
    np.testing.assert_allclose(np.asarray(last), wanted, atol=1e-6)


def test_graphs_that_mps_has_no_nodes_for(metal: mps.Device, rng: np.random.Generator) -> None:
    w = rng.uniform(-1, 1, (3, 1, 1, 3)).astype(np.float32)
    slopes = np.array([0.1, 0.2, 0.3], np.float32)
    x = rng.uniform(-1, 1, (2, 4, 4, 3)).astype(np.float32)
    prelu = mps.cnn.NeuronDescriptor("prelu", data=slopes)
    sums = pointwise(x, w)
    activated = np.where(sums >= 0, sums, sums * slopes)
    node = ConvolutionNode(ImageNode(), w, neuron=prelu)
    np.testing.assert_allclose(Graph(node)(x), activated, atol=1e-6)
    pooled = PoolingMaxNode(node, 2, offset=(1, 1))
    np.testing.assert_allclose(Graph(pooled)(x), activated.reshape(2, 2, 2, 2, 2, 3).max(axis=(2, 4)), atol=1e-6)
    moved = FilterNode(mps.cnn.SoftMax(offset=(1, 0)), node)
    beyond = np.concatenate([activated[:, :, 1:], np.zeros((2, 4, 1, 3))], axis=2)
    np.testing.assert_allclose(Graph(moved)(x), softmax(beyond), rtol=1e-5)


def test_half_precision_accumulation(metal: mps.Device, rng: np.random.Generator) -> None:
    """It is asked for: then kernels keep float16 weights, whatever they were given."""
    w = rng.uniform(-1, 1, (4, 1, 1, 8)).astype(np.float32)
    x = rng.uniform(-1, 1, (1, 2, 2, 8)).astype(np.float32)
    for result in (
        mps.cnn.Convolution(w, accumulator_precision_option="half")(x),
        Graph(ConvolutionNode(ImageNode(), w, accumulator_precision="half"))(x),
    ):
        np.testing.assert_allclose(result, pointwise(x, w), atol=8 * 2e-3)


class Source:
    descriptor = mps.cnn.ConvolutionDescriptor(kernel_size=1, input_feature_channels=3, output_feature_channels=2)
    label = "mine"

    def __init__(self, failure: str) -> None:
        self.failure, self.loads, self.purges = failure, 0, 0
        self.weights = np.ones((2, 1, 1, 3), np.float32)

    def load(self) -> None:
        if self.failure == "load":
            raise KeyError("nothing there")
        if self.failure == "shape":
            self.weights = np.ones((2, 1, 1, 4), np.float32)
        self.loads += 1

    def purge(self) -> None:
        self.purges += 1
        if self.failure == "purge":
            raise OSError("cannot let go")


@pytest.mark.parametrize(
    ("failure", "error"),
    [("load", KeyError), ("shape", ValueError), ("purge", OSError)],
    ids=["load", "shape", "purge"],
)
def test_weights_that_fail(metal: mps.Device, failure: str, error: type[Exception]) -> None:
    """MPS' own frames lie between the source and the caller: what it throws reaches the caller all the same, and work goes on."""
    x = np.ones((2, 2, 3), np.float32)
    good = Source("")
    for make in (
        lambda s: mps.cnn.Convolution(s),
        lambda s: Graph(ConvolutionNode(ConvolutionNode(ImageNode(), np.eye(3, dtype=np.float32)), s)),
    ):
        bad = Source(failure)
        with pytest.raises(error):
            make(bad)(x)
        assert bad.loads == (bad.purges if failure != "load" else 0)
        assert np.all(make(good)(x) == 3)
    assert good.loads == good.purges


def test_recurrent_weights_that_fail(metal: mps.Device) -> None:
    class Gate(Source):
        def __init__(self, failure: str) -> None:
            super().__init__(failure)
            self.descriptor = mps.cnn.ConvolutionDescriptor(
                kernel_size=1, input_feature_channels=3, output_feature_channels=3, neuron="tanh"
            )
            self.weights = np.eye(3, dtype=np.float32).reshape(3, 1, 1, 3)

    def layer(failure: str, good: Gate) -> Any:
        descriptor = mps.rnn.GRUDescriptor(
            3,
            3,
            input_gate_input_weights=good,
            output_gate_input_weights=Gate(failure),
            recurrent_gate_input_weights=Gate(""),
        )
        return mps.rnn.MatrixInferenceLayer(descriptor)

    x = np.ones((2, 1, 3), np.float32)
    good = Gate("")
    with pytest.raises(KeyError):
        layer("load", good)(x)
    assert good.loads == good.purges > 0
    with pytest.raises(ValueError, match="weights"):
        layer("shape", good)(x)
    assert layer("", good)(x).shape == (2, 1, 3)
    assert good.loads == good.purges > 0


@pytest.mark.parametrize("call", range(1, 12))
def test_memory_runs_out(metal: mps.Device, knob: Knob, rng: np.random.Generator, call: int) -> None:
    """Whatever cannot be made: an error in words, or a second try, and the next call works."""
    w = rng.uniform(-1, 1, (3, 1, 1, 3)).astype(np.float32)
    copied = FilterNode(mps.image.GaussianBlur(sigma=0), ImageNode("y"))
    graphs = [
        Graph(ConvolutionNode(ConvolutionNode(ImageNode(), w), w)),
        Graph(ConcatenationNode(copied, copied)),
        mps.cnn.Convolution(w, neuron=mps.cnn.NeuronDescriptor("prelu", data=np.ones(3, np.float32))),
    ]
    x = np.ones((5 + call, 7, 3), np.float32)
    wanted = [graph(x) for graph in graphs]
    x = np.ones((5 + call, 7, 3), np.float32)
    for graph, want in zip(graphs, wanted, strict=True):
        knob("FAIL_ALLOCATION", f"{call}+")
        try:
            got = graph(x)
        except mps.DeviceError as error:
            assert str(error)  # noqa: PT017
        else:
            assert np.array_equal(got, want)
        knob("FAIL_ALLOCATION", "")
        assert np.array_equal(graph(x), want)
