"""Metal Performance Shaders for Python."""

from . import (
    _core,
    image,
)
from ._core import (
    CommandBuffer,
    Completion,
    Device,
    DeviceError,
    Image,
    Kernel,
    Matrix,
    UnsupportedError,
    Vector,
    default_device,
    device,
    devices,
    num_threads,
    set_num_threads,
)

__version__ = _core.__version__
