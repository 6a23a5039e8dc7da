"""ONNX Runtime and OpenVINO on one-operator models, made in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..harness.case import Contender


def _model(
    operator: str,
    inputs: dict[str, Any],
    constants: dict[str, Any],
    outputs: Sequence[str],
    relu: bool = False,
    dtype: Any = np.float32,
    **attributes: Any,
) -> bytes | None:
    try:
        import onnx
        import onnx.shape_inference
        from onnx import helper, numpy_helper
    except ImportError:
        return None
    element = helper.np_dtype_to_tensor_dtype
    last = outputs[0]
    nodes = [
        helper.make_node(
            operator,
            [*inputs, *constants],
            [o if not (relu and o == last) else "before_relu" for o in outputs],
            **attributes,
        )
    ]
    if relu:
        nodes.append(helper.make_node("Relu", ["before_relu"], [last]))
    graph = helper.make_graph(
        nodes,
        "case",
        [helper.make_tensor_value_info(k, element(v.dtype), v.shape) for k, v in inputs.items()],
        [helper.make_tensor_value_info(o, element(np.dtype(dtype)), None) for o in outputs if o],
        [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in constants.items() if k],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    model = onnx.shape_inference.infer_shapes(model)  # outputs get their shapes, which the checker asks for
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString()
    return serialized


def contenders(
    operator: str,
    inputs: dict[str, Any],
    constants: dict[str, Any],
    result: Any,
    threads: int,
    outputs: Sequence[str] = ("y",),
    relu: bool = False,
    dtype: Any = np.float32,  # of the outputs
    **attributes: Any,
) -> list[Contender]:
    model = _model(operator, inputs, constants, outputs, relu, dtype, **attributes)
    if model is None:
        return []
    found = [_onnxruntime(model, inputs, result, threads), _openvino(model, inputs, result, threads)]
    return [c for c in found if c is not None]


def _onnxruntime(model: bytes, inputs: dict[str, Any], result: Any, threads: int) -> Contender | None:
    try:
        import onnxruntime as ort
    except ImportError:
        return None
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return Contender("ONNX Runtime", ort.__version__, lambda: session.run(None, inputs)[0], result)


def _openvino(model: bytes, inputs: dict[str, Any], result: Any, threads: int) -> Contender | None:
    try:
        import openvino as ov
    except ImportError:
        return None
    core = ov.Core()
    compiled = core.compile_model(
        core.read_model(model),
        "CPU",
        {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"},
    )
    request = compiled.create_infer_request()
    tensors = {k: ov.Tensor(v, shared_memory=True) for k, v in inputs.items()}
    for name, tensor in tensors.items():
        request.set_tensor(name, tensor)

    def work() -> Any:
        request.infer()
        return request.get_output_tensor(0).data

    return Contender("OpenVINO", ov.__version__.split("-")[0], work, result)
