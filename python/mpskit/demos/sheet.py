"""Contact sheets: pictures with words over them, and small drawings of what is no picture."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import io
from .._preview import visible

__all__ = ["Cell", "cards", "contact_sheet", "curves", "fitted", "refuse_target", "table", "words"]

Pixels = NDArray[np.uint8]

MARGIN, GAP = 16, 4
TITLE, NOTE, HEADING = 15, 12, 22  # sizes of the letters
INK, FAINT, PAPER, GROUND = (30, 30, 34), (110, 110, 118), (255, 255, 255), (238, 238, 241)
CHANNEL_INKS = {1: [(70, 70, 78)], 3: [(208, 60, 50), (40, 150, 70), (55, 90, 210)]}
LINE = 3  # pixels of a curve before its drawing is halved, which smooths it


@dataclass(frozen=True)
class Cell:
    title: str
    pictures: Sequence[Pixels]  # RGB, side by side
    note: str = ""
    tag: str = ""  # at the right of the title


def refuse_target(who: str, out: str | os.PathLike[str], force: bool) -> None:
    """Raise for a file that could not be written, before the work for it is done."""
    target = Path(out)
    if target.is_dir():
        raise IsADirectoryError(
            f"{who}: {target} is a folder; allowed: a file. Pass --out {target / f'mpskit-{who}.png'}."
        )
    if target.suffix.lower() not in io.SUFFIXES:
        raise ValueError(f"{who}: {target.name} has no known suffix; allowed: {', '.join(io.SUFFIXES)}.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{who}: there is no folder {target.parent}. Make it first.")
    if target.exists() and not force:
        raise FileExistsError(f"{who}: {target} exists; nothing is overwritten. Pass --force to replace it.")


def contact_sheet(cells: Sequence[Cell], columns: int, heading: str = "") -> Pixels:
    """All cells, row by row; their pictures have one size."""
    from PIL import Image, ImageDraw

    height, width, _ = cells[0].pictures[0].shape
    across = max(len(cell.pictures) for cell in cells) * (width + GAP) - GAP
    caption = TITLE + 8 + (NOTE + 4 if any(cell.note for cell in cells) else 0)
    top = MARGIN + (HEADING + MARGIN if heading else 0)
    rows = -(-len(cells) // columns)
    size = MARGIN + columns * (across + MARGIN), top + rows * (caption + height + MARGIN)
    canvas = Image.new("RGB", size, PAPER)
    pen = ImageDraw.Draw(canvas)
    pen.text((MARGIN, MARGIN + HEADING), heading, fill=INK, font_size=HEADING, anchor="ls")
    for i, cell in enumerate(cells):
        x, y = MARGIN + i % columns * (across + MARGIN), top + i // columns * (caption + height + MARGIN)
        pen.text((x, y + TITLE), cell.title, fill=INK, font_size=TITLE, anchor="ls")
        pen.text((x + across, y + TITLE), cell.tag, fill=FAINT, font_size=NOTE, anchor="rs")
        pen.text((x, y + TITLE + NOTE + 5), _cut(pen, cell.note, across), fill=FAINT, font_size=NOTE, anchor="ls")
        for k, picture in enumerate(cell.pictures):
            canvas.paste(Image.fromarray(picture), (x + k * (width + GAP), y + caption))
    return np.asarray(canvas)


def _cut(pen: Any, text: str, room: int) -> str:
    if pen.textlength(text, font_size=NOTE) <= room:
        return text
    while text and pen.textlength(text + " …", font_size=NOTE) > room:
        text = text[:-1]
    return text + " …"


def fitted(picture: NDArray[Any], width: int, height: int) -> Pixels:
    """A picture in the middle of its place: reduced when it is larger, its pixels enlarged when it is far smaller; alpha over squares."""
    from PIL import Image

    image = Image.fromarray(visible(picture))
    scale = min(width / image.width, height / image.height)
    if scale < 1:
        image = image.resize(
            (max(1, int(image.width * scale)), max(1, int(image.height * scale))), Image.Resampling.BOX
        )
    elif scale >= 2:
        image = image.resize((image.width * int(scale), image.height * int(scale)), Image.Resampling.NEAREST)
    canvas = Image.new("RGB", (width, height), GROUND)
    place = (width - image.width) // 2, (height - image.height) // 2
    if image.mode == "RGBA":
        y, x = np.mgrid[:height, :width] // 8
        canvas = Image.fromarray(np.dstack([(200 + 40 * ((x + y) % 2)).astype(np.uint8)] * 3))
        canvas.paste(image, place, image)
    else:
        canvas.paste(image, place)
    return np.asarray(canvas)


def curves(values: NDArray[Any], width: int, height: int, *, upright: bool = False, filled: bool = False) -> Pixels:
    """A curve for each column of `values`, from the least value to the greatest; `upright` runs downwards, beside the rows of a picture."""
    from PIL import Image, ImageDraw

    if upright:
        width, height = height, width
    y = values.astype(np.float64)
    low, high = (0.0 if filled else float(y.min())), float(y.max())
    down = 2 * height - 8 - (y - low) / (high - low or 1) * (2 * height - 16)
    along = np.linspace(8, 2 * width - 8, len(y))
    sheet = np.zeros((2 * height, 2 * width, 3), np.float64)
    sheet[...] = GROUND
    for channel, ink in enumerate(_inks(y.shape[1])):
        line = list(zip(along.tolist(), down[:, channel].tolist(), strict=True))
        canvas = Image.new("L", (2 * width, 2 * height), 0)
        pen = ImageDraw.Draw(canvas)
        if filled:
            pen.polygon([(8, 2 * height - 8), *line, (2 * width - 8, 2 * height - 8)], fill=90)
        pen.line(line, fill=255, width=LINE)
        cover = np.asarray(canvas)[..., None] / 255
        sheet = sheet * (1 - cover) + np.array(ink) * cover
    small = sheet.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
    drawn = np.rint(small).astype(np.uint8)
    # Rows of a picture run down: what was drawn from left to right does then, and large values lie to the right.
    return np.ascontiguousarray(drawn.swapaxes(0, 1)[:, ::-1]) if upright else drawn


def _inks(channels: int) -> list[tuple[int, int, int]]:
    return CHANNEL_INKS.get(channels) or [CHANNEL_INKS[3][i % 3] for i in range(channels)]


def cards(pictures: Sequence[Pixels]) -> Pixels:
    """Pictures of one size as if dealt onto a table: each smaller, and one behind the other from the upper left to the lower right."""
    from PIL import Image

    if len(pictures) == 1:
        return pictures[0]
    height, width, _ = pictures[0].shape
    table = Image.new("RGB", (width, height), GROUND)
    small = width * 5 // 9, height * 5 // 9
    for i, picture in enumerate(pictures):
        x, y = (((whole - part) * i // (len(pictures) - 1)) for whole, part in zip((width, height), small, strict=True))
        table.paste(PAPER, (x - 2, y - 2, x + small[0] + 2, y + small[1] + 2))
        table.paste(Image.fromarray(picture).resize(small, Image.Resampling.BOX), (x, y))
    return np.asarray(table)


def table(pixels: NDArray[Any], names: Sequence[str], width: int, height: int) -> Pixels:
    """The numbers of a few pixels, (pixels, channels), each pixel under its name."""
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (width, height), GROUND)
    pen = ImageDraw.Draw(canvas)
    rows, columns = pixels.shape[1] + 1, len(pixels) + 1
    for column in range(columns):
        x = width * (column + 0.5) / columns
        if column and len(names) == len(pixels):
            pen.text((x, height / 2 - rows * 12), names[column - 1], fill=FAINT, font_size=TITLE, anchor="mm")
        for channel in range(pixels.shape[1]):
            text = (
                f"{float(pixels[column - 1, channel]):.4g}" if column else "RGBA"[channel] if rows > 3 else str(channel)
            )
            ink = _inks(pixels.shape[1])[channel]
            pen.text((x, height / 2 - rows * 12 + 24 * (channel + 1)), text, fill=ink, font_size=TITLE + 1, anchor="mm")
    return np.asarray(canvas)


def words(lines: Sequence[str], width: int, height: int) -> Pixels:
    """Lines of text in the middle; those that are too long are broken between words."""
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (width, height), GROUND)
    pen = ImageDraw.Draw(canvas)
    broken: list[str] = []
    for line in lines:
        broken.append("")
        for word in line.split(" "):
            if broken[-1] and pen.textlength(f"{broken[-1]} {word}", font_size=NOTE) > width - 16:
                broken.append("")
            broken[-1] = f"{broken[-1]} {word}".strip()
    text = "\n".join(broken)
    pen.multiline_text((width / 2, height / 2), text, fill=INK, font_size=NOTE, anchor="mm", align="center", spacing=6)
    return np.asarray(canvas)
