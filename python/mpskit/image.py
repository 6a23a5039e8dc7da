"""Image kernels (the MPSImage classes)."""

from . import _core
from ._core.image import *

KeypointData = _core._keypoint_dtype()  # MPSImageKeypointData: what a keypoint is as a record of NumPy's

__all__ = list(_core.image.__all__)
