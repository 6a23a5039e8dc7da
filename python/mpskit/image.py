"""Image kernels (the MPSImage classes)."""

from . import _core
from ._core.image import *

_records = _core._records()
KeypointData = _records["KeypointData"]  # MPSImageKeypointData: what a keypoint is as a record of NumPy's
KeypointRangeInfo = _records["KeypointRangeInfo"]  # MPSImageKeypointRangeInfo: FindKeypoints.keypoint_range_info
HistogramInfo = _records["HistogramInfo"]  # MPSImageHistogramInfo: histogram_info of the four kernels of histograms

__all__ = list(_core.image.__all__)
