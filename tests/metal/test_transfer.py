"""Every format, channel count, batch and stride on its way to the device and back, through a filter that copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mpskit as mps

DTYPES = ["uint8", "uint16", "float16", "float32"]
COPY = mps.image.GaussianBlur(sigma=0)


def random(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    if dtype.startswith("uint"):
        return rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    return (rng.random(shape) * 8 - 4).astype(dtype)


def framed(x: np.ndarray, row_padding: int, offset: int) -> tuple[np.ndarray, np.ndarray]:
    """A copy of x inside shared memory, with sentinels before, between rows and behind; and all of that memory."""
    *batch, height, width, channels = x.shape
    row = width * channels + row_padding
    images = int(np.prod(batch, initial=1))
    whole = mps.empty((offset + images * height * row + 64,), dtype=str(x.dtype))
    whole[...] = 77
    rows = whole[offset : offset + images * height * row].reshape(images, height, row)[:, :, : width * channels]
    view = np.lib.stride_tricks.as_strided(
        rows, (images, height, width, channels), (*rows.strides[:2], channels * x.itemsize, x.itemsize)
    )
    view[...] = x.reshape(view.shape)
    return view, whole


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8, 13])
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_format(metal: mps.Device, rng: np.random.Generator, dtype: str, channels: int) -> None:
    for images, height, width, padding, offset in [
        (1, 5, 7, 0, 0),
        (1, 3, 16, 16, 64),
        (3, 4, 5, 3, 1),
        (2, 4, 8, 32, 32),
    ]:
        x = random(rng, (images, height, width, channels), dtype)
        src, _ = framed(x, padding, offset)
        dst, whole = framed(np.zeros_like(x), padding, offset)
        outside = whole.copy()
        COPY(src, out=dst)
        assert np.array_equal(dst, x)
        dst[...] = 0
        assert np.array_equal(whole, outside), "wrote outside of the image"


@pytest.mark.parametrize("dtype", DTYPES)
def test_all_codes_come_back(metal: mps.Device, dtype: str) -> None:
    codes = np.arange(65536).astype(np.uint16)
    x = codes.view(np.float16) if dtype == "float16" else codes.astype(dtype)
    x = x[np.isfinite(x)] if dtype == "float16" else x  # NaN is tested where its bits may change
    x = np.resize(x, (257, 85, 3))
    assert np.array_equal(COPY(x), x)


def test_special_values(metal: mps.Device) -> None:
    x = np.array([[np.nan, np.inf, -np.inf, -0.0, 1e-30, 3e38]] * 3, np.float32).reshape(3, 2, 3)
    assert np.array_equal(COPY(x), x, equal_nan=True)


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_window_is_written_alone(metal: mps.Device, rng: np.random.Generator, dtype: str, channels: int) -> None:
    x = random(rng, (2, 9, 10, channels), dtype)
    out = random(rng, (2, 8, 12, channels), dtype)
    if dtype == "float32":
        out[:, ::3, ::2] = np.nan
    wanted = out.copy()
    wanted[:, 2:7, 3:7] = x[:, 1:6, 2:6]
    mps.image.GaussianBlur(sigma=0, clip_rect=(3, 2, 4, 5), offset=(2, 1))(x, out=out)
    assert np.array_equal(out.view("uint8"), wanted.view("uint8")), "bits of pixels outside have changed"


def test_more_layers_than_a_texture_has(metal: mps.Device, rng: np.random.Generator) -> None:
    x = random(rng, (2500, 2, 3, 3), "uint8")
    assert np.array_equal(COPY(x), x)
    with metal.command_buffer() as cb:
        between = COPY.encode(cb, x)  # too many for a texture: bytes
        y = COPY.encode(cb, between, temporary=False)
    assert np.array_equal(y, x)
    x = random(rng, (600, 1, 2, 17), "float16")
    assert np.array_equal(COPY(x), x)


@pytest.mark.parametrize("channels", [1, 3, 4, 7])
def test_temporaries(metal: mps.Device, rng: np.random.Generator, channels: int) -> None:
    x = random(rng, (3, 6, 5, channels), "float16")
    with metal.command_buffer() as cb:
        images: list[Any] = [x]
        for _ in range(6):
            images.append(COPY.encode(cb, images[-1]))
        again = COPY.encode(cb, images[2], temporary=False)  # read twice, the second time late
        last = COPY.encode(cb, images[-1], temporary=False)
    assert np.array_equal(again, x)
    assert np.array_equal(last, x)


def test_temporary_matrices(metal: mps.Device, rng: np.random.Generator) -> None:
    multiply = mps.linalg.MatrixMultiplication()
    a, b, c = (rng.random((4, 4), dtype=np.float32) for _ in range(3))
    with metal.command_buffer() as cb:
        ab = multiply.encode(cb, a, b)
        abc = multiply.encode(cb, ab, c)
        twice = multiply.encode(cb, abc, c, temporary=False)
        first = multiply.encode(cb, ab, c, temporary=False)
    assert np.allclose(first, a @ b @ c, rtol=1e-5)
    assert np.allclose(twice, a @ b @ c @ c, rtol=1e-5)


@pytest.mark.parametrize("start", [0, 1, 3, 1000])
def test_arrays_of_others_are_used_in_place(metal: mps.Device, rng: np.random.Generator, start: int) -> None:
    """Wherever they lie, the bytes around them stay."""
    memory = rng.integers(0, 255, 200_000, np.uint8)
    before = memory.copy()
    x = memory[start : start + 60 * 50 * 3].reshape(60, 50, 3)
    out = memory[100_001 : 100_001 + x.size].reshape(x.shape)
    COPY(x, out=out)
    before[100_001 : 100_001 + x.size] = x.ravel()
    assert np.array_equal(memory, before)


def test_one_array_through_many_buffers_is_used_in_order(metal: mps.Device) -> None:
    """Each call makes its own Metal buffer over a foreign array: Metal itself sees no connection between them."""
    blur = mps.image.GaussianBlur(sigma=0, offset=(1, 0))  # moves to the left by one
    a, b = np.tile(np.arange(64, dtype=np.float32), (8, 1)), np.zeros((8, 64), np.float32)
    with metal.command_buffer() as cb:
        for _ in range(4):
            blur.encode(cb, a, out=b)
            blur.encode(cb, b, out=a)
    assert np.array_equal(a, np.tile(np.minimum(np.arange(64) + 8, 63), (8, 1)))
    completions = [blur.submit(*((a, b) if i % 2 == 0 else (b, a))[:1], out=(b if i % 2 == 0 else a)) for i in range(8)]
    completions[-1].wait()
    assert np.array_equal(a, np.tile(np.minimum(np.arange(64) + 16, 63), (8, 1)))


def test_gray_of_many_channels(metal: mps.Device, rng: np.random.Generator) -> None:
    x = rng.random((2, 6, 7, 6), dtype=np.float32)
    sobel = mps.image.Sobel()
    y = sobel(x, channels=1)
    assert np.allclose(y, sobel(np.ascontiguousarray(x[..., :3]), channels=1), atol=1e-6)


def test_sizes_that_no_texture_has(metal: mps.Device) -> None:
    with pytest.raises(mps.UnsupportedError, match="allowed: 16384 pixels a side"):
        COPY(np.zeros((1, 16385), np.uint8))
    with pytest.raises(mps.UnsupportedError, match="8192 channels"):
        COPY(np.zeros((1, 1, 8193), np.uint8))
    assert not COPY.supports(np.zeros((1, 16385), np.uint8))
    assert COPY(np.zeros((1, 16384), np.uint8)).shape == (1, 16384)
