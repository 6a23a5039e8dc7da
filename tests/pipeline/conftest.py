"""Pictures for the pipeline's tests, drawn by code or taken from scikit-image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def photos(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A folder with every format, gray and colour, nested."""
    Image = pytest.importorskip("PIL.Image", reason="needs Pillow: pip install 'mpskit[io]'")

    folder = tmp_path / "photos"
    (folder / "deep").mkdir(parents=True)
    y, x = np.mgrid[:61, :83]
    smooth = np.stack([x * 3 % 256, y * 4 % 256, (x + y) % 256], -1).astype(np.uint8)
    Image.fromarray(smooth).save(folder / "colour.jpg", quality=95)
    Image.fromarray(smooth[..., 0]).save(folder / "gray.jpg", quality=95)
    Image.fromarray(rng.integers(0, 256, (61, 83, 4), dtype=np.uint8)).save(folder / "alpha.png")
    Image.fromarray(rng.integers(0, 65536, (61, 83), dtype=np.uint16)).save(folder / "deep" / "sixteen.png")
    Image.fromarray(rng.random((61, 83)).astype(np.float32)).save(folder / "deep" / "float.tif")
    Image.fromarray(smooth).save(folder / "deep" / "picture.webp", lossless=True)
    return folder
