"""OpenCV, on the same arrays and with the destination reused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.case import Contender


def contender(
    threads: int, name: str, make: Callable[[Any], Callable[[], Any]], result: Any = np.asarray, **more: Any
) -> Contender | None:
    """make(cv2) gives the work."""
    try:
        import cv2
    except ImportError:
        return None
    cv2.setNumThreads(threads)
    return Contender(f"cv2.{name}", cv2.__version__, make(cv2), result, **more)
