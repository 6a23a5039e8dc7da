"""Pictures as people look at them: floats, batches and channels that are no colours made visible. For screens, never for results."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import io

__all__ = ["preview", "tiled", "visible"]

LONGEST = 1024  # pixels a side: notebooks keep every picture in their file, as text
MOST_TILES = 16
GAP = 4  # pixels between tiles

Pixels = NDArray[np.uint8]


def preview(array: NDArray[Any]) -> bytes | None:
    """What a notebook shows of an image: a PNG of at most 1024 pixels a side.

    Floats are shown as [0, 1], clipped; 16 bits as their upper 8. A batch becomes tiles, and so does every channel of a picture
    that has not 1, 3 or 4 of them; of more than 16 tiles the last one says how many are left out.

    Returns
    -------
    bytes, or None where there is nothing to see or no Pillow to encode it: the notebook shows the words instead.
    """
    try:
        Image = io.require_pillow()
        pictures = list(array) if array.ndim == 4 else [array]
        if array.ndim > 2 and array.shape[-1] not in (1, 3, 4):
            pictures = [picture[..., channel] for picture in pictures for channel in range(array.shape[-1])]
        if array.size == 0:
            return None
        file = BytesIO()
        Image.fromarray(tiled(pictures, LONGEST, LONGEST)).save(file, "png", compress_level=1)
        return file.getvalue()
    except (ImportError, ValueError, OSError, MemoryError):  # whatever it is, a cell of a notebook is no place to fail
        return None


def visible(array: NDArray[Any]) -> Pixels:
    """Gray, RGB or RGBA as uint8, for display."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype == np.uint16:
        array = array >> 8
    elif array.dtype != np.uint8:
        array = np.rint(np.clip(np.nan_to_num(array.astype(np.float32)), 0, 1) * 255)
    return np.ascontiguousarray(array, np.uint8)


def tiled(pictures: Sequence[NDArray[Any]], width: int, height: int, gap: int = GAP) -> Pixels:
    """Pictures of one size side by side, reduced until all fit into `width` x `height`; a single one just that."""
    from PIL import Image

    shown = pictures[:MOST_TILES]
    rows, columns = pictures[0].shape[:2]
    across = _columns(len(shown), columns / rows * height / width)
    down = -(-len(shown) // across)
    room = (width - gap * (across - 1)) / across, (height - gap * (down - 1)) / down
    scale = min(1.0, room[0] / columns, room[1] / rows)
    size = max(1, int(columns * scale)), max(1, int(rows * scale))
    tiles = [_reduced(Image, picture, size) for picture in shown]
    if len(pictures) > len(shown):
        tiles[-1] = _words(f"+ {len(pictures) - len(shown) + 1}", tiles[-1].shape)
    if len(tiles) == 1:
        return tiles[0]
    sheet = np.full((down * (size[1] + gap) - gap, across * (size[0] + gap) - gap, *tiles[0].shape[2:]), 255, np.uint8)
    if sheet.shape[2:] == (4,):
        sheet[..., 3] = 0  # between pictures with alpha there is nothing
    for i, tile in enumerate(tiles):
        top, left = i // across * (size[1] + gap), i % across * (size[0] + gap)
        sheet[top : top + size[1], left : left + size[0]] = tile
    return sheet


def _columns(count: int, aspect: float) -> int:
    """So many tiles in a row that they come out largest, and rather wide than high; `aspect` is that of a tile where the sheet is square."""
    return max(range(1, count + 1), key=lambda across: (min(1 / (across * aspect), 1 / -(-count // across)), across))


def _reduced(Image: Any, picture: NDArray[Any], size: tuple[int, int]) -> Pixels:
    step = max(1, min(picture.shape[1] // size[0], picture.shape[0] // size[1]) // 4)
    pixels = visible(picture[::step, ::step])  # floats of a hundred megapixels need not all be converted
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))


def _words(text: str, shape: tuple[int, ...]) -> Pixels:
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (shape[1], shape[0]), 230)
    ImageDraw.Draw(canvas).text(
        (shape[1] / 2, shape[0] / 2), text, fill=60, anchor="mm", font_size=max(8, shape[0] // 5)
    )
    gray = np.asarray(canvas)
    if len(shape) == 2:
        return gray
    pixels = np.repeat(gray[..., None], shape[2], axis=2)
    if shape[2] == 4:
        pixels[..., 3] = 255
    return pixels
