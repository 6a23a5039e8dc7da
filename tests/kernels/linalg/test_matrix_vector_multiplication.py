"""MatrixVectorMultiplication against float64 products, element by element, within the bound that its descriptor states."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.frame import Framed

Multiply = mps.linalg.MatrixVectorMultiplication
Array = NDArray[Any]
CASES = [("float32", "float32"), ("float16", "float16"), ("float16", "float32")]
DTYPES = pytest.mark.parametrize(("given", "out"), CASES, ids=["-".join(case) for case in CASES])
BOTH = pytest.mark.parametrize("transpose", [False, True], ids=["plain", "transpose"])
SIZES = [(1, 1), (3, 5), (4, 8), (7, 33), (33, 7), (1, 70), (70, 1), (130, 64), (65, 1030), (1100, 3)]


def values(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    return rng.uniform(-2, 2, shape).astype(dtype)


def scalar(value: float, dtype: str) -> float:
    most = float(np.finfo(dtype).max)
    return float(np.array(min(max(value, -most), most), dtype))


def assert_product(
    got: Array, a: Array, x: Array, transpose: bool, alpha: float = 1, beta: float = 0, old: Array | None = None, engine: Engine | None = None
) -> None:  # fmt: skip
    a64, x64 = a.astype(np.float64), x.astype(np.float64)
    a64 = a64.swapaxes(-1, -2) if transpose else a64
    alpha, beta = scalar(alpha, got.dtype.name), scalar(beta, got.dtype.name)
    exact = alpha * np.einsum("...ij,...j->...i", a64, x64)
    magnitude = abs(alpha) * np.einsum("...ij,...j->...i", np.abs(a64), np.abs(x64))
    if beta != 0:
        assert old is not None
        exact, magnitude = exact + beta * old.astype(np.float64), magnitude + np.abs(beta * old.astype(np.float64))
    bound = tolerance_of(Multiply(), "float32", engine)[1] * (a64.shape[-1] + 2)
    if got.dtype == np.float16:
        absolute, relative = tolerance_of(Multiply(), "float16", engine)
        assert_close(got, exact, 1.0, relative, scale=absolute + bound * magnitude)
    else:
        assert_close(got, exact, bound, 0.0, scale=magnitude)


@DTYPES
@BOTH
@pytest.mark.parametrize("scale", [(1.0, 0.0), (-0.37, 1.0), (0.5, 0.1)])
def test_matches_float64(
    engine: Engine, rng: np.random.Generator, given: str, out: str, transpose: bool, scale: tuple[float, float]
) -> None:
    for rows, columns in SIZES:
        a = values(rng, (columns, rows) if transpose else (rows, columns), given)
        x, old = values(rng, (columns,), given), values(rng, (rows,), out)
        got = old.copy()
        assert Multiply(transpose=transpose, alpha=scale[0], beta=scale[1])(a, x, out=got) is got
        assert_product(got, a, x, transpose, *scale, old, engine)


def test_large(engine: Engine, rng: np.random.Generator) -> None:
    if engine.is_metal:
        pytest.skip("tasks of several threads belong to the CPU engine")
    for rows, columns in ((1000, 700), (3000, 130), (130, 4101)):
        a = values(rng, (rows, columns), "float32")
        for transpose, x in ((False, values(rng, (columns,), "float32")), (True, values(rng, (rows,), "float32"))):
            assert_product(Multiply(transpose=transpose)(a, x), a, x, transpose)


@BOTH
@pytest.mark.parametrize("scale", [(1.0, 0.0), (-1 / 3, 0.1)])
def test_float64(engine: Engine, rng: np.random.Generator, transpose: bool, scale: tuple[float, float]) -> None:
    multiply = Multiply(transpose=transpose, alpha=scale[0], beta=scale[1])
    if engine.is_metal:
        with pytest.raises(
            mps.UnsupportedError, match=r"MatrixVectorMultiplication: an operand is .*Metal has no float64"
        ):
            multiply(np.zeros((2, 2)), np.zeros(2), out=np.zeros(2))
        return
    for rows, columns in (*SIZES, (130, 4101)):
        a = Framed((2, *((columns, rows) if transpose else (rows, columns))), "float64", 3)
        x, y = Framed((2, columns), "float64", 1), Framed((2, rows), "float64", 1)
        for frame in (a, x, y):
            frame.array[...] = rng.uniform(-2, 2, frame.array.shape)
        wide, given, old = (frame.array.astype(np.longdouble) for frame in (a, x, y))
        wide = wide.swapaxes(-1, -2) if transpose else wide
        multiply(a.array, x.array, out=y.array)
        y.check()
        exact = np.longdouble(scale[0]) * (wide @ given[..., None])[..., 0] + np.longdouble(scale[1]) * old
        magnitude = abs(scale[0]) * (np.abs(wide) @ np.abs(given)[..., None])[..., 0] + abs(scale[1]) * np.abs(old)
        bound = tolerance_of(multiply, "float64", engine)[1] * (columns + 2)
        assert np.all(np.abs(y.array - exact) <= bound * magnitude)
    assert Multiply()(np.eye(2), np.ones(2)).dtype == np.float64
    with pytest.raises(TypeError, match="matrix is float64, vector is float64, out is float32; allowed: out float64"):
        Multiply()(np.eye(2), np.ones(2), out=np.zeros(2, np.float32))
    with pytest.raises(
        TypeError, match=r"matrix is float32, vector is float64, .*; allowed: matrix and vector of one dtype"
    ):
        Multiply()(np.eye(2, dtype=np.float32), np.ones(2))


@DTYPES
@BOTH
def test_windows_of_padded_batches(
    engine: Engine, rng: np.random.Generator, given: str, out: str, transpose: bool
) -> None:
    rows, columns, batch, first, count = 17, 35, 7, 1, 5
    shape = (columns, rows) if transpose else (rows, columns)
    a = Framed((batch, shape[0] + 3, shape[1] + 5), given, 2)
    x, y = Framed((batch, columns + 6), given, 1), Framed((batch, rows + 4), out, 1)
    for frame in (a, x, y):
        frame.array[...] = values(rng, frame.array.shape, frame.array.dtype.name)
    old = y.array.copy()
    multiply = Multiply(
        transpose=transpose, rows=rows, columns=columns, alpha=0.5, beta=-2, primary_source_matrix_origin=(2, 3),
        secondary_source_matrix_origin=(4, 0), result_matrix_origin=(3, 0), batch_start=first, batch_size=count,
    )  # fmt: skip
    multiply(a.array, x.array, out=y.array)
    chosen = slice(first, first + count)
    window = y.array[chosen, 3 : 3 + rows]
    assert_product(
        window, a.array[chosen, 2 : 2 + shape[0], 3 : 3 + shape[1]], x.array[chosen, 4 : 4 + columns], transpose,
        0.5, -2, old[chosen, 3 : 3 + rows], engine,
    )  # fmt: skip
    window[...] = old[chosen, 3 : 3 + rows]
    np.testing.assert_array_equal(y.array, old)
    y.check()


def test_new_results(engine: Engine, rng: np.random.Generator) -> None:
    a, x = values(rng, (2, 4, 6), "float16"), values(rng, (2, 6), "float16")
    assert Multiply()(a, x).shape == (2, 4)
    assert Multiply()(a, x).dtype == np.float16
    assert Multiply()(a, x, dtype="float32").dtype == np.float32
    got = Multiply(result_matrix_origin=(2, 0), batch_start=1)(
        np.ones((2, 3, 3), np.float32), np.ones((2, 3), np.float32)
    )
    assert got.tolist() == [[0] * 5, [0, 0, 3, 3, 3]]


@BOTH
def test_zero_factors_read_nothing(engine: Engine, rng: np.random.Generator, transpose: bool) -> None:
    a, x, nan = values(rng, (9, 9), "float32"), values(rng, (9,), "float32"), np.full(9, np.nan, np.float32)
    got = nan.copy()
    assert_product(Multiply(transpose=transpose, beta=-0.0)(a, x, out=got), a, x, transpose)
    old = x.copy()
    Multiply(transpose=transpose, alpha=0, beta=0.5)(np.full_like(a, np.nan), nan, out=old)
    np.testing.assert_array_equal(old, x * np.float32(0.5))
    np.testing.assert_array_equal(Multiply(transpose=transpose, alpha=0)(np.full_like(a, np.nan), nan), np.zeros(9))


def test_nothing_to_do(engine: Engine) -> None:
    old = np.arange(4, dtype=np.float32)
    Multiply(beta=2)(np.zeros((4, 0), np.float32), np.zeros(0, np.float32), out=old)
    assert old.tolist() == [0, 2, 4, 6]
    assert Multiply()(np.zeros((0, 5), np.float32), np.zeros(5, np.float32)).shape == (0,)
    assert Multiply()(np.zeros((0, 2, 5), np.float32), np.zeros((0, 5), np.float32)).shape == (0, 2)


def test_a_value_does_not_depend_on_threads(engine: Engine, rng: np.random.Generator) -> None:
    if engine.is_metal:
        pytest.skip("thread counts belong to the CPU engine")
    threads = mps.num_threads()
    a = values(rng, (2100, 300), "float32")
    x, z = values(rng, (300,), "float32"), values(rng, (2100,), "float32")
    try:
        results: list[Any] = []
        for n in (1, 2, 5):
            mps.set_num_threads(n)
            results.append((Multiply()(a, x), Multiply(transpose=True)(a, z)))
            for got, first in zip(results[-1], results[0], strict=True):
                np.testing.assert_array_equal(got, first)
    finally:
        mps.set_num_threads(threads)


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({}, [(3, 4), (3,)], r"op\(matrix\) is \(3, 4\) and vector has 3 elements.*Pass transpose=True"),
        ({"transpose": True}, [(3, 4), (4,)], r"Pass transpose=False"),
        ({}, [(3, 4), (7,)], r"Pass columns"),
        ({"rows": 4}, [(3, 4), (4,)], r"matrix is \(3, 4\); allowed: \(4, 4\) or more"),
        ({"columns": 4}, [(3, 4), (3,)], r"vector is \(3,\); allowed: \(4,\) or more"),
        ({}, [(3, 4), (4,), (4,)], r"out is \(4,\); allowed: \(3,\)\. Pass rows"),
        ({"beta": 1}, [(3, 4), (4,)], r"beta is 1.0 and out is missing"),
        ({}, [(2, 3, 4), (3, 4)], r"matrix has 2 matrices, vector 3; allowed: the same number"),
        (
            {"secondary_source_matrix_origin": (5, 0)},
            [(3, 4), (4,)],
            r"secondary_source_matrix_origin is \(5, 0\) and vector is",
        ),
        ({"batch_start": 3}, [(2, 3, 4), (2, 4)], r"batch_start is 3"),
    ],
)
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    arrays = [np.zeros(shape, np.float32) for shape in shapes]
    with pytest.raises(ValueError, match=f"MatrixVectorMultiplication: .*{message}"):
        Multiply(**keywords)(*arrays[:2], out=arrays[2] if len(arrays) > 2 else None)


@pytest.mark.parametrize(
    ("dtypes", "message"),
    [
        (("float16", "float32", None), "matrix and vector of one dtype"),
        (("float32", "float32", "float16"), "out float32"),
        (("int8", "int8", None), "matrix is int8; allowed: float16, float32"),
    ],
)
def test_refuses_dtypes(dtypes: tuple[str, str, str | None], message: str) -> None:
    matrix, vector, out = dtypes
    with pytest.raises(TypeError, match=message):
        Multiply()(np.zeros((2, 2), matrix), np.zeros(2, vector), out=None if out is None else np.zeros(2, out))


def test_refuses_the_rest() -> None:
    one = np.zeros((2, 2), np.float32)
    with pytest.raises(TypeError, match="dtype is int8"):
        Multiply()(one, one[0], dtype="int8")
    with pytest.raises(ValueError, match="channels is 3"):
        Multiply()(one, one[0], channels=3)
    with pytest.raises(ValueError, match="overlaps vector"):
        Multiply()(one.copy(), one[0], out=one[0])
    with pytest.raises(ValueError, match=r"result_matrix_origin is \(1, 2\); allowed: \(element, 0\)"):
        Multiply(result_matrix_origin=(1, 2))
    with pytest.raises(ValueError, match="alpha is nan"):
        Multiply(alpha=float("nan"))
    kernel = Multiply(transpose=True, alpha=0.25, rows=4)
    assert pickle.loads(pickle.dumps(kernel)) == kernel
    assert kernel != Multiply()


def test_reduced_precision_may_be_allowed(engine: Engine, rng: np.random.Generator) -> None:
    a, x = values(rng, (19, 40), "float32"), values(rng, (40,), "float32")
    got = Multiply(options="allow_reduced_precision")(a, x)
    exact, magnitude = a.astype(np.float64) @ x, np.abs(a).astype(np.float64) @ np.abs(x)
    if engine.is_metal:  # float16 factors and sums of them
        assert_close(got, exact, 2**-11 * 42, 0.0, scale=magnitude)
    else:
        np.testing.assert_array_equal(got, Multiply()(a, x))
