"""What stored image elements mean, and how exact values are stored: float64, written from the definition of the formats."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

IMAGE_DTYPES = ("uint8", "uint16", "float16", "float32")
CODES = {"uint8": 255.0, "uint16": 65535.0}


def decode(stored: NDArray[Any]) -> NDArray[np.float64]:
    """Stored elements as exact values: unorm codes in [0, 1], floats as they are."""
    return stored.astype(np.float64) / CODES.get(stored.dtype.name, 1.0)


def encode(exact: NDArray[np.float64], dtype: str) -> NDArray[Any]:
    """The stored form: unorm takes NaN as 0, clamps and rounds to nearest even; floats round once."""
    if dtype in CODES:
        clean = np.clip(np.where(np.isnan(exact), 0.0, exact), 0.0, 1.0)
        return np.rint(clean * CODES[dtype]).astype(dtype)
    with np.errstate(over="ignore"):
        return exact.astype(dtype)


def random_image(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Elements over the whole range of the format; floats in [0, 1) with some negative and large ones."""
    if dtype in CODES:
        return rng.integers(0, int(CODES[dtype]) + 1, shape, dtype=dtype)
    values = rng.random(shape)
    odd = rng.random(shape)
    values = np.where(odd < 0.05, -values, np.where(odd > 0.97, values * 8, values))
    return values.astype(dtype)
