"""The pictures that image cases work on."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mpskit as mps

HEIGHT, WIDTH = 1080, 1920


def picture(kind: str, height: int = HEIGHT, width: int = WIDTH) -> NDArray[Any]:
    """A photograph of scikit-image where there is one, else noise with structure. "4K g8" is "g8" of 3840 x 2160."""
    if kind.startswith("4K "):
        kind, height, width = kind[3:], 2 * HEIGHT, 2 * WIDTH
    rgb = _colors(height, width)
    rgba = np.concatenate([rgb, np.full((*rgb.shape[:2], 1), 0.8)], -1)
    chosen = (
        rgb[..., 1] if kind.startswith("g") else rgb if kind.startswith("rgb") and not kind.startswith("rgba") else rgba
    )
    out = mps.empty(chosen.shape, "uint8" if kind.endswith("8") else "float32")
    out[...] = np.rint(chosen * 255) if kind.endswith("8") else chosen
    return out


@functools.lru_cache(maxsize=2)
def _colors(height: int, width: int) -> NDArray[np.float64]:
    try:
        from skimage import data, transform

        return np.asarray(transform.resize(data.astronaut(), (height, width), order=1))
    except ImportError:
        y, x = np.mgrid[:height, :width]
        rgb = np.stack([np.sin(x / 17), np.cos(y / 23), np.sin((x + y) / 31)], -1) / 2 + 0.5
        return np.clip(rgb + np.random.default_rng(0).normal(0, 0.05, rgb.shape), 0, 1)
