"""Comparison element by element: a mean or a norm hides small values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

current_test = ""


def tolerance_of(kernel: Any, dtype: Any, engine: Any = None) -> tuple[float, float]:
    """The descriptor's absolute and relative tolerance for outputs of this dtype (and this device, where it differs)."""
    descriptor = kernel._descriptor
    table = dict(descriptor["tolerances"])
    if engine is not None and engine.is_metal:
        table.update(descriptor.get("metal_tolerances", {}))
    absolute, relative = table[np.dtype(dtype).name]
    return absolute, relative


def assert_close(
    got: NDArray[Any],
    wanted: NDArray[Any],
    absolute: float,
    relative: float = 0.0,
    scale: NDArray[Any] | float | None = None,
) -> None:
    """|got - wanted| <= absolute * scale + relative * |wanted| for each element; NaN and infinity must match exactly."""
    got64, wanted64 = np.asarray(got, np.float64), np.asarray(wanted, np.float64)
    assert got64.shape == wanted64.shape, f"{current_test}: shape {got64.shape}, wanted {wanted64.shape}"
    if got64.size == 0:
        return
    same_special = (np.isnan(got64) & np.isnan(wanted64)) | (np.isinf(wanted64) & (got64 == wanted64))
    with np.errstate(invalid="ignore"):
        error = np.abs(got64 - wanted64)
        allowed = absolute * (1.0 if scale is None else np.asarray(scale)) + relative * np.abs(wanted64)
        allowed = np.broadcast_to(allowed, error.shape)
        excess = np.where(same_special, -np.inf, np.where(np.isfinite(error), error - allowed, np.inf))
    worst = np.unravel_index(np.argmax(excess), excess.shape)
    assert excess[worst] <= 0, (
        f"{current_test}\n  worst at {tuple(int(i) for i in worst)} of {got64.shape}: got {got64[worst]!r}, "
        f"wanted {wanted64[worst]!r}, error {error[worst]:.3g}, allowed {allowed[worst]:.3g}; "
        f"{int((excess > 0).sum())} of {excess.size} elements are outside"
    )
