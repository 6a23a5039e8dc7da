#pragma once
// What a step does after its products: neurons, memory cell, output. Rows of one block.
#include "cpu/cnn/neuron.inl"
#include "cpu/simd/math.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

struct BlockOfRows {
  const PackedCell& cell;
  float* tile;                // of row `first`: block_columns() a row
  std::int64_t first, count;  // rows
  std::int64_t unit, some;    // first output, and how many are no padding
  const CellState& state;
  float *before, *after;      // h of row 0

  // True when h is there.
  bool finish(std::size_t phase) const {
    switch (cell.kind) {
      case Cell::Kind::single_gate: single_gate(); break;
      case Cell::Kind::gru:
        if (phase == 0) {
          gru_gates();
          return false;
        }
        gru_output();
        break;
      case Cell::Kind::lstm:
        if (cell.is_usual) usual_lstm();
        else if (phase == 0) lstm_memory();
        if (phase == 0 && cell.finishes_late) return false;
        if (!cell.is_usual) lstm_output();
        break;
    }
    return true;
  }

 private:
  using V = Vec<float>;
  static constexpr std::int64_t lane = lanes<float>;

  float* row(std::int64_t r) const { return tile + (r - first) * cell.block_columns(); }
  float* gate(std::int64_t r, std::int64_t g) const { return row(r) + g * cell.width; }
  const float* h0(std::int64_t r) const { return before + r * state.stride + unit; }
  float* h1(std::int64_t r) const { return after + r * state.stride + unit; }
  float* c(std::int64_t r) const { return state.c + r * cell.units() + unit; }
  const float* peephole(std::size_t g) const { return cell.peepholes[g].empty() ? nullptr : cell.peepholes[g].data() + unit; }

  void apply(const Activation& a, float* values) const {
    cnn::Neuron neuron = a.neuron;
    neuron.slopes = a.slopes;
    apply_neuron(neuron, values, some, unit);
  }
  void add_peephole(std::size_t g, std::int64_t r) const {
    const float* p = peephole(g);
    if (!p) return;
    float* v = gate(r, static_cast<std::int64_t>(g));
    for (std::int64_t u = 0; u < cell.width; u += lane) store(v + u, multiply_add(load<V>(p + u), load<V>(c(r) + u), load<V>(v + u)));
  }
  // f(u) for each register of outputs.
  template <class F>
  MPSKIT_INLINE void each(F&& f) const {
    for (std::int64_t u = 0; u < cell.width; u += lane) f(u);
  }
  // Matrices of the next phase or step read whole rows where more follows behind the padding: it must stay zero.
  void clear_padding(float* values) const { std::fill(values + some, values + cell.width, 0.0f); }

  void single_gate() const {
    for (std::int64_t r = first; r < first + count; ++r) {
      float *v = row(r), *out = h1(r);
      if (cell.is_usual) {
        each([&](std::int64_t u) { store(out + u, tanh(load<V>(v + u))); });
      } else {
        apply(cell.neurons[0], v);
        std::memcpy(out, v, static_cast<std::size_t>(some) * sizeof(float));
      }
    }
  }

  void gru_gates() const {
    for (std::int64_t r = first; r < first + count; ++r) {
      float *z = gate(r, 0), *s = gate(r, 1), *gated = state.gated + r * state.gated_stride + unit;
      if (!cell.is_usual) {
        apply(cell.neurons[0], z);
        apply(cell.neurons[1], s);
      }
      each([&](std::int64_t u) {
        V zs = load<V>(z + u), rs = load<V>(s + u);
        if (cell.is_usual) {
          zs = logistic(zs);
          rs = logistic(rs);
          store(z + u, zs);
        }
        store(gated + u, rs * load<V>(h0(r) + u));
      });
      if (cell.phases[1].terms <= cell.units()) continue;
      clear_padding(gated);
      float* also = gated + cell.units();
      for (std::int64_t u = 0; u < some; ++u) also[u] = z[u] * h0(r)[u];
    }
  }
  void gru_output() const {
    for (std::int64_t r = first; r < first + count; ++r) {
      float *z = gate(r, 0), *n = gate(r, 2), *out = h1(r);
      if (!cell.is_usual) {
        apply(cell.neurons[2], n);
        if (cell.pnorm != 1) {
          const double p = cell.pnorm;
          float* rest = gate(r, 1);  // the reset gate has done its work
          for (std::int64_t u = 0; u < some; ++u) rest[u] = static_cast<float>(std::pow(1 - std::pow(double{z[u]}, p), 1 / p));
        }
      }
      each([&](std::int64_t u) {
        const V zs = load<V>(z + u), old = load<V>(h0(r) + u);
        V ns = load<V>(n + u);
        if (cell.is_usual) ns = tanh(ns);
        const V rest = cell.pnorm == 1 ? 1.0f - zs : load<V>(gate(r, 1) + u);
        store(out + u, cell.flips_outputs ? multiply_add(rest, old, zs * ns) : multiply_add(rest, ns, zs * old));
      });
    }
  }

  void usual_lstm() const {
    const float *pi = peephole(0), *pf = peephole(1), *pg = peephole(2), *po = peephole(3);
    for (std::int64_t r = first; r < first + count; ++r) {
      const float *i = gate(r, 0), *f = gate(r, 1), *g = gate(r, 2), *o = gate(r, 3);
      float *memory = c(r), *out = h1(r);
      each([&](std::int64_t u) {
        const V old = load<V>(memory + u);
        const auto sum = [u](const float* v, const float* peep, V seen) {
          return peep ? multiply_add(load<V>(peep + u), seen, load<V>(v + u)) : load<V>(v + u);
        };
        const V now = multiply_add(logistic(sum(f, pf, old)), old, logistic(sum(i, pi, old)) * tanh(sum(g, pg, old)));
        store(memory + u, now);
        store(out + u, logistic(sum(o, po, now)) * tanh(now));
      });
      show_memory_cell(r);
    }
  }
  void lstm_memory() const {
    for (std::int64_t r = first; r < first + count; ++r) {
      for (std::size_t g = 0; g < 3; ++g) {
        add_peephole(g, r);
        apply(cell.neurons[g], gate(r, static_cast<std::int64_t>(g)));
      }
      const float *i = gate(r, 0), *f = gate(r, 1), *g = gate(r, 2);
      float* memory = c(r);
      each([&](std::int64_t u) { store(memory + u, multiply_add(load<V>(f + u), load<V>(memory + u), load<V>(i + u) * load<V>(g + u))); });
      clear_padding(memory);
      show_memory_cell(r);
    }
  }
  void lstm_output() const {
    for (std::int64_t r = first; r < first + count; ++r) {
      add_peephole(3, r);
      float *o = gate(r, 3), *out = h1(r);
      apply(cell.neurons[3], o);
      std::memcpy(out, c(r), static_cast<std::size_t>(cell.width) * sizeof(float));
      apply(cell.cell_to_output, out);
      each([&](std::int64_t u) { store(out + u, load<V>(out + u) * load<V>(o + u)); });
      clear_padding(out);
    }
  }
  void show_memory_cell(std::int64_t r) const {
    if (!cell.sees_memory_cell) return;
    std::memcpy(after + r * state.stride + cell.units() + unit, c(r), static_cast<std::size_t>(some) * sizeof(float));
    clear_padding(h1(r));
  }
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA
