"""Matrix kernels (the MPSMatrix classes)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from . import _core
from ._core.linalg import *

__all__ = [*_core.linalg.__all__, "matmul"]


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
    a, b : array or mps.Matrix of float32, float16, int8 or int16
        Shape (rows, columns) or (matrices, rows, columns).
    transpose_a, transpose_b : bool
        Take the factor transposed.
    alpha, beta : float
        Factors of the product and of the old contents of `out`.
    out : array or mps.Matrix of float32 or float16, optional
        Where the result goes; needed when `beta` is not 0.
    dtype : {"float32", "float16"}, optional
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
