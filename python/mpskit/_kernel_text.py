"""Chains of kernels written as text, as on the command line."""

from __future__ import annotations

import ast
from typing import Any

__all__ = ["parse"]


def parse(text: str) -> list[Any]:
    """Kernels out of their text: "gaussian_blur(sigma=2) | lanczos_scale(width=299, height=299)".

    Names are those of mps.image, in snake_case or as the classes are called; parameters are Python literals.

    Raises
    ------
    ValueError
        The text is no chain of kernels; the message names the part and the nearest kernel.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        why = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        raise ValueError(
            f"pipeline: {text!r} is not a chain of kernels ({why}); allowed: name(key=value) | name(key=value)."
        ) from None
    stages: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        stages.append(node.right)
        node = node.left
    stages.append(node)
    kernels = _kernels_by_name()
    return [_kernel(stage, kernels) for stage in reversed(stages)]


def _kernels_by_name() -> dict[str, Any]:
    """Those that take one picture and give one result; that it is no picture is said by whoever wants one."""
    from . import image

    found: dict[str, Any] = {}
    for name in image.__all__:
        kernel = getattr(image, name)
        operands = kernel._descriptor["operands"]
        if [(o["role"], o["count"]) for o in operands] == [("input", "one"), ("output", "one")]:
            found["".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")] = kernel
    return found


def _kernel(node: ast.expr, kernels: dict[str, Any]) -> Any:
    call = node if isinstance(node, ast.Call) else None
    name_node = call.func if call else node
    if not isinstance(name_node, ast.Name) or (call and call.args):
        raise ValueError(
            f"pipeline: {ast.unparse(node)!r} is not a kernel; allowed: name(key=value), with keywords only."
            + _with_keyword(call, kernels)
        )
    kernel = kernels.get(name_node.id) or {k.__name__: k for k in kernels.values()}.get(name_node.id)
    if kernel is None:
        import difflib

        given = name_node.id.lower()
        near = [k for k in kernels if given in k] or difflib.get_close_matches(given, kernels, 1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ValueError(f"pipeline: there is no kernel '{name_node.id}'; allowed: {', '.join(kernels)}.{hint}")
    arguments: dict[str, Any] = {}
    for keyword in call.keywords if call else ():
        if keyword.arg is None:
            raise ValueError(f"pipeline: {ast.unparse(node)!r} holds **; allowed: name(key=value).")
        try:
            arguments[keyword.arg] = ast.literal_eval(keyword.value)
        except (ValueError, TypeError):
            raise ValueError(
                f"pipeline: {keyword.arg}={ast.unparse(keyword.value)} is not a literal; allowed: numbers, strings in quotes, "
                "tuples, True, False, None."
            ) from None
    return kernel(**arguments)


def _with_keyword(call: ast.Call | None, kernels: dict[str, Any]) -> str:
    """How to write gaussian_blur(2)."""
    if call is None or not isinstance(call.func, ast.Name) or call.func.id not in kernels or len(call.args) != 1:
        return ""
    fields = kernels[call.func.id]._descriptor["fields"]
    return f" Write {call.func.id}({fields[0]['name']}={ast.unparse(call.args[0])})." if fields else ""
