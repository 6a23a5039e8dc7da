"""Pictures drawn by code: as large as photographs, with edges, gradients, texture and noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["PICTURES", "draw"]

Plane = NDArray[np.float32]


def _grid(height: int, width: int) -> tuple[Plane, Plane]:
    """x and y of every pixel, the shorter side spanning [-1, 1]."""
    scale = 2.0 / min(height, width)
    y = (np.arange(height, dtype=np.float32) - height / 2) * scale
    x = (np.arange(width, dtype=np.float32) - width / 2) * scale
    xs, ys = np.meshgrid(x, y)
    return xs.astype(np.float32), ys.astype(np.float32)


def _box(x: Plane, y: Plane, left: float, right: float, top: float, bottom: float) -> tuple[slice, slice]:
    """Rows and columns of the pixels within: a shape is drawn where it lies, not over the whole picture."""
    return slice(*np.searchsorted(y[:, 0], [top, bottom])), slice(*np.searchsorted(x[0], [left, right]))


def _spheres(height: int, width: int, rng: np.random.Generator) -> Plane:
    """Shaded balls over a floor that fades into the sky."""
    x, y = _grid(height, width)
    sky = np.stack([0.35 + 0.25 * y, 0.5 + 0.2 * y, 0.8 - 0.1 * y], axis=-1)
    depth = np.maximum(y, 0.05) + 0.1
    floor = (np.floor(x / depth * 2) + np.floor(3 / depth)) % 2
    picture = np.where((y > 0.1)[..., None], 0.25 + 0.4 * floor[..., None] * y[..., None], sky)
    for _ in range(14):
        cx, cy, r = rng.uniform(-1.5, 1.5), rng.uniform(-0.7, 0.8), rng.uniform(0.08, 0.35)
        around = _box(x, y, cx - r, cx + r, cy - r, cy + r)
        dx, dy = (x[around] - cx) / r, (y[around] - cy) / r
        inside = 1 - dx**2 - dy**2
        z = np.sqrt(np.maximum(inside, 0))
        light = np.clip(0.25 + 0.7 * (z - 0.5 * dx - 0.6 * dy), 0, 1)
        shine = np.clip(light - 0.97, 0, 1) * 12
        colour = rng.uniform(0.2, 1.0, 3)
        patch = picture[around]
        patch[...] = np.where((inside > 0)[..., None], light[..., None] * colour + shine[..., None], patch)
    return picture.astype(np.float32)


def _waves(height: int, width: int, rng: np.random.Generator) -> Plane:
    """Interfering waves, smooth at every scale."""
    x, y = _grid(height, width)
    field = np.zeros_like(x)
    for _ in range(9):
        angle, frequency, phase = rng.uniform(0, np.pi), rng.uniform(2, 30), rng.uniform(0, 2 * np.pi)
        field += np.sin(frequency * (x * np.cos(angle) + y * np.sin(angle)) + phase) / np.sqrt(frequency)
    tint = rng.uniform(0, 2 * np.pi, 3)
    return (0.5 + 0.45 * np.sin(1.7 * field[..., None] + tint)).astype(np.float32)


def _zone_plate(height: int, width: int, rng: np.random.Generator) -> Plane:
    """Rings that grow finer outwards: what a bad resize turns into moire."""
    x, y = _grid(height, width)
    rings = 0.5 + 0.5 * np.cos(min(height, width) * 0.35 * (x * x + y * y))
    return (rings[..., None] * rng.uniform(0.8, 1.0, 3).astype(np.float32)).astype(np.float32)


def _skyline(height: int, width: int, rng: np.random.Generator) -> Plane:
    """Buildings with lit windows at dusk: many straight edges."""
    x, y = _grid(height, width)
    picture = np.clip(np.stack([0.9 + 0.9 * y, 0.45 + 0.5 * y, 0.35 - 0.2 * y], axis=-1), 0, 1)  # dusk
    for layer in range(3):
        left = x.min()
        while left < x.max():
            right, top = left + rng.uniform(0.08, 0.3), rng.uniform(-0.6, 0.4) + 0.2 * layer
            body = _box(x, y, left, right, top, np.inf)
            across, down = x[0, body[1]] - left, y[body[0], :1] - top
            pane = (np.floor(across * 45) % 3 > 0) & (np.floor(down * 38) % 3 > 0)
            lit = np.sin(np.floor(across * 15) * 12.9898 + np.floor(down * 12.67) * 78.233) > 0.35
            wall = np.array([0.10, 0.10, 0.16]) * (1 + 0.6 * (2 - layer))
            glow = np.array([0.95, 0.8, 0.45])
            picture[body] = np.where((pane & lit)[..., None], glow, wall)
            left = right + rng.uniform(0, 0.05)
    return picture.astype(np.float32)


def _leaves(height: int, width: int, rng: np.random.Generator) -> Plane:
    """Overlapping soft discs: the statistics of natural pictures."""
    x, y = _grid(height, width)
    picture = np.zeros((*x.shape, 3), np.float32)
    for _ in range(700):
        cx, cy, r = rng.uniform(-1.9, 1.9), rng.uniform(-1.1, 1.1), 0.025 / rng.uniform(0.07, 1.0)
        around = _box(x, y, cx - r, cx + r, cy - r, cy + r)
        inside = (x[around] - cx) ** 2 + (y[around] - cy) ** 2 < r * r
        patch = picture[around]
        patch[inside] = rng.uniform(0.1, 0.9) * np.array([0.6, 1.0, 0.4]) * rng.uniform(0.7, 1.0, 3)
    return picture


PICTURES: dict[str, Callable[[int, int, np.random.Generator], Plane]] = {
    "spheres": _spheres,
    "waves": _waves,
    "zone_plate": _zone_plate,
    "skyline": _skyline,
    "leaves": _leaves,
}


def draw(name: str, height: int = 1080, width: int = 1920, seed: int = 0) -> NDArray[np.uint8]:
    """Draw one picture.

    Parameters
    ----------
    name : str
        One of PICTURES.
    height, width : int
        In pixels.
    seed : int
        Another seed, another picture of the same kind.

    Returns
    -------
    uint8 array of shape (height, width, 3), with a little noise, as of a camera.
    """
    if name not in PICTURES:
        raise ValueError(f"draw: there is no picture {name!r}; allowed: {', '.join(PICTURES)}.")
    rng = np.random.default_rng([seed, *name.encode()])
    picture = PICTURES[name](height, width, rng)
    picture = picture + rng.normal(0, 0.012, picture.shape).astype(np.float32)
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
