"""What is said to a wrong call: what was given, what is allowed, how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mpskit as mps

X = np.zeros((8, 9, 3), np.float32)
BLUR = mps.image.GaussianBlur(sigma=1)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda: BLUR.encode(X),
            TypeError,
            "GaussianBlur: command_buffer is a ndarray; allowed: an mps.CommandBuffer, before the inputs. Pass one of",
        ),
        (lambda: BLUR.encode(), TypeError, "GaussianBlur: command_buffer is missing; allowed: an mps.CommandBuffer"),
        (lambda: BLUR(X, temporary=True), TypeError, "temporary is given; allowed: in encode() only."),
        (
            lambda: BLUR.encode(mps.device("cpu").command_buffer(), X, temporray=True),
            TypeError,
            "unknown keyword 'temporray'; allowed in a call: image, out, dtype, channels, device, temporary. "
            "Did you mean 'temporary'?",
        ),
        (lambda: BLUR(X, out=X), ValueError, "GaussianBlur: out overlaps image; allowed: separate memory."),
        (lambda: BLUR(X, out=[1.0]), TypeError, "GaussianBlur: out is a list; allowed: an array of shape"),
        (lambda: BLUR(X, out=[1.0]), TypeError, "or mps.Image. Pass one to write into."),
        (lambda: BLUR(X, out=np.zeros(X.shape, np.int32)), TypeError, "float32. Pass an out of such a dtype, or"),
        (lambda: BLUR(X, dtype="int32"), TypeError, "float32. Pass an out of such a dtype, or another dtype."),
        (
            lambda: mps.linalg.MatrixMultiplication()(X[..., 0]),
            TypeError,
            "MatrixMultiplication: 1 input given; allowed: left, right.",
        ),
        (lambda: mps.image.GaussianBlur(sigma=10**300), ValueError, "sigma is 1000000000000"),
        (lambda: mps.Image.empty(width=3), TypeError, "Image.empty: height is None (NoneType); allowed: an integer."),
        (lambda: mps.Matrix.zeros(rows=3), TypeError, "Matrix.zeros: columns is None (NoneType); allowed: an integer."),
        (lambda: mps.Vector.empty(), TypeError, "Vector.empty: length is None (NoneType); allowed: an integer."),
        (
            lambda: mps.device("cpu").command_buffer(label=3),
            TypeError,
            "Device.command_buffer: label is 3 (int); allowed: text. Pass a str.",
        ),
        (
            lambda: mps.Image.empty(width=2**29, height=2**29),
            MemoryError,
            "mpskit: the system has no 288230376151711744 bytes of memory left for one array. Make it smaller, or free",
        ),
    ],
)
def test_message(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=re.escape(words)) as raised:
        call()
    assert len(str(raised.value)) < 600


def test_methods_refuse_an_object_that_was_never_made() -> None:
    empty = mps.Kernel.__new__(mps.image.GaussianBlur)
    for method in (empty, empty.submit, empty.encode, empty.supports, empty.why_not):
        with pytest.raises(TypeError, match="never initialised"):
            method(X)
    with pytest.raises(TypeError, match="never initialised"):
        BLUR(mps.Image.__new__(mps.Image))
    with pytest.raises(TypeError):
        mps.Kernel.submit(3, X)


def test_methods_say_what_they_take() -> None:
    import inspect

    assert str(inspect.signature(mps.Kernel.encode)) == "(self, command_buffer, /, *inputs, **options)"
    assert mps.Kernel.submit.__doc__.startswith("Start on these inputs")
