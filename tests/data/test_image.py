from __future__ import annotations

import builtins
import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mpskit as mps

FORMATS = {"unorm8": "uint8", "unorm16": "uint16", "float16": "float16", "float32": "float32"}


@pytest.mark.parametrize(("channel_format", "dtype"), FORMATS.items())
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (2, 5, 7, 3), (1, 5, 7, 1)], ids=str)
def test_properties(device: mps.Device, shape: tuple[int, ...], channel_format: str, dtype: str) -> None:
    x = np.zeros(shape, dtype)
    image = mps.Image(x)
    assert (image.shape, image.dtype, image.ndim, image.nbytes) == (shape, x.dtype, x.ndim, x.nbytes)
    n, c = (shape[0] if x.ndim == 4 else 1), (shape[-1] if x.ndim > 2 else 1)
    assert (image.height, image.width, image.feature_channels, image.number_of_images) == (5, 7, c, n)
    assert image.channel_format == channel_format
    assert image.row_bytes == 7 * c * x.itemsize
    assert image.image_bytes == 5 * image.row_bytes
    assert image.device == device
    assert image.is_writable
    assert not image.is_temporary
    assert len(image) == shape[0]


def test_empty_and_zeros(device: mps.Device) -> None:
    for make in (mps.Image.empty, mps.Image.zeros):
        assert make(width=3, height=2).shape == (2, 3)
        assert make(width=3, height=2).dtype == np.uint8
        assert make(width=3, height=2, feature_channels=1).shape == (2, 3, 1)
        assert make(width=3, height=2, number_of_images=1).shape == (1, 2, 3, 1)
        image = make(width=3, height=2, feature_channels=4, number_of_images=5, channel_format="float16", device=device)
        assert image.shape == (5, 2, 3, 4)
        assert image.dtype == np.float16
        assert image.is_shared
        assert image.device == device
    assert not np.asarray(mps.Image.zeros(width=3, height=2)).any()


def test_zeros_are_zero_in_used_memory(device: mps.Device) -> None:
    for _ in range(3):  # the pool gives back what was written here
        np.asarray(mps.Image.empty(width=64, height=64))[...] = 7
        assert not np.asarray(mps.Image.zeros(width=64, height=64)).any()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: mps.Image([[1]]), TypeError, r"array is a list; allowed: an array of shape .*numpy\.asarray"),
        (lambda: mps.Image(3), TypeError, "array is a int"),
        (lambda: mps.Image(np.zeros(3, np.uint8)), ValueError, r"shape \(3,\); allowed: \(height, width\)"),
        (lambda: mps.Image(np.zeros((1, 1, 1, 1, 1), np.uint8)), ValueError, r"shape \(1, 1, 1, 1, 1\)"),
        (lambda: mps.Image(np.zeros((2, 2))), TypeError, r"float64; allowed: uint8, uint16, float16, float32.*astype"),
        (lambda: mps.Image(np.zeros((2, 2), ">f4")), TypeError, "native-endian"),
        (lambda: mps.Image(np.zeros((2, 2), complex)), TypeError, "complex128"),
        (lambda: mps.Image(np.zeros((2, 2), np.uint8), copy=1), TypeError, r"copy is 1; allowed: None"),
        (lambda: mps.Image(np.zeros((2, 2), np.uint8), device="gpu"), ValueError, "no 'gpu'; allowed here: .*'cpu'"),
        (lambda: mps.Image(np.zeros((2, 2), np.uint8), device=0), TypeError, r"device is 0 \(int\); allowed: a name"),
        (lambda: mps.Image.empty(width=-1, height=2), ValueError, "Image.empty: width is -1; allowed: 0 <= width"),
        (lambda: mps.Image.empty(width=2.0, height=2), TypeError, r"width is 2.0 \(float\); allowed: an integer"),
        (lambda: mps.Image.empty(width=2**40, height=2**40), ValueError, "too large"),
        (lambda: mps.Image.zeros(width=1, height=1, channel_format="rgb"), ValueError, "channel_format is 'rgb'"),
        (lambda: mps.Image.empty(width=1), TypeError, "height"),
    ],
)
def test_refuses(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_more_memory_than_there_is() -> None:
    with pytest.raises(MemoryError):
        mps.Image.empty(width=2**29, height=2**29)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (5, 7, 0), (0, 5, 7, 3), (0, 0, 0, 0)], ids=str)
def test_zero_size(device: mps.Device, shape: tuple[int, ...]) -> None:
    image = mps.Image(np.zeros(shape, np.float32))
    assert image.shape == shape
    assert image.nbytes == 0
    assert np.asarray(image).shape == shape
    assert np.from_dlpack(mps.Image(image, device="cpu")).shape == shape
    assert memoryview(image).shape == shape
    assert mps.Image(image, copy=True).shape == shape
    with pytest.raises(ValueError, match=r"image is .*; allowed: at least one pixel"):
        mps.image.GaussianBlur()(image)


def test_array_protocol(device: mps.Device, picture: np.ndarray) -> None:
    image = mps.Image(picture, device="cpu")
    assert image.__array__().ctypes.data == picture.ctypes.data
    assert image.__array__(copy=True).ctypes.data != picture.ctypes.data
    assert np.array(image).ctypes.data != picture.ctypes.data
    assert np.asarray(image, np.float64).dtype == np.float64
    assert np.array_equal(image.__array__(np.float16), picture.astype(np.float16))
    with pytest.raises(ValueError, match="needs a copy; allowed by copy=False: none"):
        image.__array__(np.float64, copy=False)
    with pytest.raises(TypeError, match="copy is 'no'"):
        image.__array__(copy="no")


def test_repr(device: mps.Device) -> None:
    assert repr(mps.Image.empty(width=7, height=5)) == (
        f"Image(width=7, height=5, channel_format='unorm8', device='{device.name}')"
    )
    assert repr(mps.Image(np.zeros((2, 5, 7, 3), np.float16))) == (
        f"Image(width=7, height=5, feature_channels=3, number_of_images=2, channel_format='float16', device='{device.name}')"
    )


def test_copies(device: mps.Device, picture: np.ndarray) -> None:
    image = mps.Image(picture)
    assert copy.copy(image) is image
    deep = copy.deepcopy(image)
    assert np.array_equal(deep, image)
    assert not np.shares_memory(np.asarray(deep), picture)
    back = pickle.loads(pickle.dumps(image))
    assert type(back) is mps.Image
    assert np.array_equal(back, image)


def test_an_image_of_an_image(device: mps.Device, picture: np.ndarray) -> None:
    image = mps.Image(picture, device="cpu")
    again = mps.Image(image)
    assert again.device == image.device  # not the current one
    assert np.asarray(again).ctypes.data == picture.ctypes.data
    assert again.is_shared
    copied = mps.Image(image, copy=True)
    assert np.asarray(copied).ctypes.data != picture.ctypes.data
    assert not copied.is_shared
    gray = mps.Image(mps.Matrix(picture[:, :, 0], copy=True))
    assert gray.shape == (9, 11)
    with pytest.raises(TypeError, match="int32"):
        mps.Image(mps.Matrix.zeros(rows=2, columns=2, dtype="int32"))


def test_attributes_are_read_only(picture: np.ndarray) -> None:
    image = mps.Image(picture)
    with pytest.raises(AttributeError):
        image.width = 3
    with pytest.raises(AttributeError):
        image.note = 3


def test_files(tmp_path: Path, rng: np.random.Generator) -> None:
    pytest.importorskip("PIL", reason="needs Pillow")
    x = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    mps.Image(x).save(tmp_path / "x.png")
    back = mps.Image.open(tmp_path / "x.png")
    assert np.array_equal(back, x)
    with pytest.raises(FileExistsError, match="force=True"):
        back.save(tmp_path / "x.png")
    back.save(tmp_path / "x.png", force=True)
    with pytest.raises(FileNotFoundError):
        mps.Image.open(tmp_path / "y.png")


def test_notebooks_show_it(rng: np.random.Generator) -> None:
    PIL = pytest.importorskip("PIL.Image", reason="needs Pillow")
    import io

    def shown(x: np.ndarray) -> np.ndarray:
        return np.asarray(PIL.open(io.BytesIO(mps.Image(x)._repr_png_())))

    x = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    assert np.array_equal(shown(x), x)
    assert np.array_equal(shown(x[:, :, :1].copy()), x[:, :, 0])
    assert np.array_equal(shown(x.astype(np.uint16) * 257), x)
    assert np.array_equal(shown(x.astype(np.float32) / 255), x)
    assert shown(np.full((2, 2), np.nan, np.float32)).tolist() == [[0, 0], [0, 0]]
    assert mps.Image(x[None])._repr_png_() is None
    assert mps.Image(np.zeros((2, 2, 2), np.uint8))._repr_png_() is None


def test_without_pillow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"")
    real = builtins.__import__

    def no_pillow(name: str, *rest: Any, **options: Any) -> Any:
        if name == "PIL" or name.startswith("PIL."):
            raise ImportError(name)
        return real(name, *rest, **options)

    for name in [n for n in sys.modules if n == "PIL" or n.startswith("PIL.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", no_pillow)
    image = mps.Image.zeros(width=2, height=2)
    with pytest.raises(ImportError, match=r"pip install 'mpskit\[io\]'"):
        image.save(tmp_path / "y.png")
    with pytest.raises(ImportError, match=r"pip install 'mpskit\[io\]'"):
        mps.Image.open(tmp_path / "x.png")
    assert image._repr_png_() is None
