"""PyTorch on the CPU, sharing memory with NumPy, channels last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.case import Contender
from ..harness.definitions import unit_of


def _numpy(tensor: Any) -> Any:
    return tensor.numpy()


def contender(
    name: str,
    threads: int,
    make: Callable[..., Callable[[], Any]],
    *arrays: Any,
    result: Callable[[Any], Any] = _numpy,
    **more: Any,
) -> Contender | None:
    """make(torch, tensors...) gives the work, whose result is a tensor unless `result` takes another."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    tensors = [torch.from_numpy(np.asarray(a)) for a in arrays]
    return Contender(f"torch.{name}", torch.__version__, make(torch, *tensors), result, **more)


# ---- pictures
def combine(function: str, x: Any, y: Any, threads: int) -> Contender | None:
    """torch.add, subtract, multiply or divide; bytes wrap around there, so floats."""
    if x.dtype != np.float32:
        return None
    return contender(
        function,
        threads,
        lambda torch, a, b, out: lambda: getattr(torch, function)(a, b, out=out),
        x,
        y,
        np.empty_like(x),
    )


def reduced(x: Any, axis: int, what: str, threads: int) -> Contender | None:
    if x.dtype != np.float32:
        return None
    function = "sum" if what == "SUM" else "amax"
    return contender(function, threads, lambda torch, a: lambda: getattr(torch, function)(a, axis, keepdim=True), x)


def min_max(x: Any, threads: int) -> Contender | None:
    if x.ndim != 2:
        return None
    return contender(
        "aminmax", threads, lambda torch, a: lambda: torch.aminmax(a), x, result=lambda r: np.array([[r.min], [r.max]])
    )


def var_mean(x: Any, threads: int) -> Contender | None:
    if x.dtype != np.float32:
        return None
    return contender(
        "var_mean",
        threads,
        lambda torch, pixels: lambda: torch.var_mean(pixels, 0, correction=0),
        x.reshape(-1, x.shape[2] if x.ndim == 3 else 1),
        result=lambda pair: np.stack([pair[1].numpy(), pair[0].numpy()]),
    )


def transposed(x: Any, threads: int) -> Contender | None:
    out = np.empty((x.shape[1], x.shape[0], *x.shape[2:]), x.dtype)
    return contender("transpose", threads, lambda _, a, out: lambda: out.copy_(a.transpose(0, 1)), x, out)


def integral(x: Any, threads: int) -> Contender | None:
    """A float32 of millions is too coarse for running sums of floats: in float64."""

    def make(torch: Any, a: Any) -> Callable[[], Any]:
        wide = torch.int32 if x.dtype == np.uint8 else torch.float64
        return lambda: a.cumsum(1, dtype=wide).cumsum_(0)

    return contender("cumsum", threads, make, x, result=lambda s: s.numpy() / unit_of(x.dtype))


def bilinear(x: Any, size: tuple[int, int], threads: int) -> Contender | None:
    def make(torch: Any, picture: Any) -> Callable[[], Any]:
        planes = picture.permute(2, 0, 1)[None]
        return lambda: torch.nn.functional.interpolate(planes, (size[1], size[0]), mode="bilinear")

    return contender("bilinear", threads, make, x if x.ndim == 3 else x[..., None], result=_picture)


def antialiased(x: Any, size: tuple[int, int], threads: int) -> Contender | None:
    def make(torch: Any, picture: Any) -> Callable[[], Any]:
        planes = picture.permute(2, 0, 1)[None].to(memory_format=torch.channels_last)
        return lambda: torch.nn.functional.interpolate(planes, (size[1], size[0]), mode="bicubic", antialias=True)

    return contender(
        "bicubic-aa",
        threads,
        make,
        x if x.ndim == 3 else x[..., None],
        result=_picture,
        is_exact=False,
        note="four-lobe cubic, not Lanczos",
    )


def _picture(planes: Any) -> Any:
    return planes[0].permute(1, 2, 0).numpy()


# ---- matrices
def matmul(a: Any, b: Any, threads: int) -> Contender | None:
    return contender(
        "matmul",
        threads,
        lambda torch, x, y, out: lambda: torch.matmul(x, y, out=out),
        a,
        b,
        np.empty((*a.shape[:-1], b.shape[-1]), a.dtype),
        is_exact=a.dtype != np.float16,
        note="rounds its result to float16" if a.dtype == np.float16 else "",
    )


def matmul_bfloat16(a: Any, b: Any, threads: int) -> Contender | None:
    """Of bfloat16 numbers as uint16."""

    def make(torch: Any, *words: Any) -> Callable[[], Any]:
        x, y = (w.view(torch.bfloat16) for w in words)
        return lambda: torch.matmul(x, y)

    return contender(
        "matmul",
        threads,
        make,
        a,
        b,
        result=lambda tensor: tensor.float().numpy(),
        is_exact=False,
        note="rounds its result to bfloat16",
    )


def softmax(x: Any, threads: int, is_log: bool = False) -> Contender | None:
    name = "log_softmax" if is_log else "softmax"
    return contender(
        name, threads, lambda torch, a, out: lambda: getattr(torch, name)(a, -1, out=out), x, np.empty_like(x)
    )


def top_k(x: Any, k: int, threads: int) -> Contender | None:
    return contender("topk", threads, lambda torch, a: lambda: torch.topk(a, k), x, result=lambda pair: pair[0].numpy())


def linear_relu(x: Any, weights: Any, bias: Any, threads: int) -> Contender | None:
    """weights as they multiply, (inputs, outputs)."""
    return contender("addmm", threads, lambda torch, a, w, b: lambda: torch.addmm(b, a, w).relu_(), x, weights, bias)


# ---- layers
def convolution(
    x: Any, weights: Any, bias: Any, stride: int, padding: int, groups: int, threads: int
) -> Contender | None:
    def make(torch: Any, pictures: Any, w: Any, b: Any) -> Callable[[], Any]:
        planes = pictures.permute(0, 3, 1, 2)
        w = w.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        return lambda: torch.nn.functional.conv2d(planes, w, b, stride, padding, groups=groups).relu_()

    return contender("conv2d", threads, make, x, weights, bias, result=_pictures)


def max_pool(x: Any, size: int, stride: int, padding: int, threads: int) -> Contender | None:
    def make(torch: Any, pictures: Any) -> Callable[[], Any]:
        planes = pictures.permute(0, 3, 1, 2)
        return lambda: torch.nn.functional.max_pool2d(planes, size, stride, padding)

    return contender("max_pool2d", threads, make, x, result=_pictures)


def _pictures(planes: Any) -> Any:
    return planes.permute(0, 2, 3, 1).numpy()


def lstm(x: Any, w: Any, r: Any, b: Any, threads: int, lengths: Any = None) -> Contender | None:
    """w, r, b per gate in the order i, f, g, o."""

    def make(torch: Any, sequences: Any, *tensors: Any) -> Callable[[], Any]:
        layer = torch.nn.LSTM(x.shape[2], r[0].shape[0])
        for parameter, tensor in zip((layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0), tensors, strict=False):
            parameter.copy_(tensor)
        layer.bias_hh_l0.zero_()
        if lengths is None:
            return lambda: layer(sequences)[0]
        pack, unpack = torch.nn.utils.rnn.pack_padded_sequence, torch.nn.utils.rnn.pad_packed_sequence
        ends = tensors[3]
        return lambda: unpack(layer(pack(sequences, ends, enforce_sorted=False))[0])[0]

    parameters = [np.concatenate(each) for each in (w, r, b)]
    if lengths is None:
        return contender("LSTM", threads, make, x, *parameters)
    return contender("LSTM, packed", threads, make, x, *parameters, lengths)
