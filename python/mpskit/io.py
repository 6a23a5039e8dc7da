"""Pictures in files: decoding into memory that every engine shares, encoding without half-written files.

JPEG is decoded by simplejpeg (libjpeg-turbo), three times as fast as through Pillow, straight into an array of ours;
everything else, and all encoding, is Pillow's. Both release the GIL while they work.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from . import _core

__all__ = ["FORMATS", "Picture", "SUFFIXES", "decode", "load", "preview", "save"]

# Each format with the suffix that new files get.
FORMATS = {"jpeg": ".jpg", "png": ".png", "tiff": ".tif", "webp": ".webp"}
SUFFIXES = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".tif": "tiff", ".tiff": "tiff", ".webp": "webp"}

# Pillow modes that are arrays as they stand; others are converted to the mode beside them, which keeps every picture's look.
_DTYPES = {"L": np.uint8, "RGB": np.uint8, "RGBA": np.uint8, "I;16": np.uint16, "F": np.float32}
_CONVERTED = {
    "1": "L",
    "P": "RGB",
    "PA": "RGBA",
    "LA": "RGBA",
    "La": "RGBA",
    "RGBa": "RGBA",
    "RGBX": "RGB",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "I;16B": "I;16",
}

# EXIF orientation -> (transpose first, then flip rows, then flip columns) that brings the picture upright.
_ORIENTATION = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
# EXIF tags: orientation; its block of tags about the shot, and there the size of the picture; the block of GPS.
_ORIENTATION_TAG, _SHOT, _WIDTH, _HEIGHT, _GPS = 0x0112, 0x8769, 0xA002, 0xA003, 0x8825
# In a TIFF file the same table holds the file's own structure. These alone describe the picture: description, make, model,
# software, date, artist, copyright, the shot, GPS.
_DESCRIBING = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298, _SHOT, _GPS)


def require_pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "mpskit.io needs Pillow and simplejpeg, which are not installed. Run: pip install 'mpskit[io]'"
        ) from error
    return Image


@dataclass(frozen=True)
class Picture:
    """A decoded file: its pixels, and what has to survive into the file that is written from it."""

    array: NDArray[Any]  # (height, width) or (height, width, channels), upright
    format: str  # one of FORMATS
    icc_profile: bytes | None = field(default=None, repr=False)
    exif: bytes | None = field(default=None, repr=False)


def load(path: str | os.PathLike[str]) -> Picture:
    """Decode one file.

    Parameters
    ----------
    path : str or path
        A JPEG, PNG, TIFF or WebP file.

    Returns
    -------
    Picture
        uint8 for 8-bit files, uint16 for 16-bit gray, float32 for floating-point TIFF, upright whatever the EXIF orientation.
        Palettes, transparent gray and 1-bit files become RGB, RGBA and gray; CMYK becomes RGB, by its colour profile (to sRGB)
        where it has one.

    Raises
    ------
    ValueError
        The file is broken, or an array cannot hold all of it: several pages or frames, 16 bits of colour.
    OSError
        The file cannot be read.
    ImportError
        Pillow is missing.
    """
    data = Path(path).read_bytes()
    try:
        return decode(data)
    except ValueError as error:
        raise ValueError(f"load: {os.fspath(path)} {error}") from error


def decode(data: bytes) -> Picture:
    """What `load` does, from bytes in memory."""
    Image = require_pillow()
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG", "TIFF", "WEBP")) as image:
            kind = "jpeg" if image.format == "MPO" else image.format.lower()  # MPO: a JPEG with previews behind it
            _refuse_loss(image, kind)
            profile = image.info.get("icc_profile")
            if kind == "jpeg" and image.mode in ("L", "RGB"):
                array = _decode_jpeg(data, image)
            elif image.mode == "CMYK":
                array, profile = _decode_cmyk(image, profile)
            else:
                array = _to_array(image)
            exif = image.getexif()  # after decoding: Pillow turns a TIFF upright by itself, and says so here
            array = _upright(array, exif.get(_ORIENTATION_TAG, 1))
            return Picture(array, kind, profile, _exif_of(exif, kind))
    except (MemoryError, ImportError):
        raise
    except Image.UnidentifiedImageError as error:
        raise ValueError("is no JPEG, PNG, TIFF or WebP file.") from error
    except Exception as error:  # decoders raise anything for a broken file: OSError, SyntaxError, struct.error, ...
        raise ValueError(f"cannot be decoded: {str(error) or type(error).__name__}") from error


def save(
    path: str | os.PathLike[str],
    array: NDArray[Any],
    like: Picture | None = None,
    *,
    format: str | None = None,
    quality: int = 90,
    force: bool = False,
) -> None:
    """Encode one file. It appears under its name when it is whole, or not at all.

    Parameters
    ----------
    path : str or path
        Where to; the suffix chooses the format unless `format` does.
    array : array
        uint8 (height, width[, 1, 3 or 4 channels]); uint16 gray as PNG or TIFF; float32 gray as TIFF.
    like : Picture, optional
        Whose EXIF data to keep, and whose colour profile where it fits the channels.
    format : str, optional
        "jpeg", "png", "tiff" or "webp".
    quality : int
        Of JPEG and WebP, 1 to 100.
    force : bool
        Replace an existing file.

    Raises
    ------
    FileExistsError
        The file exists and `force` is False.
    ValueError
        The format cannot hold the array.
    """
    Image = require_pillow()
    target = Path(path)
    check_encoding("save", format, quality)
    kind = format or SUFFIXES.get(target.suffix.lower())
    if kind is None:
        raise ValueError(
            f"save: {target.name} has no known suffix; allowed: {', '.join(SUFFIXES)}. Choose one of them, or pass format=."
        )
    array = np.asarray(array)
    image = _from_array(Image, array, kind)
    options: dict[str, Any] = {}
    if kind in ("jpeg", "webp"):
        options["quality"] = quality
    if kind == "png":
        options["compress_level"] = 1  # three times as fast as Pillow's default for some 10 % more bytes
    if like is not None and like.icc_profile and like.icc_profile[16:20] == (b"GRAY" if image.mode == "L" else b"RGB "):
        options["icc_profile"] = like.icc_profile
    if like is not None and like.exif:
        exif = Image.Exif()
        exif.load(like.exif)
        shot = exif.get_ifd(_SHOT)
        if _WIDTH in shot:
            shot[_WIDTH], shot[_HEIGHT] = image.size
        options["exif"] = _exif_of(exif, kind)
    with _appearing(target, force) as file:
        image.save(file, kind, **options)


def check_encoding(who: str, format: str | None, quality: int) -> None:
    """ValueError, said by `who`, unless files can be written like that."""
    if format is not None and format not in FORMATS:
        raise ValueError(f"{who}: format is {format!r}; allowed: {', '.join(map(repr, FORMATS))}. Choose one of them.")
    if isinstance(quality, bool) or not isinstance(quality, int) or not 1 <= quality <= 100:
        raise ValueError(f"{who}: quality is {quality!r}; allowed: an integer, 1 <= quality <= 100. 90 is usual.")


@contextlib.contextmanager
def _appearing(target: Path, force: bool) -> Iterator[IO[bytes]]:
    """A file to write that takes its name when it is whole; with an error it leaves nothing."""
    if not target.parent.is_dir():
        raise FileNotFoundError(f"save: there is no folder {target.parent} for {target.name}. Make it first.")
    if target.is_dir():
        raise IsADirectoryError(f"save: {target} is a folder; allowed: the name of a file, new or to replace.")
    partial = target.with_name(f".{secrets.token_hex(8)}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)  # the umask is the system's business
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        if force:
            os.replace(partial, target)
        else:
            _rename_new(partial, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(partial)


def _rename_new(partial: Path, target: Path) -> None:
    try:
        os.link(partial, target)  # fails when the name is taken; a rename would not
        return
    except FileExistsError:
        taken = True
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK):
            raise
        taken = target.exists()  # no hard links here, as on FAT: the best that is left
    if taken:
        raise FileExistsError(
            f"save: {target} exists; nothing is overwritten. Pass force=True (--force) to replace it."
        )
    os.rename(partial, target)


def preview(array: NDArray[Any]) -> bytes | None:
    """What a notebook shows of an image, as a PNG of at most 1024 pixels a side; None without Pillow."""
    from . import _preview

    return _preview.preview(array)


def _refuse_loss(image: Any, kind: str) -> None:
    frames = 1 if kind == "jpeg" else getattr(image, "n_frames", 1)
    if frames > 1:
        raise ValueError(f"it holds {frames} pages or frames; allowed: one. Split it into single pictures first.")
    raw_modes = {tile[3] if isinstance(tile[3], str) else tile[3][0] for tile in image.tile if tile[3]}
    if image.mode in ("LA", "RGB", "RGBA") and any(";16" in mode for mode in raw_modes):
        raise ValueError(
            "16 bits per colour channel would be cut to 8; allowed: 8-bit colour, 16-bit gray. Convert the file first."
        )


def _decode_jpeg(data: bytes, image: Any) -> NDArray[Any]:
    try:
        import simplejpeg
    except ImportError:
        return _to_array(image)
    channels = 3 if image.mode == "RGB" else 1
    out = _core.empty((image.height, image.width, channels), "uint8")
    simplejpeg.decode_jpeg(data, "RGB" if channels == 3 else "GRAY", buffer=out)
    pixels: NDArray[Any] = out if channels == 3 else out[:, :, 0]
    return pixels


def _decode_cmyk(image: Any, profile: bytes | None) -> tuple[NDArray[Any], bytes | None]:
    if not profile:
        return _to_array(image), None
    from PIL import ImageCms

    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    rgb = ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(BytesIO(profile)), srgb, outputMode="RGB")
    return _to_array(rgb), srgb.tobytes()


def _to_array(image: Any) -> NDArray[Any]:
    mode = image.mode
    if "transparency" in image.info and mode in ("1", "L", "P", "RGB"):  # a colour that stands for none
        image = image.convert("RGBA")
    elif mode in _CONVERTED:
        image = image.convert(_CONVERTED[mode])
    if image.mode not in _DTYPES:
        raise ValueError(
            f"pixels of Pillow's mode {mode} are not supported; allowed: {', '.join([*_DTYPES, *_CONVERTED])}."
        )
    pixels = np.asarray(image)
    out: NDArray[Any] = _core.empty(pixels.shape, _DTYPES[image.mode])
    out[...] = pixels
    return out


def _exif_of(exif: Any, kind: str) -> bytes | None:
    """What of the EXIF data belongs into another file, whose picture is upright."""
    if kind == "tiff":
        for tag in set(exif) - set(_DESCRIBING):
            del exif[tag]
    if _ORIENTATION_TAG in exif:
        exif[_ORIENTATION_TAG] = 1
    return exif.tobytes() if len(exif) else None


def _upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    if orientation not in _ORIENTATION:
        return array
    transpose, rows, columns = _ORIENTATION[orientation]
    if transpose:
        array = array.swapaxes(0, 1)
    array = array[:: -1 if rows else 1, :: -1 if columns else 1]
    out: NDArray[Any] = _core.empty(array.shape, array.dtype)
    # A channel and some columns at a time stay in the cache: 4 ms for 1920x1080 RGB instead of 16 in one assignment.
    pixels, upright = (a.reshape(*a.shape[:2], -1) for a in (array, out))
    for begin in range(0, array.shape[1], 256):
        for channel in range(pixels.shape[2]):
            upright[:, begin : begin + 256, channel] = pixels[:, begin : begin + 256, channel]
    return out


def _from_array(Image: Any, array: NDArray[Any], kind: str) -> Any:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    shape_ok = array.size > 0 and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4)))
    kinds = {"uint8": tuple(FORMATS), "uint16": ("png", "tiff"), "float32": ("tiff",)}
    longest = {"jpeg": 65500, "webp": 16383}.get(kind, 2**31 - 1)
    if shape_ok and max(array.shape[:2]) > longest:
        raise ValueError(
            f"save: {kind} cannot hold {array.shape[1]} x {array.shape[0]} pixels; allowed: up to {longest} a side. "
            "Choose another format."
        )
    deep_colour = array.ndim == 3 and array.dtype != np.uint8
    if (
        not shape_ok
        or kind not in kinds.get(array.dtype.name, ())
        or deep_colour
        or (kind == "jpeg" and array.ndim == 3 and array.shape[2] == 4)
    ):
        raise ValueError(
            f"save: {kind} cannot hold an array of shape {array.shape} and dtype {array.dtype}; allowed: uint8 gray, RGB "
            f"(and RGBA but for jpeg), uint16 gray as png or tiff, float32 gray as tiff. {_mend(array)}"
        )
    return Image.fromarray(np.ascontiguousarray(array))


def _mend(array: NDArray[Any]) -> str:
    if array.size == 0:
        return "Save a picture that has pixels."
    if array.ndim == 4:
        return "It is a batch: save its pictures one by one, each under its own name."
    if array.ndim == 3 and array.shape[2] not in (3, 4):
        return "Choose the channels that are gray, RGB or RGBA: np.asarray(image)[..., :3]."
    if array.dtype == np.uint8 and array.ndim == 3:
        return "Drop alpha, np.asarray(image)[..., :3], or choose png, tiff or webp."
    if array.dtype == np.uint16:
        return "Keep the upper 8 bits, np.uint8(np.asarray(image) >> 8), or save the channels one by one."
    return "Round to 8 bits, np.uint8(np.rint(255 * np.clip(image, 0, 1))), or keep every bit with np.save."
