"""Metal Performance Shaders for Python."""

from . import (
    _core,
    cnn,
    image,
    linalg,
    rnn,
)
from ._core import (
    CommandBuffer,
    Completion,
    Device,
    DeviceError,
    Image,
    Kernel,
    Matrix,
    TemporaryImage,
    TemporaryMatrix,
    TemporaryVector,
    UnsupportedError,
    Vector,
    default_device,
    device,
    devices,
    empty,
    from_dlpack,
    num_threads,
    set_num_threads,
    zeros,
)

TYPE_CHECKING = False  # typing has it too, but takes longer to load than all of this
if TYPE_CHECKING:
    from . import demos, graph, io, pipeline, profile
    from .pipeline import Pipeline

__all__ = [
    "CommandBuffer",
    "Completion",
    "Device",
    "DeviceError",
    "Image",
    "Kernel",
    "Matrix",
    "Pipeline",
    "TemporaryImage",
    "TemporaryMatrix",
    "TemporaryVector",
    "UnsupportedError",
    "Vector",
    "cnn",
    "default_device",
    "demos",
    "device",
    "devices",
    "empty",
    "from_dlpack",
    "graph",
    "image",
    "io",
    "linalg",
    "num_threads",
    "pipeline",
    "profile",
    "rnn",
    "set_num_threads",
    "zeros",
]

__version__ = _core.__version__


def __getattr__(name: str) -> object:
    # Loaded when they are asked for: a program that calls kernels only should not pay for thread pools and parsers.
    import importlib

    if name == "Pipeline":
        return importlib.import_module(".pipeline", __name__).Pipeline
    if name in ("demos", "graph", "io", "pipeline", "profile"):
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'mpskit' has no attribute {name!r}")
