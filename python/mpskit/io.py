"""Pictures in files: decoding into memory that every engine shares, encoding without half-written files.

JPEG is decoded by simplejpeg (libjpeg-turbo), three times as fast as through Pillow, straight into an array of ours;
everything else, and all encoding, is Pillow's. Both release the GIL while they work.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core

__all__ = ["Picture", "SUFFIXES", "load", "preview", "save"]

SUFFIXES = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}

# Pillow modes that are arrays as they stand; others are converted to the mode beside them, which loses nothing.
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
}
_DTYPES = {"L": np.uint8, "RGB": np.uint8, "RGBA": np.uint8, "I;16": np.uint16, "F": np.float32}

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
_ORIENTATION_TAG = 0x0112


def _pillow() -> Any:
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
    format: str  # Pillow's name of the file format
    icc_profile: bytes | None = None
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
        uint8 for 8-bit files, uint16 for 16-bit gray, float32 for floating-point TIFF. Palettes, CMYK and 1-bit files
        become RGB or gray; the EXIF orientation is applied.

    Raises
    ------
    ValueError
        The file is broken, or it cannot be decoded without loss (16 bits of colour).
    ImportError
        Pillow is missing.
    """
    Image = _pillow()
    data = Path(path).read_bytes()
    try:
        with Image.open(_reader(data)) as image:
            raw_modes = {tile[3] if isinstance(tile[3], str) else tile[3][0] for tile in image.tile if tile[3]}
            if any(";16" in mode and image.mode in ("RGB", "RGBA") for mode in raw_modes):
                raise ValueError(
                    "16 bits per colour channel would be cut to 8; allowed: 8-bit colour, 16-bit gray. Convert the file first"
                )
            exif = image.getexif()
            orientation = int(exif.get(_ORIENTATION_TAG, 1))
            if exif:
                exif[_ORIENTATION_TAG] = 1
            array = (
                _decode_jpeg(data, image) if image.format == "JPEG" and image.mode in ("L", "RGB") else _to_array(image)
            )
            if orientation in _ORIENTATION:
                array = _upright(array, orientation)
            return Picture(array, image.format, image.info.get("icc_profile"), exif.tobytes() if exif else None)
    except ValueError as error:
        raise ValueError(f"load: {os.fspath(path)}: {error}.") from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow raises for broken files
        raise ValueError(f"load: {os.fspath(path)} cannot be decoded: {error}") from error


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
        Whose colour profile and EXIF data to keep.
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
    Image = _pillow()
    target = Path(path)
    kind = format or SUFFIXES.get(target.suffix.lower())
    if kind is None:
        raise ValueError(
            f"save: {target.name} has no known suffix; allowed: {', '.join(SUFFIXES)}. Choose one of them."
        )
    image = _from_array(Image, np.asarray(array), kind)
    options: dict[str, Any] = {}
    if kind in ("JPEG", "WEBP"):
        options["quality"] = quality
    if kind == "PNG":
        options["compress_level"] = 1  # three times as fast as Pillow's default for some 10 % more bytes
    if like is not None and like.icc_profile:
        options["icc_profile"] = like.icc_profile
    if like is not None and like.exif and kind != "TIFF":
        options["exif"] = like.exif

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}.", suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            image.save(file, kind, **options)
        os.chmod(name, 0o666 & ~_umask())
        if force:
            os.replace(name, target)
        else:
            os.link(name, target)  # fails when the name is taken; replace would not
    except FileExistsError:
        raise FileExistsError(
            f"save: {target} exists; nothing is overwritten. Pass force=True (--force) to replace it."
        ) from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def preview(array: NDArray[Any]) -> bytes | None:
    """A picture as PNG, for notebooks; None for a batch, for channels that are no colours, and without Pillow.

    Floats are shown as [0, 1], clipped; 16 bits as their upper 8.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        return None
    try:
        Image = _pillow()
    except ImportError:
        return None
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    elif array.dtype != np.uint8:
        array = np.rint(np.clip(np.nan_to_num(array.astype(np.float32)), 0, 1) * 255).astype(np.uint8)
    file = _reader(b"")
    Image.fromarray(np.ascontiguousarray(array)).save(file, "PNG", compress_level=1)
    png: bytes = file.getvalue()
    return png


def _reader(data: bytes) -> Any:
    import io

    return io.BytesIO(data)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


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


def _to_array(image: Any) -> NDArray[Any]:
    mode = image.mode
    if mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    elif mode in _CONVERTED:
        image = image.convert(_CONVERTED[mode])
    elif mode == "I;16B":
        image = image.convert("I;16")
    if image.mode not in _DTYPES:
        raise ValueError(
            f"pixels of mode {mode} are not supported; allowed: {', '.join(_DTYPES)}, {', '.join(_CONVERTED)}"
        )
    pixels = np.asarray(image)
    out: NDArray[Any] = _core.empty(pixels.shape, _DTYPES[image.mode])
    out[...] = pixels
    return out


def _upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    transpose, rows, columns = _ORIENTATION[orientation]
    if transpose:
        array = array.swapaxes(0, 1)
    if rows:
        array = array[::-1]
    if columns:
        array = array[:, ::-1]
    out: NDArray[Any] = _core.empty(array.shape, array.dtype)
    out[...] = array
    return out


def _from_array(Image: Any, array: NDArray[Any], kind: str) -> Any:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    shape_ok = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    kinds = {"uint8": ("JPEG", "PNG", "TIFF", "WEBP"), "uint16": ("PNG", "TIFF"), "float32": ("TIFF",)}
    deep_colour = array.ndim == 3 and array.dtype != np.uint8
    if (
        not shape_ok
        or kind not in kinds.get(array.dtype.name, ())
        or deep_colour
        or (kind == "JPEG" and array.ndim == 3 and array.shape[2] == 4)
    ):
        raise ValueError(
            f"save: {kind} cannot hold an array of shape {array.shape} and dtype {array.dtype}; allowed: uint8 gray, RGB "
            "(and RGBA but for JPEG), uint16 gray as PNG or TIFF, float32 gray as TIFF. Convert it, or choose another format."
        )
    return Image.fromarray(np.ascontiguousarray(array))
