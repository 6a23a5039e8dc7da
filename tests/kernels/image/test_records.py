"""Apple's structs as NumPy's records: their layouts, as properties, and as arguments."""

from __future__ import annotations

import pickle
import re
from typing import Any

import numpy as np
import pytest

import mpskit as mps

COUNTING = ("Histogram", "HistogramEqualization", "HistogramSpecification", "NormalizedHistogram")


def test_layouts_are_apples() -> None:
    info, range_info, data = mps.image.HistogramInfo, mps.image.KeypointRangeInfo, mps.image.KeypointData
    assert {n: (f[0].base.str, f[0].shape, f[1]) for n, f in info.fields.items()} == {
        "number_of_histogram_entries": ("<u8", (), 0),
        "histogram_for_alpha": ("|b1", (), 8),
        "min_pixel_value": ("<f4", (4,), 16),
        "max_pixel_value": ("<f4", (4,), 32),
    }
    assert {n: (f[0].str, f[1]) for n, f in range_info.fields.items()} == {
        "maximum_keypoints": ("<u8", 0),
        "minimum_threshold_value": ("<f4", 8),
    }
    assert {n: (f[0].str, f[1]) for n, f in data.fields.items()} == {
        "x": ("<u2", 0),
        "y": ("<u2", 2),
        "value": ("<f4", 4),
    }
    assert (info.itemsize, range_info.itemsize, data.itemsize) == (48, 16, 8)


@pytest.mark.parametrize("name", COUNTING)
def test_histogram_info(name: str) -> None:
    kernel = getattr(mps.image, name)
    info = kernel().histogram_info
    assert (info.shape, info.dtype) == ((), mps.image.HistogramInfo)
    plain = np.zeros((), mps.image.HistogramInfo)
    plain["number_of_histogram_entries"], plain["max_pixel_value"] = 256, 1
    assert info.tobytes() == plain.tobytes()
    with pytest.raises(ValueError, match="read-only"):
        info["histogram_for_alpha"] = True
    wide = np.zeros((), mps.image.HistogramInfo)
    wide["number_of_histogram_entries"], wide["histogram_for_alpha"] = 1024, True
    wide["min_pixel_value"], wide["max_pixel_value"] = (-0.1, 0, 0.5, -2), 3.25
    for record in (wide, wide[()], np.array([wide])):
        k = kernel(histogram_info=record)
        assert k == kernel(
            1024, histogram_for_alpha=True, min_pixel_value=(-0.1, 0, 0.5, -2), max_pixel_value=(3.25,) * 4
        )
        assert k.histogram_info == wide
        assert pickle.loads(pickle.dumps(k)) == k
    assert kernel(512, min_pixel_value=(-9,) * 4).replace(histogram_info=wide) == kernel(histogram_info=wide)
    assert kernel(histogram_info=wide).replace(bins=256).number_of_histogram_entries == 256


def test_keypoint_range_info() -> None:
    kernel = mps.image.FindKeypoints(maximum_keypoints=7, minimum_threshold_value=0.3)
    assert kernel.keypoint_range_info == np.array((7, 0.3), mps.image.KeypointRangeInfo)
    assert mps.image.FindKeypoints(keypoint_range_info=kernel.keypoint_range_info) == kernel
    assert kernel.replace(
        regions=[(0, 0, 1, 1)], keypoint_range_info=mps.image.FindKeypoints().keypoint_range_info
    ) == (mps.image.FindKeypoints(regions=[(0, 0, 1, 1)]))


def test_errors_say_what_is_allowed() -> None:
    histogram: Any = mps.image.Histogram
    info = np.array((256, False, (0,) * 4, (1,) * 4), mps.image.HistogramInfo)
    odd, flat = info.copy(), info.copy()
    odd["number_of_histogram_entries"] = 300
    flat["max_pixel_value"] = 0
    cases: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (ValueError, "Histogram: number_of_histogram_entries is 300; allowed: a power of two", {"histogram_info": odd}),
        (ValueError, "Histogram: min_pixel_value of channel 0 is 0.0, max_pixel_value 0.0; allowed:", {"histogram_info": flat}),
        (TypeError, "(tuple); allowed: one record of mps.image.HistogramInfo.", {"histogram_info": (256, False)}),
        (TypeError, "allowed: one record of mps.image.HistogramInfo. Make it with numpy.zeros((), mps.image.HistogramInfo)",
         {"histogram_info": np.zeros((), mps.image.KeypointRangeInfo)}),
        (TypeError, "allowed: one record of", {"histogram_info": np.array([info, info])}),
        (TypeError, "Histogram: histogram_info and number_of_histogram_entries are both given; allowed: one.", {"histogram_info": info, "bins": 256}),
        (TypeError, "unknown keyword 'histogram_inf'; allowed: ", {"histogram_inf": info}),
    ]  # fmt: skip
    for error, text, given in cases:
        with pytest.raises(error, match=re.escape(text)):
            histogram(**given)
