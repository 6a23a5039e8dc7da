#include "kernels/common/rnn_cell.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::rnn {
namespace {

using SourceRole = SourceOf::Role;

class Loader {
 public:
  Loader(const Descriptor& d, std::span<const SourceOf> sources) : d_(d), sources_(sources) {}

  Gate gate(const Weights& input, const Weights& recurrent, const Weights& memory) const {
    Gate g;
    if (input) {
      g.input = matrix(input, &g.bias);
      if (const auto& neuron = (*input)->descriptor().neuron) g.neuron = neuron->resolved();
      g.slopes.assign(g.neuron.slopes.begin(), g.neuron.slopes.end());
      g.neuron.slopes = {};
    }
    if (d_.use_layer_input_unit_transform_mode) g.input.clear();
    g.recurrent = matrix(recurrent);
    g.memory = matrix(memory);
    return g;
  }

 private:
  std::vector<float> matrix(const Weights& weights, std::vector<float>* bias = nullptr) const {
    std::vector<float> out;
    if (!weights) return out;
    const cnn::DataSource& source = *weights->source;
    cnn::with_weights(source, [&](const cnn::WeightsView& view) {
      for (const SourceOf& s : sources_)
        if (&s.weights == &weights) require_no_bias(s, view);
      if (bias) bias->assign(view.bias.begin(), view.bias.end());
      out = cnn::dequantized(view, source.descriptor());
    });
    if (!d_.use_float32_weights)
      for (float& w : out) w = half_to_float(float_to_half(w));
    return out;
  }

  const Descriptor& d_;
  std::span<const SourceOf> sources_;
};

Cell load(const SingleGateDescriptor& d) {
  const auto sources = d.sources();
  const Loader loader(d, sources);
  Cell c{Cell::Kind::single_gate, d, {}, false, {}, 1, false};
  c.gates.push_back(loader.gate(d.input_weights, d.recurrent_weights, {}));
  return c;
}

Cell load(const GRUDescriptor& d) {
  const auto sources = d.sources();
  const Loader loader(d, sources);
  Cell c{Cell::Kind::gru, d, {}, false, {}, d.gate_pnorm_value, d.flip_output_gates};
  c.gates.push_back(loader.gate(d.input_gate_input_weights, d.input_gate_recurrent_weights, {}));
  c.gates.push_back(loader.gate(d.recurrent_gate_input_weights, d.recurrent_gate_recurrent_weights, {}));
  c.gates.push_back(loader.gate(d.output_gate_input_weights, d.output_gate_recurrent_weights, d.output_gate_input_gate_weights));
  return c;
}

Cell load(const LSTMDescriptor& d) {
  const auto sources = d.sources();
  const Loader loader(d, sources);
  Cell c{Cell::Kind::lstm, d, {}, d.memory_weights_are_diagonal, d.cell_to_output_neuron(), 1, false};
  c.gates.push_back(loader.gate(d.input_gate_input_weights, d.input_gate_recurrent_weights, d.input_gate_memory_weights));
  c.gates.push_back(loader.gate(d.forget_gate_input_weights, d.forget_gate_recurrent_weights, d.forget_gate_memory_weights));
  c.gates.push_back(loader.gate(d.cell_gate_input_weights, d.cell_gate_recurrent_weights, d.cell_gate_memory_weights));
  c.gates.push_back(loader.gate(d.output_gate_input_weights, d.output_gate_recurrent_weights, d.output_gate_memory_weights));
  return c;
}

}  // namespace

const Descriptor& base_of(const AnyDescriptor& d) {
  return std::visit([](const auto& one) -> const Descriptor& { return one; }, d);
}

void require_no_bias(const SourceOf& s, const cnn::WeightsView& view) {
  if (s.role == SourceRole::input || view.bias.empty()) return;
  throw ValueError(cat("MatrixInferenceLayer: ", s.field, " has a bias; allowed: none, a gate has one bias. Add it to that of the gate's input weights."));
}

Cell load_cell(const AnyDescriptor& d) {
  return std::visit([](const auto& one) { return load(one); }, d);
}

}  // namespace mpskit::rnn
