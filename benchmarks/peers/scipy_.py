"""SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..harness.case import Contender


def distance_transform(x: Any) -> Contender | None:
    try:
        import scipy
        from scipy import ndimage
    except ImportError:
        return None
    zeros = np.asarray(x) == 0  # measured to where there is False
    return Contender(
        "scipy.ndimage.distance_transform_edt", scipy.__version__, lambda: ndimage.distance_transform_edt(zeros)
    )
