"""MatrixCopy against NumPy's indexing: exact."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.engine import Engine
from tests.support.matrices import Placed

Kernel: Any = mps.linalg.MatrixCopy
Array = NDArray[Any]
DTYPES = ["float32", "float16", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float64"]
TRANSPOSES = pytest.mark.parametrize(("st", "dt"), [(False, False), (False, True), (True, False), (True, True)])


def reference(source: Array, out: Array, rows: int, columns: int, st: bool, dt: bool, at: tuple[int, int, int, int], rp: Any = None, cp: Any = None) -> None:  # fmt: skip
    """Element by element, as the definition says: transposed first, then permuted."""
    for i in range(rows):
        for j in range(columns):
            value = source[..., at[0] + (j if st else i), at[1] + (i if st else j)]
            r, c = (j, i) if dt else (i, j)
            r, c = r if rp is None else int(rp[r]), c if cp is None else int(cp[c])
            out[..., at[2] + r, at[3] + c] = value


@pytest.mark.parametrize("dtype", DTYPES)
@TRANSPOSES
def test_blocks_of_padded_batches(engine: Engine, rng: np.random.Generator, dtype: str, st: bool, dt: bool) -> None:
    if dtype == "float64" and engine.is_metal:
        with pytest.raises(
            mps.UnsupportedError, match=r"MatrixCopy: an operand is \(2, 2\) float64; .*Metal has no float64"
        ):
            Kernel()(np.zeros((2, 2)))
        return
    for rows, columns, permuted in ((1, 1, False), (5, 19, True), (18, 33, False)):
        batch = 2
        source = Placed(rng, batch, (columns, rows) if st else (rows, columns), (2, 3), dtype)
        out = Placed(rng, batch, (columns, rows) if dt else (rows, columns), (1, 2), dtype)
        stored = out.size
        rp, cp = rng.permutation(stored[0]).astype(np.uint32), rng.permutation(stored[1]).astype(np.uint32)
        indices: dict[str, Any] = {}
        if permuted:
            indices = {
                "row_permute_indices": np.r_[np.uint32(9), rp].astype(np.uint32),
                "row_permute_offset": 1,
                "column_permute_indices": cp,
            }
        kernel = Kernel(
            copy_rows=rows, copy_columns=columns, sources_are_transposed=st, destinations_are_transposed=dt, offsets=[(2, 3, 1, 2)], **indices
        )  # fmt: skip
        wanted = out.array.copy()
        reference(
            source.array,
            wanted,
            rows,
            columns,
            st,
            dt,
            (2, 3, 1, 2),
            rp if permuted else None,
            cp if permuted else None,
        )
        assert kernel(source.array, out=out.array) is out.array
        np.testing.assert_array_equal(out.array, wanted)
        out.check(0, batch)


def test_several_copies(engine: Engine, rng: np.random.Generator) -> None:
    a, b = rng.uniform(-1, 1, (4, 6)).astype(np.float32), rng.uniform(-1, 1, (3, 5)).astype(np.float32)
    # Side by side into one matrix.
    joined = Kernel(copy_rows=3, copy_columns=5, offsets=[(1, 0, 0, 0), (0, 0, 0, 5)], destinations=[0, 0])(a, b)
    np.testing.assert_array_equal(joined, np.hstack([a[1:4, :5], b]))
    # One after the other into another each; given as a tuple.
    first, second = Kernel(copy_rows=2, copy_columns=2, offsets=[(0, 0, 1, 1), (1, 1, 0, 0)])((a, b))
    np.testing.assert_array_equal(first, np.pad(a[:2, :2], ((1, 0), (1, 0))))
    np.testing.assert_array_equal(second, b[1:3, 1:3])
    # Two parts of one matrix exchanged.
    halves = Kernel(copy_columns=3, offsets=[(0, 0, 0, 3), (0, 3, 0, 0)], sources=[0, 0], destinations=[0, 0])(a)
    np.testing.assert_array_equal(halves, np.hstack([a[:, 3:], a[:, :3]]))


def test_copies_whole_matrices_by_default(engine: Engine, rng: np.random.Generator) -> None:
    x = rng.uniform(-1, 1, (2, 17, 9)).astype(np.float16)
    np.testing.assert_array_equal(Kernel()(x), x)
    np.testing.assert_array_equal(Kernel(sources_are_transposed=True)(x), x.swapaxes(1, 2))
    np.testing.assert_array_equal(Kernel(destinations_are_transposed=True)(x), x.swapaxes(1, 2))
    order = rng.permutation(17).astype(np.uint32)
    wanted = np.empty_like(x)
    wanted[:, order] = x
    np.testing.assert_array_equal(Kernel(row_permute_indices=order)(x), wanted)
    assert Kernel()(np.zeros((0, 4), np.int8)).shape == (0, 4)


def test_bits_are_kept(engine: Engine) -> None:
    x = np.array([[0x7FA00001, 0xFFFFFFFF, 0x80000000]], np.uint32).view(np.float32)  # signalling NaN and their like
    np.testing.assert_array_equal(Kernel()(x).view(np.uint32), x.view(np.uint32))


@pytest.mark.parametrize(
    ("keywords", "shapes", "message"),
    [
        ({"copy_rows": 4}, [(3, 4)], r"copy 0 reads 4 x 4 from \(0, 0\) and its source is \(3, 4\)"),
        ({"offsets": [(0, 5, 0, 0)]}, [(3, 4)], r"copy 0 begins at \(0, 5\) and its source is \(3, 4\)"),
        ({}, [(3, 4), (2, 4)], r"copy 0 writes to \(2, 3\) and its destination is \(2, 4\)"),
        ({"row_permute_indices": np.array([0, 3, 1], np.uint32)}, [(3, 4), (3, 4)], r"copy 0 writes to \(3, 3\)"),
        ({"row_permute_indices": np.array([0, 1, 1], np.uint32)}, [(3, 4)], r"a row or column is named twice"),
        (
            {"row_permute_indices": np.array([0, 1], np.uint32)},
            [(3, 4)],
            r"row_permute_indices has 2 elements; allowed: at least 3",
        ),
        ({}, [(2, 3, 4), (1, 3, 4)], r"the first source has 2 matrices, another matrix 1"),
    ],
)
def test_refuses_shapes(keywords: dict[str, Any], shapes: list[tuple[int, ...]], message: str) -> None:
    arrays = [np.zeros(shape, np.float32) for shape in shapes]
    with pytest.raises(ValueError, match=f"MatrixCopy: .*{message}"):
        Kernel(**keywords)(arrays[0], out=arrays[1] if len(arrays) > 1 else None)


def test_refuses_overlap_dtypes_and_parameters() -> None:
    x = np.zeros((3, 4), np.float32)
    with pytest.raises(ValueError, match="copies 0 and 1 overlap in their destination"):
        Kernel(copy_rows=2, offsets=[(0, 0, 0, 0), (1, 0, 1, 0)], sources=[0, 0], destinations=[0, 0])(x)
    with pytest.raises(TypeError, match="the first source is float32, another matrix is int32; allowed: equal dtypes"):
        Kernel()(x, out=np.zeros((3, 4), np.int32))
    with pytest.raises(
        TypeError, match="the first source is float32, another matrix is float64; allowed: equal dtypes"
    ):
        Kernel()(x, out=np.zeros((3, 4)))
    for keywords, error, message in (
        ({"offsets": []}, ValueError, "offsets has 0 items; allowed: 1 to 4096"),
        ({"offsets": [(0, 0, -1, 0)]}, ValueError, "offsets has -1"),
        ({"offsets": [(0, 0, 0)]}, ValueError, "offsets"),
        ({"sources": [0, 1]}, ValueError, "sources has 2 numbers; allowed: 1"),
        ({"destinations": [-1]}, ValueError, "destinations has -1"),
        ({"row_permute_indices": np.zeros(3, np.int32)}, TypeError, "row_permute_indices is .* int32; allowed: uint32"),
        (
            {"column_permute_indices": np.zeros((3, 1), np.uint32)},
            ValueError,
            "column_permute_indices is .*; allowed: one axis",
        ),
    ):
        with pytest.raises(error, match=message):
            Kernel(**keywords)


def test_is_a_value() -> None:
    kernel = Kernel(copy_rows=2, offsets=[(0, 1, 2, 3)], row_permute_indices=np.array([1, 0], np.uint32))
    assert pickle.loads(pickle.dumps(kernel)) == kernel != Kernel(copy_rows=2, offsets=[(0, 1, 2, 3)])
    assert kernel.offsets == ((0, 1, 2, 3),)
