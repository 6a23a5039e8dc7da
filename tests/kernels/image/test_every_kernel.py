"""What holds of every image kernel, whatever it computes: turned, cut, shifted and flat pictures, impulses, and options.

A kernel that is new fails here until it is in these tables, or among those of which a rule cannot hold.
"""

from __future__ import annotations

import functools
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, random_image

Array = NDArray[Any]
ALL = tuple(mps.image.__all__)
GRAY = ("EDLines", "EuclideanDistanceTransform", "FindKeypoints")  # take one channel
TWO = ("Add", "Divide", "GuidedFilter", "Multiply", "Subtract")  # take two pictures
PYRAMIDS = ("LaplacianPyramidAdd", "LaplacianPyramidSubtract")
SUMS = ("Integral", "IntegralOfSquares")
SCALES = ("BilinearScale", "LanczosScale")
REDUCTIONS = tuple(name for name in ALL if name.startswith("Reduce"))
STATISTICS = tuple(name for name in ALL if name.startswith("Statistics"))
THRESHOLDS = tuple(name for name in ALL if name.startswith("Threshold"))
COUNTS = ("Histogram", "NormalizedHistogram")

# Windows that no turn leaves as they are.
WEIGHTS = (np.arange(15, dtype=np.float32).reshape(3, 5) - 3) / 64
PROBE = np.abs(np.arange(-7, 8, dtype=np.float32)).reshape(3, 5) / 16 + 0.125
PROBE[1, 2] = 0
PARAMETERS: dict[str, dict[str, Any]] = {
    "Add": {"primary_scale": 0.5, "secondary_scale": 0.25, "bias": 0.125},
    "AreaMax": {"kernel_width": 5, "kernel_height": 3},
    "AreaMin": {"kernel_width": 5, "kernel_height": 3},
    "BilinearScale": {"width": 53, "height": 19},
    "Box": {"kernel_width": 5, "kernel_height": 3},
    # Equal thresholds leave no edge to follow from far.
    "Canny": {"sigma": 1, "low_threshold": 0.5, "high_threshold": 0.5, "use_fast_mode": False},
    "Conversion": {"source_alpha": "non_premultiplied", "destination_alpha": "premultiplied"},
    "Convolution": {"weights": WEIGHTS, "bias": 0.25},
    "Dilate": {"values": PROBE},
    "EDLines": {"detail_ratio": 4},
    "Erode": {"values": PROBE},
    "FindKeypoints": {"maximum_keypoints": 1 << 12},
    "GaussianBlur": {"sigma": 1.5, "exact": True},
    "GuidedFilter": {"kernel_diameter": 5, "epsilon": 0.01, "independent_channels": True},
    "LanczosScale": {"width": 53, "height": 19},
    "Laplacian": {"bias": 0.5},
    "Median": {"kernel_diameter": 5},
    "Multiply": {"primary_scale": 0.75},
    "Subtract": {"bias": 0.5},
    "Tent": {"kernel_width": 7, "kernel_height": 3},
    **{name: {"threshold_value": 100.5 / 255} for name in THRESHOLDS},
}


def make(name: str, **changes: Any) -> Any:
    return getattr(mps.image, name)(**{**PARAMETERS.get(name, {}), **changes})


def dtypes(engine: Engine, name: str) -> tuple[str, ...]:
    is_bytes = name == "FindKeypoints" or (name == "Median" and engine.is_metal)
    return ("uint8",) if is_bytes else ("uint8", "float32")


def channels(name: str) -> int:
    return 1 if name in GRAY else 4 if name == "Conversion" else 3


def pictures(rng: np.random.Generator, name: str, dtype: str, size: tuple[int, int] = (29, 37)) -> list[Array]:
    """What the kernel takes, (height, width, channels) each."""
    if name in PYRAMIDS:
        return [random_image(rng, (size[0] >> n, size[1] >> n, 3), dtype) for n in range(3)]
    if name == "EuclideanDistanceTransform":
        return [(rng.random((*size, 1)) < 0.02).astype(dtype)]
    all_of = [random_image(rng, (*size, channels(name)), dtype) for _ in range(2 if name in TWO else 1)]
    if name == "Divide":
        all_of[1] = np.maximum(np.abs(all_of[1]), 60 if dtype == "uint8" else 0.25).astype(dtype)
    if name == "GuidedFilter" and dtype == "float32":
        all_of = [np.clip(x, 0, 1) for x in all_of]
    return all_of


def call(kernel: Any, given: list[Array], **options: Any) -> Any:
    if type(kernel).__name__ == "HistogramSpecification":
        wanted = np.tile(np.arange(256, dtype=np.uint32), (given[0].shape[2], 1))
        return kernel(given[0], wanted, **options)
    return kernel(*given, **options)


def parts(result: Any) -> tuple[Array, ...]:
    return result if isinstance(result, tuple) else (result,)


def bound(engine: Engine, kernel: Any, result: Array) -> tuple[float, float]:
    """Of two results of which each is within the descriptor's bound; pictures of tests reach to 8."""
    absolute, relative = tolerance_of(kernel, result.dtype, engine)
    if engine.is_metal and type(kernel).__name__ in SUMS:
        return 1e-6 * float(np.abs(result).max()), 0.0
    return (absolute, 0.0) if result.dtype.name in CODES else (16 * absolute, 2 * relative)


def same(engine: Engine, kernel: Any, got: Any, wanted: Any) -> None:
    name = type(kernel).__name__
    for a, b in zip(parts(got), parts(wanted), strict=True):
        if name == "Canny":  # a few decisions are close, and the order of sums then decides
            assert a.shape == b.shape
            assert (a != b).mean() < 2e-3
        elif name in COUNTS and a.dtype == np.uint32:
            np.testing.assert_array_equal(a, b)
        else:
            assert_close(a, b, *bound(engine, kernel, np.asarray(b)))


def seeded(name: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(name.encode()))


# ---- turned pictures


def upside_down(x: Array) -> Array:
    return x[::-1]


def mirrored(x: Array) -> Array:
    return x[:, ::-1]


def turned(x: Array) -> Array:
    return x.swapaxes(0, 1)


TURNS = (upside_down, mirrored, turned)
# Of which a picture upside down is another matter: sums begin at the top left, even rows are kept, rows are laid out in their order.
ONLY_TURNED = (*SUMS, *PYRAMIDS, "GaussianPyramid")
NEVER_TURNED = ("CopyToMatrix",)
CHANGED_NAMES = {name: name.replace(*swap) for name in REDUCTIONS for swap in [("Row", "Column") if "Row" in name else ("Column", "Row")]}  # fmt: skip


def turned_kernel(kernel: Any, turn: Any) -> Any:
    changes: dict[str, Any] = {}
    for field in kernel._descriptor["fields"]:
        value = getattr(kernel, field["name"])
        if isinstance(value, np.ndarray):
            changes[field["name"]] = np.ascontiguousarray(turn(value))
    if turn is not turned:
        return kernel.replace(**changes)
    for across, down in (("kernel_width", "kernel_height"), ("width", "height")):
        if getattr(kernel, across, None) is not None:
            changes |= {across: getattr(kernel, down), down: getattr(kernel, across)}
    name = type(kernel).__name__
    return make(CHANGED_NAMES[name]) if name in CHANGED_NAMES else kernel.replace(**changes)


def turned_result(name: str, turn: Any, result: Any, size: tuple[int, int]) -> Any:
    if name in COUNTS or name in STATISTICS:
        return result
    if name == "Transpose" and turn is not turned:
        return mirrored(result) if turn is upside_down else upside_down(result)
    if name == "FindKeypoints":
        data, counts = result[0].copy(), result[1]
        found = data[0, : counts[0]]
        x, y = found["x"].copy(), found["y"].copy()
        if turn is turned:
            x, y = y, x
        found["x"] = size[1] - 1 - x if turn is mirrored else x
        found["y"] = size[0] - 1 - y if turn is upside_down else y
        data[0, : counts[0]] = np.sort(found, order=("y", "x"))
        return data, counts
    return tuple(turn(part) for part in parts(result))


@pytest.mark.parametrize("name", [name for name in ALL if name not in (*NEVER_TURNED, "EDLines")])
def test_a_turned_picture_has_a_turned_result(engine: Engine, name: str) -> None:
    rng, kernel = seeded(name), make(name)
    for dtype in dtypes(engine, name):
        given = pictures(rng, name, dtype)
        result = call(kernel, given)
        for turn in (turned,) if name in ONLY_TURNED else TURNS:
            got = call(turned_kernel(kernel, turn), [np.ascontiguousarray(turn(x)) for x in given])
            wanted = turned_result(name, turn, result, (29, 37))
            if name == "FindKeypoints":
                order = np.argsort(got[0][0, : got[1][0]], order=("y", "x"))
                np.testing.assert_array_equal(got[0][0, : got[1][0]][order], wanted[0][0, : wanted[1][0]])
            else:
                same(engine, kernel, got, wanted)


def test_turned_lines(engine: Engine) -> None:
    """Segments of EDLines, within 2 px: which of two pixels is the edge depends on the side that it is looked at from."""
    y, x = np.mgrid[0:120, 0:120]
    picture = np.where((x + 2 * y > 130) & (x + 2 * y < 230), 200, 40).astype(np.uint8)
    kernel = make("EDLines")

    def lines(of: Array) -> Array:
        ends, counts = kernel(np.ascontiguousarray(of))
        found = ends[: counts[0]].astype(np.int64).reshape(-1, 2, 2)  # line, end, (x, y)
        assert len(found) >= 2
        return found

    wanted = lines(picture)
    for turn in TURNS:
        found = lines(turn(picture))
        if turn is turned:
            found = found[..., ::-1]
        elif turn is mirrored:
            found = np.stack([119 - found[..., 0], found[..., 1]], -1)
        else:
            found = np.stack([found[..., 0], 119 - found[..., 1]], -1)
        assert len(found) == len(wanted)
        for line in wanted:
            ends = np.minimum(np.abs(found - line).max((1, 2)), np.abs(found[:, ::-1] - line).max((1, 2)))
            assert ends.min() <= 4, f"{turn.__name__}: {line.tolist()} is not among {found.tolist()}"


# ---- tiles


NO_TILES = {
    "CopyToMatrix": "has no rectangles",
    "EDLines": "follows edges through all that it searches",
    "GaussianPyramid": "has no rectangles",
    "GuidedFilter": "has no rectangles",
    "LaplacianPyramidAdd": "has no rectangles",
    "LaplacianPyramidSubtract": "has no rectangles",
    "NormalizedHistogram": "counts over the range of what it reads",
}
TILE = (11, 16)


def tiles(height: int, width: int) -> list[tuple[int, int, int, int]]:
    return [
        (x, y, min(TILE[1], width - x), min(TILE[0], height - y))
        for y in range(0, height, TILE[0])
        for x in range(0, width, TILE[1])
    ]


@pytest.mark.parametrize("name", [name for name in ALL if name not in NO_TILES])
def test_tiles_make_the_whole(engine: Engine, name: str) -> None:
    rng, kernel = seeded(name), make(name)
    for dtype in dtypes(engine, name):
        given = pictures(rng, name, dtype)
        whole = call(kernel, given)
        height, width = given[0].shape[:2]
        if name == "FindKeypoints":
            data, counts = kernel.replace(regions=tiles(height, width))(given[0])
            found = np.concatenate([row[:n] for row, n in zip(data, counts, strict=True)])
            wanted = whole[0][0, : whole[1][0]]
            np.testing.assert_array_equal(np.sort(found, order=("y", "x")), np.sort(wanted, order=("y", "x")))
        elif name == "Histogram":
            counts = np.zeros_like(whole)
            for tile in tiles(height, width):
                kernel.replace(clip_rect_source=tile, zero_histogram=False)(given[0], out=counts)
            np.testing.assert_array_equal(counts, whole)
        elif name in REDUCTIONS or name in STATISTICS:
            check_reduced_tiles(engine, kernel, given[0], whole)
        elif name in SUMS:
            check_sums_of_tiles(kernel, given[0], whole)
        else:
            out = np.zeros_like(whole)
            for x, y, w, h in tiles(*whole.shape[:2]):
                changes: dict[str, Any] = {"clip_rect": (x, y, w, h)}
                if name in TWO:
                    changes |= {"primary_offset": (x, y), "secondary_offset": (x, y)}
                elif name not in SCALES:
                    changes["offset"] = (y, x) if name == "Transpose" else (x, y)
                assert call(kernel.replace(**changes), given, out=out) is out
            same(engine, kernel, out, whole)


def check_reduced_tiles(engine: Engine, kernel: Any, x: Array, whole: Array) -> None:
    """Rows in bands are all rows; what is counted in two halves comes together."""
    name = type(kernel).__name__
    height, width = x.shape[:2]
    if name in REDUCTIONS:
        out = np.zeros_like(whole)
        for begin in range(0, max(out.shape[:2]), 11):
            rect, place = (
                ((0, begin, width, 11), (0, begin, 1, 11))
                if "Row" in name
                else ((begin, 0, 11, height), (begin, 0, 11, 1))
            )
            kernel.replace(clip_rect_source=rect, clip_rect=place)(x, out=out)
        np.testing.assert_array_equal(out, whole)
        return
    pieces = tiles(height, width)
    each = np.concatenate([kernel.replace(clip_rect_source=tile)(x) for tile in pieces]).astype(np.float64)
    assert (each != each[:1]).any()  # of each tile, not of the picture
    share = np.array([w * h for _, _, w, h in pieces])[:, None] / (height * width)
    if name == "StatisticsMinAndMax":
        np.testing.assert_array_equal(whole[0], [each[:, 0].min(0), each[:, 1].max(0)])
        return
    mean = (share * each[:, 0]).sum(0)
    assert_close(whole[0, 0], mean, *bound(engine, kernel, whole))
    if name == "StatisticsMeanAndVariance":
        variance = (share * (each[:, 1] + (each[:, 0] - mean) ** 2)).sum(0)
        assert_close(whole[0, 1], variance, *bound(engine, kernel, whole))


def check_sums_of_tiles(kernel: Any, x: Array, whole: Array) -> None:
    """The sum of a tile that begins where it does is that of four corners."""
    padded = np.pad(whole.astype(np.float64), ((1, 0), (1, 0), (0, 0)))
    for left, top, width, height in tiles(*x.shape[:2]):
        out = np.zeros((height, width, 3), np.float32)
        kernel.replace(offset=(left, top))(x, out=out)
        right, bottom = left + width, top + height
        wanted = padded[bottom, right] - padded[top, right] - padded[bottom, left] + padded[top, left]
        assert_close(out[-1, -1], wanted, 2e-6 * float(np.abs(padded).max()))


# ---- shifted pictures


# Of which what lies far away, or where the picture begins, decides too.
NOT_SHIFTED = (*SUMS, *SCALES, *REDUCTIONS, *STATISTICS, *COUNTS, *PYRAMIDS, "CopyToMatrix", "EDLines", "EuclideanDistanceTransform", "FindKeypoints",
               "GaussianPyramid", "HistogramEqualization", "HistogramSpecification")  # fmt: skip
MARGIN = 8  # wider than any window of these parameters


@pytest.mark.parametrize("name", [name for name in ALL if name not in NOT_SHIFTED])
def test_a_shifted_picture_has_a_shifted_result(engine: Engine, name: str) -> None:
    rng, kernel = seeded(name), make(name)
    for dtype in dtypes(engine, name):
        given = pictures(rng, name, dtype, (40, 61))
        cut = [np.ascontiguousarray(x[5:, 3:]) for x in given]
        whole, moved = parts(call(kernel, given)), parts(call(kernel, cut))
        inner = np.s_[MARGIN:-MARGIN, MARGIN:-MARGIN]
        for a, b in zip(moved, whole, strict=True):
            shifted = b[3:, 5:] if name == "Transpose" else b[5:, 3:]
            same(engine, kernel, a[inner], shifted[inner])


# ---- flat pictures


@functools.cache
def flat(name: str) -> Any:
    """Of a picture of c everywhere: value(c), or (height, width) values."""
    at = {
        "Add": lambda c: 0.75 * c + 0.125,
        "Canny": lambda c: 0.0,
        "Convolution": lambda c: c * float(WEIGHTS.sum(dtype=np.float64)) + 0.25,
        "Dilate": lambda c: c,  # the least value of the probe is 0, at its centre
        "Divide": lambda c: 1.0,
        "Erode": lambda c: c,
        "EuclideanDistanceTransform": lambda c: 0.0,
        "HistogramEqualization": lambda c: 1.0,
        "HistogramSpecification": lambda c: 1.0,  # all of it, so the last bin
        "Integral": lambda c: c * np.outer(np.arange(1, 30), np.arange(1, 38)),
        "IntegralOfSquares": lambda c: c * c * np.outer(np.arange(1, 30), np.arange(1, 38)),
        "Laplacian": lambda c: 0.5,
        "Multiply": lambda c: 0.75 * c * c,
        "ReduceColumnSum": lambda c: 29 * c,
        "ReduceRowSum": lambda c: 37 * c,
        "Sobel": lambda c: 0.0,
        "Subtract": lambda c: 0.5,
        "ThresholdBinary": lambda c: 1.0 if c > 100.5 / 255 else 0.0,
        "ThresholdBinaryInverse": lambda c: 0.0 if c > 100.5 / 255 else 1.0,
        "ThresholdToZero": lambda c: c if c > 100.5 / 255 else 0.0,
        "ThresholdToZeroInverse": lambda c: 0.0 if c > 100.5 / 255 else c,
        "ThresholdTruncate": lambda c: min(c, 100.5 / 255),
    }
    return at.get(name, lambda c: c)


APART = (
    "CopyToMatrix",
    "EDLines",
    "FindKeypoints",
    "GuidedFilter",
    "StatisticsMeanAndVariance",
    "Conversion",
    *COUNTS,
    *PYRAMIDS,
)


@pytest.mark.parametrize("name", ALL)
def test_a_flat_picture(engine: Engine, name: str) -> None:
    for dtype in dtypes(engine, name):
        for code in (51, 204):
            kernel, c = make(name), code / 255
            x = np.full((29, 37, channels(name)), code if dtype == "uint8" else c, dtype)
            c = float(x[0, 0, 0]) / CODES.get(dtype, 1.0)
            if name in APART:
                check_flat(engine, kernel, x, c)
                continue
            result = parts(call(kernel, [x] * (2 if name in TWO else 1)))
            value = flat(name)(c)
            for part in result:
                wanted = np.broadcast_to(np.asarray(value)[..., None] if np.ndim(value) else value, part.shape)
                unit = CODES.get(part.dtype.name)
                if unit:
                    wanted = np.rint(np.clip(wanted, 0, 1) * unit)
                    # A weighted gray of 0.3 + 0.59 + 0.11 may round at a half.
                assert_close(part, wanted, *bound(engine, kernel, np.asarray(wanted, part.dtype)))


def check_flat(engine: Engine, kernel: Any, x: Array, c: float) -> None:
    name, pixels = type(kernel).__name__, x.shape[0] * x.shape[1]
    if name == "CopyToMatrix":
        np.testing.assert_array_equal(kernel(x), np.full((1, x.size), x[0, 0, 0]))
    elif name == "EDLines":
        assert kernel(x)[1][0] == 0
    elif name == "FindKeypoints":
        assert kernel(x)[1][0] == (pixels if c >= 0.5 else 0)
    elif name == "Conversion":  # colour times alpha
        wanted = np.full(x.shape, c * c)
        wanted[..., 3] = c
        unit = CODES.get(x.dtype.name)
        assert_close(kernel(x), np.rint(wanted * unit) if unit else wanted, *bound(engine, kernel, x))
    elif name == "GuidedFilter":  # nothing to follow: a is 0, b the mean
        a, b = kernel(x, x)
        assert_close(a, np.zeros(x.shape), 1e-5)
        assert_close(b, np.full(x.shape, c), 1e-5)
    elif name == "StatisticsMeanAndVariance":
        mean, variance = kernel(x)[0]
        assert_close(mean, np.full(3, c), 0, 1e-6)
        assert_close(variance, np.zeros(3), 1e-5 if engine.is_metal else 1e-9)
    elif name == "Histogram":
        wanted = np.zeros((3, 256), np.uint32)
        wanted[:, round(c * 255)] = pixels
        np.testing.assert_array_equal(kernel(x), wanted)
    elif name == "NormalizedHistogram":
        counts, minmax = kernel(x)
        assert (counts[:, 0] == pixels).all()
        assert_close(minmax, np.full((1, 2, 3), c), 0, 1e-7)
    else:  # a quarter of the weights meets a pixel of the level below; at the rim not just a quarter
        assert name in PYRAMIDS
        levels = [x, np.ascontiguousarray(x[:14, :18])]
        got = kernel(levels)[0][4:-4, 4:-4]
        wanted = np.full(got.shape, 1.25 * c if name == "LaplacianPyramidAdd" else 0.75 * c)
        unit = CODES.get(x.dtype.name)
        assert_close(got, np.rint(np.minimum(wanted, 1) * unit) if unit else wanted, *bound(engine, kernel, got))


# ---- an impulse


AT = (14, 18)


def square(x: Array, values: Any) -> Array:
    """`values` around the place of the impulse."""
    out = np.zeros(x.shape)
    v = np.asarray(values, np.float64)
    top, left = AT[0] - v.shape[0] // 2, AT[1] - v.shape[1] // 2
    out[top : top + v.shape[0], left : left + v.shape[1], 0] = v
    return out


def gaussian(sigma: float) -> Array:
    r = int(np.ceil(3.7 * sigma))
    w = np.exp(-(np.arange(-r, r + 1.0) ** 2) / (2 * sigma * sigma))
    return w / w.sum()


def distances(x: Array) -> Array:
    y, across = np.mgrid[: x.shape[0], : x.shape[1]]
    return np.hypot(y - AT[0], across - AT[1])[..., None]


def below_right(x: Array) -> Array:
    out = np.zeros(x.shape)
    out[AT[0] :, AT[1] :] = 1
    return out


IMPULSES: dict[str, Any] = {
    "AreaMax": lambda x: square(x, np.ones((3, 5))),
    "AreaMin": lambda x: np.zeros(x.shape),
    "Box": lambda x: square(x, np.full((3, 5), 1 / 15)),
    "Convolution": lambda x: square(x, WEIGHTS[::-1, ::-1]) + 0.25,
    "Dilate": lambda x: square(x, np.maximum(1 - PROBE[::-1, ::-1], 0)),
    "Erode": lambda x: square(x, [[PROBE[PROBE > 0].min()]]),
    "EuclideanDistanceTransform": distances,
    "GaussianBlur": lambda x: square(x, np.outer(gaussian(1.5), gaussian(1.5))),
    "Integral": below_right,
    "IntegralOfSquares": below_right,
    "Laplacian": lambda x: square(x, [[0, 1, 0], [1, -4, 1], [0, 1, 0]]) + 0.5,
    "Median": lambda x: np.zeros(x.shape),
    "Sobel": lambda x: square(x, [[2**0.5, 2, 2**0.5], [2, 0, 2], [2**0.5, 2, 2**0.5]]),
    "Tent": lambda x: square(x, np.outer([1, 2, 1], [1, 2, 3, 4, 3, 2, 1]) / 64),
    "Transpose": lambda x: square(x, [[1]]).swapaxes(0, 1),
}


@pytest.mark.parametrize("name", IMPULSES)
def test_an_impulse(engine: Engine, name: str) -> None:
    for dtype in dtypes(engine, name):
        kernel = make(name)
        x = np.zeros((29, 37, 1), dtype)
        x[(*AT, 0)] = CODES.get(dtype, 1)
        got, wanted = kernel(x), IMPULSES[name](x)
        unit = CODES.get(got.dtype.name)
        assert_close(got, np.rint(np.clip(wanted, 0, 1) * unit) if unit else wanted, *bound(engine, kernel, got))


# ---- options


@pytest.mark.parametrize("name", ALL)
def test_reduced_precision_may_be_allowed(engine: Engine, name: str) -> None:
    """The CPU engine does not use it; the stand-in rounds to half precision, so that it shows."""
    assert make(name).options == "none"
    kernel = make(name, options="allow_reduced_precision")
    assert kernel != make(name)
    dtype = dtypes(engine, name)[-1]
    given = pictures(seeded(name), name, dtype)
    exact, got = call(make(name), given), call(kernel, given)
    for a, b in zip(parts(got), parts(exact), strict=True):
        if not engine.is_metal:
            np.testing.assert_array_equal(a, b)
        elif a.dtype == np.float32:
            largest = float(np.abs(np.where(np.isfinite(b), b, 0)).max())
            assert_close(a, b, 2**-11 * largest + 2**-24, 2**-9)
    is_rounded = engine.is_metal and mps.device(engine.device).description.startswith("Stand-in") and dtype == "float32"
    if is_rounded and name not in ("Canny", "CopyToMatrix", "EDLines", *COUNTS, *THRESHOLDS[:2]):
        part = parts(got)[int(name == "GaussianPyramid")]  # its first level is the picture
        np.testing.assert_array_equal(part, part.astype(np.float16).astype(np.float32))
