from __future__ import annotations

import builtins
import copy
import io
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


@pytest.mark.parametrize(
    ("shape", "dtype", "suffixes"),
    [
        ((6, 8), "uint8", (".png", ".tif", ".jpg", ".webp")),
        ((6, 8, 3), "uint8", (".png", ".tif", ".jpg", ".webp")),
        ((6, 8, 4), "uint8", (".png", ".tif", ".webp")),
        ((6, 8), "uint16", (".png", ".tif")),
        ((6, 8), "float32", (".tif",)),
    ],
)
def test_files(
    device: mps.Device,
    tmp_path: Path,
    rng: np.random.Generator,
    shape: tuple[int, ...],
    dtype: str,
    suffixes: tuple[str, ...],
) -> None:
    """What a file can hold comes back, bit for bit where the format keeps bits; every other format says no."""
    pytest.importorskip("PIL", reason="needs Pillow")
    x = rng.standard_normal(shape).astype(dtype) if dtype == "float32" else rng.integers(0, 256, shape).astype(dtype)
    if dtype == "uint16":
        x *= 257
    for suffix in (".png", ".tif", ".jpg", ".webp"):
        path = tmp_path / f"x{suffix}"
        if suffix not in suffixes:
            with pytest.raises(ValueError, match=r"cannot hold an array of shape .*; allowed: uint8 gray"):
                mps.Image(x).save(path)
            assert not path.exists()
            continue
        mps.Image(x).save(path)
        back = mps.Image.open(str(path))
        assert back.device == device
        if suffix in (".png", ".tif"):
            assert (back.shape, back.dtype) == (x.shape, x.dtype)
            assert np.array_equal(back, x)
        else:
            assert back.shape[:2] == x.shape[:2]


def test_a_file_is_kept_unless_force_says_otherwise(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="needs Pillow")
    image = mps.Image.zeros(width=3, height=2)
    (tmp_path / "x.png").write_bytes(b"precious")
    with pytest.raises(FileExistsError, match=r"nothing is overwritten\. Pass force=True"):
        image.save(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes() == b"precious"
    image.save(tmp_path / "x.png", force=True)
    assert np.array_equal(mps.Image.open(tmp_path / "x.png"), image)
    with pytest.raises(FileNotFoundError):
        mps.Image.open(tmp_path / "y.png")
    assert "unless force=True" in (mps.Image.save.__doc__ or "")


@pytest.mark.parametrize(
    ("shape", "dtype", "name", "mend"),
    [
        ((3, 6, 8, 3), "uint8", "x.png", r"It is a batch: save its pictures one by one"),
        ((6, 8, 2), "uint8", "x.png", r"Choose the channels .*\[\.\.\., :3\]"),
        ((6, 8, 4), "uint8", "x.jpg", r"Drop alpha, .*choose png, tiff or webp"),
        ((6, 8, 3), "uint16", "x.png", r"Keep the upper 8 bits, .*one by one"),
        ((6, 8, 3), "float32", "x.tif", r"Round to 8 bits, .*np\.save"),
        ((6, 8), "float16", "x.tif", r"Round to 8 bits, .*np\.save"),
        ((0, 8), "uint8", "x.png", r"Save a picture that has pixels"),
    ],
)
def test_what_no_file_holds_is_refused_with_the_way_out(
    tmp_path: Path, shape: tuple[int, ...], dtype: str, name: str, mend: str
) -> None:
    pytest.importorskip("PIL", reason="needs Pillow")
    with pytest.raises(
        ValueError, match=rf"save: \w+ cannot hold an array of shape .* dtype {dtype}; allowed: .*{mend}"
    ):
        mps.Image(np.zeros(shape, dtype)).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def shown(x: np.ndarray) -> np.ndarray:
    """What a notebook shows."""
    PIL = pytest.importorskip("PIL.Image", reason="needs Pillow")
    return np.asarray(PIL.open(io.BytesIO(mps.Image(x)._repr_png_())))


def test_notebooks_show_it(rng: np.random.Generator) -> None:
    x = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    assert np.array_equal(shown(x), x)
    assert np.array_equal(shown(x[:, :, :1].copy()), x[:, :, 0])
    assert np.array_equal(shown(np.dstack([x, x[..., 0]])), np.dstack([x, x[..., 0]]))
    assert np.array_equal(shown(x.astype(np.uint16) * 257), x)
    assert np.array_equal(shown(x.astype(np.float32) / 255), x)
    assert np.array_equal(shown(x.astype(np.float16) / 255), x)
    assert shown(np.float32([[np.nan, -2], [7, 0.5]])).tolist() == [[0, 0], [255, 128]]
    assert mps.Image(np.zeros((0, 3), np.uint8))._repr_png_() is None


def test_notebooks_show_batches_and_channels_as_tiles(rng: np.random.Generator) -> None:
    x = rng.integers(0, 256, (4, 6, 8, 3), dtype=np.uint8)
    tiles = shown(x)
    assert tiles.shape == (16, 20, 3)
    for i in range(4):
        top, left = i // 2 * 10, i % 2 * 12
        assert np.array_equal(tiles[top : top + 6, left : left + 8], x[i])
    two = shown(x[0, ..., :2].copy())
    assert np.array_equal(two[:6, :8], x[0, ..., 0])
    assert np.array_equal(two[-6:, -8:], x[0, ..., 1])
    assert shown(np.zeros((3, 6, 8, 4), np.uint8))[..., 3].max() == 0
    many = shown(np.zeros((40, 60, 80), np.uint8)[..., None])  # "+ 25" in the last of 16
    assert many[-60:, -80:].max() == 230
    assert many[:60, :80].max() == 0


@pytest.mark.parametrize("shape", [(3000, 10), (1, 5000), (2, 1500, 1500, 3), (900, 1, 1, 4), (2, 2, 99)], ids=str)
def test_notebooks_get_no_more_than_a_screen(shape: tuple[int, ...]) -> None:
    assert max(shown(np.zeros(shape, np.float32)).shape[:2]) <= 1024


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
