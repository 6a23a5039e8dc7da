"""DLPack in both directions, against the binary interface itself where no library shows the case."""

from __future__ import annotations

import ctypes
import gc
import weakref
from typing import Any

import numpy as np
import pytest

import mpskit as mps

DTYPES = ("uint8", "uint16", "float16", "float32", "int8", "int16", "int32", "uint32", "float64")
CPU = (1, 0)
NUMPY = tuple(int(part) for part in np.__version__.split(".")[:2])


class Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Managed(ctypes.Structure):
    _fields_ = [("tensor", Tensor), ("context", ctypes.c_void_p), ("deleter", DELETER)]


class ManagedVersioned(ctypes.Structure):
    _fields_ = [
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("context", ctypes.c_void_p),
        ("deleter", DELETER),
        ("flags", ctypes.c_uint64),
        ("tensor", Tensor),
    ]


api = ctypes.pythonapi
api.PyCapsule_GetPointer.restype = ctypes.c_void_p
api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
api.PyCapsule_GetName.restype = ctypes.c_char_p
api.PyCapsule_GetName.argtypes = [ctypes.py_object]
api.PyCapsule_New.restype = ctypes.py_object
api.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


def opened(capsule: Any) -> Managed | ManagedVersioned:
    name = api.PyCapsule_GetName(capsule)
    kind = {b"dltensor": Managed, b"dltensor_versioned": ManagedVersioned}[name]
    managed = kind.from_address(api.PyCapsule_GetPointer(capsule, name))
    managed.capsule = capsule  # lives as long as what it holds is looked at
    return managed


class Producer:
    """A foreign tensor over a NumPy array; counts the calls of its deleter."""

    def __init__(
        self,
        array: np.ndarray,
        *,
        versioned: bool = True,
        flags: int = 0,
        device: tuple[int, int] = CPU,
        has_strides: bool = True,
        type_code: int | None = None,
        major: int = 1,
        old: bool = False,
    ) -> None:
        self.array, self.versioned, self.flags, self.device = array, versioned, flags, device
        self.has_strides, self.type_code, self.major, self.old = has_strides, type_code, major, old
        self.deleted = 0
        self.asked: dict[str, Any] = {}
        self._deleter = DELETER(self._delete)

    def _delete(self, _: object) -> None:
        self.deleted += 1

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device

    def __dlpack__(self, **asked: Any) -> Any:
        if self.old and asked:
            raise TypeError("unexpected keyword")
        self.asked = asked
        a = self.array
        self.shape = (ctypes.c_int64 * a.ndim)(*a.shape)
        self.strides = (ctypes.c_int64 * a.ndim)(*(s // a.itemsize for s in a.strides))
        code = {"i": 0, "u": 1, "f": 2}[a.dtype.kind] if self.type_code is None else self.type_code
        tensor = Tensor(
            a.ctypes.data,
            *self.device,
            a.ndim,
            code,
            a.itemsize * 8,
            1,
            self.shape,
            self.strides if self.has_strides else None,
            0,
        )
        if self.versioned:
            self.managed: Any = ManagedVersioned(self.major, 0, None, self._deleter, self.flags, tensor)
        else:
            self.managed = Managed(tensor, None, self._deleter)
        name = b"dltensor_versioned" if self.versioned else b"dltensor"
        self._name = name
        return api.PyCapsule_New(ctypes.addressof(self.managed), name, None)


# Ours to others


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_reads_ours(device: mps.Device, dtype: str) -> None:
    matrix = mps.Matrix(np.arange(12).reshape(3, 4).astype(dtype))
    seen = np.from_dlpack(mps.Matrix(matrix, device="cpu"))
    assert seen.dtype == np.dtype(dtype)
    assert seen.ctypes.data == np.asarray(matrix).ctypes.data
    assert np.array_equal(seen, matrix)


def test_device(device: mps.Device, picture: np.ndarray) -> None:
    image = mps.Image(picture)
    assert image.__dlpack_device__() == (
        (1, 0) if device.name == "cpu" else (8, int((device.name + ":0").split(":")[1]))
    )
    tensor = opened(image.__dlpack__(dl_device=CPU)).tensor
    assert (tensor.device_type, tensor.device_id) == CPU
    assert tensor.data + tensor.byte_offset == np.asarray(image).ctypes.data
    own = opened(image.__dlpack__()).tensor
    assert (own.device_type, own.device_id) == image.__dlpack_device__()
    with pytest.raises(BufferError, match=r"dl_device is \(2, 0\); allowed: \(1, 0\)"):
        image.__dlpack__(dl_device=(2, 0))
    with pytest.raises(TypeError, match="dl_device is 'cpu'"):
        image.__dlpack__(dl_device="cpu")


def test_versions(device: mps.Device, picture: np.ndarray) -> None:
    image = mps.Image(picture)
    for max_version in (None, (0, 8)):
        capsule = image.__dlpack__(max_version=max_version)
        assert api.PyCapsule_GetName(capsule) == b"dltensor"
    capsule = image.__dlpack__(max_version=(1, 2))
    managed = opened(capsule)
    assert isinstance(managed, ManagedVersioned)
    assert (managed.major, managed.flags) == (1, 0)
    assert opened(image.__dlpack__(max_version=(1, 0), copy=True)).flags == 2


def test_read_only(device: mps.Device, picture: np.ndarray) -> None:
    picture.flags.writeable = False
    image = mps.Image(picture, device="cpu")
    assert not image.is_writable
    assert opened(image.__dlpack__(max_version=(1, 0))).flags == 1
    if NUMPY >= (2, 1):  # the first that reads versioned capsules
        assert not np.from_dlpack(image).flags.writeable
    with pytest.raises(BufferError, match=r"read-only and the consumer's DLPack cannot say so.*copy=True"):
        image.__dlpack__()
    assert opened(image.__dlpack__(copy=True)).tensor.data != picture.ctypes.data


def test_shape_and_strides(device: mps.Device) -> None:
    whole = mps.zeros((6, 8, 3))
    view = whole[1:5, 2:6]
    capsule = mps.Image(view, copy=False).__dlpack__(dl_device=CPU)
    tensor = opened(capsule).tensor
    assert tensor.shape[: tensor.ndim] == [4, 4, 3]
    assert tensor.strides[: tensor.ndim] == [24, 3, 1]
    assert tensor.data + tensor.byte_offset == view.ctypes.data
    copied = opened(mps.Image(view, copy=False).__dlpack__(dl_device=CPU, copy=True)).tensor
    assert copied.strides[: copied.ndim] == [12, 3, 1]


def test_bad_arguments(picture: np.ndarray) -> None:
    image = mps.Image(picture)
    with pytest.raises(ValueError, match="stream is 1; allowed: None"):
        image.__dlpack__(stream=1)
    with pytest.raises(TypeError, match="copy is 3"):
        image.__dlpack__(copy=3)


def test_the_consumer_keeps_the_bytes(device: mps.Device) -> None:
    class Array(np.ndarray):
        pass

    foreign = np.arange(12, dtype=np.float32).reshape(3, 4).view(Array)
    gone = weakref.ref(foreign)
    seen = np.from_dlpack(mps.Matrix(foreign, device="cpu"))
    expected = np.array(foreign)
    del foreign
    gc.collect()
    assert gone() is not None
    assert np.array_equal(seen, expected)
    del seen
    gc.collect()
    assert gone() is None


def test_an_unused_capsule_frees_them_too(device: mps.Device) -> None:
    class Array(np.ndarray):
        pass

    foreign = np.zeros((3, 4), np.float32).view(Array)
    gone = weakref.ref(foreign)
    matrix = mps.Matrix(foreign, device="cpu")
    capsules = [matrix.__dlpack__(), matrix.__dlpack__(max_version=(1, 0))]
    del matrix
    del foreign
    gc.collect()
    assert gone() is not None
    del capsules
    gc.collect()
    assert gone() is None


# Others' to ours


@pytest.mark.parametrize("versioned", [False, True])
@pytest.mark.parametrize("has_strides", [False, True])
def test_ours_read_others(device: mps.Device, versioned: bool, has_strides: bool) -> None:
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    producer = Producer(array, versioned=versioned, has_strides=has_strides)
    matrix = mps.Matrix(producer)
    assert matrix.shape == (4, 6)
    assert producer.asked["max_version"] >= (1, 0)
    if matrix.is_shared:
        assert np.asarray(matrix).ctypes.data == array.ctypes.data
        assert producer.deleted == 0
    assert np.array_equal(matrix, array)
    del matrix
    gc.collect()
    assert producer.deleted == 1


def test_a_producer_of_old(device: mps.Device) -> None:
    producer = Producer(np.zeros((2, 2), np.uint8), versioned=False, old=True)
    assert mps.Image(producer).shape == (2, 2)


def test_flags_of_others() -> None:
    with mps.device("cpu"):
        array = np.zeros((2, 2), np.uint8)
        assert not mps.Image(Producer(array, flags=1)).is_writable
        assert mps.Image(Producer(array, flags=1)).is_shared
        assert not mps.Image(Producer(array, flags=2)).is_shared
        assert mps.Image(Producer(array, versioned=False)).is_writable
        producer = Producer(array)
        mps.Image(producer, copy=False)
        assert producer.asked["copy"] is False
        with pytest.raises(ValueError, match="out is read-only"):
            mps.image.GaussianBlur()(array, out=Producer(array, flags=1))


def test_refused_tensors() -> None:
    array = np.zeros((2, 2), np.uint16)
    with pytest.raises(TypeError, match=r"code 4 and 16 bits \(bfloat16\); allowed"):
        mps.from_dlpack(Producer(array, type_code=4))
    with pytest.raises(BufferError, match=r"version 2\.0; allowed: 1\.x"):
        mps.from_dlpack(Producer(array, major=2))
    with pytest.raises(BufferError, match="lies on another device and its producer cannot lend it"):
        mps.from_dlpack(Producer(array, device=(2, 0), old=True))
    with pytest.raises(BufferError, match="DLPack device type 2"):
        mps.from_dlpack(Producer(array, device=(2, 0)))
    with pytest.raises(TypeError, match="list has no __dlpack__"):
        mps.from_dlpack([1])

    class Twice(Producer):
        capsule: Any = None

        def __dlpack__(self, **asked: Any) -> Any:
            self.capsule = self.capsule or super().__dlpack__(**asked)
            return self.capsule

    twice = Twice(array)
    first = mps.from_dlpack(twice)
    with pytest.raises(ValueError, match=r"named 'used_dltensor_versioned'.*once"):
        mps.from_dlpack(twice)
    del first


def test_from_dlpack(device: mps.Device) -> None:
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    shared = mps.from_dlpack(Producer(array))
    assert type(shared) is np.ndarray
    assert shared.ctypes.data == array.ctypes.data
    assert shared.flags.writeable
    assert not mps.from_dlpack(Producer(array, flags=1)).flags.writeable
    assert mps.from_dlpack(Producer(array), copy=True).ctypes.data != array.ctypes.data
    assert mps.from_dlpack(mps.Matrix(array, device="cpu")).ctypes.data == array.ctypes.data
    ours = mps.Matrix.zeros(rows=2, columns=3)
    assert mps.from_dlpack(ours).ctypes.data == np.asarray(ours).ctypes.data


def test_torch(device: mps.Device) -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    tensor = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    matrix = mps.Matrix(tensor, device="cpu")
    assert matrix.is_shared
    assert np.asarray(matrix).ctypes.data == tensor.data_ptr()
    back = torch.from_dlpack(matrix)
    assert back.data_ptr() == tensor.data_ptr()
    back[0, 0] = 7
    assert np.asarray(matrix)[0, 0] == 7
    out = torch.zeros(4, 4)
    given = mps.linalg.MatrixMultiplication(transpose_right=True)(tensor, tensor, out=out)
    assert given is out
    np.testing.assert_allclose(out.numpy(), (tensor @ tensor.T).numpy())
    transposed = mps.Matrix(tensor.T)
    assert not transposed.is_shared
    assert np.array_equal(transposed, tensor.numpy().T)
    with pytest.raises((BufferError, RuntimeError), match="require"):
        mps.Matrix(torch.zeros(2, 2, requires_grad=True))
    with pytest.raises(TypeError, match="bfloat16"):
        mps.Matrix(torch.zeros(2, 2, dtype=torch.bfloat16))


def test_torch_lifetimes() -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    with mps.device("cpu"):
        tensor = torch.full((64, 64), 3.0)
        gone = weakref.ref(tensor)
        matrix = mps.Matrix(tensor)
        del tensor
        gc.collect()
        assert gone() is not None
        assert (np.asarray(matrix) == 3).all()
        back = torch.from_dlpack(matrix)
        del matrix
        gc.collect()
        assert bool((back == 3).all())
        del back
        gc.collect()
        assert gone() is None
