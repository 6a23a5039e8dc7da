"""MatrixInferenceLayer on sequences of different lengths: each is what it is when it runs alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.rnn.layers import (
    CHAINS,
    GATES,
    Inference,
    Rng,
    chain,
    compare,
    descriptor,
    flat,
    inference,
    layer,
    nested,
    require,
)
from tests.kernels.rnn.reference import Array, Layer, State, last_state, run, zeros
from tests.support.engine import Engine
from tests.support.frame import Framed

# Of sequences of 7 steps: unsorted and with equal ones, all alike and short, one of them whole, none at all, a single one.
LENGTHS = [[3, 7, 1, 5, 5, 0, 7, 2], [4, 4, 4], [7, 1], [1, 7], [0, 0], [5], [0]]
STEPS = 7


def source(rng: Rng, lengths: Sequence[int], channels: int, dtype: str = "float32", steps: int = STEPS) -> Array:
    """Random sequences; what lies behind their ends is NaN, which whoever reads it passes on."""
    x = rng.uniform(-1, 1, (steps, len(lengths), channels)).astype(dtype)
    for b, n in enumerate(lengths):
        x[n:, b] = np.nan
    return x


def each_alone(
    layers: list[Layer], x: Array, lengths: Sequence[int], mode: str = "none", state: State | None = None
) -> tuple[list[Array], list[list[Array]]]:
    """Outputs, zeros behind each end, and the matrices of the states after each time step."""
    steps, rows = x.shape[:2]
    outputs: list[Array] = []
    states: list[list[Array]] = [[] for _ in range(steps + 1)]  # the last one: those of the ends
    for b, n in enumerate(lengths):
        begin = [
            (h[b : b + 1], None if c is None else c[b : b + 1]) for h, c in (state if state else zeros(layers, rows))
        ]
        ys, after = run(layers, x[:n, b : b + 1], begin, mode)
        end = last_state(layers, after, begin)
        outputs = outputs or [np.zeros((steps, rows, y.shape[2])) for y in ys]
        for total, y in zip(outputs, ys, strict=True):
            total[:n, b] = y[:, 0]
        behind = [begin[i] if k.backward else end[i] for i, k in enumerate(layers)]
        for t in range(steps + 1):
            of_time = after[t] if t < n else end if t == steps else behind
            for k, m in enumerate(flat(of_time)):
                if b == 0:
                    states[t].append(np.zeros((rows, m.shape[1])))
                states[t][k][b] = m[0]
    return outputs, states


def check(
    engine: Engine, rng: Rng, layers: list[Layer], lengths: Sequence[int], dtype: str = "float32", steps: int = STEPS, mode: str = "none"
) -> None:  # fmt: skip
    network = inference(*layers, bidirectional_combine_mode=mode)
    x = source(rng, lengths, layers[0].inputs, dtype, steps)
    require(network, x, sequence_lengths=lengths)
    got = network(x, sequence_lengths=lengths)
    wanted, _ = each_alone(layers, x, lengths, mode)
    for g, w in zip(got if isinstance(got, tuple) else (got,), wanted, strict=True):
        assert (g.shape, g.dtype) == (w.shape, dtype)
        compare(network, g, w, engine)
        for b, n in enumerate(lengths):
            assert not g[n:, b].any()


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("kind", GATES)
def test_each_sequence_is_as_if_alone(engine: Engine, rng: Rng, kind: str, lengths: list[int]) -> None:
    for dtype, backward in (("float32", False), ("float16", True)):
        check(engine, rng, [layer(kind, 5, 19, rng, backward=backward)], lengths, dtype)


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("mode", ["none", "add", "concatenate"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_directions_and_stacks(engine: Engine, rng: Rng, name: str, mode: str, dtype: str) -> None:
    layers = chain(name, rng, outputs=(5, 5 if mode == "add" else 4))
    if mode != "none" and len({d.backward for d in layers}) == 1:
        return
    check(engine, rng, layers, LENGTHS[0], dtype, mode=mode)
    if dtype == "float32":  # more turns than are done at once, several times fewer rows
        check(engine, rng, layers, [90, 3, 140, 17, 140], dtype, 140, mode)


@pytest.mark.parametrize(("kind", "memory"), [("lstm", "diagonal"), ("lstm", "full"), ("gru", "both"), ("gru", "gate")])
def test_memory_weights(engine: Engine, rng: Rng, kind: str, memory: str) -> None:
    for backward in (False, True):
        check(engine, rng, [layer(kind, 3, 18, rng, memory, backward=backward)], LENGTHS[0])


def test_minimally_gated_unit(engine: Engine, rng: Rng) -> None:
    unit = layer("gru", 6, 7, rng, "gate", flip=True)
    for name in ("Wr", "Ur"):
        del unit.sources[name]
    check(engine, rng, [unit], LENGTHS[0])


@pytest.mark.parametrize("kind", GATES)
def test_without_a_product_with_the_source(engine: Engine, rng: Rng, kind: str) -> None:
    for dtype in ("float32", "float16"):
        check(engine, rng, [layer(kind, 19, 19, rng, unit=True, backward=True)], LENGTHS[0], dtype)
    bare = layer(kind, 3, 5, rng)
    check(engine, rng, [Layer(kind, 3, 5, {k: v for k, v in bare.sources.items() if k[0] == "U"})], LENGTHS[0])


@pytest.mark.parametrize("kind", GATES)
def test_many_threads_give_the_same(engine: Engine, rng: Rng, kind: str) -> None:
    threads = mps.num_threads()
    for rows, inputs, outputs in ((60, 40, 90), (9, 60, 140)):
        lengths = rng.integers(0, 12, rows)
        layers = [layer(kind, inputs, outputs, rng), layer(kind, outputs, 20, rng)]
        check(engine, rng, layers, lengths.tolist(), steps=12)
        if engine.is_metal:
            continue
        network = inference(*layers)
        x = source(rng, lengths.tolist(), inputs, steps=12)
        try:
            mps.set_num_threads(1)
            alone = network(x, lengths=lengths)
            mps.set_num_threads(3)
            for _ in range(4):
                np.testing.assert_array_equal(network(x, lengths=lengths), alone)
        finally:
            mps.set_num_threads(threads)


@pytest.mark.parametrize("name", ["stack", "stack-backward", "mixed"])
@pytest.mark.parametrize("stores_all", [False, True])
@pytest.mark.parametrize("lengths", [LENGTHS[0], [2, 2], [0]], ids=str)
def test_states(engine: Engine, rng: Rng, name: str, stores_all: bool, lengths: list[int]) -> None:
    layers = chain(name, rng)
    mode = "concatenate" if name == "mixed" else "none"
    network = inference(*layers, bidirectional_combine_mode=mode, store_all_intermediate_states=stores_all)
    x = source(rng, lengths, 6)
    before = [m + rng.uniform(-1, 1, m.shape).astype(np.float32) for m in flat(zeros(layers, len(lengths)))]
    before = [m.astype(np.float32) for m in before]
    require(network, x, before, lengths, return_state=True)
    for given in (None, before):
        y, after = network(x, given, lengths, return_state=True)
        wanted, states = each_alone(layers, x, lengths, mode, nested(layers, given) if given else None)
        compare(network, y, wanted[0], engine)
        for k, got in enumerate(after):
            want = np.stack([s[k] for s in states[:STEPS]]) if stores_all else states[STEPS][k]
            assert got.dtype == np.float32
            compare(network, got, want, engine)
        np.testing.assert_array_equal(network(x, given, lengths), y)  # asking changes nothing
        if given:
            np.testing.assert_array_equal(network(x, *given, lengths), y)
            np.testing.assert_array_equal(network(x, lengths=lengths, state=given), y)


def test_a_sequence_goes_on_where_it_ended(engine: Engine, rng: Rng) -> None:
    network = inference(layer("lstm", 4, 9, rng))
    lengths = np.array([6, 2, 0, 5])
    x = source(rng, lengths.tolist(), 4, steps=6)
    require(network, x, sequence_lengths=lengths, return_state=True)
    whole, end = network(x, sequence_lengths=lengths, return_state=True)
    first, state = network(x[:4], sequence_lengths=np.minimum(lengths, 4), return_state=True)
    second, state = network(x[4:], state, np.maximum(lengths - 4, 0), return_state=True)
    compare(network, np.concatenate([first, second]), whole.astype(np.float64), engine)
    for a, b in zip(state, end, strict=True):
        compare(network, a, b.astype(np.float64), engine)


def test_outputs_into_given_memory(engine: Engine, rng: Rng) -> None:
    layers, lengths = chain("two", rng, outputs=(5, 18)), LENGTHS[0]
    x = source(rng, lengths, 6)
    rows = len(lengths)
    wanted, states = each_alone(layers, x, lengths)
    for mode, dtype in (("concatenate", "float32"), ("concatenate", "float16"), ("none", "float32")):
        network = inference(*layers, bidirectional_combine_mode=mode)
        frames = [
            Framed((STEPS, rows, c), dtype, 2, fill=0x7F) for c in ((23,) if mode == "concatenate" else (5, 18))
        ]  # fill makes NaN
        framed_states = [Framed((rows, c), "float32", 1) for c in (5, 5, 18, 18)]
        framed = Framed(x.shape, "float32", 2)
        framed.array[...] = x
        require(network, framed.array, lengths=lengths)
        both = tuple(f.array for f in [*frames, *framed_states])
        assert network(framed.array, lengths=lengths, out=both, return_state=True) is both
        results = [np.concatenate(wanted, axis=2)] if mode == "concatenate" else wanted
        for frame, w in zip([*frames, *framed_states], [*results, *states[STEPS]], strict=True):
            compare(network, frame.array, w, engine)
            frame.check()
        framed.check()


def test_whole_sequences_are_as_without_lengths(engine: Engine, rng: Rng) -> None:
    network = inference(*chain("mixed", rng), bidirectional_combine_mode="add")
    x = rng.uniform(-1, 1, (4, 3, 6)).astype(np.float32)
    require(network, x)
    np.testing.assert_array_equal(network(x, lengths=[4, 4, 4]), network(x, lengths=None))
    np.testing.assert_array_equal(network(x[0], lengths=[1, 1, 1]), network(x[0]))
    one = network(x[0], lengths=[1, 0, 1])
    assert one.shape == (3, 5)
    np.testing.assert_array_equal(one[1], np.zeros(5))
    assert network(x[:0], lengths=[0, 0, 0]).shape == (0, 3, 5)
    assert network(x[:, :0], lengths=[]).shape == (4, 0, 5)


def test_lengths_are_any_integers(engine: Engine, rng: Rng) -> None:
    network = inference(layer("gru", 6, 5, rng))
    lengths = [3, 0, 4]
    x = source(rng, lengths, 6, steps=4)
    require(network, x, lengths=lengths)
    y = network(x, sequence_lengths=lengths)
    vector = mps.Vector(np.array(lengths, np.int32))
    for given in (
        tuple(lengths), [np.int64(3), 0, np.uint8(4)], np.array(lengths), np.array(lengths, np.uint8), np.array([3, 9, 0, 9, 4])[::2],
        np.array(lengths, ">i4"), vector,
    ):  # fmt: skip
        np.testing.assert_array_equal(network(x, lengths=given), y)
    m = network(mps.Matrix(x), lengths=lengths)
    assert isinstance(m, mps.Matrix)
    np.testing.assert_array_equal(np.asarray(m), y)
    assert isinstance(network(x, lengths=vector), np.ndarray)  # what the lengths are in says nothing


def test_command_buffers_take_lengths_as_they_are_when_given(engine: Engine, rng: Rng) -> None:
    network = inference(layer("lstm", 6, 5, rng))
    lengths = np.array([3, 1, 4])
    x = source(rng, lengths.tolist(), 6, steps=4)
    require(network, x, lengths=lengths, return_state=True)
    wanted = network(x, lengths=lengths)
    with mps.device(engine.device).command_buffer() as cb:
        first, state = network.encode(cb, x[:2], lengths=np.minimum(lengths, 2), return_state=True, temporary=False)
        rest = np.maximum(lengths - 2, 0)
        second = network.encode(cb, x[2:], state, rest, temporary=False)
        rest[:] = 2
    compare(network, np.concatenate([first, second]), wanted.astype(np.float64), engine)
    with (
        mps.device(engine.device).command_buffer() as cb,
        pytest.raises(TypeError, match=r"sequence_lengths is a TemporaryVector; allowed: integers that are there when the call is made"),
    ):  # fmt: skip
        network.encode(cb, x, lengths=cb.temporary_vector(length=3, dtype="int32"))


def test_lengths_that_are_refused(engine: Engine, rng: Rng) -> None:
    network = inference(layer("lstm", 6, 5, rng))
    x = np.zeros((4, 3, 6), np.float32)
    h = np.zeros((3, 5), np.float32)
    require(network, x)
    cases: list[tuple[type[Exception], str, Any]] = [
        (ValueError, r"sequence_lengths has 2 numbers; allowed: 3, the rows of the source", [4, 4]),
        (ValueError, r"sequence_lengths has 4 numbers; allowed: 3", np.array([4, 4, 4, 4])),
        (ValueError, r"sequence_lengths has 0 numbers; allowed: 3", []),
        (ValueError, r"sequence_lengths\[1\] is -1; allowed: 0 <= sequence_lengths <= 4, the time steps", [4, -1, 4]),
        (ValueError, r"sequence_lengths\[2\] is 5; allowed: 0 <= sequence_lengths <= 4", np.array([0, 4, 5])),
        (ValueError, r"sequence_lengths\[0\] is 4294967300; allowed: -?2", [2**32 + 4, 4, 4]),
        (TypeError, r"sequence_lengths\[1\] is 2.0 \(float\); allowed: an integer", [4, 2.0, 4]),
        (TypeError, r"sequence_lengths\[1\] is True \(bool\); allowed: an integer", [4, True, 4]),
        (TypeError, r"sequence_lengths is .*; allowed: integers. Pass a list of int", np.array([4.0, 4, 4])),
        (TypeError, r"sequence_lengths is .*; allowed: integers", np.array([True, True, True])),
        (TypeError, r"sequence_lengths is 'abc' \(str\); allowed: integers", "abc"),
        (ValueError, r"sequence_lengths is 4; allowed: integers in a row", 4),
        (ValueError, r"sequence_lengths is .*; allowed: integers in a row", np.array([[4, 4, 4]])),
    ]  # fmt: skip
    for error, text, given in cases:
        for work in (network, network.submit):
            with pytest.raises(error, match=text):
                work(x, lengths=given)
    with pytest.raises(ValueError, match=r"recurrent_input_state has 1 matrices; allowed: 2, or none"):
        network(x, h, None, [4, 4, 4])
    with pytest.raises(ValueError, match=r"recurrent_input_state has 1 matrices; allowed: 2, or none"):
        network(x, (None, h), [4, 4, 4])
    with pytest.raises(TypeError, match=r"lengths is given twice"):
        network(x, (h, h), [4, 4, 4], lengths=[4, 4, 4])
    with pytest.raises(TypeError, match=r"unknown keyword 'sequence_length'.*Did you mean 'sequence_lengths'"):
        network(x, sequence_length=[4, 4, 4])


def test_lengths_are_no_part_of_the_layer(engine: Engine, rng: Rng) -> None:
    d = layer("single", 3, 4, rng)
    with pytest.raises(TypeError, match=r"sequence_lengths"):
        Inference(descriptor(d), sequence_lengths=[1])
    network = inference(d)
    x = source(rng, [2, 1], 3, steps=2)
    require(network, x, lengths=[2, 1])
    np.testing.assert_array_equal(network(x[:, ::-1].copy(), lengths=[1, 2])[:, ::-1], network(x, lengths=[2, 1]))
