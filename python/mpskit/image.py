"""Image kernels (the MPSImage classes)."""

from . import _core
from ._core.image import *

__all__ = list(_core.image.__all__)
