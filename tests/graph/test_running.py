"""What a graph does around its kernels: order, memory, handles, calls, errors. Kernels run one by one are the reference here;
that networks compute the right numbers is shown in test_networks.py, without mpskit's kernels."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from mpskit.graph import ConcatenationNode, FilterNode, Graph, ImageNode
from tests.support.engine import Engine

Array = NDArray[Any]


def blur(sigma: float) -> Any:
    return mps.image.GaussianBlur(sigma=sigma)


@pytest.fixture(autouse=True)
def _poison() -> Iterator[None]:
    """Memory is NaN before it is written and after it was last read: a plan that shares too much cannot pass."""
    mps._core.graph._poison_memory(True)
    yield
    mps._core.graph._poison_memory(False)


@pytest.fixture
def x(rng: np.random.Generator) -> Array:
    return rng.random((9, 11, 4), dtype=np.float32)


def chain(length: int, source: ImageNode | None = None) -> FilterNode:
    node: ImageNode | FilterNode = source or ImageNode("x")
    for i in range(length):
        node = FilterNode(blur(0.5 + 0.1 * i), node)
    assert isinstance(node, FilterNode)
    return node


def test_chain(engine: Engine, x: Array) -> None:
    graph, wanted = Graph(chain(5)), x
    for i in range(5):
        wanted = blur(0.5 + 0.1 * i)(wanted)
    np.testing.assert_array_equal(graph(x), wanted)
    plan = graph.memory_plan()
    assert plan.separate_allocations == 4
    assert plan.allocations == 1
    assert plan.images == 4
    size = x.nbytes + -x.nbytes % 128
    assert plan.bytes == plan.least_bytes == 2 * size < plan.separate_bytes


@pytest.mark.parametrize("seed", range(30))
def test_random_networks(engine: Engine, seed: int) -> None:
    """Any network, any order of steps, any sharing of memory: what kernels give one by one."""
    rng = np.random.default_rng(seed)
    arrays = [rng.random((5, 6, int(rng.integers(1, 9))), dtype=np.float32) for _ in range(2)]
    images: list[Any] = [ImageNode(f"in{i}") for i in range(2)]
    values = list(arrays)
    for _ in range(int(rng.integers(2, 14))):
        picked = [int(i) for i in rng.integers(max(0, len(images) - 5), len(images), int(rng.integers(1, 4)))]
        if len(picked) == 1:
            sigma = float(rng.uniform(0, 1))
            images.append(FilterNode(blur(sigma), images[picked[0]]))
            values.append(blur(sigma)(values[picked[0]]))
        else:
            images.append(ConcatenationNode(*(images[i] for i in picked)))
            values.append(np.concatenate([values[i] for i in picked], -1))
    results = sorted({int(i) for i in rng.integers(2, len(images), 2)} | {len(images) - 1})
    graph = Graph([images[i] for i in results])
    inputs = {handle: arrays[int(str(handle)[2:])] for handle in graph.source_image_handles}
    got = graph(inputs)
    for given, i in zip(got if len(results) > 1 else [got], results, strict=True):
        np.testing.assert_array_equal(given, values[i])
    plan = graph.memory_plan()
    assert plan.least_bytes <= plan.bytes
    for a, (offset, size, first, last) in enumerate(plan.places):
        assert offset + size <= plan.bytes
        for other, other_size, other_first, other_last in plan.places[:a]:
            together = first <= other_last and other_first <= last
            assert not together or offset + size <= other or other + other_size <= offset


def test_order_that_needs_less_memory(engine: Engine, rng: np.random.Generator) -> None:
    """Two wide branches that each end narrow: one is finished before the other begins."""
    x = ImageNode()
    narrow = mps.image.LanczosScale(width=2, height=2) if hasattr(mps.image, "LanczosScale") else None
    if narrow is None or not narrow.supports(np.zeros((4, 4, 4), np.float32)):
        pytest.skip("needs LanczosScale")
    wide = [FilterNode(blur(0.5 + 0.1 * i), x) for i in range(4)]
    graph = Graph(ConcatenationNode([FilterNode(narrow, node) for node in wide]))
    picture = rng.random((32, 32, 4), dtype=np.float32)
    plan = graph.memory_plan(picture)
    assert plan.bytes < 2 * picture.nbytes < plan.separate_bytes
    wanted = np.concatenate([narrow(blur(0.5 + 0.1 * i)(picture)) for i in range(4)], -1)
    np.testing.assert_array_equal(graph(picture), wanted)


def test_deep(engine: Engine) -> None:
    node: ImageNode | FilterNode = ImageNode()
    for _ in range(3000):
        node = FilterNode(blur(0), node)
    graph, x = Graph(node), np.ones((1, 2), np.float32)
    np.testing.assert_array_equal(graph(x), x)


def test_two_inputs(engine: Engine, x: Array) -> None:
    left, right = ImageNode("left"), ImageNode("right")
    graph = Graph(ConcatenationNode(FilterNode(blur(1), right), left))
    wanted = np.concatenate([blur(1)(x), 2 * x], -1)
    assert graph.source_image_handles == ("right", "left")
    for got in (graph(x, 2 * x), graph({"left": 2 * x, "right": x}), graph(left=2 * x, right=x), graph(x, left=2 * x)):
        np.testing.assert_array_equal(got, wanted)
    with pytest.raises(ValueError, match=r"no image for 'left'; allowed: the handles 'right', 'left'"):
        graph({"right": x})
    with pytest.raises(ValueError, match=r"'lift' is no input"):
        graph({"right": x, "left": x, "lift": x})
    with pytest.raises(TypeError, match=r"1 input given; allowed: right, left"):
        graph(x)
    with pytest.raises(TypeError, match=r"Did you mean 'left'"):
        graph(x, lift=x)


def test_one_image_read_twice_is_one_input(engine: Engine, x: Array) -> None:
    image = ImageNode()
    graph = Graph(ConcatenationNode(image, image))
    assert graph.source_image_handles == (None,)
    np.testing.assert_array_equal(graph(x), np.concatenate([x, x], -1))


def test_results_and_intermediates(engine: Engine, x: Array) -> None:
    a = FilterNode(blur(1), ImageNode("x"))
    b, c = FilterNode(blur(2), a), FilterNode(blur(3), a)
    a.result_image.handle, a.result_image.export_from_graph = "a", True
    b.result_image.handle, c.result_image.handle = "b", "c"
    values = {"a": blur(1)(x)}
    values |= {"b": blur(2)(values["a"]), "c": blur(3)(values["a"])}
    both = Graph([b, c])
    assert both.result_handles == ("b", "c")
    assert both.intermediate_image_handles == ("a",)
    results, intermediates = both(x, return_intermediates=True)
    np.testing.assert_array_equal(results[0], values["b"])
    np.testing.assert_array_equal(results[1], values["c"])
    np.testing.assert_array_equal(intermediates["a"], values["a"])

    first = Graph([b, c], results_are_needed=[True, False])
    result, nothing = first(x)
    np.testing.assert_array_equal(result, values["b"])
    assert nothing is None
    assert "GaussianBlur_3" not in first.summary()
    with pytest.raises(ValueError, match=r"results_are_needed has 1 entries; allowed: 2"):
        Graph([b, c], results_are_needed=[True])
    out = np.empty_like(x), np.empty_like(x)
    assert both(x, out=out) is out
    np.testing.assert_array_equal(out[1], values["c"])


def test_batches_strides_and_out(engine: Engine, rng: np.random.Generator) -> None:
    graph = Graph(chain(3))
    batch = rng.random((3, 7, 8, 2), dtype=np.float32)
    wanted = np.stack([graph(picture) for picture in batch])
    np.testing.assert_array_equal(graph(batch), wanted)
    large = np.zeros((3, 9, 12, 2), np.float32)
    out = large[:, 1:8, 2:10]
    out[...] = batch
    result = np.zeros((3, 10, 10, 2), np.float32)
    graph(out, out=result[:, 2:9, 1:9])
    np.testing.assert_array_equal(result[:, 2:9, 1:9], wanted)
    assert result[:, :2].max() == result[:, 9:].max() == 0
    gray = rng.random((4, 5), dtype=np.float32)
    assert graph(gray).shape == (4, 5)
    image = mps.Image(gray)
    assert isinstance(graph(image), mps.Image)


def test_command_buffer(engine: Engine, x: Array) -> None:
    graph = Graph(chain(2))
    with mps.default_device().command_buffer() as cb:
        t = graph.encode(cb, x)
        y = graph.encode(cb, blur(1).encode(cb, t), temporary=False)
    assert isinstance(t, mps.TemporaryImage)
    np.testing.assert_array_equal(y, graph(blur(1)(graph(x))))


def test_graph_in_a_graph_and_in_a_pipeline(engine: Engine, x: Array) -> None:
    inner = Graph(chain(2))
    outer = Graph(FilterNode(inner, FilterNode(blur(1), ImageNode())))
    np.testing.assert_array_equal(outer(x), inner(blur(1)(x)))
    np.testing.assert_array_equal(mps.Pipeline([inner, blur(1)])(x), blur(1)(inner(x)))


def test_map(engine: Engine, x: Array) -> None:
    graph = Graph(chain(3))
    items: list[Any] = [x * i for i in range(8)]
    wanted = [graph(item) for item in items]
    read = []

    def counted() -> Iterator[Any]:
        for i, item in enumerate(items):
            read.append(i)
            yield item

    results = graph.map(counted(), in_flight=3)
    assert read == []
    for i, got in enumerate(results):
        np.testing.assert_array_equal(got, wanted[i])
        assert len(read) <= i + 3

    items[3] = np.zeros((2, 2, 2, 2, 2), np.float32)
    items[5] = "no picture"
    got = list(graph.map(items, on_error="return"))
    for i in (0, 1, 2, 4, 6, 7):
        np.testing.assert_array_equal(got[i], wanted[i])
    assert isinstance(got[3], mps.pipeline.Failure)
    assert got[3].index == 3
    assert isinstance(got[3].error, ValueError)
    assert isinstance(got[5].error, TypeError)
    ordered = graph.map(items)
    for i in range(3):
        np.testing.assert_array_equal(next(ordered), wanted[i])
    with pytest.raises(ValueError, match="shape"):
        next(ordered)
    with pytest.raises(ValueError, match=r"in_flight is 0; allowed: an integer from 1"):
        graph.map(items, in_flight=0)
    pairs = Graph(ConcatenationNode(ImageNode("a"), ImageNode("b")))
    assert [y.shape for y in pairs.map([(x, x), {"a": x, "b": x}])] == [(9, 11, 8)] * 2


def test_async_from_threads(engine: Engine, x: Array) -> None:
    graph = Graph(chain(4), device=engine.device)  # a thread has a current device of its own
    wanted = {size: graph(x[:size]) for size in range(3, 9)}
    failures: list[Exception] = []

    def work(size: int) -> None:
        try:
            for _ in range(20):
                np.testing.assert_array_equal(graph.execute_async(x[:size]).result(), wanted[size])
                np.testing.assert_array_equal(graph(x[:size]), wanted[size])
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(size,)) for size in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures

    async def both() -> list[Array]:
        return list(await asyncio.gather(*(graph.submit(x[:size]) for size in (4, 7))))

    four, seven = asyncio.run(both())
    np.testing.assert_array_equal(four, wanted[4])
    np.testing.assert_array_equal(seven, wanted[7])


def test_misuse(engine: Engine, x: Array) -> None:
    node = FilterNode(blur(1), ImageNode("x"), label="soft")
    with pytest.raises(
        ValueError, match=r"the result 'x' is an input; allowed: the result of a node. Pass node.result_image"
    ):
        Graph(ImageNode("x"))
    with pytest.raises(TypeError, match=r"result is a ndarray; allowed: an image node"):
        Graph(x)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"no results"):
        Graph([])
    with pytest.raises(ValueError, match=r"the result 'soft' is there twice; allowed: once"):
        Graph([node, node])
    with pytest.raises(TypeError, match=r"FilterNode: source is a ndarray; allowed: an ImageNode"):
        FilterNode(blur(1), x)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"FilterNode: no source is given"):
        FilterNode(blur(1))
    with pytest.raises(TypeError, match=r"kernel is <class"):
        FilterNode(mps.image.GaussianBlur, ImageNode())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"node 'MatrixMultiplication' \(MatrixMultiplication\) works on a matrix"):
        Graph(FilterNode(mps.linalg.MatrixMultiplication(), ImageNode("a"), ImageNode("b")))
    with pytest.raises(ValueError, match=r"node 'soft' \(GaussianBlur\) has 2 sources; allowed: 1"):
        Graph(FilterNode(blur(1), ImageNode("a"), ImageNode("b"), label="soft"))
    with pytest.raises(ValueError, match=r"two inputs have the handle 'a'; allowed: one each"):
        Graph(ConcatenationNode(ImageNode("a"), ImageNode("a")))
    with pytest.raises(ValueError, match=r"format is 'float64'"):
        Graph(node, format="float64")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"format is 'unorm8'; allowed: 'float32', 'float16'"):
        Graph(node, format="unorm8")  # type: ignore[arg-type]
    with pytest.raises(
        ValueError, match=r"ImageNode: format is 'int8'; allowed: 'unorm8', 'unorm16', 'float16', 'float32' or None"
    ):
        ImageNode(format="int8")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"no sizes are known"):
        Graph(node).memory_plan()
    both = Graph(ConcatenationNode(ImageNode("a"), ImageNode("b"), label="both"))
    with pytest.raises(
        ValueError, match=r"node 'both' \(Concatenation\): sources are \(9, 11, 4\) float32 and \(9, 10, 4\)"
    ):
        both(x, x[:, :10])
    with pytest.raises(TypeError, match=r"node 'both' \(Concatenation\): a source is uint8, the result float32"):
        both(x.astype(np.uint8), x)
    graph = Graph(node)
    with pytest.raises(ValueError, match=r"out for 'soft' is \(3, 3, 4\) float32; allowed: \(9, 11, 4\)"):
        graph(x, out=np.zeros((3, 3, 4), np.float32))
    with pytest.raises(TypeError, match=r"x is float64; allowed: uint8"):
        graph(x.astype(np.float64))
    with pytest.raises(TypeError, match=r"channels is given"):
        graph(x, channels=3)
    with pytest.raises(AttributeError, match=r"cannot be changed"):
        graph.format = "float16"  # type: ignore[misc]
    part = FilterNode(mps.image.GaussianBlur(clip_rect=(0, 0, 2, 2)), ImageNode())
    with pytest.raises(ValueError, match=r"leaves a part of its result alone"):
        Graph(part)(x)


def test_looking_at_it(engine: Engine, x: Array) -> None:
    left = FilterNode(blur(1), ImageNode("x"), label='the "left"')
    graph = Graph(ConcatenationNode(left, FilterNode(blur(2), left)), label="two")
    assert repr(graph) == "<mps.graph.Graph 'two': 3 nodes, inputs 'x', format 'float32'>"
    assert "9x11x8" not in graph.summary()
    assert "9x11x8" in graph.summary(x)
    assert "5x4x6" in graph.summary((5, 4, 3))
    assert r'label="the \"left\"' in graph.to_dot()
    assert graph.to_dot().count("->") == 4
    assert graph._repr_svg_().count("<rect") == 4
    assert str(graph.memory_plan((5, 4, 3))).startswith("512 bytes in 1 allocation for 2 images")
    assert (
        repr(ImageNode("a", "float16", export_from_graph=True))
        == "ImageNode('a', format='float16', export_from_graph=True)"
    )
