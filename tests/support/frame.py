"""Memory with a frame of sentinels: strided views whose surroundings must not change."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Framed:
    """An array of `shape` inside a larger one, so that its rows are padded; `check()` fails when the frame was written.

    The outer axes (all but the contiguous inner ones) are padded: rows and images of a picture, rows of a matrix.
    """

    def __init__(self, shape: tuple[int, ...], dtype: str, inner_axes: int, padding: int = 3, fill: int = 0x5A) -> None:
        outer = len(shape) - inner_axes
        # The first inner axis is padded too: that is what makes row_bytes larger than the row.
        padded = tuple(n + 2 * padding if axis <= outer else n for axis, n in enumerate(shape))
        self.whole = np.zeros(padded, dtype)
        self.whole.view(np.uint8)[...] = fill
        self.index = tuple(
            slice(padding, padding + n) if axis <= outer else slice(None) for axis, n in enumerate(shape)
        )
        self.array: NDArray[Any] = self.whole[self.index]
        self._fill = fill

    def check(self) -> None:
        outside = np.ones(self.whole.shape, bool)
        outside[self.index] = False
        bytes_of = np.ascontiguousarray(self.whole).view(np.uint8).reshape(*self.whole.shape, -1)
        touched = (bytes_of[outside] != self._fill).any(axis=-1)
        assert not touched.any(), f"{int(touched.sum())} elements outside the array were written"
