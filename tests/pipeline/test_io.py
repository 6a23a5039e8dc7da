"""Files become arrays and arrays files: nothing is lost, nothing half-written."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from mpskit import io

pillow = pytest.importorskip("PIL.Image", reason="needs Pillow: pip install 'mpskit[io]'")


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (33, 18, 3), (6, 9, 4)])
def test_png_keeps_every_bit(tmp_path: Path, rng: np.random.Generator, shape: tuple[int, ...]) -> None:
    array = rng.integers(0, 256, shape, dtype=np.uint8)
    io.save(tmp_path / "a.png", array)
    assert np.array_equal(io.load(tmp_path / "a.png").array, array)


@pytest.mark.parametrize(("suffix", "dtype"), [(".png", "uint16"), (".tif", "uint16"), (".tif", "float32")])
def test_deep_gray_is_kept(tmp_path: Path, rng: np.random.Generator, suffix: str, dtype: str) -> None:
    array = (rng.random((9, 11)) * (65535 if dtype == "uint16" else 1)).astype(dtype)
    io.save(tmp_path / f"a{suffix}", array)
    loaded = io.load(tmp_path / f"a{suffix}").array
    assert loaded.dtype == dtype
    assert np.array_equal(loaded, array)


def test_jpeg_equals_pillow(photos: Path) -> None:
    for name in ("colour.jpg", "gray.jpg"):
        with pillow.open(photos / name) as image:
            wanted = np.asarray(image).astype(int)
        # Two builds of libjpeg-turbo may round the colour conversion differently by one code.
        assert np.abs(io.load(photos / name).array.astype(int) - wanted).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_orientation_is_applied(tmp_path: Path, orientation: int, suffix: str) -> None:
    from PIL import ImageOps

    y, x = np.mgrid[:16, :24]
    image = pillow.fromarray(np.stack([x * 10, y * 15, x * 0], -1).astype(np.uint8))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / f"a{suffix}", exif=exif)
    with pillow.open(tmp_path / f"a{suffix}") as saved:
        wanted = np.asarray(ImageOps.exif_transpose(saved)).astype(int)
    picture = io.load(tmp_path / f"a{suffix}")
    assert picture.array.shape == wanted.shape
    assert np.abs(picture.array.astype(int) - wanted).max() <= 1
    io.save(tmp_path / f"b{suffix}", picture.array, picture)
    with pillow.open(tmp_path / f"b{suffix}") as saved:
        assert saved.getexif().get(0x0112) == 1, "turned twice"


def test_colour_profile_survives(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pillow.new("RGB", (8, 8)).save(tmp_path / "a.jpg", icc_profile=profile)
    picture = io.load(tmp_path / "a.jpg")
    io.save(tmp_path / "b.png", picture.array, picture)
    with pillow.open(tmp_path / "b.png") as saved:
        assert saved.info["icc_profile"] == profile


def test_palette_and_cmyk_become_colours(tmp_path: Path) -> None:
    pillow.new("RGB", (5, 4), (10, 200, 30)).convert("P").save(tmp_path / "p.png")
    pillow.new("CMYK", (5, 4), (0, 255, 255, 0)).save(tmp_path / "c.jpg")
    assert io.load(tmp_path / "p.png").array.shape == (4, 5, 3)
    assert np.abs(io.load(tmp_path / "c.jpg").array[0, 0].astype(int) - (255, 0, 0)).max() <= 3


def test_sixteen_bit_colour_is_refused(tmp_path: Path) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(2 * 6) for _ in range(2))
    header = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    path = tmp_path / "deep.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    with pytest.raises(ValueError, match="16 bits per colour channel would be cut to 8"):
        io.load(path)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff\xe0broken"])
def test_broken_files_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"load: .*broken\.jpg"):
        io.load(path)


def test_truncated_jpeg_is_an_error(photos: Path) -> None:
    path = photos / "colour.jpg"
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(ValueError, match=r"load: .*colour\.jpg"):
        io.load(path)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match=r"nothing is overwritten. Pass force=True"):
        io.save(path, np.zeros((2, 2), np.uint8))
    assert path.read_bytes() == b"precious"
    io.save(path, np.zeros((2, 2), np.uint8), force=True)
    assert io.load(path).array.shape == (2, 2)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"], "a partial file was left"


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JPEG cannot hold an array of shape"):
        io.save(tmp_path / "a.jpg", np.zeros((2, 2, 4), np.uint8))
    with pytest.raises(ValueError, match="has no known suffix"):
        io.save(tmp_path / "a.xyz", np.zeros((2, 2), np.uint8))
    assert not list(tmp_path.iterdir())


@pytest.mark.threads
def test_loads_from_many_threads(photos: Path) -> None:
    wanted = io.load(photos / "colour.jpg").array
    same: list[bool] = []

    def work() -> None:
        same.extend(np.array_equal(io.load(photos / "colour.jpg").array, wanted) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(same) == 40
    assert all(same)
