"""MatrixMultiplication against float64 products, element by element, within the bound that its descriptor states."""

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

Multiply = mps.linalg.MatrixMultiplication
Array = NDArray[Any]
CASES = [
    ("float32", "float32", "float32"),
    ("float16", "float16", "float16"),
    ("float16", "float16", "float32"),
    ("float32", "float16", "float32"),
    ("int8", "int8", "float32"),
    ("int8", "int8", "float16"),
    ("int16", "int16", "float32"),
]
DTYPES = pytest.mark.parametrize(("left", "right", "out"), CASES, ids=["-".join(case) for case in CASES])
TRANSPOSES = pytest.mark.parametrize(("tl", "tr"), [(False, False), (False, True), (True, False), (True, True)])
# One lane more and less than a register, a panel, a tile of any ISA; one term, a block of them and one more.
SIZES = [(1, 1, 1), (3, 5, 7), (6, 16, 4), (7, 17, 3), (14, 32, 8), (15, 33, 5), (29, 31, 2), (1, 70, 40), (2, 129, 33),
         (5, 97, 12), (40, 1, 65), (61, 40, 130), (20, 9, 1030), (1, 1131, 37), (1, 130, 1030)]  # fmt: skip


def values(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    if dtype.startswith("int"):
        ends = np.iinfo(dtype)
        return rng.integers(ends.min, ends.max + 1, shape).astype(dtype)
    return rng.uniform(-2, 2, shape).astype(dtype)


def scalar(value: float, dtype: str) -> float:
    """alpha and beta in the result's precision, clamped to its range."""
    most = float(np.finfo(dtype).max)
    return float(np.array(min(max(value, -most), most), dtype))


def product(
    left: Array, right: Array, tl: bool, tr: bool, alpha: float, beta: float, out: Array
) -> tuple[Array, Array]:
    """The exact result, and the sum of the magnitudes of each element's terms."""
    a, b, c = (x.astype(np.float64) for x in (left, right, out))
    a, b = a.swapaxes(-1, -2) if tl else a, b.swapaxes(-1, -2) if tr else b
    alpha, beta = scalar(alpha, out.dtype.name), scalar(beta, out.dtype.name)
    exact, magnitude = np.zeros(c.shape), np.zeros(c.shape)
    if alpha != 0:
        exact, magnitude = alpha * (a @ b), abs(alpha) * (np.abs(a) @ np.abs(b))
    if beta != 0:
        exact, magnitude = exact + beta * c, magnitude + np.abs(beta * c)
    return exact, magnitude


def assert_product(got: Array, exact: Array, magnitude: Array, terms: int, engine: Engine | None = None) -> None:
    per_term, _ = tolerance_of(Multiply(), "float32", engine)[::-1]
    if got.dtype == np.float16:
        absolute, relative = tolerance_of(Multiply(), "float16", engine)
        with np.errstate(over="ignore"):
            wanted = np.where(np.abs(exact) < 65520, exact, exact.astype(np.float16).astype(np.float64))
        near = np.abs(np.abs(exact) - 65520) <= per_term * (terms + 2) * magnitude  # may round to either side
        wanted = np.where(near, got, wanted)
        assert_close(got, wanted, 1.0, relative, scale=absolute + per_term * (terms + 2) * magnitude)
    else:
        assert_close(got, exact, per_term * (terms + 2), 0.0, scale=magnitude)


@DTYPES
@TRANSPOSES
@pytest.mark.parametrize("scale", [(1.0, 0.0), (-0.37, 1.0), (1.0, 0.1)])
def test_matches_float64(
    engine: Engine, rng: np.random.Generator, left: str, right: str, out: str, tl: bool, tr: bool, scale: tuple[float, float]
) -> None:  # fmt: skip
    multiply = Multiply(transpose_left=tl, transpose_right=tr, alpha=scale[0], beta=scale[1])
    for m, n, k in SIZES:
        a = values(rng, (k, m) if tl else (m, k), left)
        b = values(rng, (n, k) if tr else (k, n), right)
        old = values(rng, (m, n), out)
        got = old.copy()
        assert multiply(a, b, out=got) is got
        assert_product(got, *product(a, b, tl, tr, *scale, old), k, engine)


@DTYPES
@TRANSPOSES
def test_windows_of_padded_batches(
    engine: Engine, rng: np.random.Generator, left: str, right: str, out: str, tl: bool, tr: bool
) -> None:
    m, n, k, batch, first, count = 17, 35, 19, 5, 1, 3
    origins = {"left": (2, 3), "right": (1, 4), "result": (3, 1)}

    def framed(shape: tuple[int, int], origin: tuple[int, int], dtype: str) -> Framed:
        frame = Framed((batch, shape[0] + origin[0] + 2, shape[1] + origin[1] + 1), dtype, 2)
        frame.array[...] = values(rng, frame.array.shape, dtype)
        return frame

    a = framed((k, m) if tl else (m, k), origins["left"], left)
    b = framed((n, k) if tr else (k, n), origins["right"], right)
    c = framed((m, n), origins["result"], out)
    old = c.array.copy()
    multiply = Multiply(
        transpose_left=tl, transpose_right=tr, alpha=0.5, beta=-2, result_rows=m, result_columns=n, interior_columns=k,
        left_matrix_origin=origins["left"], right_matrix_origin=origins["right"], result_matrix_origin=origins["result"],
        batch_start=first, batch_size=count,
    )  # fmt: skip
    multiply(a.array, b.array, out=c.array)

    def window(x: Array, origin: tuple[int, int], shape: tuple[int, int]) -> Array:
        return x[first : first + count, origin[0] : origin[0] + shape[0], origin[1] : origin[1] + shape[1]]

    wa = window(a.array, origins["left"], (k, m) if tl else (m, k))
    wb = window(b.array, origins["right"], (n, k) if tr else (k, n))
    exact, magnitude = product(wa, wb, tl, tr, 0.5, -2, window(old, origins["result"], (m, n)))
    assert_product(window(c.array, origins["result"], (m, n)), exact, magnitude, k, engine)
    window(c.array, origins["result"], (m, n))[...] = window(old, origins["result"], (m, n))
    np.testing.assert_array_equal(c.array, old)  # nothing outside the window and the batch
    c.check()


def test_new_results(engine: Engine, rng: np.random.Generator) -> None:
    for left, right, _ in CASES:
        a, b = values(rng, (2, 4, 6), left), values(rng, (2, 6, 5), right)
        got = Multiply()(a, b)
        wanted = np.float16 if left == right == "float16" else np.float32
        assert (got.shape, got.dtype) == ((2, 4, 5), wanted)
        assert_product(got, *product(a, b, False, False, 1, 0, got), 6, engine)
    half = values(rng, (3, 3), "float16")
    assert Multiply()(half, half, dtype="float32").dtype == np.float32
    # What the window and the batch leave out of a new result is zero.
    a, b = np.ones((3, 2, 2), np.float32), np.ones((3, 2, 2), np.float32)
    got = Multiply(result_matrix_origin=(1, 2), batch_start=1, batch_size=1)(a, b)
    wanted = np.zeros((3, 3, 4), np.float32)
    wanted[1, 1:, 2:] = 2
    np.testing.assert_array_equal(got, wanted)


DOUBLE = [(1, 1, 1), (3, 5, 7), (7, 17, 3), (15, 33, 40), (1, 70, 40), (29, 9, 1030), (9, 3, 2100)]


@TRANSPOSES
@pytest.mark.parametrize("scale", [(1.0, 0.0), (-1 / 3, 0.1)])
def test_float64(engine: Engine, rng: np.random.Generator, tl: bool, tr: bool, scale: tuple[float, float]) -> None:
    if engine.is_metal:
        pytest.skip("Metal has no float64")
    multiply = Multiply(transpose_left=tl, transpose_right=tr, alpha=scale[0], beta=scale[1])
    for m, n, k in DOUBLE:
        # Every operand is a window: rows are further apart than they are long.
        a, b, c = (
            Framed((2, *shape), "float64", 3) for shape in ((k, m) if tl else (m, k), (n, k) if tr else (k, n), (m, n))
        )
        for frame in (a, b, c):
            frame.array[...] = rng.uniform(-2, 2, frame.array.shape)
        x, y, old = (frame.array.astype(np.longdouble) for frame in (a, b, c))
        x, y = x.swapaxes(-1, -2) if tl else x, y.swapaxes(-1, -2) if tr else y
        multiply(a.array, b.array, out=c.array)
        c.check()
        exact = np.longdouble(scale[0]) * (x @ y) + np.longdouble(scale[1]) * old
        magnitude = abs(scale[0]) * (np.abs(x) @ np.abs(y)) + abs(scale[1]) * np.abs(old)
        bound = tolerance_of(multiply, "float64", engine)[1] * (k + 2)
        assert np.all(np.abs(c.array - exact) <= bound * magnitude)


def test_float64_is_made_where_it_comes_in(engine: Engine, rng: np.random.Generator) -> None:
    a, b = rng.uniform(-1, 1, (6, 4)), rng.uniform(-1, 1, (4, 5))
    if engine.is_metal:
        for out in (None, np.zeros((6, 5))):
            with pytest.raises(
                mps.UnsupportedError,
                match=r"MatrixMultiplication: an operand is \(6, 4\) float64; .*Metal has no float64.*device=\"cpu\"",
            ):
                Multiply()(a, b, out=out)
        return
    got = Multiply()(a, b)
    assert got.dtype == np.float64
    np.testing.assert_allclose(got, a @ b, 1e-14)
    # Held by a Matrix too, without a copy.
    matrix = mps.Matrix(a)
    np.testing.assert_array_equal(np.asarray(Multiply()(matrix, mps.Matrix(b))), got)
    np.testing.assert_array_equal(mps.linalg.matmul(np.asfortranarray(a), b), got)
    out = np.full((6, 5), np.nan)
    np.testing.assert_array_equal(Multiply(alpha=0)(np.full((6, 4), np.nan), b, out=out), np.zeros((6, 5)))
    for left, right, result, allowed in (
        ("float64", "float64", "float32", 'out float64. Pass dtype="float64"'),
        ("float64", "float32", None, "equal dtypes"),
        ("float32", "float64", None, "equal dtypes"),
        ("float32", "float32", "float64", "out float32"),
        ("int16", "int16", "float64", "out float32"),
    ):
        x, y = np.zeros((2, 2), left), np.zeros((2, 2), right)
        with pytest.raises(TypeError, match=f"left is {left}, right is {right}, .*; allowed: {allowed}"):
            Multiply()(x, y, out=None if result is None else np.zeros((2, 2), result))
        if result:
            with pytest.raises(TypeError, match=f"allowed: {allowed}"):
                Multiply()(x, y, dtype=result)


@DTYPES
def test_beta_zero_does_not_read_out(engine: Engine, rng: np.random.Generator, left: str, right: str, out: str) -> None:
    for m, n, k in ((5, 9, 3), (30, 70, 600)):
        a, b = values(rng, (m, k), left), values(rng, (k, n), right)
        got = np.full((m, n), np.nan, out)
        Multiply(beta=-0.0)(a, b, out=got)
        assert_product(got, *product(a, b, False, False, 1, 0, got), k, engine)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_alpha_zero_does_not_read_the_factors(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    a, b = np.full((19, 6), np.nan, dtype), np.full((6, 37), np.inf, dtype)
    old = values(rng, (19, 37), dtype)
    got = old.copy()
    Multiply(alpha=0, beta=0.5)(a, b, out=got)
    np.testing.assert_array_equal(got, old * np.dtype(dtype).type(0.5))
    np.testing.assert_array_equal(Multiply(alpha=0)(a, b), np.zeros((19, 37)))
    if dtype == "float16":  # tested after rounding to the result's dtype
        np.testing.assert_array_equal(Multiply(alpha=1e-9)(a, b), np.zeros((19, 37)))


def test_alpha_and_beta_take_the_precision_of_the_result(engine: Engine) -> None:
    one = np.ones((1, 1), np.float16)
    assert Multiply(alpha=1e6)(one, one)[0, 0] == 65504  # clamped, not infinite
    assert Multiply(alpha=1 + 2**-12)(one, one, dtype="float32")[0, 0] == 1 + 2**-12
    assert Multiply(alpha=4097 / 4096 * 2049)(one, one, dtype="float16")[0, 0] == 2050


def test_no_terms_and_no_elements(engine: Engine, rng: np.random.Generator) -> None:
    empty = np.zeros((4, 0), np.float32)
    old = values(rng, (4, 3), "float32")
    got = old.copy()
    Multiply(beta=2)(empty, np.zeros((0, 3), np.float32), out=got)
    np.testing.assert_array_equal(got, 2 * old)
    np.testing.assert_array_equal(Multiply()(empty, np.zeros((0, 3), np.float32)), np.zeros((4, 3)))
    assert Multiply()(np.zeros((0, 5), np.float32), np.zeros((5, 3), np.float32)).shape == (0, 3)
    assert Multiply()(np.zeros((0, 2, 5), np.float32), np.zeros((0, 5, 3), np.float32)).shape == (0, 2, 3)
    got = old.copy()
    Multiply(result_rows=0)(old, np.zeros((3, 3), np.float32), out=got)
    np.testing.assert_array_equal(got, old)


def test_nan_and_infinity_reach_only_their_rows_and_columns(engine: Engine) -> None:
    a, b = np.ones((20, 40), np.float32), np.ones((40, 50), np.float32)
    a[7, 30], b[3, 45] = np.nan, np.inf
    got = Multiply()(a, b)
    wanted = np.full((20, 50), 40.0)
    wanted[:, 45] = np.inf
    wanted[7, :] = np.nan
    np.testing.assert_array_equal(got, wanted)


def test_integers_are_exact(engine: Engine) -> None:
    if engine.is_metal:
        pytest.skip("the GPU's accumulator is not documented: only sums below 2**24 are exact")
    k = 140_001  # more than int32 holds of -128 * -128
    a, b = np.full((2, k), -128, np.int8), np.full((k, 3), -128, np.int8)
    a[1, ::2] = 127
    np.testing.assert_array_equal(Multiply()(a, b), (a.astype(np.int64) @ b.astype(np.int64)).astype(np.float32))
    a, b = np.full((2, 5000), -32768, np.int16), np.full((5000, 3), -32768, np.int16)
    a[1, 3] = 32767
    np.testing.assert_array_equal(Multiply()(a, b), (a.astype(np.int64) @ b.astype(np.int64)).astype(np.float32))


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_more_columns_than_are_packed_at_once(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    if engine.is_metal:
        pytest.skip("how a product is divided is the CPU engine's business")
    m, n, k = 100, 2500, 3001  # 48 MB of tiles of float32
    a, b = values(rng, (m, k), dtype), values(rng, (k, n), dtype)
    if dtype == "int8":
        a, b = a // 4, b // 4  # float32 holds every sum
    threads = mps.num_threads()
    results = []
    try:
        for count in (1, 2, 5):
            mps.set_num_threads(count)
            results.append(Multiply()(a, b, out=np.empty((m, n), np.float32)))
            np.testing.assert_array_equal(results[-1], results[0])
    finally:
        mps.set_num_threads(threads)
    assert_product(results[0], *product(a, b, False, False, 1, 0, results[0]), k, engine)


def test_a_value_does_not_depend_on_threads_or_place(engine: Engine, rng: np.random.Generator) -> None:
    if engine.is_metal:
        pytest.skip("thread counts belong to the CPU engine")
    threads = mps.num_threads()
    a, b = values(rng, (55, 1100), "float32"), values(rng, (1100, 216), "float32")  # few enough for AMX to leave them
    # Several pieces of rows, of terms and of columns.
    high, wide = values(rng, (350, 1100), "float32"), values(rng, (390, 3300), "float32")
    try:
        results = []
        for n in (1, 2, 5):
            mps.set_num_threads(n)
            results.append(Multiply(alpha=0.3)(a, b))
            np.testing.assert_array_equal(results[-1], results[0])
            got = Multiply()(high, b)
            assert_product(got, *product(high, b, False, False, 1, 0, got), 1100, engine)
            np.testing.assert_array_equal(got[50:], Multiply()(high[50:], b))  # rows enough for AMX, like the whole
            got = Multiply()(high[:, :390], wide)
            assert_product(got, *product(high[:, :390], wide, False, False, 1, 0, got), 390, engine)
    finally:
        mps.set_num_threads(threads)
    np.testing.assert_array_equal(Multiply(alpha=0.3)(a[26:], b), results[0][26:])
    right = np.ascontiguousarray(b[:, 201:210])
    np.testing.assert_array_equal(Multiply(alpha=0.3)(a, right), results[0][:, 201:210])
    np.testing.assert_array_equal(Multiply(alpha=0.3, transpose_left=True)(np.ascontiguousarray(a.T), b), results[0])
    np.testing.assert_array_equal(Multiply(alpha=0.3, transpose_right=True)(a, np.ascontiguousarray(b.T)), results[0])


@pytest.mark.parametrize("beta", [0.0, -0.5])
def test_a_small_product_is_the_same_in_a_batch(engine: Engine, rng: np.random.Generator, beta: float) -> None:
    for m, n, k in (
        (16, 16, 16),
        (5, 8, 1),
        (7, 9, 30),
        (24, 40, 33),
        (25, 21, 7),
        (40, 24, 90),
        (9, 3, 4),
        (1, 131, 1030),
    ):
        # Rows further apart than they are long, and something beside them.
        a, b, c = (Framed((9, *shape), "float32", 5) for shape in ((m, k), (k, n), (m, n)))
        for frame in (a, b, c):
            frame.array[...] = values(rng, frame.array.shape, "float32")
        old = c.array.copy()
        multiply = Multiply(alpha=1.7, beta=beta)
        multiply(a.array, b.array, out=c.array)
        c.check()
        assert_product(c.array, *product(a.array, b.array, False, False, 1.7, beta, old), k, engine)
        if not engine.is_metal:
            for i in range(9):
                np.testing.assert_array_equal(multiply(a.array[i], b.array[i], out=old[i]), c.array[i])


def test_matmul_takes_views_without_copies(engine: Engine, rng: np.random.Generator) -> None:
    a, b = values(rng, (6, 11), "float32"), values(rng, (9, 6), "float32")
    got = mps.linalg.matmul(a.T, b.T)
    assert_product(got, *product(a, b, True, True, 1, 0, got), 6, engine)
    stack = values(rng, (4, 3, 5), "float16")
    got = mps.linalg.matmul(stack, stack.transpose(0, 2, 1), alpha=2, dtype="float32")
    assert_product(got, *product(stack, stack, False, True, 2, 0, got), 5, engine)
    out = np.ones((11, 9), np.float32)
    assert mps.linalg.matmul(a.T, b.T, beta=1, out=out) is out
    assert_product(out, *product(a, b, True, True, 1, 1, np.ones((11, 9), np.float32)), 6, engine)


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({}, [(3, 4), (5, 4)], r"op\(left\) is \(3, 4\) and op\(right\) is \(5, 4\).*Pass transpose_right=True"),
        ({}, [(4, 3), (4, 5)], r"Pass transpose_left=True"),
        ({}, [(4, 3), (7, 5)], r"Pass interior_columns"),
        ({}, [(2, 3, 4), (3, 4, 5)], r"left has 2 matrices, right 3; allowed: the same number, nothing is broadcast"),
        ({}, [(2, 3, 4), (4, 5)], r"left has 2 matrices, right 1;"),
        ({}, [(3, 4), (4, 5), (2, 3, 5)], r"out 2; allowed: the same number"),
        ({}, [(3, 4), (4, 5), (4, 5)], r"out is \(4, 5\) from result_matrix_origin, the result is \(3, 5\)"),
        ({"beta": 1}, [(3, 4), (4, 5)], r"beta is 1.0 and out is missing"),
        ({"result_rows": 4}, [(3, 4), (4, 5)], r"result_rows is 4, op\(left\) has 3"),
        ({"result_columns": 6}, [(3, 4), (4, 5)], r"result_columns is 6, op\(right\) has 5"),
        ({"interior_columns": 4}, [(3, 4), (2, 5)], r"interior_columns is 4, op\(right\) has 2"),
        ({"left_matrix_origin": (4, 0)}, [(3, 4), (4, 5)], r"left_matrix_origin is \(4, 0\).*\(row, column\)"),
        ({"result_matrix_origin": (0, 9)}, [(3, 4), (4, 5), (3, 5)], r"result_matrix_origin is \(0, 9\) and out is"),
        ({"batch_start": 3}, [(2, 3, 4), (2, 4, 5)], r"batch_start is 3, batch_size is None; allowed: matrices 0 to 2"),
        ({"batch_size": 3}, [(2, 3, 4), (2, 4, 5)], r"batch_size is 3"),
    ],
)
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    arrays = [np.zeros(shape, np.float32) for shape in shapes]
    with pytest.raises(ValueError, match=f"MatrixMultiplication: .*{message}"):
        Multiply(**keywords)(*arrays[:2], out=arrays[2] if len(arrays) > 2 else None)


@pytest.mark.parametrize(
    ("dtypes", "message"),
    [
        (("float16", "float32", None), "left float32 with right float16"),
        (("int8", "int16", None), "equal dtypes"),
        (("float32", "float32", "float16"), "out float32"),
        (("int16", "int16", "float16"), "out float32"),
        (("int32", "int32", None), "left is int32; allowed: float16, float32, int8, int16, float64"),
        (("int8", "int8", "int32"), "out is int32; allowed: float16, float32, float64"),
    ],
)
def test_refuses_dtypes(dtypes: tuple[str, str, str | None], message: str) -> None:
    left, right, out = dtypes
    with pytest.raises(TypeError, match=message):
        Multiply()(np.zeros((2, 2), left), np.zeros((2, 2), right), out=None if out is None else np.zeros((2, 2), out))


def test_refuses_parameters() -> None:
    for keywords, error, message in (
        ({"alpha": float("nan")}, ValueError, "alpha is nan"),
        ({"alpha": 1e39}, ValueError, r"alpha is 1e\+39"),
        ({"batch_size": 0}, ValueError, "batch_size is 0"),
        ({"result_rows": -1}, ValueError, "result_rows is -1"),
        ({"left_matrix_origin": (0, 0, 1)}, ValueError, "left_matrix_origin has a third number"),
        ({"right_matrix_origin": (-1, 0)}, ValueError, "right_matrix_origin"),
        ({"transpose_rigth": True}, TypeError, "Did you mean 'transpose_right'"),
        ({"transpose_a": True, "transpose_left": True}, TypeError, "both given"),
    ):
        with pytest.raises(error, match=message):
            Multiply(**keywords)
    square = np.zeros((2, 2), np.float32)
    with pytest.raises(ValueError, match="overlaps"):
        Multiply()(square, np.zeros((2, 2), np.float32), out=square)
    with pytest.raises(TypeError, match="dtype is int8"):
        Multiply()(square, square, dtype="int8")
    with pytest.raises(ValueError, match="channels"):
        Multiply()(square, square, channels=3)


def test_reduced_precision_may_be_allowed(engine: Engine, rng: np.random.Generator) -> None:
    a, b = values(rng, (2, 19, 40), "float32"), values(rng, (2, 40, 33), "float32")
    multiply = Multiply(options="allow_reduced_precision")
    got = multiply(a, b)
    if engine.is_metal:  # float16 factors and sums of them
        exact, magnitude = product(a, b, False, False, 1, 0, got)
        assert_close(got, exact, 2**-11 * 42, 0.0, scale=magnitude)
    else:
        np.testing.assert_array_equal(got, Multiply()(a, b))
    assert multiply.options == "allow_reduced_precision"
    assert multiply != Multiply()
    assert Multiply().options == "none"
    assert pickle.loads(pickle.dumps(multiply)) == multiply
    with pytest.raises(ValueError, match="options is 'verbose'; allowed: 'none', 'allow_reduced_precision'"):
        Multiply(options="verbose")


def test_is_a_value() -> None:
    multiply = Multiply(transpose_b=True, alpha=1 / 3, result_rows=4, result_matrix_origin=(1, 2))
    assert multiply.transpose_right
    assert pickle.loads(pickle.dumps(multiply)) == multiply
    assert multiply == Multiply(transpose_right=True, alpha=1 / 3, result_rows=4, result_matrix_origin=(1, 2))
    assert multiply != Multiply()
    assert repr(Multiply(beta=0.1)) == "MatrixMultiplication(beta=0.1)"
