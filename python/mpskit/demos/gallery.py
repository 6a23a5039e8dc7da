"""`mpskit gallery`: every image kernel, before and after, on one contact sheet.

Kernels are found, not listed. One that takes a picture needs no line here; SHOTS has a better picture or parameters for some.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _core, image, io
from .._preview import tiled
from . import sheet
from .drawing import draw

__all__ = ["SHOTS", "kernels", "run", "shoot"]

WIDTH, HEIGHT, COLUMNS = 224, 168, 3
Array = NDArray[Any]


@dataclass(frozen=True)
class Shot:
    sources: tuple[str, ...]  # of the pictures below
    parameters: dict[str, Any]  # of the kernel
    call: dict[str, Any] = field(default_factory=dict[str, Any])  # of the call
    after: Callable[[Any], Any] | None = None  # what is shown of the result


def shot(
    *sources: str, call: dict[str, Any] | None = None, after: Callable[[Any], Any] | None = None, **parameters: Any
) -> Shot:
    return Shot(sources, parameters, call or {}, after)


def _cone(diameter: int, steepness: float) -> NDArray[np.float32]:
    """A round probe for Dilate and Erode: 0 in the middle, falling to its rim."""
    y, x = np.mgrid[:diameter, :diameter] - (diameter - 1) / 2
    probe: NDArray[np.float32] = (steepness * np.hypot(x, y)).astype(np.float32)
    return probe


def _places(keypoints: Array, counts: Array) -> Array:
    found = keypoints[0, : counts[0]]
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    picture[found["y"], found["x"]] = np.rint(found["value"] * 255)
    return picture


EMBOSS = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], np.float32)

# Laplacian pyramids whose differences fit into bytes; weights that add to 4 expand a picture to itself.
DIFFERENCES: dict[str, Any] = {
    "weights": np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]).astype(np.float32) / 64,
    "laplacian_bias": 0.5,
    "laplacian_scale": 0.5,
}

# A kernel that is not here, or has no sources, gets the first picture for each picture that it takes.
SHOTS = {
    "Add": shot("coffee", "astronaut", primary_scale=0.5, secondary_scale=0.5),
    "AreaMax": shot("coffee", kernel_width=9, kernel_height=9),
    "AreaMin": shot("coffee", kernel_width=9, kernel_height=9),
    "BilinearScale": shot("tiny cat", width=WIDTH, height=HEIGHT),
    "Box": shot("cat", kernel_width=15, kernel_height=15),
    "Canny": shot("camera"),
    "Conversion": shot("cut-out", source_alpha="non_premultiplied", background_color=(0.2, 0.5, 0.9)),
    "Convolution": shot("camera", weights=EMBOSS),
    "CopyToMatrix": shot("patches"),
    "Dilate": shot("page", values=_cone(7, 0.08)),
    "Divide": shot("page", "page's light", primary_scale=0.9),
    "EDLines": shot(
        "page", call={"return_edges": True}, after=lambda found: found[2][0], min_line_length=16, detail_ratio=4
    ),
    "Erode": shot("page", values=_cone(7, 0.08)),
    "EuclideanDistanceTransform": shot("coins' ground"),
    "FindKeypoints": shot(
        "coins", after=lambda found: _places(*found), maximum_keypoints=1 << 16, minimum_threshold_value=0.7
    ),
    "GaussianBlur": shot("astronaut", sigma=5),
    "GaussianPyramid": shot("cat", levels=4),
    "GuidedFilter": shot("camera", "camera", independent_channels=True, kernel_diameter=15, epsilon=0.02),
    "Histogram": shot("coffee"),
    "HistogramEqualization": shot("moon"),
    "HistogramSpecification": shot("moon", "camera's histogram"),
    "LanczosScale": shot("tiny cat", width=WIDTH, height=HEIGHT),
    "Laplacian": shot("camera", bias=0.5),
    "LaplacianPyramidAdd": shot("cat's details", "half cat's details", "quarter cat", **DIFFERENCES),
    "LaplacianPyramidSubtract": shot("cat", "half cat", "quarter cat", **DIFFERENCES),
    "Median": shot("camera with salt", kernel_diameter=5),
    "Multiply": shot("astronaut", "vignette"),
    "NormalizedHistogram": shot("moon"),
    "Sobel": shot("camera"),
    "Subtract": shot("camera", "soft camera", primary_scale=2, secondary_scale=2, bias=0.5),
    "Tent": shot("cat", kernel_width=15, kernel_height=15),
    "ThresholdBinary": shot("coins", threshold_value=0.45),
    "ThresholdBinaryInverse": shot("coins", threshold_value=0.45),
    "ThresholdToZero": shot("coins", threshold_value=0.45),
    "ThresholdToZeroInverse": shot("coins", threshold_value=0.45),
    "ThresholdTruncate": shot("coins", threshold_value=0.45),
}

# Name -> the file that scikit-image brings along, and what is drawn without it.
PICTURES = {
    "coffee": ("coffee.png", "spheres"),
    "astronaut": ("astronaut.png", "skyline"),
    "cat": ("chelsea.png", "leaves"),
    "camera": ("camera.png", "skyline"),
    "coins": ("coins.png", "spheres"),
    "moon": ("moon.png", "waves"),
    "page": ("page.png", "skyline"),
}
GRAY = ("camera", "coins", "moon", "page")


class Album:
    """The pictures that kernels are shown on, and what is made of them, of WIDTH x HEIGHT."""

    def __init__(self) -> None:
        found = importlib.util.find_spec("skimage")  # its files only: loading it takes a second
        folders = found.submodule_search_locations if found else None
        self.folder = Path(next(iter(folders))) / "data" if folders else None
        self.made: dict[str, Array] = {}

    def __call__(self, name: str) -> Array:
        if name not in self.made:
            self.made[name] = self._picture(name) if name in PICTURES else MADE[name](self)
        return self.made[name]

    def _picture(self, name: str) -> Array:
        file, stand_in = PICTURES[name]
        if self.folder is not None and (self.folder / file).exists():
            picture = io.load(self.folder / file).array
            height, width = picture.shape[:2]
            rows, columns = min(height, width * HEIGHT // WIDTH), min(width, height * WIDTH // HEIGHT)
            top, left = (height - rows) // 8, (width - columns) // 2  # what a picture shows is rather at its top
            cut = np.ascontiguousarray(picture[top : top + rows, left : left + columns])
            small: Array = image.LanczosScale(width=WIDTH, height=HEIGHT)(cut)
            return small
        drawn = draw(stand_in, HEIGHT, WIDTH, seed=sum(name.encode()))
        gray = np.rint(drawn @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
        return (gray // 4 + 90 if name == "moon" else gray) if name in GRAY else drawn


def _radius() -> NDArray[np.float64]:
    """The distance of every pixel from the middle; 1 is half of the picture's height."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    radius: NDArray[np.float64] = np.hypot(x - WIDTH / 2, y - HEIGHT / 2) / (HEIGHT / 2)
    return radius


def _salted(picture: Array) -> Array:
    grains = np.random.default_rng(0).random(picture.shape)
    return np.where(grains < 0.06, 0, np.where(grains > 0.94, 255, picture)).astype(picture.dtype)


def _cut_out(picture: Array) -> Array:
    alpha = (255 * np.clip((1 - _radius()) / 0.25, 0, 1)).astype(np.uint8)
    return np.dstack([picture, alpha])


def _patches(picture: Array) -> Array:
    """A batch of 12 parts of it, 7 x 7 pixels."""
    rows, columns = HEIGHT // 7, WIDTH // 7
    parts = picture.reshape(rows, 7, columns, 7).swapaxes(1, 2).reshape(-1, 7, 7, 1)
    return np.ascontiguousarray(parts[rows * columns // 3 :][:12])


def _details(picture: Array) -> tuple[Array, ...]:
    levels: tuple[Array, ...] = image.LaplacianPyramidSubtract(**DIFFERENCES)(image.GaussianPyramid(3)(picture))
    return levels


MADE: dict[str, Callable[[Album], Array]] = {
    "half cat": lambda album: image.GaussianPyramid(2)(album("cat"))[1],
    "quarter cat": lambda album: image.GaussianPyramid(3)(album("cat"))[2],
    "cat's details": lambda album: _details(album("cat"))[0],
    "half cat's details": lambda album: _details(album("cat"))[1],
    "tiny cat": lambda album: image.LanczosScale(width=WIDTH // 7, height=HEIGHT // 7)(album("cat")),
    "camera with salt": lambda album: _salted(album("camera")),
    "soft camera": lambda album: image.GaussianBlur(sigma=3)(album("camera")),
    "page's light": lambda album: image.GaussianBlur(sigma=15)(
        image.AreaMax(kernel_width=9, kernel_height=9)(album("page"))
    ),
    "camera's histogram": lambda album: image.Histogram()(album("camera")),
    "coins' ground": lambda album: image.ThresholdBinaryInverse(threshold_value=0.45)(album("coins")),
    "cut-out": lambda album: _cut_out(album("cat")),
    "vignette": lambda album: np.dstack([(255 * np.exp(-(_radius() ** 2))).astype(np.uint8)] * 3),
    "patches": lambda album: _patches(album("camera")),
}


def kernels() -> dict[str, Any]:
    """Every kernel of mps.image by name, those of one of Apple's headers together."""
    found = {name: getattr(image, name) for name in image.__all__}
    actual = [name for name, kernel in found.items() if kernel._descriptor.get("operands")]
    return {name: found[name] for name in sorted(actual, key=lambda name: (_header(found[name]), name))}


def _header(kernel: Any) -> str:
    """What Apple calls the family, as "Morphology"."""
    stated = re.search(r"in MPS(?:Image)?(\w+)\.h", kernel._descriptor["reference"])
    return stated[1] if stated else ""


def shoot(name: str, album: Album) -> sheet.Cell:
    """Run one kernel; the cell of the contact sheet."""
    cls = kernels()[name]
    scene = SHOTS.get(name, shot())
    wanted = [o for o in cls._descriptor["operands"] if o["role"] == "input" and o["count"] != "optional"]
    sources = [album(source) for source in scene.sources or ["coffee"] * len(wanted)]
    kernel = cls(**scene.parameters)
    result = kernel(*sources, **scene.call)
    after, shown = _view(
        scene.after(result) if scene.after else result, name.removeprefix("Statistics").lower().split("and")
    )
    parts = [re.sub(r"^\w+\((.*)\)$", r"\1", repr(kernel)), *(f"{k}={v!r}" for k, v in scene.call.items()), shown]
    before = sheet.cards([_view(source)[0] for source in sources])
    return sheet.Cell(name, [before, after], ", ".join(filter(None, parts)), _header(cls))


def _view(result: Any, names: Sequence[str] = ()) -> tuple[sheet.Pixels, str]:
    """How to look at a result, and what to know about that; `names` of numbers that there may be instead of a picture."""
    if isinstance(result, (tuple, list)):
        few = [x for x in result if _is_numbers(np.asarray(x))]
        notes = [f"and {' '.join(f'{v:.4g}' for v in np.asarray(x).ravel())}" for x in few]
        views = [_view(x) for x in result if not _is_numbers(np.asarray(x))]
        return sheet.cards([view for view, _ in views]), ", ".join([*(note for _, note in views if note), *notes])
    x = np.asarray(result)
    if x.dtype == np.uint32:  # counts, a row for each channel
        return sheet.curves(x.reshape(-1, x.shape[-1]).T, WIDTH, HEIGHT, filled=True), "counts"
    if x.ndim == 4:
        return sheet.fitted(tiled(list(x), WIDTH, HEIGHT, gap=1), WIDTH, HEIGHT), f"{len(x)} pictures"
    if x.ndim == 2:
        x = x[..., None]
    if _is_numbers(x):
        return sheet.table(x.reshape(-1, x.shape[2]), names, WIDTH, HEIGHT), ""
    if min(x.shape[:2]) == 1:
        return sheet.curves(x.reshape(-1, x.shape[2]), WIDTH, HEIGHT, upright=x.shape[1] == 1), _range(x)
    if x.dtype.kind == "f" and not (x.min() >= 0 and x.max() <= 1):
        low, high = float(np.nanmin(x)), float(np.nanmax(x))
        return sheet.fitted((x - low) / (high - low or 1), WIDTH, HEIGHT), _range(x)
    return sheet.fitted(x, WIDTH, HEIGHT), ""


def _is_numbers(x: Array) -> bool:
    """So few pixels that they are better read than seen."""
    return x.ndim < 4 and max(x.shape[:2]) <= 2


def _range(x: Array) -> str:
    return f"shown from {float(np.nanmin(x)):.4g} to {float(np.nanmax(x)):.4g}"


def run(out: str | os.PathLike[str], device: str | None = None, *, force: bool = False) -> int:
    """Make the gallery; returns the exit code of the command.

    Parameters
    ----------
    out : str or path
        The contact sheet; the suffix chooses the format.
    device : str, optional
        Where to run; the default device when omitted.
    force : bool
        Replace the contact sheet when it exists.
    """
    io.require_pillow()
    where = _core.device(device) if device is not None else _core.default_device()
    sheet.refuse_target("gallery", out, force)
    print(f"device: {where}: {where.description}")
    begin = time.perf_counter()
    with where:
        album = Album()
        print(f"pictures: {_where_from(album)}")
        shots = [_try(name, album) for name in kernels()]
    heading = f"mpskit {_core.__version__}: {len(shots)} image kernels on {where}, before and after"
    pixels = sheet.contact_sheet([cell for cell, _ in shots], COLUMNS, heading)
    print(f"{len(shots)} kernels in {time.perf_counter() - begin:.1f} s, drawing included")
    io.save(out, pixels, force=force)
    print(f"contact sheet: {Path(out)}, {pixels.shape[1]} x {pixels.shape[0]} pixels")
    return 0 if all(fine for _, fine in shots) else 1


def _try(name: str, album: Album) -> tuple[sheet.Cell, bool]:
    """The cell of a kernel, or the reason why there is no picture; False when it failed, which is more than to lack the case."""
    try:
        return shoot(name, album), True
    except (ValueError, TypeError, NotImplementedError, RuntimeError) as error:
        lacks = isinstance(error, _core.UnsupportedError)
        print(f"  {name}: {'not here' if lacks else 'failed'}: {error}")
        nothing, reason = (sheet.words([text], WIDTH, HEIGHT) for text in ("", str(error)))
        return sheet.Cell(name, [nothing, reason], "", _header(kernels()[name])), lacks


def _where_from(album: Album) -> str:
    if album.folder is None:
        return "drawn by code; for photographs: pip install 'mpskit[gallery]'"
    return f"photographs that scikit-image {importlib.metadata.version('scikit-image')} brings along"
