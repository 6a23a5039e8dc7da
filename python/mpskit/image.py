"""Image kernels (the MPSImage classes)."""

from ._core import image as _image

__all__ = list(_image.__all__)
globals().update({name: getattr(_image, name) for name in __all__})
