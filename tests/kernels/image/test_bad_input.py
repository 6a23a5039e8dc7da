"""Bad input of every image kernel, made from the descriptors: refused before any device sees it, with what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.image.test_every_kernel import ALL, GRAY, PARAMETERS, PYRAMIDS, SCALES, TWO, make
from tests.support.engine import Engine

NAN, INF = float("nan"), float("inf")
FIELDS = [(name, field["name"]) for name in ALL for field in getattr(mps.image, name)._descriptor["fields"]]
ARRAYS = ("weights", "values")


def wrong(field: dict[str, Any]) -> Iterator[tuple[type[Exception], Any]]:
    """Values that this field must refuse."""
    kind, name = field["type"], field["name"]
    if name in ARRAYS:
        ones = np.zeros((3, 3), np.float32)
        yield from ((ValueError, ones[:2]), (ValueError, ones + np.float32(NAN)), (ValueError, ones - np.float32(INF)))
        yield from (
            (TypeError, ones.astype(np.float64)),
            (ValueError, np.zeros((3, 257), np.float32)),
            (ValueError, ones[:0]),
        )
    elif field.get("names"):
        yield from ((ValueError, "nothing"), (TypeError, 1), (TypeError, None))
    elif kind == "bool":
        yield from ((TypeError, 1), (TypeError, "yes"), (TypeError, None))
    elif kind == "float":
        yield from (
            (ValueError, NAN),
            (ValueError, INF),
            (ValueError, -INF),
            (TypeError, "1"),
            (TypeError, True),
            (TypeError, None),
        )
        yield from ((ValueError, end) for end in beyond(field))
    elif kind == "int":
        yield from (
            (TypeError, 3.0),
            (TypeError, "3"),
            (TypeError, True),
            (ValueError, 1 << 63),
            (ValueError, -(1 << 63) - 1),
        )
        yield from ((ValueError, int(end)) for end in beyond(field))
        if field["odd"]:
            yield from ((ValueError, n) for n in (0, 2, 4, 100))
    elif kind.startswith("tuple[float"):  # colours, limits, a transform
        length = 3 if ("transform" in name and "scale" not in name) or "color" in name else 4
        fine = [1.0] * length
        for bad in (NAN, INF, -INF):
            yield ValueError, (*fine[:-1], bad)
        yield from (
            (ValueError, tuple(fine[:-1])),
            (ValueError, (*fine, 1.0)),
            (TypeError, 1.0),
            (TypeError, (*fine[:-1], "1")),
        )
    elif name == "regions":
        yield from (
            (TypeError, 3),
            (ValueError, [(0, 0, 1)]),
            (ValueError, [(0, -1, 1, 1)]),
            (TypeError, [(0, 0, 1.5, 1)]),
        )
    elif name.startswith("clip_rect"):
        yield from (
            (ValueError, (0, 0, 1)),
            (ValueError, (0, 0, 1, 1, 1)),
            (ValueError, (-1, 0, 1, 1)),
            (ValueError, (0, 0, -1, 1)),
        )
        yield from ((TypeError, 3), (TypeError, (0, 0, 1.5, 1)), (TypeError, "0011"), (ValueError, (0, 0, 1 << 63, 1)))
    else:  # offsets, origins, strides
        assert kind == "tuple[int, ...]", kind
        yield from (
            (ValueError, (1,)),
            (ValueError, (0, 0, 0, 0)),
            (TypeError, (0.0, 0)),
            (TypeError, 3),
            (ValueError, (1 << 63, 0)),
        )
        if "origin" in name:
            yield from ((ValueError, (-1, 0)), (ValueError, (0, 0, 1)))
        if "stride" in name:
            yield from ((ValueError, (2, 1)), (ValueError, (1, -1)), (ValueError, (1, 1, 2)))


def beyond(field: dict[str, Any]) -> Iterator[float]:
    """The next numbers outside its range."""
    step = 1 if field["type"] == "int" else 1e-3
    if field["min"] > -1e308:
        yield field["min"] - max(step, abs(field["min"]) * 1e-6)
    if field["max"] < 1e308:
        yield field["max"] + max(step, abs(field["max"]) * 1e-6)


@pytest.mark.parametrize(("name", "parameter"), FIELDS, ids=[".".join(ids) for ids in FIELDS])
def test_a_parameter_out_of_its_range(name: str, parameter: str) -> None:
    (field,) = [f for f in getattr(mps.image, name)._descriptor["fields"] if f["name"] == parameter]
    given = 0
    for error, value in wrong(field):
        with pytest.raises(error, match=rf"^{name}: .*; allowed: .*\.$") as caught:
            make(name, **{parameter: value})
        assert parameter in str(caught.value) or parameter in ("kernel_width", "kernel_height"), caught.value
        given += 1
    assert given >= 2


@pytest.mark.parametrize("name", ALL)
def test_an_unknown_parameter(name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name}: unknown keyword 'sigam'; allowed: "):
        make(name, sigam=1)


# ---- what is wrong with pictures


def given(
    name: str, dtype: str = "float32", size: tuple[int, int] = (12, 10), channels: int | None = None
) -> list[Any]:
    if name == "FindKeypoints" and dtype == "float32":
        dtype = "uint8"
    if name == "Median" and dtype == "float32":
        dtype = "uint8"  # what Metal takes too
    count = 1 if name in GRAY else 3 if channels is None else channels
    if name in PYRAMIDS:
        return [np.ones((size[0] >> n, size[1] >> n, count), dtype) for n in range(3)]
    pictures = [np.ones((*size, count), dtype) for _ in range(2 if name in TWO else 1)]
    if name == "HistogramSpecification":
        pictures.append(np.ones((count, 256), np.uint32))
    return pictures


def refused(error: type[Exception], name: str, text: str, pictures: list[Any], **changes: Any) -> None:
    with pytest.raises(error, match=rf"^{name}: .*{text}.*; allowed"):
        make(name, **changes)(*pictures)


@pytest.mark.parametrize("name", ALL)
def test_pictures_of_other_formats(engine: Engine, name: str) -> None:
    make(name)(*given(name))  # else nothing below would tell anything
    for dtype in ("float64", "int8", "int16", "int32", "uint32"):
        refused(TypeError, name, f"is {dtype}", given(name, dtype))
    for dtype in ("bool", "complex64", "int64"):
        with pytest.raises(TypeError, match=rf"{dtype}.*; allowed: "):
            make(name)(*given(name, dtype))
    if name == "FindKeypoints":
        refused(TypeError, name, "is uint16", given(name, "uint16"))


@pytest.mark.parametrize("name", ALL)
def test_pictures_without_pixels(engine: Engine, name: str) -> None:
    for size in ((0, 10), (12, 0)):
        refused(ValueError, name, r"is \(" if name not in PYRAMIDS else r"begins with \(", given(name, size=size))
    if name not in GRAY:
        with pytest.raises(ValueError, match=rf"^{name}: .*; allowed"):
            make(name)(*given(name, channels=0))


RECTANGLES = [(name, field) for name, field in FIELDS if field.startswith("clip_rect")]


@pytest.mark.parametrize(("name", "field"), RECTANGLES, ids=[".".join(ids) for ids in RECTANGLES])
def test_rectangles_without_pixels(engine: Engine, name: str, field: str) -> None:
    for rectangle in ((0, 0, 0, 3), (0, 0, 3, 0), (1000, 0, 1, 1), (0, 1000, 1, 1), ((1 << 63) - 1, 0, 1, 1)):
        refused(ValueError, name, field, given(name), **{field: rectangle})
    refused(ValueError, name, "selects images by z", given(name), **{field: (0, 0, 1, 4, 4, 1)})


@pytest.mark.parametrize("name", [name for name in ALL if name in GRAY])
def test_colour_where_gray_is_taken(engine: Engine, name: str) -> None:
    dtype = "uint8"
    for channels in (2, 3, 4, 5):
        refused(ValueError, name, "image has", [np.ones((12, 10, channels), dtype)])


TOO_MANY = ("Conversion", "Histogram", "HistogramEqualization", "HistogramSpecification", "NormalizedHistogram")


@pytest.mark.parametrize("name", TOO_MANY)
def test_too_many_channels(engine: Engine, name: str) -> None:
    for channels in (5, 8, 300):
        refused(ValueError, name, f"image has {channels} channels", given(name, channels=channels))


# Results of one channel are part of what these do.
ONE_CHANNEL_TOO = ("Canny", "Sobel")


@pytest.mark.parametrize("name", ALL)
def test_results_of_other_channels_or_formats(engine: Engine, name: str) -> None:
    pictures = given(name)
    if name not in ONE_CHANNEL_TOO:
        with pytest.raises(ValueError, match=rf"^{name}: .*(channel|level 0 of out is \(12, 10, 2\)).*; allowed"):
            make(name)(*pictures, channels=2)
    for dtype in ("float64", "int8"):
        with pytest.raises(TypeError, match=rf"^{name}: .*{dtype}.*; allowed: "):
            make(name)(*pictures, dtype=dtype)


@pytest.mark.parametrize("name", PYRAMIDS)
def test_levels_of_different_formats(engine: Engine, name: str) -> None:
    levels = given(name)
    refused(ValueError, name, "level 1 of pyramid is", [levels[0], levels[1].astype(np.uint8), levels[2]])


@pytest.mark.parametrize("name", ["CopyToMatrix"])
def test_a_matrix_of_another_format(engine: Engine, name: str) -> None:
    with pytest.raises(TypeError, match=re.escape("image is uint8, the matrix float32; allowed: the same dtype")):
        make(name)(np.zeros((4, 5), np.uint8), out=np.zeros((1, 20), np.float32))


@pytest.mark.parametrize("name", ALL)
def test_the_wrong_number_of_pictures(engine: Engine, name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name}: 0 inputs given; allowed: "):
        make(name)()
    if name not in PYRAMIDS:
        pictures = given(name)
        with pytest.raises(TypeError, match=rf"^{name}: \d inputs given; allowed: "):
            make(name)(*pictures, *pictures, *pictures, *pictures)


# ---- offsets as far as numbers go


FAR = (1 << 63) - 1
OFFSETS = [
    (name, field) for name, field in FIELDS if field.endswith("offset") and name not in (*SCALES, "GuidedFilter")
]


@pytest.mark.parametrize(("name", "field"), OFFSETS, ids=[".".join(ids) for ids in OFFSETS])
def test_offsets_as_far_as_numbers_go(engine: Engine, name: str, field: str) -> None:
    """All is border there, as it is a thousand pixels away."""
    pictures = given(name)
    rng = np.random.default_rng(7)
    for picture in pictures:
        if picture.dtype != np.uint32:
            picture[...] = (rng.random(picture.shape) * (200 if picture.dtype == np.uint8 else 1)).astype(picture.dtype)
    side = "edge_mode" if field == "offset" else field.replace("offset", "edge_mode")
    for edge_mode in ("clamp", "zero"):
        if edge_mode == "zero" and name in ("AreaMax", "AreaMin", "Dilate", "Erode"):
            continue
        if name == "EuclideanDistanceTransform" and edge_mode == "zero":
            continue  # there a pixel is as far away as it is
        kernel = make(name, **{side: edge_mode})
        for x, y in ((FAR, 0), (-FAR - 1, 0), (0, FAR), (3, -FAR - 1), (FAR, -FAR - 1)):
            near = tuple(int(np.clip(v, -1000, 1000)) for v in (x, y))
            got, wanted = (kernel.replace(**{field: o})(*pictures) for o in ((x, y), near))
            np.testing.assert_array_equal(got, wanted)


def test_every_parameter_is_known_here() -> None:
    assert set(PARAMETERS) <= set(ALL)
    assert sum(len(list(wrong(f))) for name in ALL for f in getattr(mps.image, name)._descriptor["fields"]) > 1500
