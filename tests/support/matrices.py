"""Windows of padded batches of matrices, for tests of the kernels that work on them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.frame import Framed

Array = NDArray[Any]


class Placed:
    """A batch of matrices inside a frame of sentinels, with an origin at which a window begins."""

    def __init__(
        self, rng: np.random.Generator, batch: int, window: tuple[int, int], origin: tuple[int, int], dtype: str, scale: float = 2.0
    ) -> None:  # fmt: skip
        self.origin, self.size = origin, window
        self.frame = Framed((batch, window[0] + origin[0] + 2, window[1] + origin[1] + 1), dtype, 2)
        self.array = self.frame.array
        if np.dtype(dtype).kind == "f":
            self.array[...] = rng.uniform(-scale, scale, self.array.shape)
        else:
            self.array[...] = rng.integers(0, 100, self.array.shape)
        self.old = self.array.copy()

    def window(self, first: int, count: int, old: bool = False) -> Array:
        whole = self.old if old else self.array
        x, y = self.origin
        return whole[first : first + count, x : x + self.size[0], y : y + self.size[1]]

    def check(self, first: int, count: int) -> None:
        """Nothing but the window of these matrices was written."""
        restored = self.array.copy()
        x, y = self.origin
        part = (slice(first, first + count), slice(x, x + self.size[0]), slice(y, y + self.size[1]))
        restored[part] = self.old[part]
        np.testing.assert_array_equal(restored.view(np.uint8), self.old.view(np.uint8))
        self.frame.check()
