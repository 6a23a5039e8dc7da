"""Files become arrays and arrays files: nothing is lost, nothing half-written."""

from __future__ import annotations

import errno
import os
import threading
import warnings
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
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_orientation_is_applied(tmp_path: Path, orientation: int, suffix: str) -> None:
    from PIL import ImageOps

    y, x = np.mgrid[:16, :24]
    image = pillow.fromarray(np.stack([x * 10, y * 15, x * 0], -1).astype(np.uint8))
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(tmp_path / f"a{suffix}", exif=exif, **{"lossless": True} if suffix == ".webp" else {})
    with pillow.open(tmp_path / f"a{suffix}") as saved:
        wanted = np.asarray(ImageOps.exif_transpose(saved)).astype(int)
    picture = io.load(tmp_path / f"a{suffix}")
    assert picture.array.shape == wanted.shape
    assert np.abs(picture.array.astype(int) - wanted).max() <= 1
    io.save(tmp_path / f"b{suffix}", picture.array, picture)
    with pillow.open(tmp_path / f"b{suffix}") as saved:
        assert saved.getexif().get(0x0112, 1) == 1, "it will be turned twice"


def test_colour_profile_survives(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pillow.new("RGB", (8, 8)).save(tmp_path / "a.jpg", icc_profile=profile)
    picture = io.load(tmp_path / "a.jpg")
    io.save(tmp_path / "b.png", picture.array, picture)
    with pillow.open(tmp_path / "b.png") as saved:
        assert saved.info["icc_profile"] == profile


def test_a_profile_of_other_channels_is_left_out(tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pillow.new("RGB", (8, 8)).save(tmp_path / "a.jpg", icc_profile=profile)
    picture = io.load(tmp_path / "a.jpg")
    io.save(tmp_path / "b.png", picture.array[..., 0], picture)
    with pillow.open(tmp_path / "b.png") as saved:
        assert "icc_profile" not in saved.info


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("source", [".jpg", ".tif"])
def test_exif_survives_and_stays_true(tmp_path: Path, source: str, suffix: str) -> None:
    image = pillow.new("RGB", (24, 16))
    exif = image.getexif()
    exif[0x010F] = "a maker"
    exif.get_ifd(0x8769).update({0xA002: 24, 0xA003: 16, 0x829A: 0.5})
    image.save(tmp_path / f"a{source}", exif=exif.tobytes())
    picture = io.load(tmp_path / f"a{source}")
    io.save(tmp_path / f"b{suffix}", picture.array[:10, :7], picture)
    with pillow.open(tmp_path / f"b{suffix}") as saved:
        kept = saved.getexif()
        shot = kept.get_ifd(0x8769)
        assert saved.size == (7, 10)
        assert kept[0x010F] == "a maker"
        assert (shot[0xA002], shot[0xA003], float(shot[0x829A])) == (7, 10, 0.5)
        structure = {0x0100, 0x0101, 0x0111, 0x0117} & set(kept)
        assert suffix == ".tif" or not structure, "a table of another file's structure"


def test_a_thumbnail_of_the_source_is_not_kept(tmp_path: Path) -> None:
    # It would show what was blurred.
    thumbnail = b"\xff\xd8thumbnail\xff\xd9"
    tiff = b"II*\0" + (8).to_bytes(4, "little")
    entry = b"\x0f\x01\x02\0" + (4).to_bytes(4, "little") + b"abc\0"
    first = (1).to_bytes(2, "little") + entry + (26).to_bytes(4, "little")
    where = 26 + 2 + 24 + 4
    offset = b"\x01\x02\x04\0" + (1).to_bytes(4, "little") + where.to_bytes(4, "little")
    length = b"\x02\x02\x04\0" + (1).to_bytes(4, "little") + len(thumbnail).to_bytes(4, "little")
    second = (2).to_bytes(2, "little") + offset + length + bytes(4)
    exif = b"Exif\0\0" + tiff + first + second + thumbnail
    pillow.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    assert thumbnail in (tmp_path / "a.jpg").read_bytes()
    picture = io.load(tmp_path / "a.jpg")
    io.save(tmp_path / "b.jpg", picture.array, picture)
    assert b"abc" in (tmp_path / "b.jpg").read_bytes()
    assert thumbnail not in (tmp_path / "b.jpg").read_bytes()


@pytest.mark.parametrize(
    ("mode", "suffix", "shape"),
    [
        ("1", ".png", (4, 5)),
        ("L", ".jpg", (4, 5)),
        ("P", ".png", (4, 5, 3)),
        ("LA", ".png", (4, 5, 4)),
        ("RGBA", ".webp", (4, 5, 4)),
        ("CMYK", ".tif", (4, 5, 3)),
    ],
)
def test_modes_become_arrays(tmp_path: Path, mode: str, suffix: str, shape: tuple[int, ...]) -> None:
    white = pillow.new("RGBA", (5, 4), (255, 255, 255, 254))
    (white if "A" in mode else white.convert("RGB")).convert(mode).save(tmp_path / f"a{suffix}")
    array = io.load(tmp_path / f"a{suffix}").array
    assert (array.shape, array.dtype) == (shape, np.uint8)
    assert array.min() >= 254


def test_palette_and_cmyk_become_colours(tmp_path: Path) -> None:
    pillow.new("RGB", (5, 4), (10, 200, 30)).convert("P").save(tmp_path / "p.png")
    pillow.new("CMYK", (5, 4), (0, 255, 255, 0)).save(tmp_path / "c.jpg")
    assert io.load(tmp_path / "p.png").array.shape == (4, 5, 3)
    assert np.abs(io.load(tmp_path / "c.jpg").array[0, 0].astype(int) - (255, 0, 0)).max() <= 3


def test_a_colour_that_stands_for_none_becomes_alpha(tmp_path: Path) -> None:
    for mode, colour in (("RGB", (1, 2, 3)), ("L", 7), ("P", 0)):
        pillow.new(mode, (5, 4), colour).save(tmp_path / f"{mode}.png", transparency=colour)
        array = io.load(tmp_path / f"{mode}.png").array
        assert array.shape == (4, 5, 4)
        assert array[..., 3].max() == 0


def test_a_cmyk_profile_is_applied(tmp_path: Path) -> None:
    # There is no CMYK profile to make here, so a broken one shows that it is read, and a mode of its own that it is replaced.
    pillow.new("CMYK", (5, 4), (0, 255, 255, 0)).save(tmp_path / "a.jpg", icc_profile=b"no profile")
    with pytest.raises(ValueError, match=r"a\.jpg cannot be decoded: .*profile"):
        io.load(tmp_path / "a.jpg")


def test_several_pictures_in_one_file_are_refused(tmp_path: Path) -> None:
    frames = [pillow.new("RGB", (5, 4), (i * 90, 0, 0)) for i in range(3)]
    for suffix in (".tif", ".png", ".webp"):
        frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
        with pytest.raises(ValueError, match="it holds 3 pages or frames; allowed: one"):
            io.load(tmp_path / f"a{suffix}")
    frames[0].save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=frames[1:])  # a phone's photo with previews
    assert io.load(tmp_path / "a.jpg").array.shape == (4, 5, 3)
    assert io.load(tmp_path / "a.jpg").format == "jpeg"


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


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_any_damage_is_a_value_error_or_a_picture(tmp_path: Path, rng: np.random.Generator, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    io.save(path, rng.integers(0, 256, (20, 30, 3), dtype=np.uint8))
    whole = path.read_bytes()
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd metadata
        for _ in range(60):
            damaged = bytearray(whole[: rng.integers(1, len(whole) + 1)] if rng.random() < 0.3 else whole)
            for _ in range(3):
                damaged[rng.integers(len(damaged) if rng.random() < 0.3 else min(len(damaged), 200))] = rng.integers(
                    256
                )
            path.write_bytes(damaged)
            try:
                assert io.load(path).array.ndim in (2, 3)
            except ValueError:  # anything else fails the test
                refused += 1
    assert refused > 5


@pytest.mark.parametrize(
    ("shape", "suffix"), [((1, 1), ".jpg"), ((1, 1, 3), ".webp"), ((1, 70000), ".png"), ((65500, 1), ".jpg")]
)
def test_very_small_and_very_long(tmp_path: Path, shape: tuple[int, ...], suffix: str) -> None:
    io.save(tmp_path / f"a{suffix}", np.full(shape, 9, np.uint8))
    assert io.load(tmp_path / f"a{suffix}").array.shape == shape


def test_too_long_is_refused(tmp_path: Path) -> None:
    for suffix, longest in ((".jpg", 65500), (".webp", 16383)):
        with pytest.raises(ValueError, match=f"cannot hold {longest + 1} x 1 pixels; allowed: up to {longest} a side"):
            io.save(tmp_path / f"a{suffix}", np.zeros((1, longest + 1), np.uint8))
    with pytest.raises(ValueError, match="png cannot hold an array of shape"):
        io.save(tmp_path / "a.png", np.zeros((0, 3), np.uint8))
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match=r"nothing is overwritten. Pass force=True"):
        io.save(path, np.zeros((2, 2), np.uint8))
    assert path.read_bytes() == b"precious"
    io.save(path, np.zeros((2, 2), np.uint8), force=True)
    assert io.load(path).array.shape == (2, 2)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"], "a partial file was left"


def test_without_hard_links_nothing_is_overwritten_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    io.save(tmp_path / "a.png", np.zeros((2, 2), np.uint8))
    with pytest.raises(FileExistsError, match="nothing is overwritten"):
        io.save(tmp_path / "a.png", np.ones((3, 3), np.uint8))
    assert io.load(tmp_path / "a.png").array.shape == (2, 2)
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"], "a partial file was left"


def test_files_have_the_mode_that_the_umask_says(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    io.save(tmp_path / "a.png", np.zeros((2, 2), np.uint8))
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_failed_save_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="jpeg cannot hold an array of shape"):
        io.save(tmp_path / "a.jpg", np.zeros((2, 2, 4), np.uint8))
    with pytest.raises(ValueError, match="has no known suffix"):
        io.save(tmp_path / "a.xyz", np.zeros((2, 2), np.uint8))
    with pytest.raises(ValueError, match="format is 'gif'; allowed: 'jpeg', 'png', 'tiff', 'webp'"):
        io.save(tmp_path / "a.gif", np.zeros((2, 2), np.uint8), format="gif")
    with pytest.raises(ValueError, match="quality is 0; allowed: an integer, 1 <= quality <= 100"):
        io.save(tmp_path / "a.jpg", np.zeros((2, 2), np.uint8), quality=0)
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere for a\.jpg\. Make it first"):
        io.save(tmp_path / "nowhere" / "a.jpg", np.zeros((2, 2), np.uint8))
    with pytest.raises(IsADirectoryError, match="is a folder; allowed: the name of a file"):
        io.save(tmp_path, np.zeros((2, 2), np.uint8), format="png", force=True)
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
