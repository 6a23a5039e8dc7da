"""Metal Performance Shaders for Python."""

from . import _core
from ._core import (  # noqa: F401
    CommandBuffer, Completion, Device, DeviceError, Image, Kernel, Matrix, UnsupportedError, Vector, default_device, device,
    devices, num_threads, set_num_threads,
)
from . import image  # noqa: F401

__version__ = _core.__version__
