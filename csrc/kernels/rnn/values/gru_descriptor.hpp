#pragma once
#include "core/value.hpp"
#include "kernels/common/rnn_descriptor.hpp"

namespace mpskit::rnn {

struct GRUDescriptor : Descriptor {
  Weights input_gate_input_weights, input_gate_recurrent_weights;
  Weights recurrent_gate_input_weights, recurrent_gate_recurrent_weights;
  Weights output_gate_input_weights, output_gate_recurrent_weights, output_gate_input_gate_weights;
  float gate_pnorm_value = 1;
  bool flip_output_gates = false;
  bool operator==(const GRUDescriptor&) const = default;

  static constexpr KernelInfo info{
      "GRUDescriptor", "A gated recurrent unit, or with other settings a minimal gated unit.", "MPSGRUDescriptor, in MPSRNNLayer.h",
      "z = gz(Wz x + Uz h0 + bz), r = gr(Wr x + Ur h0 + br), h = gh(Wh x + Uh (r * h0) + Vh (z * h0) + bh); then "
      "h1 = (1 - z**p)**(1/p) * h + z * h0, or with flip_output_gates h1 = (1 - z**p)**(1/p) * h0 + z * h. z is the input gate (update "
      "gate), r the recurrent gate (reset gate), h the output gate (candidate). The reset gate acts before the product, as in ONNX "
      "with linear_before_reset = 0; PyTorch's GRU has it behind the product and is another function. A minimal gated unit flips its output "
      "gates, has its U as output_gate_input_gate_weights, and neither output_gate_recurrent_weights nor weights of the recurrent "
      "gate. A gate without input weights has no bias and no neuron: it is no sigmoid either. With p other than 1, z must lie in "
      "[0, 1], which a sigmoid sees to."};
  static constexpr auto fields = std::tuple_cat(
      descriptor_fields,
      std::tuple{
          Field{"input_gate_input_weights", &GRUDescriptor::input_gate_input_weights, Range{}, "", "Wz, bz and gz: (output, input), with bias and neuron."},
          Field{"input_gate_recurrent_weights", &GRUDescriptor::input_gate_recurrent_weights, Range{}, "", "Uz: (output, output)."},
          Field{"recurrent_gate_input_weights", &GRUDescriptor::recurrent_gate_input_weights, Range{}, "", "Wr, br and gr: (output, input), with bias and neuron."},
          Field{"recurrent_gate_recurrent_weights", &GRUDescriptor::recurrent_gate_recurrent_weights, Range{}, "", "Ur: (output, output)."},
          Field{"output_gate_input_weights", &GRUDescriptor::output_gate_input_weights, Range{}, "", "Wh, bh and gh: (output, input), with bias and neuron."},
          Field{"output_gate_recurrent_weights", &GRUDescriptor::output_gate_recurrent_weights, Range{}, "", "Uh, which acts on r * h0: (output, output)."},
          Field{"output_gate_input_gate_weights", &GRUDescriptor::output_gate_input_gate_weights, Range{}, "", "Vh, which acts on z * h0: (output, output)."},
          Field{"gate_pnorm_value", &GRUDescriptor::gate_pnorm_value, Range{.min = 0, .open_min = true}, "", "p; 1 is the ordinary unit."},
          Field{"flip_output_gates", &GRUDescriptor::flip_output_gates, Range{}, "", "Exchange the places of the candidate and of the old output."}});
  static constexpr int positional = 2;

  std::array<SourceOf, 7> sources() const {
    using enum SourceOf::Role;
    return {{{"input_gate_input_weights", input_gate_input_weights, input},
             {"input_gate_recurrent_weights", input_gate_recurrent_weights, recurrent},
             {"recurrent_gate_input_weights", recurrent_gate_input_weights, input},
             {"recurrent_gate_recurrent_weights", recurrent_gate_recurrent_weights, recurrent},
             {"output_gate_input_weights", output_gate_input_weights, input},
             {"output_gate_recurrent_weights", output_gate_recurrent_weights, recurrent},
             {"output_gate_input_gate_weights", output_gate_input_gate_weights, memory}}};
  }
  void validate() const { require_sources(info.name, *this, sources()); }
};

}  // namespace mpskit::rnn

MPSKIT_VALUE(rnn, GRUDescriptor)
