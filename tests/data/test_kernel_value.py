"""A kernel is a value: equal parameters, equal kernel."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import numpy as np
import pytest

import mpskit as mps


def test_equality_and_hash() -> None:
    a, b = mps.image.GaussianBlur(sigma=2), mps.image.GaussianBlur(sigma=2.0)
    assert a == b
    assert hash(a) == hash(b)
    assert {a: 1}[b] == 1
    assert a != mps.image.GaussianBlur(sigma=3)
    assert a != "GaussianBlur(sigma=2.0)"
    assert mps.image.GaussianBlur() != mps.image.Sobel()
    zero, minus = mps.image.GaussianBlur(sigma=0.0), mps.image.GaussianBlur(sigma=-0.0)
    assert zero == minus
    assert hash(zero) == hash(minus)


def test_all_kernels_are_values() -> None:
    checked = 0
    for family in (mps.image, mps.linalg):
        for name in getattr(mps._core, family.__name__.split(".")[1]).__all__:
            cls = getattr(family, name)
            try:
                kernel = cls()
            except (TypeError, ValueError):
                continue  # it has no defaults; its own test makes one
            if not isinstance(kernel, mps.Kernel):
                continue  # a parameter object
            checked += 1
            assert cls.__module__ == family.__name__
            assert kernel == cls()
            assert hash(kernel) == hash(cls())
            assert repr(kernel) == f"{name}()"
            assert kernel.replace() == kernel
            assert pickle.loads(pickle.dumps(kernel)) == kernel
            assert copy.copy(kernel) is kernel
            assert copy.deepcopy([kernel])[0] is kernel
    assert checked


def test_repr_is_as_written() -> None:
    for text in (
        "GaussianBlur()",
        "GaussianBlur(sigma=0.1)",
        "GaussianBlur(sigma=2.0, edge_mode='zero', clip_rect=(1, 2, 3, 4))",
        "GaussianBlur(offset=(-1, 2))",
        "LanczosScale(scale_transform=(0.1, 1.0, 0.30000000000000004, 0.10000000149011612))",
        "Sobel(color_transform=(0.25, 0.5, 0.25))",
    ):
        kernel = eval(text, vars(mps.image))
        assert repr(kernel) == text
        assert pickle.loads(pickle.dumps(kernel)) == kernel


def test_it_cannot_be_changed() -> None:
    blur = mps.image.GaussianBlur(sigma=2)
    with pytest.raises(
        AttributeError, match=r"sigma cannot be changed; a kernel is a value\. Make another with replace\(sigma"
    ):
        blur.sigma = 3
    with pytest.raises(AttributeError, match="note cannot be changed"):
        blur.note = 3
    with pytest.raises(AttributeError, match="sigma cannot be changed"):
        del blur.sigma
    assert blur.sigma == 2


def test_replace() -> None:
    blur = mps.image.GaussianBlur(sigma=2, edge_mode="zero")
    other = blur.replace(sigma=3)
    assert (other.sigma, other.edge_mode, blur.sigma) == (3, "zero", 2)
    assert blur.replace(sigma=2) == blur
    with pytest.raises(ValueError, match="sigma is -1"):
        blur.replace(sigma=-1)
    with pytest.raises(TypeError, match=r"unknown keyword 'sgima'.*Did you mean 'sigma'"):
        blur.replace(sgima=1)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: mps.image.GaussianBlur(2),
            TypeError,
            r"1 positional arguments; allowed: keywords only, such as GaussianBlur\(sigma",
        ),
        (
            lambda: mps.image.GaussianBlur(sigam=2),
            TypeError,
            "unknown keyword 'sigam'; allowed: sigma, .*Did you mean 'sigma'",
        ),
        (lambda: mps.image.GaussianBlur(sigma="2"), TypeError, r"sigma is '2' \(str\); allowed: a number"),
        (lambda: mps.image.GaussianBlur(sigma=float("nan")), ValueError, "sigma is nan"),
        (lambda: mps.image.GaussianBlur(sigma=float("inf")), ValueError, "sigma is inf"),
        (lambda: mps.image.GaussianBlur(sigma=513), ValueError, "sigma is 513; allowed: 0 <= sigma <= 512 px"),
        (
            lambda: mps.image.GaussianBlur(edge_mode="clmp"),
            ValueError,
            "edge_mode is 'clmp'; allowed: 'zero', 'clamp'. Did you mean 'clamp'",
        ),
        (lambda: mps.image.GaussianBlur(edge_mode=1), TypeError, "edge_mode is 1"),
        (lambda: mps.image.GaussianBlur(exact=1), TypeError, "exact is 1"),
        (lambda: mps.image.GaussianBlur(offset=(1.5, 2)), TypeError, "offset is"),
        (lambda: mps.image.GaussianBlur(clip_rect=(1, 2)), ValueError, "clip_rect is"),
        (lambda: mps.Kernel(), TypeError, "No constructor"),
    ],
)
def test_refuses(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_calls_are_checked(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    with pytest.raises(TypeError, match=r"0 inputs given; allowed: image\."):
        blur()
    with pytest.raises(TypeError, match=r"2 inputs given; allowed: image\. Parameters go into the constructor"):
        blur(picture, 2)
    with pytest.raises(
        TypeError, match="unknown keyword 'sigma'; allowed in a call: image, out, dtype, channels, device"
    ):
        blur(picture, sigma=3)
    with pytest.raises(TypeError, match=r"unknown keyword 'otu'.*Did you mean 'out'"):
        blur(picture, otu=picture)
    with pytest.raises(TypeError, match="image is given twice"):
        blur(picture, image=picture)
    with pytest.raises(TypeError, match="channels is '3'"):
        blur(picture, channels="3")
    with pytest.raises(ValueError, match="channels is 0; allowed: 1 <= channels"):
        blur(picture, channels=0)
    with pytest.raises(TypeError, match="dtype is int64"):
        blur(picture, dtype="int64")
    with pytest.raises(TypeError, match="image is a str"):
        blur("picture.png")
    assert np.array_equal(blur(image=picture), blur(picture))
    assert np.array_equal(blur(picture, out=None, dtype=None, channels=None, device=None), blur(picture))


def test_the_shape_of_results(device: mps.Device, rng: np.random.Generator, blur: Any) -> None:
    for shape in [(5, 7), (5, 7, 1), (5, 7, 3), (1, 5, 7, 1), (2, 5, 7, 3)]:
        x = rng.random(shape, dtype=np.float32)
        assert blur(x).shape == shape
        assert blur(mps.Image(x)).shape == shape
    for shape in [(4, 4), (1, 4, 4), (3, 4, 4)]:
        m = rng.random(shape, dtype=np.float32)
        assert mps.linalg.MatrixMultiplication()(m, m).shape == shape


def test_supports(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    assert blur.supports(picture) is True
    assert blur.why_not(picture) is None
    assert blur.supports(picture, device=device.name, dtype="float32")
    with pytest.raises(TypeError, match="float64"):
        blur.supports(picture.astype(np.float64))
    for name in mps._core.image.__all__:
        try:
            kernel = getattr(mps.image, name)()
            supported = kernel.supports(picture)
        except (TypeError, ValueError):
            continue  # it has no defaults, or takes something else
        if not supported:
            assert kernel.why_not(picture).startswith(f"{name}: ")
            with pytest.raises(mps.UnsupportedError, match=name):
                kernel(picture)


def test_signature() -> None:
    signature = inspect.signature(mps.image.GaussianBlur)
    assert str(signature).startswith("(*, sigma=1.0, exact=False, edge_mode='clamp'")
    assert mps.image.GaussianBlur.__doc__.startswith("Blur every channel")


def test_parameters_show_as_written() -> None:
    assert mps.image.GaussianBlur(sigma=0.1).sigma == 0.1
    assert mps.image.GaussianBlur(sigma=np.float32(0.1)).sigma == 0.1
    assert mps.image.GaussianBlur(clip_rect=(1, 2, 3, 4)).clip_rect == (1, 2, 3, 4)
    assert mps.image.GaussianBlur().clip_rect is None


def test_an_object_without_init() -> None:
    for cls in (mps.image.GaussianBlur, mps.Image, mps.Device, mps.Completion, mps.CommandBuffer):
        raw = cls.__new__(cls)
        with pytest.raises(TypeError, match="never initialised; allowed: objects made by calling the class"):
            repr(raw)
    with pytest.raises(TypeError, match="never initialised"):
        mps.image.GaussianBlur()(mps.Image.__new__(mps.Image))


def test_what_cannot_be_pickled(device: mps.Device, picture: np.ndarray, blur: Any) -> None:
    for thing in (blur.submit(picture), device.command_buffer()):
        with pytest.raises(TypeError, match="cannot pickle"):
            pickle.dumps(thing)
