"""MatrixSum against float64."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.matrices import Placed

from .layers import neuron

Kernel = mps.linalg.MatrixSum
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float16"])


def assert_sum(got: Array, terms: list[Array], added: Array | float, engine: Engine, kind: str = "none") -> None:
    """Of the scaled windows, as they are to be added."""
    absolute, relative = tolerance_of(Kernel(), got.dtype, engine)
    per_term, _ = tolerance_of(Kernel(), "float32", engine)
    scale = per_term * len(terms) * (sum(np.abs(t) for t in terms) + np.abs(added))
    exact = neuron(sum(terms, np.zeros_like(terms[0])) + added, kind)
    assert_close(got, exact, 1.0, relative, scale=scale + (absolute if got.dtype == np.float16 else 0))


@DTYPES
@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("kind", ["none", "sigmoid"])
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str, transpose: bool, kind: str) -> None:
    for count, rows, columns in ((2, 1, 1), (2, 17, 3), (3, 5, 33), (7, 16, 18), (2, 35, 40)):
        sources = [rng.uniform(-2, 2, (rows, columns)).astype(dtype) for _ in range(count)]
        scale = rng.uniform(-2, 2, count + 2).astype(np.float32)
        exact = [s.astype(np.float64).T if transpose else s.astype(np.float64) for s in sources]
        assert_sum(Kernel(count, transpose=transpose, neuron=kind)(*sources), exact, 0.0, engine, kind)
        scaled = [np.float64(f) * s for f, s in zip(scale[2:], exact, strict=True)]
        weighted = Kernel(count, transpose=transpose, start_index=2, neuron=kind)
        assert_sum(weighted(sources, scale=scale), scaled, 0.0, engine, kind)
        if not transpose:
            bias = rng.uniform(-2, 2, columns).astype(dtype)
            assert_sum(weighted(tuple(sources), scale, bias), scaled, bias.astype(np.float64), engine, kind)
            assert_sum(Kernel(count, neuron=kind)(*sources, bias=bias), exact, bias.astype(np.float64), engine, kind)


@DTYPES
@pytest.mark.parametrize("transpose", [False, True])
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str, transpose: bool) -> None:
    batch, rows, columns, offsets = 2, 18, 5, [(2, 3), (0, 0), (1, 4)]
    sources = [Placed(rng, batch, (rows, columns), offset, dtype) for offset in offsets]
    out = Placed(rng, batch, (columns, rows) if transpose else (rows, columns), (1, 2), dtype)
    kernel = Kernel(
        3, rows=rows, columns=columns, transpose=transpose, offsets=offsets, result_matrix_origin=(1, 2)
    )  # fmt: skip
    kernel(*[s.array for s in sources], out=out.array)
    terms = [s.window(0, batch).astype(np.float64) for s in sources]
    assert_sum(out.window(0, batch), [t.swapaxes(1, 2) if transpose else t for t in terms], 0.0, engine)
    out.check(0, batch)
    assert kernel(*[s.array for s in sources]).shape == (batch, out.size[0] + 1, out.size[1] + 2)


def test_no_elements(engine: Engine) -> None:
    assert Kernel(2)(np.zeros((0, 4), np.float32), np.zeros((0, 4), np.float32)).shape == (0, 4)
    assert Kernel(2, transpose=True)(np.zeros((3, 0), np.float32), np.zeros((3, 0), np.float32)).shape == (0, 3)


@pytest.mark.parametrize(
    ("keywords", "shapes", "calls", "message"),
    [
        (
            {},
            [(3, 4), (3, 5)],
            {},
            r"source 1 is \(3, 5\) from its offset, source 0 is \(3, 4\); allowed: the same shape",
        ),
        ({"rows": 4}, [(3, 4), (3, 4)], {}, r"rows is 4, source has 3"),
        ({"rows": 2, "columns": 2, "offsets": [(0, 0), (2, 0)]}, [(3, 4), (3, 4)], {}, r"rows is 2, source has 1"),
        ({"offsets": [(0, 0), (4, 0)], "rows": 1}, [(3, 4), (3, 4)], {}, r"offset is \(4, 0\)"),
        ({}, [(2, 3, 4), (3, 3, 4)], {}, r"source 0 has 2 matrices, another source 3"),
        (
            {},
            [(3, 4), (3, 4)],
            {"scale": (1,)},
            r"scale is \(1,\) float32; allowed: one vector of at least start_index \+ count = 2",
        ),
        ({"start_index": 2}, [(3, 4), (3, 4)], {"scale": (3,)}, r"start_index \+ count = 4"),
        ({}, [(3, 4), (3, 4)], {"bias": (3,)}, r"bias has 3 elements; allowed: 4"),
        ({"transpose": True}, [(3, 4), (3, 4)], {"bias": (3,)}, r"bias and transpose=True are both given"),
        ({}, [(3, 4), (3, 4)], {"out": (4, 3)}, r"out is \(4, 3\); allowed: \(3, 4\)"),
    ],
)
def test_refuses_shapes(
    keywords: dict[str, Any], shapes: list[tuple[int, ...]], calls: dict[str, Any], message: str
) -> None:
    given = {name: np.zeros(shape, np.float32) for name, shape in calls.items()}
    with pytest.raises(ValueError, match=f"MatrixSum: .*{message}"):
        Kernel(len(shapes), **keywords)(*[np.zeros(shape, np.float32) for shape in shapes], **given)


def test_refuses_dtypes_and_parameters() -> None:
    x = np.zeros((2, 2), np.float32)
    with pytest.raises(TypeError, match="the first source is float32, another is float16"):
        Kernel(2)(x, x.astype(np.float16))
    with pytest.raises(TypeError, match="scale is float16; allowed: float32"):
        Kernel(2)(x, x, scale=np.ones(2, np.float16))
    with pytest.raises(TypeError, match=r"1 input given; allowed: sources, scale .optional., bias .optional."):
        Kernel(2)(x)
    with pytest.raises(ValueError, match="count is 1; allowed: 2 <= count"):
        Kernel(1)
    with pytest.raises(ValueError, match="offsets has 1 pairs; allowed: 2"):
        Kernel(2, offsets=[(0, 0)])
    with pytest.raises(TypeError, match="offsets is 3"):
        Kernel(2, offsets=3)
    with pytest.raises(ValueError, match="neuron is 'prelu'"):
        Kernel(2, neuron=mps.cnn.NeuronDescriptor("prelu", data=np.ones(3, np.float32)))


def test_is_a_value() -> None:
    kernel = Kernel(2, offsets=[(1, 0), (0, 2)], transpose=True)
    assert pickle.loads(pickle.dumps(kernel)) == kernel != Kernel(2)
    assert kernel.offsets == ((1, 0), (0, 2))
    assert hash(kernel) == hash(Kernel(2, offsets=((1, 0), (0, 2)), transpose=True))
