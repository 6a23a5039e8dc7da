"""MatrixInferenceLayer against recurrences in float64: cells, options, neurons, directions, stacks, states."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import mpskit as mps
from tests.kernels.rnn.layers import (
    CHAINS,
    GATES,
    NEURON_OF,
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
from tests.kernels.rnn.reference import Array, Layer, Neuron, Source, last_state, run
from tests.support.engine import Engine
from tests.support.frame import Framed

KINDS = pytest.mark.parametrize("kind", GATES)
# (steps, rows, inputs, outputs): one of all, none, a lane and a block more and less, several pieces of rows and of steps.
SIZES = [(1, 1, 1, 1), (0, 3, 4, 5), (2, 1, 5, 7), (3, 7, 9, 16), (4, 17, 33, 31), (3, 2, 64, 65), (2, 1, 40, 129),
         (5, 3, 3, 34), (3, 40, 6, 2), (6, 100, 5, 3), (300, 1, 2, 3)]  # fmt: skip


def check(
    engine: Engine, rng: Rng, layers: Sequence[Layer], steps: int, rows: int, dtype: str = "float32", scale: float = 1.0
) -> None:
    """One call, without states: everything that comes back, against the reference."""
    network = inference(*layers)
    x = (scale * rng.uniform(-1, 1, (steps, rows, layers[0].inputs))).astype(dtype)
    require(network, x)
    outputs, _ = run(list(layers), x)
    got = network(x)
    assert (got.shape, got.dtype) == (outputs[0].shape, dtype)
    compare(network, got, outputs[0], engine)


# The published values of the formulas: two inputs and outputs, one row, two steps. Rows of weights are outputs.
def _a(k: float) -> Array:
    return np.array([[0.1 * k, -0.2], [0.3, 0.05 * k]])


def _c(k: float) -> Array:
    return np.array([[0.2, -0.1 * k], [0.05, 0.1]])


def _golden(kind: str, gates: dict[str, tuple[float, list[float]]], **options: Any) -> Layer:
    sources = {}
    for k, (number, bias) in gates.items():
        sources["W" + k] = Source(
            _a(number).astype(np.float32), np.array(bias, np.float32), NEURON_OF.get(k, ("sigmoid",))
        )
        sources["U" + k] = Source(_c(number).astype(np.float32))
    return Layer(kind, 2, 2, sources, **options)


def _golden_cases() -> dict[str, tuple[Layer, list[float], list[float] | None]]:
    gru = {"z": (1, [0.1, -0.1]), "r": (2, [0, 0.2]), "h": (3, [0.05, 0])}
    lstm = {"i": (1, [0.1, -0.1]), "f": (2, [1, 1]), "c": (3, [0.05, 0]), "o": (4, [0, 0.2])}
    mgu = _golden("gru", {k: gru[k] for k in "zh"}, flip=True)  # type: ignore[arg-type]
    mgu.sources["Vh"] = mgu.sources.pop("Uh")
    peep = _golden("lstm", lstm)  # type: ignore[arg-type]
    for k, v in {"i": [0.1, 0.2], "f": [-0.1, 0.3], "o": [0.2, -0.2], "c": [0.05, 0.05]}.items():
        peep.sources["V" + k] = Source(np.array(v, np.float32))
    return {
        "single": (_golden("single", {"": (1, [0.1, -0.1])}), [-0.1973753202, 0.2913126125, -0.1670265679, -0.3414540021], None),
        "gru": (_golden("gru", gru), [-0.0274688130, 0.2285454621, -0.2086251901, -0.0297224753], None),  # type: ignore[arg-type]
        "gru-flip": (_golden("gru", gru, flip=True), [-0.0224895620, 0.3085041049, -0.1882033334, 0.0947506225], None),  # type: ignore[arg-type]
        "gru-p2": (_golden("gru", gru, p=2.0), [-0.0446100754, 0.4395991977, -0.3721059691, 0.0006559348], None),  # type: ignore[arg-type]
        "mgu": (mgu, [-0.0224895620, 0.3085041049, -0.1853238348, 0.0937417373], None),
        "lstm": (_golden("lstm", lstm), [-0.0112428856, 0.2126276593, -0.0703271152, 0.0642259097], [-0.1994579029, 0.1278276801]),  # type: ignore[arg-type]
        "lstm-peepholes": (peep, [-0.0112176009, 0.2087867448, -0.0685445433, 0.0678556275], [-0.1992778815, 0.1370457326]),
    }  # fmt: skip


GOLDEN = _golden_cases()


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_values(engine: Engine, name: str) -> None:
    d, outputs, cell = GOLDEN[name]
    x = np.array([[[1, 2]], [[-1, 0.5]]], np.float32)
    wanted, _ = run([d], x)
    np.testing.assert_allclose(wanted[0].ravel(), outputs, atol=6e-8)  # the reference; weights are float32 here
    network = inference(d)
    require(network, x)
    y, state = network(x, return_state=True)
    np.testing.assert_allclose(y.ravel(), outputs, atol=3e-7)
    np.testing.assert_array_equal(state[0], y[-1])
    if cell is not None:
        np.testing.assert_allclose(state[1].ravel(), cell, atol=3e-7)


@KINDS
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_matches_float64(engine: Engine, rng: Rng, kind: str, dtype: str) -> None:
    for steps, rows, inputs, outputs in SIZES:
        check(engine, rng, [layer(kind, inputs, outputs, rng)], steps, rows, dtype)


@KINDS
def test_many_threads_give_the_same(engine: Engine, rng: Rng, kind: str) -> None:
    threads = mps.num_threads()
    for steps, rows, inputs, outputs in ((9, 20, 90, 300), (40, 1, 200, 210), (5, 200, 300, 20)):
        network = inference(layer(kind, inputs, outputs, rng))
        x = rng.uniform(-1, 1, (steps, rows, inputs)).astype(np.float32)
        require(network, x)
        try:
            mps.set_num_threads(1)
            alone = network(x)
            mps.set_num_threads(3)
            for _ in range(5):
                np.testing.assert_array_equal(network(x), alone)
        finally:
            mps.set_num_threads(threads)


@pytest.mark.parametrize(("kind", "memory"), [("lstm", "diagonal"), ("lstm", "full"), ("gru", "both"), ("gru", "gate")])
def test_memory_weights(engine: Engine, rng: Rng, kind: str, memory: str) -> None:
    for steps, rows, inputs, outputs in ((3, 1, 5, 3), (4, 5, 3, 18), (3, 3, 8, 66)):
        whole = layer(kind, inputs, outputs, rng, memory)
        check(engine, rng, [whole], steps, rows)
        for name in [n for n in whole.sources if n[0] == "V"][:: 1 if outputs < 20 else 3]:
            without = Layer(kind, inputs, outputs, {k: v for k, v in whole.sources.items() if k != name})
            check(engine, rng, [without], steps, rows)


@KINDS
def test_missing_sources_are_zeros_without_neuron(engine: Engine, rng: Rng, kind: str) -> None:
    whole = layer(kind, 6, 5, rng, "full" if kind == "lstm" else "both")
    for name in [*whole.sources, "W", "U", ""]:
        kept = {
            k: v for k, v in whole.sources.items() if k != name and (len(name) != 1 or kind == "single" or k[0] != name)
        }
        check(engine, rng, [Layer(kind, 6, 5, kept if name else {})], 3, 2)
    bare = layer(kind, 6, 5, rng)
    for s in bare.sources.values():
        s.bias = None
    check(engine, rng, [bare], 3, 2)


@KINDS
def test_unit_transform(engine: Engine, rng: Rng, kind: str) -> None:
    for outputs, dtype in ((1, "float32"), (19, "float16"), (70, "float32")):
        d = layer(kind, outputs, outputs, rng, unit=True)
        check(engine, rng, [d], 4, 3, dtype)
        check(
            engine,
            rng,
            [Layer(kind, outputs, outputs, {k: v for k, v in d.sources.items() if k[0] == "U"}, unit=True)],
            2,
            3,
        )


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("p", [1.0, 2.0, 1.5, 0.5])
def test_gru_output(engine: Engine, rng: Rng, p: float, flip: bool) -> None:
    check(engine, rng, [layer("gru", 7, 21, rng, p=p, flip=flip)], 4, 3)


NEURONS: list[Neuron] = [
    ("none",), ("relu",), ("relu", 0.1), ("linear", 0.5, 0.2), ("sigmoid",), ("hard_sigmoid",), ("hard_sigmoid", 0.3, 0.4), ("tanh",),
    ("tanh", 1.7, 0.6), ("absolute",), ("softplus",), ("softplus", 0.7, 1.3), ("softsign",), ("elu",), ("elu", 0.7), ("relun",),
    ("relun", 0.2, 0.5), ("power", 0.1, 1.0, 2.0), ("exponential", 0.5, -1.0), ("exponential", 0.5, -1.0, 2.0), ("logarithm", 0.1, 2.0),
    ("logarithm", 0.1, 2.0, 10.0), ("gelu",), ("prelu",),
]  # fmt: skip


NUMBERS = {"relu": 1, "linear": 2, "hard_sigmoid": 2, "tanh": 2, "softplus": 2, "elu": 1, "prelu": 2, "relun": 2,
           "power": 3, "exponential": 3, "logarithm": 3}  # fmt: skip


@pytest.mark.parametrize("neuron", NEURONS, ids=lambda n: "-".join(map(str, n)))
def test_neurons(engine: Engine, rng: Rng, neuron: Neuron) -> None:
    for kind in GATES:
        d = layer(kind, 4, 19, rng)
        if neuron == ("prelu",):
            neuron = ("prelu", rng.uniform(-1, 1, 19).astype(np.float32))
        for name, s in d.sources.items():
            s.weights = s.weights / 2
            if name[0] == "W" and (kind != "lstm" or name != "Wf"):
                s.neuron = neuron
        if kind == "lstm" and len(neuron) - 1 == NUMBERS.get(neuron[0], 0):  # this one's numbers are 1 by default
            d.out_neuron = neuron
        check(engine, rng, [d], 2, 3)


@KINDS
def test_float16_weights(engine: Engine, rng: Rng, kind: str) -> None:
    d = layer(kind, 40, 33, rng)
    x = rng.uniform(-1, 1, (6, 5, 40)).astype(np.float32)
    rounded = Layer(
        kind, 40, 33, {k: Source(s.weights.astype(np.float16), s.bias, s.neuron) for k, s in d.sources.items()}
    )
    wanted = run([rounded], x)[0][0]
    network = Inference(descriptor(d, use_float32_weights=False))
    require(network, x)
    compare(network, network(x), wanted, engine)
    full = Inference(descriptor(d))(x)
    assert np.abs(full - wanted).max() > 2e-5  # the default keeps float32
    compare(network, Inference(descriptor(rounded))(x), wanted, engine)  # float16 as they come


@KINDS
def test_extreme_sums_saturate(engine: Engine, rng: Rng, kind: str) -> None:
    with np.errstate(over="ignore"):
        check(engine, rng, [layer(kind, 3, 20, rng)], 3, 2, scale=1e5)


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("mode", ["none", "add", "concatenate"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_directions_and_stacks(engine: Engine, rng: Rng, name: str, mode: str, dtype: str) -> None:
    for steps, rows in ((1, 1), (5, 3), (290, 2)):
        layers = chain(name, rng, outputs=(5, 5 if mode == "add" else 4))
        is_both = len({d.backward for d in layers}) == 2
        if mode != "none" and not is_both:
            return
        network = inference(*layers, bidirectional_combine_mode=mode)
        x = rng.uniform(-1, 1, (steps, rows, 6)).astype(dtype)
        require(network, x)
        got = network(x)
        wanted, _ = run(layers, x, mode=mode)
        got = got if is_both and mode == "none" else (got,)
        assert isinstance(got, tuple)
        for g, w in zip(got, wanted, strict=True):
            assert (g.shape, g.dtype) == (w.shape, dtype)
            compare(network, g, w, engine)


@pytest.mark.parametrize("name", ["stack", "stack-backward", "mixed"])
def test_states_go_in_and_come_out(engine: Engine, rng: Rng, name: str) -> None:
    layers = chain(name, rng)
    network = inference(*layers, bidirectional_combine_mode="add" if name == "mixed" else "none")
    mode = network.bidirectional_combine_mode
    for steps in (0, 1, 4):
        x = rng.uniform(-1, 1, (steps, 3, 6)).astype(np.float32)
        before = [
            rng.uniform(-1, 1, (3, d.outputs)).astype(np.float32) for d in layers for _ in range(1 + (d.kind == "lstm"))
        ]
        require(network, x, before, return_state=True)
        y, after = network(x, state=before, return_state=True)
        start = nested(layers, before)
        wanted, states = run(layers, x, start, mode)
        compare(network, y, wanted[0], engine)
        assert isinstance(after, tuple)
        for g, w in zip(after, flat(last_state(layers, states, start)), strict=True):
            assert g.dtype == np.float32
            compare(network, g, w, engine)
        np.testing.assert_array_equal(network(x, state=before), y)  # asking changes nothing
        np.testing.assert_array_equal(network(x, *before), y)
        np.testing.assert_array_equal(network(x, tuple(before)), y)
        np.testing.assert_array_equal(network(source=x, recurrent_input_state=before), y)
        if steps == 0:
            for g, b in zip(after, before, strict=True):
                np.testing.assert_array_equal(g, b)


@KINDS
@pytest.mark.parametrize("backward", [False, True])
def test_parts_of_a_sequence_are_the_whole(engine: Engine, rng: Rng, kind: str, backward: bool) -> None:
    network = inference(layer(kind, 5, 23, rng, backward=backward))
    x = rng.uniform(-1, 1, (9, 3, 5)).astype(np.float32)
    require(network, x, return_state=True)
    whole, end = network(x, return_state=True)
    parts, state = [], None
    for piece in (slice(7, 9), slice(2, 7), slice(0, 2)) if backward else (slice(0, 2), slice(2, 7), slice(7, 9)):
        y, state = network(x[piece], state=state, return_state=True)
        parts.append(y)
    if engine.is_metal:
        compare(network, np.concatenate(parts[:: -1 if backward else 1]), whole.astype(np.float64), engine)
        return
    np.testing.assert_array_equal(np.concatenate(parts[:: -1 if backward else 1]), whole)
    for a, b in zip(state, end, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", CHAINS)
def test_all_intermediate_states(engine: Engine, rng: Rng, name: str) -> None:
    layers = chain(name, rng)
    network = inference(*layers, store_all_intermediate_states=True)
    x = rng.uniform(-1, 1, (270, 2, 6)).astype(np.float32)
    require(network, x, return_state=True)
    *_, states = network(x, return_state=True)
    _, wanted = run(layers, x)
    for k, got in enumerate(states):
        compare(network, got, np.stack([flat(s)[k] for s in wanted]), engine)
    *_, none = network(x[:0], return_state=True)
    assert none[0].shape == (0, 2, layers[0].outputs)
    *_, one = network(x[0], return_state=True)
    assert one[0].shape == (2, layers[0].outputs)


def test_outputs_into_given_memory(engine: Engine, rng: Rng) -> None:
    layers = chain("two", rng, outputs=(5, 18))
    x = rng.uniform(-1, 1, (4, 3, 6)).astype(np.float32)
    wanted, states = run(layers, x)
    for mode, dtype in (("concatenate", "float32"), ("concatenate", "float16"), ("none", "float32")):
        network = inference(*layers, bidirectional_combine_mode=mode)
        columns = (23,) if mode == "concatenate" else (5, 18)
        frames = [Framed((4, 3, c), dtype, 2) for c in columns]
        framed_states = [Framed((3, c), "float32", 1) for c in (5, 5, 18, 18)]
        source = Framed((4, 3, 6), "float32", 2)
        source.array[...] = x
        require(network, source.array)
        out = tuple(f.array for f in frames)
        if len(out) == 1:
            assert network(source.array, out=out[0]) is out[0]
        both = (*out, *(f.array for f in framed_states))
        assert network(source.array, out=both, return_state=True) is both
        results = [np.concatenate(wanted, axis=2)] if mode == "concatenate" else wanted
        for frame, w in zip(frames, results, strict=True):
            compare(network, frame.array, w, engine)
            frame.check()
        for frame, w in zip(framed_states, flat(last_state(layers, states, [])), strict=True):
            compare(network, frame.array, w, engine)
            frame.check()
        source.check()


def test_matrices_and_command_buffers(engine: Engine, rng: Rng) -> None:
    d = layer("lstm", 6, 5, rng)
    network = inference(d)
    x = rng.uniform(-1, 1, (4, 3, 6)).astype(np.float32)
    require(network, x, return_state=True)
    y, (h, c) = network(x, return_state=True)
    m = network(mps.Matrix(x))
    assert isinstance(m, mps.Matrix)
    np.testing.assert_array_equal(np.asarray(m), y)
    with mps.device(engine.device).command_buffer() as cb:
        first, state = network.encode(cb, x[:2], return_state=True)
        second, end = network.encode(cb, x[2:], state=state, return_state=True, temporary=False)
        passing = network.replace(recurrent_output_is_temporary=True)
        _, gone = passing.encode(cb, x[:2], return_state=True)
        third = network.encode(cb, x[2:], state=gone, temporary=False)
    assert isinstance(first, mps.TemporaryMatrix)
    assert isinstance(gone[0], mps.TemporaryMatrix)
    assert isinstance(state[0], np.ndarray)  # outlives the command buffer
    np.testing.assert_array_equal(second, y[2:])
    np.testing.assert_array_equal(third, y[2:])
    for a, b in zip(end, (h, c), strict=True):
        np.testing.assert_array_equal(a, b)
    assert isinstance(passing(x, return_state=True)[1][0], np.ndarray)


def test_dtypes_of_source_and_out(engine: Engine, rng: Rng) -> None:
    network = inference(layer("gru", 6, 5, rng))
    x = rng.uniform(-1, 1, (4, 3, 6)).astype(np.float16)
    require(network, x)
    y = network(x.astype(np.float32))
    assert network(x).dtype == np.float16
    np.testing.assert_array_equal(network(x, dtype="float32"), y)
    out = np.empty((4, 3, 5), np.float16)
    network(x.astype(np.float32), out=out)
    np.testing.assert_array_equal(out, y.astype(np.float16))
    _, (h,) = network(x, return_state=True)
    np.testing.assert_array_equal(h, y[-1])


def test_a_source_is_loaded_once_for_all_shapes(engine: Engine, rng: Rng) -> None:
    d = layer("single", 6, 5, rng)
    events: list[str] = []

    class Counted:
        descriptor = mps.cnn.ConvolutionDescriptor(kernel_size=1, input_feature_channels=6, output_feature_channels=5)
        weights: Array | None = None

        def load(self) -> None:
            events.append("load")
            self.weights = d.sources["W"].weights

        def purge(self) -> None:
            events.append("purge")
            self.weights = None

    network = Inference(mps.rnn.SingleGateDescriptor(6, 5, input_weights=Counted()))
    plain = run(
        [Layer("single", 6, 5, {"W": Source(d.sources["W"].weights)})],
        x := rng.uniform(-1, 1, (4, 3, 6)).astype(np.float32),
    )[0][0]
    require(network, x)
    events.clear()  # a source of Python may be looked at when it is given
    compare(network, network(x), plain, engine)
    compare(network, network(x[:2]), plain[:2], engine)
    if engine.is_metal:
        assert events.count("load") == events.count("purge") > 0
    else:
        assert events == ["load", "purge"]


VALUE_ERRORS: list[tuple[Any, str]] = [
    (lambda: Inference([]), r"rnn_descriptors is \(\); allowed: one or more"),
    (lambda: Inference([mps.rnn.GRUDescriptor(3, 4), mps.rnn.GRUDescriptor(3, 4)]), r"rnn_descriptors\[1\] has 3 input channels, what it is fed has 4"),
    (lambda: Inference(mps.rnn.GRUDescriptor(3, 4), bidirectional_combine_mode="add"), r"all descriptors run forward; allowed: 'none'"),
    (lambda: Inference([mps.rnn.GRUDescriptor(3, 4), mps.rnn.GRUDescriptor(3, 5, layer_sequence_direction="backward")], bidirectional_combine_mode="add"),
     r"the directions have 4 and 5 output channels"),
    (lambda: mps.rnn.LSTMDescriptor(0, 4), r"input_feature_channels is 0; allowed: 1 <= input_feature_channels"),
    (lambda: mps.rnn.GRUDescriptor(3, 4, gate_pnorm_value=0), r"gate_pnorm_value is 0; allowed: 0 < gate_pnorm_value"),
    (lambda: mps.rnn.GRUDescriptor(3, 4, use_layer_input_unit_transform_mode=True), r"allowed: equal channels"),
    (lambda: mps.rnn.LSTMDescriptor(3, 4, input_gate_input_weights=np.zeros((4, 2), np.float32)), r"input_gate_input_weights is \(4, 1, 1, 2\); allowed: \(4, 3\)"),
    (lambda: mps.rnn.LSTMDescriptor(3, 4, forget_gate_recurrent_weights=np.zeros((4, 3), np.float32)), r"forget_gate_recurrent_weights is \(4, 1, 1, 3\); allowed: \(4, 4\)"),
    (lambda: mps.rnn.LSTMDescriptor(3, 4, memory_weights_are_diagonal=True, output_gate_memory_weights=np.zeros((4, 4), np.float32)),
     r"output_gate_memory_weights is \(4, 1, 1, 4\); allowed: \(4, 1\)"),
    (lambda: mps.rnn.LSTMDescriptor(3, 4, cell_gate_recurrent_weights=mps.cnn.ArrayDataSource(np.zeros((4, 4), np.float32), neuron="relu")),
     r"cell_gate_recurrent_weights has the neuron 'relu'; allowed: none"),
    (lambda: mps.rnn.SingleGateDescriptor(3, 4, input_weights=np.zeros((4, 1, 3, 3), np.float32)), r"input_weights is \(4, 1, 3, 3\); allowed: \(4, 3\)"),
    (lambda: mps.rnn.LSTMDescriptor(3, 4, cell_to_output_neuron_type="prelu"), r"cell_to_output_neuron_type is 'prelu'"),
    (lambda: mps.rnn.LSTMDescriptor(3, 4, cell_to_output_neuron_type="logarithm"), r"cell_to_output_neuron_param_c is 1"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "text"), VALUE_ERRORS)
def test_values_that_are_refused(make: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()


def test_types_that_are_refused() -> None:
    with pytest.raises(TypeError, match=r"rnn_descriptors is 5 \(int\); allowed: an LSTMDescriptor"):
        Inference(5)
    with pytest.raises(TypeError, match=r"allowed: an LSTMDescriptor"):
        Inference([mps.rnn.GRUDescriptor(3, 4), mps.cnn.NeuronDescriptor("relu")])
    with pytest.raises(TypeError, match=r"unknown keyword 'input_gate_weights'"):
        mps.rnn.LSTMDescriptor(3, 4, input_gate_weights=None)


def test_calls_that_are_refused(engine: Engine, rng: Rng) -> None:
    network = inference(layer("lstm", 6, 5, rng))
    x = np.zeros((4, 3, 6), np.float32)
    require(network, x)
    h = np.zeros((3, 5), np.float32)
    cases: list[tuple[type[Exception], str, Any]] = [
        (ValueError, r"source is \(4, 3, 5\) float32; allowed: 6 columns", lambda: network(x[..., :5].copy())),
        (TypeError, r"source is float64; allowed: float16, float32", lambda: network(x.astype(np.float64))),
        (ValueError, r"recurrent_input_state has 1 matrices; allowed: 2, or none", lambda: network(x, state=(h,))),
        (ValueError, r"state has 3 items; allowed: 2", lambda: network(x, state=(h, h, h))),
        (ValueError, r"recurrent_input_state\[1\] is \(2, 5\) float32; allowed: \(3, 5\)", lambda: network(x, state=(h, h[:2]))),
        (TypeError, r"recurrent_input_state is float16; allowed: float32", lambda: network(x, state=(h.astype(np.float16), h))),
        (ValueError, r"out is \(4, 3, 4\) float32; allowed: \(4, 3, 5\)", lambda: network(x, out=np.zeros((4, 3, 4), np.float32))),
        (ValueError, r"channels is 4; allowed: none", lambda: network(x, channels=4)),
        (TypeError, r"dtype is uint8; allowed: float32, float16", lambda: network(x, dtype="uint8")),
        (TypeError, r"out is ndarray; allowed: a tuple of 3", lambda: network(x, out=np.zeros((4, 3, 5), np.float32), return_state=True)),
        (TypeError, r"return_state is 1 \(int\); allowed: True or False", lambda: network(x, return_state=1)),
        (TypeError, r"unknown keyword 'states'.*Did you mean 'state'", lambda: network(x, states=(h, h))),
        (ValueError, r"overlaps", lambda: network(x, state=(h, h), out=(np.zeros((4, 3, 5), np.float32), h, np.zeros_like(h)), return_state=True)),
    ]  # fmt: skip
    for error, text, work in cases:
        with pytest.raises(error, match=text):
            work()
    biased = mps.cnn.ArrayDataSource(np.zeros((5, 5), np.float32), bias=np.zeros(5, np.float32))
    with pytest.raises(ValueError, match=r"recurrent_weights has a bias; allowed: none"):
        Inference(mps.rnn.SingleGateDescriptor(6, 5, recurrent_weights=biased))(x)


def test_layers_are_values(rng: Rng) -> None:
    d = descriptor(layer("lstm", 6, 5, rng))
    network = Inference(d, store_all_intermediate_states=True)
    assert (
        network
        == Inference(rnn_descriptors=[d], store_all_intermediate_states=True)
        == Inference(rnn_descriptor=d, store_all_intermediate_states=True)
    )
    assert hash(network) == hash(Inference((d,), store_all_intermediate_states=True))
    assert network != Inference(d)
    assert network.rnn_descriptors == (d,)
    copy = pickle.loads(pickle.dumps(network))
    assert copy == network
    x = np.ones((2, 3, 6), np.float32)
    with mps.device("cpu"):
        np.testing.assert_array_equal(copy(x), network(x))
    assert "GRUDescriptor(input_feature_channels=2, output_feature_channels=3)" in repr(
        Inference(mps.rnn.GRUDescriptor(2, 3))
    )
    assert (network.input_feature_channels, network.output_feature_channels, network.number_of_layers) == (6, 5, 1)
