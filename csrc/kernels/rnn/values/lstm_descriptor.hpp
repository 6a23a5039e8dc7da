#pragma once
#include "core/value.hpp"
#include "kernels/common/rnn_descriptor.hpp"

namespace mpskit::rnn {

struct LSTMDescriptor : Descriptor {
  Weights input_gate_input_weights, input_gate_recurrent_weights, input_gate_memory_weights;
  Weights forget_gate_input_weights, forget_gate_recurrent_weights, forget_gate_memory_weights;
  Weights output_gate_input_weights, output_gate_recurrent_weights, output_gate_memory_weights;
  Weights cell_gate_input_weights, cell_gate_recurrent_weights, cell_gate_memory_weights;
  bool memory_weights_are_diagonal = false;
  cnn::NeuronType cell_to_output_neuron_type = cnn::NeuronType::tanh;
  float cell_to_output_neuron_param_a = 1, cell_to_output_neuron_param_b = 1, cell_to_output_neuron_param_c = 1;
  bool operator==(const LSTMDescriptor&) const = default;

  static constexpr KernelInfo info{
      "LSTMDescriptor", "A long short-term memory.", "MPSLSTMDescriptor, in MPSRNNLayer.h",
      "I = gi(Wi x + Ui h0 + Vi c0 + bi), F = gf(Wf x + Uf h0 + Vf c0 + bf), C = gc(Wc x + Uc h0 + Vc c0 + bc), c1 = F * c0 + I * C, "
      "O = go(Wo x + Uo h0 + Vo c1 + bo), h1 = O * gh(c1). The output gate's memory weights see the new memory cell. Each gate takes "
      "its bias and its neuron from its input weights; without them it has neither, and is no sigmoid. There is one bias a gate: add those "
      "of input and recurrence where a framework has two. Nothing is added to the bias of the forget gate."};
  static constexpr auto fields = std::tuple_cat(
      descriptor_fields,
      std::tuple{
          Field{"input_gate_input_weights", &LSTMDescriptor::input_gate_input_weights, Range{}, "", "Wi, bi and gi: (output, input), with bias and neuron."},
          Field{"input_gate_recurrent_weights", &LSTMDescriptor::input_gate_recurrent_weights, Range{}, "", "Ui: (output, output)."},
          Field{"input_gate_memory_weights", &LSTMDescriptor::input_gate_memory_weights, Range{}, "", "Vi: (output, output), or a column when diagonal."},
          Field{"forget_gate_input_weights", &LSTMDescriptor::forget_gate_input_weights, Range{}, "", "Wf, bf and gf: (output, input), with bias and neuron."},
          Field{"forget_gate_recurrent_weights", &LSTMDescriptor::forget_gate_recurrent_weights, Range{}, "", "Uf: (output, output)."},
          Field{"forget_gate_memory_weights", &LSTMDescriptor::forget_gate_memory_weights, Range{}, "", "Vf: (output, output), or a column when diagonal."},
          Field{"output_gate_input_weights", &LSTMDescriptor::output_gate_input_weights, Range{}, "", "Wo, bo and go: (output, input), with bias and neuron."},
          Field{"output_gate_recurrent_weights", &LSTMDescriptor::output_gate_recurrent_weights, Range{}, "", "Uo: (output, output)."},
          Field{"output_gate_memory_weights", &LSTMDescriptor::output_gate_memory_weights, Range{}, "", "Vo: (output, output), or a column when diagonal."},
          Field{"cell_gate_input_weights", &LSTMDescriptor::cell_gate_input_weights, Range{}, "", "Wc, bc and gc: (output, input), with bias and neuron."},
          Field{"cell_gate_recurrent_weights", &LSTMDescriptor::cell_gate_recurrent_weights, Range{}, "", "Uc: (output, output)."},
          Field{"cell_gate_memory_weights", &LSTMDescriptor::cell_gate_memory_weights, Range{}, "", "Vc: (output, output), or a column when diagonal."},
          Field{"memory_weights_are_diagonal", &LSTMDescriptor::memory_weights_are_diagonal, Range{}, "", "Memory weights are one number for each channel: peepholes."},
          Field{"cell_to_output_neuron_type", &LSTMDescriptor::cell_to_output_neuron_type, Range{}, "", "gh; not 'prelu', which has no single number."},
          Field{"cell_to_output_neuron_param_a", &LSTMDescriptor::cell_to_output_neuron_param_a, Range{}, "", "a of gh."},
          Field{"cell_to_output_neuron_param_b", &LSTMDescriptor::cell_to_output_neuron_param_b, Range{}, "", "b of gh."},
          Field{"cell_to_output_neuron_param_c", &LSTMDescriptor::cell_to_output_neuron_param_c, Range{}, "", "c of gh."}});
  static constexpr int positional = 2;

  std::array<SourceOf, 12> sources() const {
    using enum SourceOf::Role;
    const SourceOf::Role peephole = memory_weights_are_diagonal ? diagonal : memory;
    return {{{"input_gate_input_weights", input_gate_input_weights, input},
             {"input_gate_recurrent_weights", input_gate_recurrent_weights, recurrent},
             {"input_gate_memory_weights", input_gate_memory_weights, peephole},
             {"forget_gate_input_weights", forget_gate_input_weights, input},
             {"forget_gate_recurrent_weights", forget_gate_recurrent_weights, recurrent},
             {"forget_gate_memory_weights", forget_gate_memory_weights, peephole},
             {"output_gate_input_weights", output_gate_input_weights, input},
             {"output_gate_recurrent_weights", output_gate_recurrent_weights, recurrent},
             {"output_gate_memory_weights", output_gate_memory_weights, peephole},
             {"cell_gate_input_weights", cell_gate_input_weights, input},
             {"cell_gate_recurrent_weights", cell_gate_recurrent_weights, recurrent},
             {"cell_gate_memory_weights", cell_gate_memory_weights, peephole}}};
  }
  cnn::Neuron cell_to_output_neuron() const {
    return {cell_to_output_neuron_type, cell_to_output_neuron_param_a, cell_to_output_neuron_param_b, cell_to_output_neuron_param_c, {}};
  }
  void validate() const;
};

}  // namespace mpskit::rnn

MPSKIT_VALUE(rnn, LSTMDescriptor)
