"""Conversion against the definitions of alpha and of colour spaces in float64."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mpskit as mps
from tests.kernels.image import filters, histograms
from tests.kernels.image.reference import written
from tests.support.compare import assert_close, tolerance_of
from tests.support.engine import Engine
from tests.support.formats import CODES, IMAGE_DTYPES, decode, encode, random_image
from tests.support.frame import Framed

Conversion = mps.image.Conversion
Exact = NDArray[np.float64]
ALPHAS = ("non_premultiplied", "alpha_is_one", "premultiplied")
SPACES = ("srgb", "linear_srgb", "display_p3", "linear_display_p3")
DTYPES = pytest.mark.parametrize("dtype", IMAGE_DTYPES)
# XYZ of the primaries and of D65, from which the matrices follow.
SRGB_PRIMARIES, P3_PRIMARIES, D65 = (
    ((0.64, 0.33), (0.3, 0.6), (0.15, 0.06)),
    ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    (0.3127, 0.329),
)


def to_xyz(primaries: Any) -> Exact:
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    white = np.array([D65[0] / D65[1], 1, (1 - D65[0] - D65[1]) / D65[1]])
    return columns * np.linalg.solve(columns, white)


TO_XYZ = {space: to_xyz(P3_PRIMARIES if "p3" in space else SRGB_PRIMARIES) for space in SPACES}


def decoded(v: Exact) -> Exact:
    return np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0.04045) + 0.055) / 1.055) ** 2.4)


def encoded(v: Exact) -> Exact:
    return np.where(v <= 0.0031308, v * 12.92, 1.055 * np.maximum(v, 0.0031308) ** (1 / 2.4) - 0.055)


def in_space(colors: Exact, source: str, destination: str) -> Exact:
    if source == destination:
        return colors
    linear = colors if "linear" in source else decoded(colors)
    if ("p3" in source) != ("p3" in destination):
        linear = linear @ np.linalg.solve(TO_XYZ[destination], TO_XYZ[source]).T
    return linear if "linear" in destination else encoded(linear)


def converted(
    x: Exact, source: str, destination: str, background: Any, spaces: tuple[str, str] = ("none", "none")
) -> Exact:
    """(..., 3 or 4) values; without alpha they are opaque."""
    colors = x[..., :3]
    alpha = x[..., 3:] if x.shape[-1] == 4 and source != "alpha_is_one" else np.ones_like(x[..., :1])
    if x.shape[-1] == 3:
        source = "alpha_is_one"
    changes = spaces[0] != spaces[1]
    if destination == "alpha_is_one" and source != "alpha_is_one":
        colors = (colors * alpha if source == "non_premultiplied" else colors) + histograms.floats(background) * (
            1 - alpha
        )
        alpha = np.ones_like(alpha)
    elif source == "premultiplied" and (destination == "non_premultiplied" or changes):
        colors = np.where(alpha == 0, 0.0, colors / np.where(alpha == 0, 1.0, alpha))
        source = "non_premultiplied"
    colors = in_space(colors, *spaces) if changes else colors
    if destination == "premultiplied" and source == "non_premultiplied":
        colors = colors * alpha
    return np.concatenate([colors, alpha], -1)


def check(engine: Engine, got: NDArray[Any], wanted: Exact, scale: float = 1.0) -> None:
    dtype, wanted = got.dtype.name, wanted[..., : got.shape[-1]]
    absolute, relative = tolerance_of(Conversion(), dtype, engine)
    if dtype in CODES:
        assert_close(got, encode(wanted, dtype), absolute, relative)
    else:
        assert_close(got, wanted, absolute * scale, relative)


def is_apples(engine: Engine) -> bool:
    """CoreGraphics' own numbers, which are not told: curves and matrices of its profiles, and what lies beyond 0 ... 1."""
    return engine.is_metal and not mps.device(engine.device).description.startswith("Stand-in")


def within(colors: Exact) -> NDArray[np.bool_]:
    return ((colors[..., :3] >= 0) & (colors[..., :3] <= 1)).all(-1)


def check_apples(got: NDArray[Any], wanted: Exact, where: NDArray[np.bool_]) -> None:
    wanted = wanted[..., : got.shape[-1]]
    codes = CODES.get(got.dtype.name)
    absolute = {255: 2.0, 65535: 2e-3 * 65535}.get(codes, 2e-3) if codes else 2e-3
    assert_close(got[where], (encode(wanted, got.dtype.name) if codes else wanted)[where], absolute, 1e-3)


def picture(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    x = random_image(rng, shape, dtype)
    x[..., 3:] = np.where(
        rng.random((*shape[:-1], 1)) < 0.2,
        0,
        np.maximum(x[..., 3:], x.dtype.type(np.float32(0.1) * CODES.get(dtype, 1))),
    )
    return x


@DTYPES
@pytest.mark.parametrize(("source", "destination"), list(product(ALPHAS, ALPHAS)))
def test_alpha(engine: Engine, rng: np.random.Generator, dtype: str, source: str, destination: str) -> None:
    background = (0.2, 1.0, 0.6)
    kernel = Conversion(source_alpha=source, destination_alpha=destination, background_color=background)
    for shape in ((1, 1, 4), (5, 17, 4), (2, 257, 4), (3, 9, 3)):
        x = picture(rng, shape, dtype)
        got = kernel(x)
        assert (got.shape, got.dtype) == (x.shape, x.dtype)
        check(engine, got, converted(decode(x), source, destination, background), 40)


@DTYPES
@pytest.mark.parametrize("source", SPACES)
def test_color_spaces(engine: Engine, rng: np.random.Generator, dtype: str, source: str) -> None:
    for destination in SPACES:
        for channels, alpha in ((3, ("alpha_is_one", "alpha_is_one")), (4, ("premultiplied", "non_premultiplied")),
                                (4, ("non_premultiplied", "alpha_is_one")), (4, ("premultiplied", "premultiplied"))):  # fmt: skip
            kernel = Conversion(source_alpha=alpha[0], destination_alpha=alpha[1], background_color=(0.3, 0.6, 0.9),
                                source_color_space=source, destination_color_space=destination)  # fmt: skip
            x = picture(rng, (3, 65, channels), dtype)
            if dtype not in CODES:
                x = np.clip(x, -1, 2)
            spaces, background = (source, destination), (0.3, 0.6, 0.9)
            wanted = converted(decode(x), *alpha, background, spaces)
            if is_apples(engine):
                straight = "alpha_is_one" if alpha[1] == "alpha_is_one" else "non_premultiplied"
                inside = [
                    within(converted(decode(x), alpha[0], straight, background, s)) for s in (("none", "none"), spaces)
                ]
                check_apples(kernel(x), wanted, inside[0] & inside[1])
            else:
                check(engine, kernel(x), wanted, 20)


@DTYPES
def test_gray(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    x = random_image(rng, (5, 67), dtype)
    for source, destination, exponent in (
        ("gray_gamma_2_2", "linear_gray", 2.2),
        ("linear_gray", "gray_gamma_2_2", 1 / 2.2),
    ):
        kernel = Conversion(source_color_space=source, destination_color_space=destination)
        wanted = (np.maximum(decode(x), 0) ** exponent)[..., None]
        if is_apples(engine):
            check_apples(kernel(x)[..., None], wanted, within(decode(x)[..., None]))
        else:
            check(engine, kernel(x)[..., None], wanted)
    for channels in (1, 2):
        y = random_image(rng, (4, 9, channels), dtype)
        np.testing.assert_array_equal(
            Conversion(source_alpha="premultiplied", destination_alpha="non_premultiplied")(y), y
        )


def test_every_code(engine: Engine) -> None:
    """All pairs of a byte's colour and alpha, exactly on the CPU; there each of 65536 codes through the curves; bytes to every format."""
    color, alpha = (np.ascontiguousarray(a) for a in np.meshgrid(*[np.arange(256.0)] * 2))
    x = np.stack([color, 255 - color, color, alpha], -1).astype(np.uint8)
    with np.errstate(divide="ignore", invalid="ignore"):
        divided = np.where(alpha == 0, 0, np.minimum(np.rint(color * 255 / alpha), 255))
    for source, destination, wanted in (
        ("non_premultiplied", "premultiplied", np.rint(color * alpha / 255)),
        ("premultiplied", "non_premultiplied", divided),
    ):
        got = Conversion(source_alpha=source, destination_alpha=destination)(x)
        assert_close(got, np.stack([wanted, wanted[:, ::-1], wanted, alpha], -1), 1.0 if engine.is_metal else 0.0)
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    ramp = np.concatenate([ramp, ramp[::-1], ramp], -1)[:: 16 if engine.is_metal else 1]
    for spaces in (("srgb", "linear_srgb"), ("linear_srgb", "srgb"), ("display_p3", "srgb"), ("srgb", "display_p3")):
        kernel = Conversion(source_color_space=spaces[0], destination_color_space=spaces[1])
        if is_apples(engine):
            continue
        check(engine, kernel(ramp), in_space(decode(ramp), *spaces))
        floats = (ramp / 65535).astype(np.float32)
        check(engine, kernel(floats), in_space(floats.astype(np.float64), *spaces))
        for channels, alphas in ((3, 3), (3, 4), (4, 3), (4, 4)) if not engine.is_metal else ((4, 4),):
            bytes_ = x[100:101, :, :channels].copy()
            for to in IMAGE_DTYPES:
                check(
                    engine,
                    kernel(bytes_, dtype=to, channels=alphas),
                    converted(decode(bytes_), "alpha_is_one", "alpha_is_one", (0, 0, 0), spaces),
                )
                kept = Conversion(source_alpha="non_premultiplied", destination_alpha="non_premultiplied",
                                  source_color_space=spaces[0], destination_color_space=spaces[1])  # fmt: skip
                check(
                    engine,
                    kept(bytes_, dtype=to, channels=alphas),
                    converted(decode(bytes_), "non_premultiplied", "non_premultiplied", (0, 0, 0), spaces),
                )


@DTYPES
def test_places_formats_and_channels(engine: Engine, rng: np.random.Generator, dtype: str) -> None:
    background = (1.0, 0.5, 0.25)
    for edge_mode in ("clamp", "zero"):
        src = Framed((11, 29, 4), dtype, 2)
        src.array[...] = picture(rng, (11, 29, 4), dtype)
        for offset, clip in (((0, 0), None), ((-3, 2), (4, 1, 100, 7))):
            kernel = Conversion(
                source_alpha="non_premultiplied",
                background_color=background,
                edge_mode=edge_mode,
                offset=offset,
                clip_rect=clip,
            )
            out = Framed((12, 23, 4), dtype, 2)
            out.array[...] = 1
            kernel(src.array, out=out.array)
            under = decode(histograms.around(src.array, (12, 23), edge_mode, offset, clip))
            rows, columns = written((12, 23), clip)
            check(
                engine, out.array[rows, columns], converted(under, "non_premultiplied", "alpha_is_one", background), 8
            )
            out.array[rows, columns] = 1
            assert (out.array == 1).all()
            out.check()
    x = picture(rng, (2, 5, 9, 4), dtype)
    for to in IMAGE_DTYPES:
        kernel = Conversion(source_alpha="premultiplied", destination_alpha="non_premultiplied")
        check(engine, kernel(x, dtype=to), converted(decode(x), "premultiplied", "non_premultiplied", background), 40)
        check(
            engine,
            kernel(x, dtype=to, channels=3),
            converted(decode(x), "premultiplied", "non_premultiplied", background),
            40,
        )
        check(
            engine,
            kernel(x[..., :3].copy(), dtype=to, channels=4),
            converted(decode(x[..., :3]), "alpha_is_one", "non_premultiplied", background),
            40,
        )


@DTYPES
@pytest.mark.parametrize("channels", [3, 4])
def test_channel_order(engine: Engine, rng: np.random.Generator, dtype: str, channels: int) -> None:
    kept = {"source_alpha": "non_premultiplied", "destination_alpha": "non_premultiplied"}
    for shape in ((1, 1), (3, 2), (2, 5), (4, 257), (2, 3, 67)):
        x = picture(rng, (*shape, channels), dtype)
        swapped = x[..., [2, 1, 0, 3][:channels]]
        moved = Conversion(source_channel_order="bgra", **kept)
        np.testing.assert_array_equal(moved(x), swapped)
        np.testing.assert_array_equal(moved(moved(x)), x)
        # And before all else that a conversion does: whatever that is of red first, it is the same of blue first.
        for others in (
            {"source_alpha": "non_premultiplied", "destination_alpha": "premultiplied"},
            {"source_alpha": "premultiplied", "destination_alpha": "non_premultiplied"},
            {"source_alpha": "premultiplied", "background_color": (0.2, 0.9, 0.5)},
            {"source_color_space": "srgb", "destination_color_space": "linear_srgb", **kept},
            {"source_color_space": "display_p3", "destination_color_space": "srgb", "source_alpha": "premultiplied"},
            {},
        ):
            alphas = others.get("source_alpha", "alpha_is_one"), others.get("destination_alpha", "alpha_is_one")
            spaces = others.get("source_color_space", "none"), others.get("destination_color_space", "none")
            for to in (3, 4):
                got = Conversion(source_channel_order="bgra", **others)(x, channels=to)
                wanted = converted(decode(swapped), *alphas, others.get("background_color", (0, 0, 0)), spaces)
                if is_apples(engine) and "none" not in spaces:
                    continue
                check(engine, got, wanted, 40)
    for edge_mode in ("clamp", "zero"):
        x = picture(rng, (11, 29, channels), dtype)
        for offset, clip in (((-3, 2), (4, 1, 100, 7)), ((2, 1), (1, 2, 20, 5)), ((25, -9), None)):
            out = Framed((12, 23, channels), dtype, 2)
            out.array[...] = 1
            Conversion(source_channel_order="bgra", edge_mode=edge_mode, offset=offset, clip_rect=clip, **kept)(
                x, out=out.array
            )
            rows, columns = written((12, 23), clip)
            under = histograms.around(x, (12, 23), edge_mode, offset, clip)
            np.testing.assert_array_equal(out.array[rows, columns], under[..., [2, 1, 0, 3][:channels]])
            out.array[rows, columns] = 1
            assert (out.array == 1).all()
            out.check()


def test_opencv_agrees(engine: Engine, rng: np.random.Generator) -> None:
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV")
    kept = {"source_alpha": "non_premultiplied", "destination_alpha": "non_premultiplied"}
    for dtype in ("uint8", "uint16", "float32"):
        x = random_image(rng, (45, 61, 4), dtype)
        moved = Conversion(source_channel_order="bgra", **kept)
        np.testing.assert_array_equal(moved(x), cv2.cvtColor(x, cv2.COLOR_BGRA2RGBA))
        opaque = np.ascontiguousarray(x[..., :3])
        np.testing.assert_array_equal(moved(opaque, channels=4), cv2.cvtColor(opaque, cv2.COLOR_BGR2RGBA))
    x = random_image(rng, (45, 61, 4), "uint8")
    multiplied = Conversion(source_alpha="non_premultiplied", destination_alpha="premultiplied")(x)
    assert_close(multiplied, cv2.cvtColor(x, cv2.COLOR_RGBA2mRGBA), 1)
    divided = Conversion(source_alpha="premultiplied", destination_alpha="non_premultiplied")(multiplied)
    assert_close(divided, cv2.cvtColor(multiplied, cv2.COLOR_mRGBA2RGBA), 1)


def test_known_values(engine: Engine) -> None:
    if not is_apples(engine):
        wide = Conversion(source_color_space="display_p3", destination_color_space="linear_srgb")(
            np.array([[[1, 0, 0], [1, 1, 1]]], np.float32)
        )
        assert_close(wide, np.array([[[1.22494, -0.04206, -0.01964], [1, 1, 1]]]), 1e-5)
        nan = Conversion(source_color_space="srgb", destination_color_space="linear_srgb")(
            np.array([[[np.nan, 0.5, -0.5]]], np.float32)
        )
        assert_close(nan, np.array([[[np.nan, 0.21404114, -0.5 / 12.92]]]), 1e-6)
    assert (Conversion()(np.zeros((2, 3, 4), np.uint8)) == (0, 0, 0, 255)).all()
    assert Conversion(src_alpha="premultiplied", dest_alpha="non_premultiplied").source_alpha == "premultiplied"


def test_errors(engine: Engine) -> None:
    x = np.zeros((6, 8, 3), np.float32)
    cases: list[tuple[type[Exception], str, Any]] = [
        (ValueError, "Conversion: source_alpha is 'straight'; allowed: 'non_premultiplied', 'alpha_is_one', 'premultiplied'.", lambda: Conversion(source_alpha="straight")),
        (ValueError, "Conversion: source_color_space is 'srgb', destination_color_space 'none'; allowed: both none, both of colour or both gray.",
         lambda: Conversion(source_color_space="srgb")),
        (ValueError, "Conversion: source_color_space is 'srgb', destination_color_space 'linear_gray'; allowed:",
         lambda: Conversion(source_color_space="srgb", destination_color_space="linear_gray")),
        (ValueError, "Conversion: image has 1 channel and source_color_space is 'srgb'; allowed: 3 or 4 channels",
         lambda: Conversion(source_color_space="srgb", destination_color_space="srgb")(x[..., :1].copy())),
        (ValueError, "Conversion: image has 3 channels and source_color_space is 'linear_gray'; allowed: 1 channel for gray spaces",
         lambda: Conversion(source_color_space="linear_gray", destination_color_space="linear_gray")(x)),
        (ValueError, "Conversion: image has 1 channel and source_channel_order is 'bgra'; allowed: 3 or 4 channels. Leave source_channel_order out.",
         lambda: Conversion(source_channel_order="bgra")(x[..., :1].copy())),
        (ValueError, "Conversion: source_channel_order is 'bgr'; allowed: 'rgba', 'bgra'.", lambda: Conversion(source_channel_order="bgr")),
        (ValueError, "Conversion: image has 5 channels, out has 5; allowed: the same number up to 4, or 3 and 4.", lambda: Conversion()(np.zeros((2, 2, 5), np.uint8))),
        (ValueError, "Conversion: image has 3 channels, out has 2; allowed: the same number up to 4, or 3 and 4.", lambda: Conversion()(x, channels=2)),
        (ValueError, "Conversion: clip_rect begins at (90, 0) and holds no pixel", lambda: Conversion(clip_rect=(90, 0, 2, 2))(x)),
    ]  # fmt: skip
    for error, text, call in cases:
        filters.refused(error, text, call)
