"""libvips: pictures lie in memory before and after, no result is remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.case import Contender


def _with(name: str, threads: int, x: Any, work: Callable[[Any, Any], Any], **more: Any) -> Contender | None:
    """work(pyvips, image), which gives an image; it is computed as it is written to memory."""
    try:
        import pyvips
    except (ImportError, OSError):
        return None
    pyvips.cache_set_max(0)
    if hasattr(pyvips, "concurrency_set"):
        pyvips.concurrency_set(threads)
    height, width, *bands = x.shape
    data = np.asarray(x)
    image = pyvips.Image.new_from_memory(
        data.data, width, height, *(bands or [1]), "uchar" if x.dtype == np.uint8 else "float"
    )
    shape = more.pop("shape", x.shape)
    more.setdefault("result", lambda memory: np.frombuffer(memory, x.dtype).reshape(shape))
    version = ".".join(str(pyvips.version(i)) for i in range(3))
    return Contender(f"pyvips.{name}", version, lambda: work(pyvips, image).write_to_memory(), **more)


def rank(x: Any, side: int, place: int, threads: int) -> Contender | None:
    """The median, the least or the greatest of a square."""
    return _with("rank", threads, x, lambda _, image: image.rank(side, side, place))


def convolved(x: Any, weights: Any, threads: int) -> Contender | None:
    if x.dtype != np.float32:
        return None

    def work(pyvips: Any, image: Any) -> Any:
        return image.conv(pyvips.Image.new_from_array(weights.tolist()), precision="float")

    return _with("conv", threads, x, work)


def gaussian(x: Any, sigma: float, threads: int) -> Contender | None:
    return _with(
        "gaussblur", threads, x, lambda _, image: image.gaussblur(sigma), is_exact=False, note="a shorter window"
    )


def lanczos(x: Any, size: tuple[int, int], threads: int) -> Contender | None:
    height, width = x.shape[:2]
    return _with(
        "reduce lanczos3",
        threads,
        x,
        lambda _, image: image.reduce(width / size[0], height / size[1], kernel="lanczos3"),
        shape=(size[1], size[0], *x.shape[2:]),
        is_exact=False,
        note="rounds between the passes",
    )


def counts(x: Any, threads: int) -> Contender | None:
    if x.dtype != np.uint8:
        return None
    bands = 1 if x.ndim == 2 else x.shape[2]
    return _with(
        "hist_find",
        threads,
        x,
        lambda _, image: image.hist_find(),
        result=lambda memory: np.frombuffer(memory, np.uint32).reshape(256, bands).T,
    )


def transposed(x: Any, threads: int) -> Contender | None:
    shape = (x.shape[1], x.shape[0], *x.shape[2:])
    return _with("rot90+fliphor", threads, x, lambda _, image: image.rot90().fliphor(), shape=shape)


def reversed_colors(x: Any, threads: int) -> Contender | None:
    order = [2, 1, 0, 3][: x.shape[2]]
    return _with("bandjoin", threads, x, lambda _, image: image[order[0]].bandjoin([image[band] for band in order[1:]]))
