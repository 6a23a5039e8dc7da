#pragma once
// A recurrent layer's weights in the form of the matrix core.
//
// Outputs are in blocks of `width`. A block's columns are its outputs for the first gate, then for the second and so on: one task
// multiplies them all, and has what it needs to finish its outputs. With 4 gates a block is one register of outputs after the other
// for each gate; with fewer gates it is wider, so that enough sums are in flight when there is one row.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using rnn::Cell;

struct Activation {
  cnn::Neuron neuron;         // without slopes
  std::vector<float> slopes;  // of outputs in their order
  bool is(cnn::NeuronType t) const { return neuron.type == t; }
  bool is_plain_tanh() const { return is(cnn::NeuronType::tanh) && neuron.a == 1 && neuron.b == 1; }
};

// What some gates add in one phase of a step: rows of h, or of what a phase before made, times weights.
struct RecurrentProduct {
  PackedB weights;
  std::int64_t first_gate = 0, gates = 0;
  std::int64_t terms = 0;  // 0: nothing is added
};

struct PackedCell {
  Cell::Kind kind;
  std::int64_t inputs, outputs, gates, width, blocks;
  bool copies_input;           // the source itself is what each gate adds
  PackedB input;               // empty: nothing is multiplied with the source
  std::vector<float> bias;     // blocks * block_columns(), or none
  std::vector<RecurrentProduct> phases;
  std::array<std::vector<float>, 4> peepholes;  // diagonal, one for each gate, padded to whole blocks; or none
  std::vector<Activation> neurons;
  Activation cell_to_output;
  bool is_usual;  // sigmoids, and tanh for what they gate
  bool sees_memory_cell = false;  // an LSTM with memory matrices: h is followed by the memory cell
  bool finishes_late = false;     // an LSTM whose output gate multiplies the new memory cell with a matrix
  float pnorm;
  bool flips_outputs;

  std::int64_t units() const { return blocks * width; }  // outputs, padded
  std::int64_t block_columns() const { return gates * width; }

  explicit PackedCell(const Cell& cell)
      : kind(cell.kind),
        inputs(cell.descriptor.input_feature_channels),
        outputs(cell.descriptor.output_feature_channels),
        gates(static_cast<std::int64_t>(cell.gates.size())),
        width(panel_columns * (gates == 4 ? 1 : gates == 3 ? 2 : 4)),
        blocks((outputs + width - 1) / width),
        copies_input(cell.descriptor.use_layer_input_unit_transform_mode),
        cell_to_output{cell.cell_to_output, {}},
        pnorm(cell.pnorm),
        flips_outputs(cell.flips_outputs) {
    std::vector<const std::vector<float>*> matrices;
    for (const rnn::Gate& g : cell.gates) {
      matrices.push_back(&g.input);
      neurons.push_back({g.neuron, g.slopes});
      if (!g.bias.empty() && bias.empty()) bias.assign(static_cast<std::size_t>(blocks * block_columns()), 0.0f);
    }
    input = pack({matrices}, {inputs});
    if (!bias.empty())
      for (std::int64_t g = 0; g < gates; ++g) {
        const std::vector<float>& b = cell.gates[static_cast<std::size_t>(g)].bias;
        for (std::size_t o = 0; o < b.size(); ++o) bias[static_cast<std::size_t>(column(static_cast<std::int64_t>(o), g))] = b[o];
      }
    using cnn::NeuronType;
    switch (kind) {
      case Cell::Kind::single_gate:
        phases.push_back(phase(cell, 0, 1));
        is_usual = neurons[0].is_plain_tanh();
        break;
      case Cell::Kind::gru:
        phases.push_back(phase(cell, 0, 2));
        phases.push_back(candidate(cell.gates[2]));
        is_usual = neurons[0].is(NeuronType::sigmoid) && neurons[1].is(NeuronType::sigmoid) && neurons[2].is_plain_tanh() && pnorm == 1;
        break;
      case Cell::Kind::lstm: memory(cell); break;
    }
  }

 private:
  std::int64_t column(std::int64_t output, std::int64_t gate) const {
    return output / width * block_columns() + gate * width + output % width;
  }

  // Matrices side by side along the terms, for each the gates' own (empty: zeros), of so many terms; `starts` where padding lies
  // between them.
  PackedB pack(const std::vector<std::vector<const std::vector<float>*>>& parts, const std::vector<std::int64_t>& lengths) const {
    std::int64_t terms = 0;
    bool is_zero = true, fits_half = true;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      terms += p + 1 < parts.size() ? units() : lengths[p];
      for (const std::vector<float>* m : parts[p]) {
        is_zero = is_zero && m->empty();
        fits_half = fits_half && std::all_of(m->begin(), m->end(), [](float w) { return half_to_float(float_to_half(w)) == w; });
      }
    }
    if (is_zero) return {};
    const auto count = static_cast<std::int64_t>(parts[0].size());
    const std::int64_t columns = blocks * count * width;
    const auto rows = [&]<class T>(T, auto convert) {
      std::vector<T> all(static_cast<std::size_t>(columns * terms), T{});
      std::int64_t begin = 0;
      for (std::size_t p = 0; p < parts.size(); begin += units(), ++p)
        for (std::int64_t g = 0; g < count; ++g) {
          const std::vector<float>& m = *parts[p][static_cast<std::size_t>(g)];
          for (std::int64_t o = 0; !m.empty() && o < outputs; ++o) {
            const float* from = m.data() + o * lengths[p];
            T* to = all.data() + (o / width * count * width + g * width + o % width) * terms + begin;
            std::transform(from, from + lengths[p], to, convert);
          }
        }
      return pack_b({all.data(), std::is_same_v<T, float> ? DType::f32 : DType::f16, terms * static_cast<std::int64_t>(sizeof(T)), true}, terms, columns, false);
    };
    // Weights that are float16 all the same, as they came or by rounding, are half the bytes to stream.
    if (fits_half) return rows(std::uint16_t{}, [](float w) { return float_to_half(w); });
    return rows(float{}, [](float w) { return w; });
  }

  RecurrentProduct product(std::int64_t first_gate, PackedB weights) const {
    RecurrentProduct out{std::move(weights), first_gate, 0, 0};
    if (out.weights.is_empty()) return out;
    out.terms = out.weights.k();
    out.gates = out.weights.n() / (blocks * width);
    return out;
  }
  RecurrentProduct phase(const Cell& cell, std::size_t first, std::size_t count) const {
    std::vector<const std::vector<float>*> matrices;
    for (std::size_t g = first; g < first + count; ++g) matrices.push_back(&cell.gates[g].recurrent);
    return product(static_cast<std::int64_t>(first), pack({matrices}, {outputs}));
  }
  RecurrentProduct candidate(const rnn::Gate& g) const {
    if (g.memory.empty()) return product(2, pack({{&g.recurrent}}, {outputs}));
    return product(2, pack({{&g.recurrent}, {&g.memory}}, {outputs, outputs}));
  }
  void memory(const Cell& cell) {
    using cnn::NeuronType;
    const bool has_any = std::any_of(cell.gates.begin(), cell.gates.end(), [](const rnn::Gate& g) { return !g.memory.empty(); });
    if (has_any && cell.memory_is_diagonal) {
      for (std::size_t g = 0; g < 4; ++g) {
        peepholes[g] = cell.gates[g].memory;
        if (!peepholes[g].empty()) peepholes[g].resize(static_cast<std::size_t>(units()), 0.0f);
      }
    }
    if (has_any && !cell.memory_is_diagonal) {
      sees_memory_cell = true;
      finishes_late = !cell.gates[3].memory.empty();
      const std::vector<float> none;
      std::vector<const std::vector<float>*> recurrent, old_cell;
      for (std::size_t g = 0; g < 4; ++g) {
        recurrent.push_back(&cell.gates[g].recurrent);
        old_cell.push_back(g == 3 ? &none : &cell.gates[g].memory);  // the output gate sees the new one
      }
      phases.push_back(product(0, pack({recurrent, old_cell}, {outputs, outputs})));
      if (finishes_late) phases.push_back(product(3, pack({{&cell.gates[3].memory}}, {outputs})));
    } else {
      phases.push_back(phase(cell, 0, 4));
    }
    is_usual = neurons[0].is(NeuronType::sigmoid) && neurons[1].is(NeuronType::sigmoid) && neurons[2].is_plain_tanh() &&
               neurons[3].is(NeuronType::sigmoid) && cell_to_output.is_plain_tanh() && !finishes_late;
  }
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA
