"""PyTorch on the CPU, sharing memory with NumPy, channels last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..harness.case import Contender


def _torch(threads: int) -> Any:
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    return torch


def _numpy(tensor: Any) -> Any:
    return tensor.numpy()


def call(threads: int, work: Callable[..., Any], *arrays: Any) -> Contender | None:
    """work(torch, tensors...), which gives a tensor."""
    torch = _torch(threads)
    if torch is None:
        return None
    tensors = [torch.from_numpy(a) for a in arrays]
    return Contender("torch", torch.__version__, lambda: work(torch, *tensors), _numpy)


def into(
    name: str, threads: int, out: Any, work: Callable[..., Any], *arrays: Any, result: Any = _numpy
) -> Contender | None:
    """work(torch, out, tensors...), which fills `out` or gives a tensor of its own."""
    torch = _torch(threads)
    if torch is None:
        return None
    target = None if out is None else torch.from_numpy(out)
    tensors = [torch.from_numpy(np.asarray(a)) for a in arrays]
    return Contender(f"torch.{name}", torch.__version__, lambda: work(torch, target, *tensors), result)


def combine(function: str, x: Any, y: Any, threads: int) -> Contender | None:
    """torch.add, subtract, multiply or divide; bytes wrap around there, so floats."""
    if x.dtype != np.float32:
        return None
    return into(
        function, threads, np.empty_like(x), lambda torch, out, a, b: getattr(torch, function)(a, b, out=out), x, y
    )


def reduced(x: Any, axis: int, what: str, threads: int) -> Contender | None:
    if x.dtype != np.float32:
        return None
    function = "sum" if what == "SUM" else "amax"
    return into(function, threads, None, lambda torch, _, a: getattr(torch, function)(a, axis, keepdim=True), x)


def min_max(x: Any, threads: int) -> Contender | None:
    if x.ndim != 2:
        return None
    return into(
        "aminmax", threads, None, lambda torch, _, a: torch.aminmax(a), x, result=lambda r: np.array([[r.min], [r.max]])
    )


def transposed(x: Any, threads: int) -> Contender | None:
    out = np.empty((x.shape[1], x.shape[0], *x.shape[2:]), x.dtype)
    return into("transpose", threads, out, lambda _, out, a: out.copy_(a.transpose(0, 1)), x)


def integral(x: Any, threads: int) -> Contender | None:
    """A float32 of millions is too coarse for running sums of floats: in float64."""
    unit = 255.0 if x.dtype == np.uint8 else 1.0
    wide = (lambda torch: torch.int32) if x.dtype == np.uint8 else (lambda torch: torch.float64)
    return into(
        "cumsum",
        threads,
        None,
        lambda torch, _, a: a.cumsum(1, dtype=wide(torch)).cumsum_(0),
        x,
        result=lambda s: s.numpy() / unit,
    )


def bilinear(x: Any, size: tuple[int, int], threads: int) -> Contender | None:
    torch = _torch(threads)
    if torch is None:
        return None
    tensor = torch.from_numpy(x if x.ndim == 3 else x[..., None]).permute(2, 0, 1)[None]
    return Contender(
        "torch.bilinear",
        torch.__version__,
        lambda: torch.nn.functional.interpolate(tensor, (size[1], size[0]), mode="bilinear"),
        lambda t: t[0].permute(1, 2, 0).numpy(),
    )


def matmul(a: Any, b: Any, threads: int) -> Contender | None:
    torch = _torch(threads)
    if torch is None:
        return None
    ta, tb = torch.from_numpy(a), torch.from_numpy(b)
    out = torch.empty((*a.shape[:-1], b.shape[-1]), dtype=ta.dtype)
    return Contender(
        "torch.matmul",
        torch.__version__,
        lambda: torch.matmul(ta, tb, out=out),
        _numpy,
        is_exact=a.dtype != np.float16,
        note="rounds its result to float16" if a.dtype == np.float16 else "",
    )


def matmul_bfloat16(a: Any, b: Any, threads: int) -> Contender | None:
    """Of bfloat16 numbers as uint16."""
    torch = _torch(threads)
    if torch is None:
        return None
    ta, tb = (torch.from_numpy(x).view(torch.bfloat16) for x in (a, b))
    return Contender(
        "torch.matmul",
        torch.__version__,
        lambda: torch.matmul(ta, tb),
        lambda tensor: tensor.float().numpy(),
        is_exact=False,
        note="rounds its result to bfloat16",
    )


def antialiased(x: Any, size: tuple[int, int], threads: int) -> Contender | None:
    torch = _torch(threads)
    if torch is None:
        return None
    tensor = (
        torch.from_numpy(x if x.ndim == 3 else x[..., None])
        .permute(2, 0, 1)[None]
        .to(memory_format=torch.channels_last)
    )
    return Contender(
        "torch.bicubic-aa",
        torch.__version__,
        lambda: torch.nn.functional.interpolate(tensor, (size[1], size[0]), mode="bicubic", antialias=True),
        lambda t: t[0].permute(1, 2, 0).numpy(),
        is_exact=False,
        note="four-lobe cubic, not Lanczos",
    )


def var_mean(x: Any, threads: int) -> Contender | None:
    torch = _torch(threads)
    if torch is None or x.dtype != np.float32:
        return None
    tensor = torch.from_numpy(x.reshape(-1, x.shape[2] if x.ndim == 3 else 1))
    return Contender(
        "torch.var_mean",
        torch.__version__,
        lambda: torch.var_mean(tensor, 0, correction=0),
        lambda pair: np.stack([pair[1].numpy(), pair[0].numpy()]),
    )


def convolution(
    x: Any, weights: Any, bias: Any, stride: int, padding: int, groups: int, threads: int
) -> Contender | None:
    torch = _torch(threads)
    if torch is None:
        return None
    tensor = torch.from_numpy(x).permute(0, 3, 1, 2)
    w = torch.from_numpy(weights).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    b = torch.from_numpy(bias)
    return Contender(
        "torch.conv2d",
        torch.__version__,
        lambda: torch.nn.functional.conv2d(tensor, w, b, stride, padding, groups=groups).relu_(),
        lambda t: t.permute(0, 2, 3, 1).numpy(),
    )


def max_pool(x: Any, size: int, stride: int, padding: int, threads: int) -> Contender | None:
    torch = _torch(threads)
    if torch is None:
        return None
    tensor = torch.from_numpy(x).permute(0, 3, 1, 2)
    return Contender(
        "torch.max_pool2d",
        torch.__version__,
        lambda: torch.nn.functional.max_pool2d(tensor, size, stride, padding),
        lambda t: t.permute(0, 2, 3, 1).numpy(),
    )


def softmax(x: Any, threads: int, is_log: bool = False) -> Contender | None:
    torch = _torch(threads)
    if torch is None:
        return None
    tensor = torch.from_numpy(x)
    out = torch.empty_like(tensor)
    function = torch.log_softmax if is_log else torch.softmax
    return Contender(f"torch.{function.__name__}", torch.__version__, lambda: function(tensor, -1, out=out), _numpy)


def top_k(x: Any, k: int, threads: int) -> Contender | None:
    torch = _torch(threads)
    if torch is None:
        return None
    tensor = torch.from_numpy(x)
    return Contender("torch.topk", torch.__version__, lambda: torch.topk(tensor, k), lambda pair: pair[0].numpy())


def linear_relu(x: Any, weights: Any, bias: Any, threads: int) -> Contender | None:
    """weights as they multiply, (inputs, outputs)."""
    torch = _torch(threads)
    if torch is None:
        return None
    tx, tw, tb = torch.from_numpy(x), torch.from_numpy(weights), torch.from_numpy(bias)
    return Contender("torch.addmm", torch.__version__, lambda: torch.addmm(tb, tx, tw).relu_(), _numpy)


def lstm(x: Any, w: Any, r: Any, b: Any, threads: int, lengths: Any = None) -> Contender | None:
    """w, r, b per gate in the order i, f, g, o."""
    torch = _torch(threads)
    if torch is None:
        return None
    layer = torch.nn.LSTM(x.shape[2], r[0].shape[0])
    layer.weight_ih_l0.copy_(torch.from_numpy(np.concatenate(w)))
    layer.weight_hh_l0.copy_(torch.from_numpy(np.concatenate(r)))
    layer.bias_ih_l0.copy_(torch.from_numpy(np.concatenate(b)))
    layer.bias_hh_l0.zero_()
    tensor = torch.from_numpy(x)
    if lengths is None:
        return Contender("torch.LSTM", torch.__version__, lambda: layer(tensor)[0], _numpy)
    pack, unpack = torch.nn.utils.rnn.pack_padded_sequence, torch.nn.utils.rnn.pad_packed_sequence
    ends = torch.from_numpy(lengths)
    return Contender(
        "torch.LSTM, packed",
        torch.__version__,
        lambda: unpack(layer(pack(tensor, ends, enforce_sorted=False))[0])[0],
        _numpy,
    )
