#pragma once
#include <variant>
#include <vector>

#include "kernels/rnn/values/gru_descriptor.hpp"
#include "kernels/rnn/values/lstm_descriptor.hpp"
#include "kernels/rnn/values/single_gate_descriptor.hpp"

namespace mpskit::rnn {

using AnyDescriptor = std::variant<SingleGateDescriptor, GRUDescriptor, LSTMDescriptor>;
const Descriptor& base_of(const AnyDescriptor& d);
inline bool has_memory_cell(const AnyDescriptor& d) { return std::holds_alternative<LSTMDescriptor>(d); }

// A descriptor with its weights in memory: what an engine needs that does the arithmetic itself.
struct Gate {
  // Rows of outputs, float32, rounded to float16 where the descriptor wants that; empty for zeros. `memory` acts on the memory cell
  // of an LSTM (a diagonal: one number an output) and on z * h0 in the candidate of a GRU.
  std::vector<float> input, recurrent, memory;
  std::vector<float> bias;
  cnn::Neuron neuron;         // its slopes lie in the field below
  std::vector<float> slopes;
};
struct Cell {
  enum class Kind : std::uint8_t { single_gate, gru, lstm };
  Kind kind;
  Descriptor descriptor;
  std::vector<Gate> gates;  // LSTM: input, forget, cell, output; GRU: input (z), recurrent (r), output (candidate)
  bool memory_is_diagonal = false;
  cnn::Neuron cell_to_output;
  float pnorm = 1;
  bool flips_outputs = false;
};

// Loads each source, and purges it before the next.
Cell load_cell(const AnyDescriptor& d);

// Throws when recurrent or memory weights have a bias, which only loading shows.
void require_no_bias(const SourceOf& source, const cnn::WeightsView& view);

}  // namespace mpskit::rnn
