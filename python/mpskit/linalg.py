"""Matrix kernels (the MPSMatrix classes)."""

from __future__ import annotations

import functools
import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from . import _core
from ._core.linalg import *

__all__ = [*_core.linalg.__all__, "RandomStream", "cholesky", "lu", "matmul", "solve"]


def _as_stored(a: Any) -> tuple[Any, bool]:
    """The array as it lies in memory, and whether it is the transpose of that: `x.T` costs no copy."""
    if isinstance(a, np.ndarray) and a.ndim in (2, 3) and a.strides[-1] != a.itemsize and a.strides[-2] == a.itemsize:
        return a.swapaxes(-1, -2), True
    return a, False


def matmul(
    a: Any,
    b: Any,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
    alpha: float = 1.0,
    beta: float = 0.0,
    out: Any = None,
    dtype: DTypeLike | None = None,
    device: str | None = None,
) -> Any:
    """``alpha * op(a) @ op(b) + beta * out``, for matrices or equally long batches of them.

    `MatrixMultiplication` as a function; ``a.T`` and ``b.T`` are taken as they lie, without a copy. Windows into larger
    matrices and parts of batches are parameters of the class.

    Parameters
    ----------
    a, b : array or mps.Matrix of float32, float16, int8, int16 or, on the CPU engine, float64
        Shape (rows, columns) or (matrices, rows, columns).
    transpose_a, transpose_b : bool
        Take the factor transposed.
    alpha, beta : float
        Factors of the product and of the old contents of `out`.
    out : array or mps.Matrix of float32 or float16, of float64 for such factors, optional
        Where the result goes; needed when `beta` is not 0.
    dtype : {"float32", "float16", "float64"}, optional
        Of a new result.
    device : str, optional
        "cpu" or "metal"; the current device when omitted.

    Returns
    -------
    array or mps.Matrix
        `out`, or a new one.
    """
    a, a_is_view = _as_stored(a)
    b, b_is_view = _as_stored(b)
    multiply = MatrixMultiplication(
        transpose_left=transpose_a != a_is_view, transpose_right=transpose_b != b_is_view, alpha=alpha, beta=beta
    )
    options: dict[str, Any] = {"out": out, "dtype": dtype, "device": device}
    return multiply(a, b, **{key: value for key, value in options.items() if value is not None})


# Kernels are values, and each keeps the plans of its calls: one that is made again begins without.
@functools.cache
def _made(kernel: Any, **fields: bool) -> Any:
    return kernel(**fields)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _check(kernel: str, what: str, status: Any) -> None:
    failed = np.flatnonzero(np.asarray(status))
    if failed.size:
        which = "a" if np.asarray(status).size == 1 else f"matrix {failed[0]} of a (and {failed.size - 1} more)"
        raise np.linalg.LinAlgError(
            f"{kernel}: {which} is {what}; allowed: a matrix that is not. Pass check=False to have the status of each."
        )


def cholesky(
    a: Any, *, upper: bool = False, check: bool = True, out: Any = None, device: str | None = None
) -> Any:  # fmt: skip
    """The Cholesky factor of a symmetric positive definite matrix, or of each of a batch: ``a = L @ L.T``.

    `MatrixDecompositionCholesky` as a function.

    Parameters
    ----------
    a : array or mps.Matrix of float32
        Shape (order, order) or (matrices, order, order); one triangle is read.
    upper : bool
        Give U of ``a = U.T @ U``, from the upper triangle of `a`.
    check : bool
        Raise when a matrix is not positive definite. False gives ``(factor, status)`` instead.
    out : tuple of factor and status, optional
        Where the results go. The other triangle of the factor is left alone there; in a new one it is zero.
    device : str, optional
        "cpu" or "metal"; the current device when omitted.

    Returns
    -------
    array or mps.Matrix
        The factor; with ``check=False`` a tuple of it and the status of each matrix.

    Raises
    ------
    numpy.linalg.LinAlgError
        If `check` is True and a matrix is not positive definite.
    """
    factor, status = _made(MatrixDecompositionCholesky, lower=not upper)(a, **_given(out=out, device=device))
    if not check:
        return factor, status
    _check("cholesky", "not positive definite", status)
    return factor


def lu(a: Any, *, check: bool = True, out: Any = None, device: str | None = None) -> Any:
    """LU factors with partial pivoting of a matrix, or of each of a batch: ``P @ a = L @ U``.

    `MatrixDecompositionLU` as a function.

    Parameters
    ----------
    a : array or mps.Matrix of float32
        Shape (rows, columns) or (matrices, rows, columns).
    check : bool
        Raise when a matrix is singular. False gives ``(factors, pivot_indices, status)`` instead.
    out : tuple of factors, pivot_indices and status, optional
        Where the results go.
    device : str, optional
        "cpu" or "metal"; the current device when omitted.

    Returns
    -------
    tuple of array, mps.Matrix or mps.Vector
        L and U in one matrix, and for each row the row from 0 with which it was interchanged; with ``check=False`` the status
        of each matrix too.

    Raises
    ------
    numpy.linalg.LinAlgError
        If `check` is True and a pivot is exactly 0.
    """
    factors, pivot_indices, status = _made(MatrixDecompositionLU)(a, **_given(out=out, device=device))
    if not check:
        return factors, pivot_indices, status
    _check("lu", "singular", status)
    return factors, pivot_indices


def solve(
    a: Any, b: Any, *, positive_definite: bool = False, check: bool = True, out: Any = None, device: str | None = None
) -> Any:
    """The solution of ``a @ x = b``, for a square matrix or each of a batch.

    `MatrixDecompositionLU` and `MatrixSolveLU` as a function, or `MatrixDecompositionCholesky` and `MatrixSolveCholesky`. ``a.T`` is
    taken as it lies, without a copy.

    Parameters
    ----------
    a : array or mps.Matrix of float32
        Shape (order, order) or (matrices, order, order).
    b : array or mps.Matrix of float32
        Shape (order,), (order, right-hand sides) or (matrices, order, right-hand sides).
    positive_definite : bool
        `a` is symmetric and positive definite: half the work; its lower triangle is read.
    check : bool
        Raise when a matrix is singular, or not positive definite. False gives infinity and NaN for such a one.
    out : array or mps.Matrix of float32, optional
        Where the solution goes.
    device : str, optional
        "cpu" or "metal"; the current device when omitted.

    Returns
    -------
    array or mps.Matrix
        `out`, or a new one of the shape of `b`.

    Raises
    ------
    numpy.linalg.LinAlgError
        If `check` is True and there is no solution to be had.
    """
    is_vector = isinstance(b, np.ndarray) and b.ndim == 1
    if is_vector:
        b = b[:, np.newaxis]
        if isinstance(out, np.ndarray):
            x = out[:, np.newaxis]
            solve(a, b, positive_definite=positive_definite, check=check, out=x, device=device)
            return out
    options = _given(out=out, device=device)
    if positive_definite:
        factor = cholesky(a, check=check, device=device)
        x = _made(MatrixSolveCholesky)(factor if check else factor[0], b, **options)
    else:
        a, transpose = _as_stored(a)
        factors, pivot_indices = lu(a, check=check, device=device)[:2]
        x = _made(MatrixSolveLU, transpose=transpose)(factors, b, pivot_indices, **options)
    return x[:, 0] if is_vector and isinstance(x, np.ndarray) else x


class RandomStream:
    """Random numbers that go on: each call fills with the next ones of a random kernel, as Apple's object does.

    The kernel itself is a value and gives the same numbers every time; this remembers where in its sequence it is. Several
    threads may draw from one stream: each takes a part of its own. Copies and pickles go on from where the original is.

    Parameters
    ----------
    kernel : MatrixRandomPhilox or MatrixRandomMTGP32
        Where the stream begins, at the kernel's offset.
    """

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel
        self._lock = threading.Lock()

    @property
    def kernel(self) -> Any:
        """The kernel of the next call: its offset is where the stream is."""
        return self._kernel

    def _take(self, count: int) -> Any:
        with self._lock:
            kernel = self._kernel
            self._kernel = kernel.replace(offset=kernel.offset + count)
        return kernel

    def __call__(
        self, shape: int | tuple[int, ...] | None = None, *, out: Any = None, device: str | None = None
    ) -> Any:
        """Fill `out`, or a new array of this shape, with the next numbers.

        Parameters
        ----------
        shape : int or tuple of int, optional
            Of a new array: uint32 for the distribution 'default', float32 for the others.
        out : array or mps.Matrix, optional
            What is filled.
        device : str, optional
            "cpu" or "metal"; the current device when omitted.

        Returns
        -------
        array or mps.Matrix
            `out`, or the new array.
        """
        if (shape is None) == (out is None):
            raise TypeError(
                "RandomStream: shape and out are both given or both missing; allowed: one of them. Pass one."
            )
        options = {} if device is None else {"device": device}
        if shape is not None:
            is_raw = self._kernel.distribution.distribution_type == "default"
            out = _core.empty(shape, "uint32" if is_raw else "float32")
        if isinstance(out, np.ndarray):
            # A row, whatever its axes: numbers are counted in the order of its elements.
            rows = out if out.ndim in (2, 3) else out.view()
            if rows is not out:
                rows.shape = (1, out.size)  # raises where that would be a copy
            matrices = rows.shape[0] if rows.ndim == 3 else 1
            per_matrix = rows.size // max(matrices, 1)
        else:
            rows, matrices, per_matrix = out, out.matrices, out.rows * out.columns
        kernel = self._kernel
        chosen = matrices - kernel.batch_start if kernel.batch_size is None else kernel.batch_size
        self._take(max(chosen, 0) * per_matrix)(out=rows, **options)
        return out

    def __getstate__(self) -> Any:
        return self._kernel

    def __setstate__(self, kernel: Any) -> None:
        RandomStream.__init__(self, kernel)

    def __repr__(self) -> str:
        return f"RandomStream({self._kernel!r})"
