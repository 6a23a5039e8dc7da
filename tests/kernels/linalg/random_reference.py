"""Generators in plain integers, and what distributions make of their words, written from the publications."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[Any]
MASK = 0xFFFFFFFF


def philox(seed: int, first: int, count: int) -> Array:
    """Words first, first + 1, ... of Philox4x32-10 for the key (seed, seed >> 32) and the counters (0, 0, b >> 32, b)."""
    blocks = np.arange(first // 4, (first + count + 3) // 4 + 1, dtype=np.uint64)
    zero = np.zeros_like(blocks)
    c = [zero, zero, blocks >> np.uint64(32), blocks & np.uint64(MASK)]
    k0, k1 = seed & MASK, seed >> 32 & MASK
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        low, high = np.uint64(MASK), np.uint64(32)
        c = [(p1 >> high) ^ c[1] ^ np.uint64(k0), p1 & low, (p0 >> high) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    words = np.stack(c, 1).ravel()
    start = first % 4
    return words[start : start + count].astype(np.uint32)


def mtgp32(seed: int, first: int, count: int) -> Array:
    """Words of MTGP32 for the exponent 11213 and the first published parameter set; its state is words of philox()."""
    matrix, tempering = (
        (0x71588353, 0xDFA887C1, 0x4BA66C6E, 0xA53DA0AE),
        (0x20004000, 0x1082C600, 0x10021C00, 0x0003F000),
    )

    def rows(bits: int, of: tuple[int, ...]) -> int:
        total = 0
        for bit, row in enumerate(of):
            if bits >> bit & 1:
                total ^= row
        return total

    x = [int(w) for w in philox(seed, 0, 351)]
    out = []
    for i in range(first + count):
        far = (x[i] & 0xFFF80000) ^ x[i + 1]
        far ^= far << 12 & MASK
        mixed = far ^ x[i + 84] >> 4
        x.append(mixed ^ rows(mixed, matrix))
        helper = x[i + 83]
        helper ^= helper >> 16
        helper ^= helper >> 8
        out.append(x[-1] ^ rows(helper, tempering))
    return np.array(out[first:], np.uint32)


def uniform(words: Array, least: float = 0.0, most: float = 1.0) -> Array:
    lo, hi = np.float32(least), np.float32(most)
    t = (words >> np.uint32(9)).astype(np.float64) * 2.0**-23
    return np.minimum((np.float64(hi - lo) * t + np.float64(lo)).astype(np.float32), np.nextafter(hi, lo))


def normal(
    words: Array, mean: float = 0.0, deviation: float = 1.0, least: float = -np.inf, most: float = np.inf
) -> Array:
    """Exact, in float64."""
    u = ((words >> np.uint32(9)).astype(np.float64) + 0.5) * 2.0**-23
    low, high = (least - mean) / deviation, (most - mean) / deviation
    if low + high > 0:  # from the other side, where digits are not lost
        z = -ndtri(ndtr(-high) + (ndtr(-low) - ndtr(-high)) * u)
    else:
        z = ndtri(ndtr(low) + (ndtr(high) - ndtr(low)) * u)
    return np.asarray(np.clip(mean + deviation * z, least, most))
