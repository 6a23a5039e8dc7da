"""What tests of copies between pictures and matrices share."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
# Pictures whose rows are one lane less and more than registers, for each number of channels that has code of its own, and others.
SHAPES = [(1, 1, 1, 1), (1, 3, 7, 1), (2, 5, 33, 2), (3, 4, 31, 3), (1, 2, 65, 4), (2, 3, 5, 7), (1, 9, 16, 12)]


def rows(pictures: Array, layout: str) -> Array:
    """Pictures (images, height, width, channels) as rows (images, elements)."""
    order = pictures.transpose(0, 3, 1, 2) if layout == "chw" else pictures
    return order.reshape(len(pictures), -1)


def formats(engine: Any) -> tuple[str, ...]:
    return ("uint8", "float16", "float32") if engine.is_metal else ("uint8", "uint16", "float16", "float32")
