"""Kernels of convolutional networks (the MPSCNN classes)."""

from . import _core
from ._core.cnn import *

__all__ = list(_core.cnn.__all__)
