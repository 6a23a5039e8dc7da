"""Questions that Apple's documentation leaves open and a Mac answers: `python -m mpskit.probe`.

Each probe runs a kernel in a process of its own, so that an abort costs one answer, and prints what the device does beside the
definition that mpskit's CPU engine follows. Run it once on a Mac and keep the report.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _core, cnn, image, linalg

Array = NDArray[Any]
PROBES: dict[str, tuple[str, Callable[[], tuple[str, str]]]] = {}  # name: question, (what was seen, what is defined)
SECONDS = 60


def probe(question: str) -> Callable[[Callable[[], tuple[str, str]]], Callable[[], tuple[str, str]]]:
    def add(run: Callable[[], tuple[str, str]]) -> Callable[[], tuple[str, str]]:
        PROBES[run.__name__] = (question, run)
        return run

    return add


def numbers(values: Any, digits: int = 4) -> str:
    return " ".join(f"{float(v):.{digits}g}" for v in np.ravel(np.asarray(values, np.float64)))


def impulse(size: int) -> Array:
    x = np.zeros((size, size), np.float32)
    x[size // 2, size // 2] = 1
    return x


@probe("how far does GaussianBlur reach, and how near is it to the analytic weights?")
def gaussian_weights() -> tuple[str, str]:
    seen, defined = [], []
    for sigma in (0.5, 1.0, 2.0, 5.0, 20.0):
        radius = int(np.ceil(3.7 * sigma))
        i = np.arange(-radius - 8, radius + 9)
        exact = np.where(np.abs(i) <= radius, np.exp(-(i**2) / (2 * sigma * sigma)), 0)
        row = np.asarray(image.GaussianBlur(sigma=sigma)(impulse(len(i))), np.float64).sum(0)
        error = float(np.abs(row - exact / exact.sum()).max() * exact.sum())  # of the largest weight
        seen.append(f"radius {int((row > 1e-7 / sigma).sum()) // 2} within {1 if error < 1e-5 else 2**10 * error:.1e}")
        defined.append(f"radius {radius} within 1.0e+00")
    return ", ".join(seen), ", ".join(defined)


@probe("does Sobel divide its operators, and where is the larger row, above or below?")
def sobel_scale() -> tuple[str, str]:
    x = np.tile(np.arange(8, dtype=np.float32) / 8, (8, 1))
    return numbers(image.Sobel()(x)[4, 4]), "1"


@probe("which weights make gray of colour in Sobel, and is the gradient taken after it?")
def sobel_gray() -> tuple[str, str]:
    x = np.zeros((8, 8, 4), np.float32)
    x[:, 4:, 0] = 1  # red steps up, green steps down: gray first gives the difference
    x[:, :4, 1] = 1
    return numbers(image.Sobel()(x, channels=1)[4, 3]), numbers(4 * abs(0.299 - 0.587))


@probe("is image.Convolution's window turned around, and does bias reach alpha?")
def image_convolution_direction() -> tuple[str, str]:
    w = np.arange(9, dtype=np.float32).reshape(3, 3)
    alpha = image.Convolution(w / 36, bias=0.25)(np.ones((1, 1, 4), np.float32))[0, 0, 3]
    return f"{numbers(image.Convolution(w)(impulse(3)))}, alpha {alpha:.3g}", f"{numbers(w[::-1, ::-1])}, alpha 1.25"


@probe("how many weights may Convolution have?")
def convolution_sizes() -> tuple[str, str]:
    seen = []
    for shape in ((255, 255), (1, 255), (255, 1), (31, 3)):
        w = np.full(shape, 1 / (shape[0] * shape[1]), np.float32)
        seen.append(float(np.ravel(image.Convolution(w)(np.ones((3, 5), np.float32)))[0]))
    return numbers(seen), "1 1 1 1"


@probe("do Sobel and Laplacian filter alpha?")
def edges_of_alpha() -> tuple[str, str]:
    x = np.ones((8, 8, 4), np.float32)
    x[..., 3] = np.arange(8) / 8
    alphas = image.Sobel()(x)[4, 4, 3], image.Laplacian(bias=0.25)(x)[4, 4, 3]
    return numbers(alphas), "1 0.25"


@probe("do pixels beyond the border count in Box's mean?")
def box_border() -> tuple[str, str]:
    box = image.Box(kernel_width=3, kernel_height=3, edge_mode="zero")
    return numbers(box(np.ones((5, 5), np.float32))[0, :2]), numbers([4 / 9, 6 / 9])


@probe("is Tent one tent at the border, or two boxes?")
def tent_border() -> tuple[str, str]:
    tent = image.Tent(kernel_width=5, kernel_height=5, edge_mode="zero")
    return numbers(tent(np.ones((9, 9), np.float32))[0, :3]), numbers(np.array([6, 8, 9]) * 6 / 81)


@probe("does Median filter alpha?")
def median_alpha() -> tuple[str, str]:
    x = np.zeros((3, 3, 4), np.uint8)
    x[1, 1] = 200
    return numbers(image.Median()(x)[1, 1]), "0 0 0 200"


@probe("does AreaMax end with windows as large as mpskit's largest pass, and with several passes?")
def area_sizes() -> tuple[str, str]:
    x = impulse(601)
    return " ".join(
        str(int(image.AreaMax(kernel_width=side, kernel_height=1)(x)[300].sum())) for side in (1, 241, 243, 481)
    ), "1 241 243 481"


@probe("is a value that equals the threshold above it, and what is gray of two channels?")
def threshold_rules() -> tuple[str, str]:
    x = np.array([[0.5, 0.75]], np.float32)
    two = np.ones((1, 1, 2), np.float32)
    gray = image.ThresholdTruncate(threshold_value=2)(two)
    return f"{numbers(image.ThresholdBinary()(x))}, gray {numbers(gray)}", f"0 1, gray {numbers(0.299 + 0.587)}"


@probe("how do offset and clip_rect work in Transpose?")
def transpose_places() -> tuple[str, str]:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    out = np.full((4, 4), -1, np.float32)
    image.Transpose(offset=(1, 0), clip_rect=(2, 1, 2, 3))(x, out=out)
    return numbers(out[1:, 2:]), numbers(x[:2, 1:].T)


@probe("is the pixel itself in its integral?")
def integral_is_inclusive() -> tuple[str, str]:
    x = np.array([[5, 1], [2, 3]], np.float32)
    return f"{numbers(image.Integral()(x))}; {numbers(image.IntegralOfSquares()(x))}", "5 6 7 11; 25 26 29 39"


@probe("are the weights of a Gaussian pyramid turned around, and which rows and columns are kept?")
def gaussian_pyramid_rules() -> tuple[str, str]:
    w = np.arange(9, dtype=np.float32).reshape(3, 3)
    x = np.zeros((5, 7), np.float32)
    x[2, 2] = 1
    x[4, 6] = 10
    level = image.GaussianPyramid(2, weights=w)(x)[1]
    stored = image.GaussianPyramid(3, center_weight=0.5)(np.array([[0, 0, 1, 0, 0, 0, 0, 0]], np.uint8))
    return f"{numbers(level)}; {numbers(np.concatenate([s[0] for s in stored[1:]]))}", "0 0 0 0 4 0; 0 0 0 0 0 0"


@probe("what does a Laplacian pyramid take from a constant, inside, at the border and at an odd side?")
def laplacian_pyramid_gain() -> tuple[str, str]:
    rows: list[str] = []
    for edge_mode in ("clamp", "zero"):
        for side in (8, 7):
            ones = np.ones((side, side), np.float32), np.ones((side // 2, side // 2), np.float32)
            rows.append(numbers(image.LaplacianPyramidSubtract(edge_mode=edge_mode)(ones)[0][2]))
    return "; ".join(rows), (
        "0.625 0.7188 0.75 0.75 0.75 0.75 0.7812 0.875; 0.625 0.7188 0.75 0.75 0.75 0.7188 0.625; "
        "0.7812 0.75 0.75 0.75 0.75 0.75 0.7812 0.875; 0.7812 0.75 0.75 0.75 0.7812 0.875 0.9688"
    )


@probe("how many lobes has LanczosScale, and are its weights normalised?")
def lanczos_lobes() -> tuple[str, str]:
    x = np.zeros((1, 16), np.float32)
    x[0, 8] = 1
    row = image.LanczosScale(width=32, height=1)(x)[0]
    flat = image.LanczosScale(width=37, height=5)(np.full((3, 16), 0.5, np.float32))
    return (
        f"{int((np.abs(row) > 1e-6).sum())} taps, flat stays flat: {bool(np.allclose(flat, 0.5, atol=1e-5))}",
        "12 taps, flat stays flat: True",
    )


@probe("does LanczosScale widen where it reduces, and how many places between two pixels has BilinearScale?")
def scale_rules() -> tuple[str, str]:
    stripes = np.tile(np.array([0, 1], np.float32), 32)[None]
    reduced = np.asarray(image.LanczosScale(width=16, height=1)(stripes))[0, 6:10]
    step = np.array([[0, 1]], np.float32)
    places = len(np.unique(np.asarray(image.BilinearScale(width=8192, height=1)(step))))
    return f"{numbers(reduced, 2)}, {places}", "0.5 0.5 0.5 0.5, 4098"


@probe("in which bin is a value, and what is counted?")
def histogram_bins() -> tuple[str, str]:
    x = np.array(
        [[0.0021, 0.0041, 0.3, 0.9982, 1.0, 2.0, -1.0]], np.float32
    )  # other rules put the first and the fourth elsewhere
    counts = np.asarray(image.Histogram(256)(x))[0]
    wide = np.asarray(
        image.Histogram(1024, min_pixel_value=(-1,) * 4, max_pixel_value=(3,) * 4, min_pixel_threshold_value=(-1,) * 4)(
            x
        )
    )[0]
    return (
        "; ".join(" ".join(f"{b}:{h[b]}" for b in np.nonzero(h)[0]) for h in (counts, wide)),
        "0:1 1:1 76:1 255:3; 0:1 256:1 257:1 332:1 511:1 512:1 768:1",
    )


@probe("what is the range of a normalized histogram, how is it written, and what does a flat picture give?")
def normalized_histogram_rules() -> tuple[str, str]:
    x = np.array([[0.25, 0.375, 0.5]], np.float32)
    seen = []
    for picture in (x, np.full((2, 2), 0.25, np.float32)):
        counts, minmax = image.NormalizedHistogram(256)(picture)
        seen.append(f"{' '.join(f'{b}:{counts[0, b]}' for b in np.nonzero(counts[0])[0])} in {numbers(minmax)}")
    return "; ".join(seen), "0:1 128:1 255:1 in 0.25 0.5; 0:4 in 0.25 0.25"


@probe("which tables make HistogramEqualization and HistogramSpecification of counts, and what happens to alpha?")
def histogram_tables() -> tuple[str, str]:
    ramp = np.array([[0, 1, 2, 3, 254, 255]], np.uint8) / np.float32(255)
    counts, wanted = np.zeros((1, 256), np.uint32), np.zeros((1, 256), np.uint32)
    counts[0, [0, 1, 3]] = 1, 2, 1
    wanted[0, [51, 102, 204]] = 1, 1, 2
    none = counts.copy()
    none[0, 0] = 0
    tables = [image.HistogramEqualization()(ramp, c) for c in (counts, none)]
    tables.append(image.HistogramSpecification()(ramp, wanted, counts))
    alpha = image.HistogramEqualization()(np.full((1, 1, 4), 0.5, np.float32), np.ones((3, 256), np.uint32))[0, 0]
    return "; ".join(numbers(t) for t in (*tables, alpha)), (
        "0.25 0.75 0.75 1 1 1; 0 0.6667 0.6667 1 1 1; 0.2 0.8 0.8 0.8 0.8 0.8; 0.5039 0.5039 0.5039 0.5"
    )


@probe("where do reductions and statistics write, and is it per channel?")
def places_of_results() -> tuple[str, str]:
    x = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    rows, columns = image.ReduceRowSum()(x), image.ReduceColumnMax()(x)
    out = np.full((3, 4, 2), -1, np.float32)
    image.StatisticsMinAndMax(clip_rect=(1, 1, 3, 2), clip_rect_source=(1, 0, 2, 1))(x, out=out)
    found = " ".join(f"{y},{column}" for y, column in np.argwhere((out != -1).all(-1)))
    return (
        f"{numbers(rows)}; {numbers(columns)}; {found}: {numbers(out[1, 1:3])}",
        "6 9 24 27; 6 7 8 9 10 11; 1,1 1,2: 2 3 4 5",
    )


@probe("where does a repeated picture begin, and what do limits make of NaN and of division by zero?")
def arithmetic_rules() -> tuple[str, str]:
    x, row = np.zeros((2, 3), np.float32), np.array([[1, 2, 3, 4]], np.float32)
    out = np.full((3, 4), -1, np.float32)
    image.Add(clip_rect=(1, 1, 3, 2), secondary_offset=(1, 0), secondary_stride_in_pixels=(1, 0))(x, row, out=out)
    one = np.array([[1, -1, 0, np.nan]], np.float32)
    divided = image.Divide()(one, np.zeros_like(one))
    limited = image.Add(minimum_value=-2, maximum_value=2)(one * 5, one)
    return (
        f"{numbers(out[1:, 1:])}; {numbers(divided)}; {numbers(limited)}",
        "2 3 4 2 3 4; inf -inf nan nan; 2 -2 0 nan",
    )


@probe("what are FindKeypoints' counts, places and order, and what if there are too many?")
def keypoint_rules() -> tuple[str, str]:
    x = np.zeros((4, 6), np.uint8)
    x[1, 2] = x[2, 4] = x[3, 3] = 255
    found, counts = image.FindKeypoints(maximum_keypoints=2, regions=((1, 1, 2, 2), (2, 1, 4, 3)))(x)
    places = [f"{k['x']},{k['y']}={k['value']:.3g}" for k in np.concatenate([found[0, :1], found[1]])]
    return f"{numbers(counts)}: {' '.join(places)}", "1 2: 2,1=1 2,1=1 4,2=1"


@probe("which values has Canny, how are its thresholds scaled, and which of two equal pixels stays?")
def canny_rules() -> tuple[str, str]:
    def edges(height: float, **options: Any) -> Array:
        x = np.zeros((9, 12), np.float32)
        x[:, 6:] = height
        return np.asarray(image.Canny(sigma=0, use_fast_mode=False, **options)(x)[4])

    kept = [h for h in (0.05, 0.09, 0.11, 0.2, 0.3, 0.5, 0.9) if edges(h).any()]
    row = edges(1.0)
    return (
        f"{numbers(np.unique(row))}, from {min(kept, default=0)}, at {numbers(np.nonzero(row)[0])}",
        "0 1, from 0.11, at 6",
    )


@probe("how far does one strong pixel carry a weak edge, with Canny's fast mode and without?")
def canny_extent() -> tuple[str, str]:
    x = np.zeros((9, 2000), np.float32)
    x[5:] = 0.075
    x[5:, :8] = 1
    seen = [int(np.asarray(image.Canny(sigma=0, use_fast_mode=fast)(x)).any(0).sum()) for fast in (True, False)]
    return numbers(seen, 5), "2000 2000"


@probe("where does EDLines see the edge of a step, which end comes first, and does it count lines without room?")
def ed_lines_rules() -> tuple[str, str]:
    x = np.zeros((128, 128), np.uint8)
    x[:, 40:] = 255
    x[:, 40] = 200  # the pixels beside a plain step have equal gradients: their rounding would decide
    ends, counts = image.EDLines()(x)
    x[:, 80:] = 0
    two = image.EDLines(max_lines=1)(x)[1]
    return f"{numbers(ends[0])}, {numbers(counts)} and {numbers(two)}", "40 0 40 127, 1 and 1"


@probe("is the variance divided by the number of pixels, or by one less?")
def variance_divisor() -> tuple[str, str]:
    return numbers(image.StatisticsMeanAndVariance()(np.array([[0, 1]], np.float32))), "0.5 0.25"


@probe("does a product with beta 0 read what is in C, and one with alpha 0 what is in A?")
def product_reads() -> tuple[str, str]:
    nan, one = np.full((4, 4), np.nan, np.float32), np.ones((4, 4), np.float32)
    out = nan.copy()
    linalg.MatrixMultiplication()(one, one, out=out)
    unread = linalg.MatrixMultiplication(alpha=0, beta=1)(nan, one, out=one.copy())
    return f"C {numbers(out[0, 0])}, A {numbers(unread[0, 0])}", "C 4, A 1"


@probe("are int8 products added exactly?")
def product_of_integers() -> tuple[str, str]:
    a, b = np.full((1, 4096), 127, np.int8), np.full((4096, 1), 127, np.int8)
    b[::2] = -126
    return numbers(linalg.MatrixMultiplication()(a, b), 9), numbers(2048 * 127 * (127 - 126), 9)


@probe("in which precision are float16 products added?")
def product_of_halves() -> tuple[str, str]:
    a, b = np.ones((1, 4096), np.float16), np.full((4096, 1), 1, np.float16)
    a[0, 0] = 2048
    a[0, 1:] = 0.5
    return numbers(linalg.MatrixMultiplication()(a, b, dtype="float32"), 6), numbers(2048 + 4095 * 0.5, 6)


@probe("is a convolution flipped?")
def convolution_direction() -> tuple[str, str]:
    w = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    return numbers(cnn.Convolution(weights=w)(impulse(3)[..., None])), numbers(w[0, ::-1, ::-1])


@probe("are float32 weights rounded to float16?")
def convolution_weights() -> tuple[str, str]:
    w = np.full((1, 1, 1, 1), 1 / 3, np.float32)
    y = float(np.ravel(cnn.Convolution(weights=w)(np.ones((1, 1, 1), np.float32)))[0])
    return f"{y:.8f}", f"{np.float32(1 / 3):.8f}"


@probe("does max pooling with edge_mode 'zero' let zeros beyond the border win?")
def pooling_border() -> tuple[str, str]:
    x = np.full((3, 3, 1), -1, np.float32)
    pools = [cnn.PoolingMax(kernel_width=3, kernel_height=3, edge_mode=mode) for mode in ("zero", "clamp")]
    return "; ".join(numbers(pool(x)[0, 0]) for pool in pools), "0; -1"


@probe("does a softmax of large values overflow?")
def softmax_range() -> tuple[str, str]:
    return numbers(cnn.SoftMax()(np.array([[[1000, 1000, -1000]]], np.float32))), "0.5 0.5 0"


@probe("which of equal elements comes first in a top-k, and where does NaN go?")
def top_k_order() -> tuple[str, str]:
    indices, _ = linalg.MatrixFindTopK(4)(np.array([[1, 2, np.nan, 2, 0, 2]], np.float32))
    return numbers(indices), "1 3 5 0"


@probe("does the gradient of the logarithm of a softmax close its parenthesis as calculus does?")
def log_softmax_gradient() -> tuple[str, str]:
    dy, y = np.array([[1, 2]], np.float32), np.log(np.array([[0.25, 0.75]], np.float32))
    return numbers(linalg.MatrixLogSoftMaxGradient()(dy, y)), numbers(dy - np.exp(y) * dy.sum())


@probe("which derivatives have gelu at 1, and relun above its limit?")
def neuron_derivatives() -> tuple[str, str]:
    one = np.ones((1, 1), np.float32)
    gelu = linalg.MatrixNeuronGradient("gelu")(one, one)[0]
    relun = linalg.MatrixNeuronGradient(cnn.NeuronDescriptor("relun", a=0, b=0.5))(one, one)[0]
    return f"gelu {numbers(gelu)}, relun {numbers(relun)}", "gelu 1.083, relun 0"


@probe("does batch normalization take the root of the variance?")
def batch_normalization_root() -> tuple[str, str]:
    x, mean, variance = np.ones((1, 1), np.float32), np.zeros(1, np.float32), np.full(1, 4, np.float32)
    return numbers(linalg.MatrixBatchNormalization()(x, mean, variance)), "0.5"


@probe("is the variance of batch normalization divided by the number of rows, or by one less?")
def batch_normalization_divisor() -> tuple[str, str]:
    _, mean, variance = linalg.MatrixBatchNormalization(compute_statistics=True)(np.array([[0], [1]], np.float32))
    return f"{numbers(mean)} {numbers(variance)}", "0.5 0.25"


@probe("do mean and variance move with the source in the gradient of batch normalization?")
def batch_normalization_gradient() -> tuple[str, str]:
    x, dy = np.array([[-1], [1]], np.float32), np.array([[1], [3]], np.float32)
    one = np.ones(1, np.float32)
    return numbers(linalg.MatrixBatchNormalizationGradient()(dy, x, 0 * one, one)[0]), "0 0"


@probe("are rows permuted after a destination is transposed?")
def copy_order() -> tuple[str, str]:
    x, order = np.array([[1, 2, 3], [4, 5, 6]], np.float32), np.array([2, 0, 1], np.uint32)
    copied = linalg.MatrixCopy(destinations_are_transposed=True, row_permute_indices=order)(x)
    return numbers(copied), "2 5 3 6 1 4"


@probe("which words does MTGP32 begin with, for the seeds 0 and 1?")
def mtgp32_words() -> tuple[str, str]:
    words: list[str] = []
    for seed in (0, 1):
        out = np.zeros((1, 4), np.uint32)
        linalg.MatrixRandomMTGP32(seed=seed)(out=out)
        words += [f"{word:08x}" for word in out[0].tolist()]
    return " ".join(words), "1e8cd85f 3a244af9 82753731 69fb9397 3109363f 8bbf71fd 6c401bb8 faba7ebb"


@probe("where do copies to a matrix begin, and which of x and y is the row?")
def copy_to_matrix_places() -> tuple[str, str]:
    out = np.full((3, 5), -1, np.float32)
    image.CopyToMatrix("chw", destination_matrix_origin=(1, 2))(np.array([[[1, 2]], [[3, 4]]], np.float32)[:1], out=out)
    return numbers(out), "-1 -1 -1 -1 -1 -1 -1 1 2 -1 -1 -1 -1 -1 -1"


@probe("does the guided filter average twice, cut its windows to the picture, and what does it make of no weight?")
def guided_filter_rules() -> tuple[str, str]:
    mask, guide = np.zeros((1, 7, 1), np.float32), np.full((1, 7, 3), 0.5, np.float32)
    mask[0, 3] = 1
    fit = image.GuidedFilter(kernel_diameter=3, epsilon=0.01)
    b = np.asarray(fit(mask, guide))[0, :, 3]
    border = np.asarray(fit(mask[:, 3:], guide[:, 3:]))[0, :, 3]
    weights = np.ones((1, 7, 1), np.float32)
    weights[0, 3:] = 0
    weighted = np.asarray(fit(mask + 0.5, guide, weights))[0, :, 3]
    return f"{numbers(b * 9)}; {numbers(border * 12)}; {numbers(weighted)}", (
        "0 1 2 3 2 1 0; 5 3.333 1.333 0; 0.5 0.5 0.5 0.3333 0.1667 0 0"
    )


@probe("how does the guided filter enlarge coefficients, and do scale and offset reach independent channels?")
def guided_reconstruction_rules() -> tuple[str, str]:
    a, b = np.zeros((1, 2, 1), np.float32), np.array([[[0], [1]]], np.float32)
    value = image.GuidedFilter("reconstruction", independent_channels=True, reconstruct_scale=2, reconstruct_offset=0.5)
    return numbers(value(np.ones((1, 8, 1), np.float32), a, b)), numbers([0.5, 0.5, 0.75, 1.25, 1.75, 2.25, 2.5, 2.5])


@probe("what is the distance to nothing, beyond the limit, and where offset leads outside?")
def distance_rules() -> tuple[str, str]:
    transform = image.EuclideanDistanceTransform()
    nothing = float(transform(np.zeros((4, 4), np.float32))[0, 0])
    seed = np.zeros((1, 12), np.float32)
    seed[0, 0] = -0.5
    limited = np.asarray(image.EuclideanDistanceTransform(search_limit_radius=4)(seed))[0]
    moved = transform.replace(offset=(-2, 0), edge_mode="zero")(seed[:, :3])
    return (
        f"{'more than its sides' if nothing > 4 else nothing}; {numbers(limited[:5])}, then more: {bool((limited[5:] > 4).all())}; {numbers(moved)}",
        "more than its sides; 0 1 2 3 4, then more: True; 2 1 0",
    )


@probe("what does Conversion make of no alpha, of a background, and of premultiplied colours above alpha?")
def alpha_rules() -> tuple[str, str]:
    x = np.array([[[0.5, 0.25, 0, 0], [0.5, 0.25, 1, 0.5]]], np.float32)
    divided = image.Conversion(source_alpha="premultiplied", destination_alpha="non_premultiplied")(x)
    flat = [
        image.Conversion(source_alpha=alpha, background_color=(0.5, 1, 0))(x)[0, 1]
        for alpha in ("premultiplied", "non_premultiplied")
    ]
    return "; ".join(numbers(v) for v in (divided, *flat)), "0 0 0 0 1 0.5 2 0.5; 0.75 0.75 1 1; 0.5 0.625 0.5 1"


@probe("what does Conversion make of colours outside the destination's gamut and range?")
def colors_beyond_range() -> tuple[str, str]:
    red = np.array([[[1, 0, 0, 1]]], np.float32)
    wide = image.Conversion(source_color_space="display_p3", destination_color_space="linear_srgb")(red)[0, 0, :3]
    x = np.array([[[-0.5, 1.5, 0.5, 1]]], np.float32)
    linear = image.Conversion(source_color_space="srgb", destination_color_space="linear_srgb")(x)[0, 0, :3]
    return f"{numbers(wide, 3)}, {numbers(linear, 3)}", "1.22 -0.0421 -0.0196, -0.0387 2.54 0.214"


def answer(name: str, device: str) -> dict[str, str]:
    with _core.device(device):
        seen, defined = PROBES[name][1]()
    return {"seen": seen, "defined": defined}


def ask(name: str, device: str) -> dict[str, str]:
    """The answer of a process of its own, or how that ended."""
    command = [sys.executable, "-m", "mpskit.probe", name, "--device", device, "--here"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {"seen": f"no answer in {SECONDS} s", "defined": ""}
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        return {"seen": f"ended with {done.returncode}: {last}", "defined": ""}
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m mpskit.probe", description=__doc__.partition("\n\n")[2] if __doc__ else None
    )
    parser.add_argument("names", nargs="*", metavar="PROBE", help="only these; all when none is named")
    parser.add_argument(
        "--device", default=str(_core.default_device()), help="'metal', 'cpu'; the default device when omitted"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in PROBES:
            parser.error(f"there is no probe {name!r}; allowed: {', '.join(PROBES)}")
    names = options.names or list(PROBES)
    if options.here:
        for name in names:
            print(json.dumps(answer(name, options.device)))
        return 0
    where = _core.device(options.device)
    report: dict[str, Any] = {
        "device": f"{where}: {where.description}",
        "system": platform.platform(),
        "mpskit": _core.__version__,
        "probes": {name: {"question": PROBES[name][0], **ask(name, options.device)} for name in names},
    }
    if options.json:
        print(json.dumps(report, indent=1))
        return 0
    print(f"{report['device']}\n{report['system']}, mpskit {report['mpskit']}")
    for name, found in report["probes"].items():
        verdict = "as defined" if found["seen"] == found["defined"] else "DIFFERS"
        print(f"\n{name}: {found['question']}\n  seen     {found['seen']}\n  defined  {found['defined']}\n  {verdict}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
