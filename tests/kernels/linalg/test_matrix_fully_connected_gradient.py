"""MatrixFullyConnectedGradient against products in float64."""

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

Kernel: Any = mps.linalg.MatrixFullyConnectedGradient
Array = NDArray[Any]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float16"])


def assert_product(got: Array, a: Array, b: Array, alpha: float, engine: Engine) -> None:
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    per_term, _ = tolerance_of(Kernel(), "float32", engine)
    absolute, relative = tolerance_of(Kernel(), got.dtype, engine)
    scale = per_term * (a.shape[-1] + 2) * abs(alpha) * (np.abs(a64) @ np.abs(b64))
    assert_close(got, alpha * (a64 @ b64), 1.0, relative, scale=scale + (absolute if got.dtype == np.float16 else 0))


def assert_sums(got: Array, dy: Array) -> None:
    assert got.dtype == np.float32
    assert_close(got, dy.astype(np.float64).sum(-2), 1e-6, 0.0, scale=np.abs(dy.astype(np.float64)).sum(-2))


@DTYPES
def test_matches_float64(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    for rows, inputs, outputs in ((1, 1, 1), (7, 3, 17), (33, 19, 70), (5, 130, 33)):
        dy, x = rng.uniform(-2, 2, (rows, outputs)).astype(dtype), rng.uniform(-2, 2, (rows, inputs)).astype(dtype)
        w = rng.uniform(-2, 2, (inputs, outputs)).astype(dtype)
        assert_product(Kernel("data", alpha=-0.5)(dy, w), dy, w.T, -0.5, engine)
        dw, db = Kernel("weights_and_bias", alpha=-0.5)(dy, x)
        assert_product(dw, x.T, dy, -0.5, engine)
        assert_sums(db, dy)


@DTYPES
def test_windows_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    batch, rows, inputs, outputs, first, count = 3, 5, 9, 21, 1, 2
    sizes = {
        "source_number_of_feature_vectors": rows, "source_input_feature_channels": inputs, "source_output_feature_channels": outputs,
        "primary_source_matrix_origin": (2, 3), "secondary_source_matrix_origin": (1, 4), "result_matrix_origin": (3, 1),
        "batch_start": first, "batch_size": count,
    }  # fmt: skip
    dy = Placed(rng, batch, (rows, outputs), (2, 3), dtype)
    w, x = Placed(rng, batch, (inputs, outputs), (1, 4), dtype), Placed(rng, batch, (rows, inputs), (1, 4), dtype)
    dx, dw = Placed(rng, batch, (rows, inputs), (3, 1), dtype), Placed(rng, batch, (inputs, outputs), (3, 1), dtype)
    db = np.full((batch, outputs), 7, np.float32)
    Kernel("data", **sizes)(dy.array, w.array, out=dx.array)
    Kernel("weights_and_bias", **sizes)(dy.array, x.array, out=(dw.array, db))
    given = dy.window(first, count)
    assert_product(dx.window(first, count), given, w.window(first, count).swapaxes(1, 2), 1.0, engine)
    assert_product(dw.window(first, count), x.window(first, count).swapaxes(1, 2), given, 1.0, engine)
    assert_sums(db[first : first + count], given)
    dx.check(first, count)
    dw.check(first, count)
    assert (db[0] == 7).all()


def test_no_rows(engine: Engine) -> None:
    dy, x = np.zeros((0, 3), np.float32), np.zeros((0, 4), np.float32)
    kernel = Kernel("weights_and_bias")
    if kernel.supports(dy, x):
        dw, db = kernel(dy, x)
        np.testing.assert_array_equal(dw, np.zeros((4, 3)))
        np.testing.assert_array_equal(db, np.zeros(3))
    else:
        with pytest.raises(mps.UnsupportedError, match=r'an operand has no elements.*device="cpu"'):
            kernel(dy, x)


@pytest.mark.parametrize(
    ("kind", "shapes", "message"),
    [
        ("data", [(3, 4), (5, 6)], r"gradient is \(3, 4\) and weights is \(5, 6\) from their origins; their columns, the output channels, must be as many"),
        ("weights_and_bias", [(3, 4), (5, 6)], r"gradient is \(3, 4\) and source is \(5, 6\) from their origins; their rows must be as many"),
        ("data", [(2, 3, 4), (3, 6, 4)], r"gradient has 2 matrices, weights 3"),
    ],
)  # fmt: skip
def test_refuses_shapes(kind: str, shapes: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=f"MatrixFullyConnectedGradient: .*{message}"):
        Kernel(kind)(*[np.zeros(shape, np.float32) for shape in shapes])


def test_is_a_value() -> None:
    kernel = Kernel("weights_and_bias", alpha=2)
    assert pickle.loads(pickle.dumps(kernel)) == kernel != Kernel(alpha=2)
    with pytest.raises(ValueError, match="gradient_for is 'bias'; allowed: 'data', 'weights_and_bias'"):
        Kernel("bias")
    with pytest.raises(TypeError, match="gradient is float32, weights is float16; allowed: equal dtypes"):
        Kernel()(np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float16))
