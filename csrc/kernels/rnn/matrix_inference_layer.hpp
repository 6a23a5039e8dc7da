#pragma once
#include <algorithm>
#include <vector>

#include "core/kernel.hpp"
#include "kernels/common/rnn_cell.hpp"
#include "kernels/common/rnn_lengths.hpp"

namespace mpskit::rnn {

struct MatrixInferenceLayer {
  std::vector<AnyDescriptor> rnn_descriptors;
  BidirectionalCombineMode bidirectional_combine_mode = BidirectionalCombineMode::none;
  bool store_all_intermediate_states = false;
  bool recurrent_output_is_temporary = false;
  bool operator==(const MatrixInferenceLayer&) const = default;

  static constexpr KernelInfo info{
      "MatrixInferenceLayer", "A recurrent layer or a stack of them, run over a sequence of matrices.", "MPSRNNMatrixInferenceLayer, in MPSRNNLayer.h",
      "source has a matrix for each time step, a row for each sequence of the batch and a column for each feature. Descriptors "
      "that run forward make one chain, those that run backward another; in a chain each layer feeds the next. A backward chain begins at "
      "the last time step, and out[t] still belongs to time t. With both chains their results are combined: 'none' returns "
      "(forward, backward), 'add' their sum, 'concatenate' (forward, backward) side by side. recurrent_input_state is for each descriptor in "
      "turn the recurrent output h, followed by the memory cell c of an LSTM, each (sequences, output channels) in float32; without it "
      "all are zeros. With recurrent_output_states=True the call returns (out, states), the states after the last step in that form, "
      "ready to go on with; with store_all_intermediate_states each is (time steps, sequences, output channels), after each step. "
      "So a sequence may be divided among calls at any time step, and a call without time steps returns the states it was given. "
      "With sequence_lengths the sequences of a call end where each of them does, in any order: out is zero behind that, a backward chain "
      "begins at each sequence's own last step, and states are those of its own last step; among stored ones it is, behind its end, what it ends "
      "with, or going backward what it begins with. What source holds there is not read. A sequence of no steps keeps its state. "
      "Sums and states are float32 whatever source and out are. "
      "Errors grow with the number of steps as the recurrence makes them grow: the tolerances are for steps that do not amplify. "
      "A metal device converts float16 sources and results on its way, and has no neuron 'prelu'."};
  static constexpr std::tuple fields{
      Field{"rnn_descriptors", &MatrixInferenceLayer::rnn_descriptors, Range{}, "", "A descriptor, or a tuple of them, the layer that sees the source first."},
      Field{"bidirectional_combine_mode", &MatrixInferenceLayer::bidirectional_combine_mode, Range{}, "", "How the results of both directions become one."},
      Field{"store_all_intermediate_states", &MatrixInferenceLayer::store_all_intermediate_states, Range{}, "", "Return the states after each time step."},
      Field{"recurrent_output_is_temporary", &MatrixInferenceLayer::recurrent_output_is_temporary, Range{}, "",
            "Let states that encode() makes end with the command buffer."}};
  static constexpr std::array aliases{Alias{"rnn_descriptor", {"rnn_descriptors", ""}}};
  static constexpr int positional = 1;

  static constexpr DTypes value_dtypes{DType::f32, DType::f16};
  static constexpr OperandSpec source{"source", Role::input, Kind::matrix, value_dtypes, "The sequence, (time steps, sequences, input channels); (sequences, input channels) is one step."};
  static constexpr OperandSpec input_state{"recurrent_input_state", Role::input, Kind::matrix, DType::f32, "States to begin with, as a call returned them; zeros when omitted.",
                                           Count::optional, "state"};
  static void check_lengths(std::span<const Layout> in, std::span<const std::int32_t> lengths);
  static constexpr OperandSpec lengths{.name = "sequence_lengths", .role = Role::input, .kind = Kind::vector, .dtypes = DType::i32,
                                       .doc = "How many time steps each sequence has, in any order; all of them when omitted.", .count = Count::optional,
                                       .word = "lengths", .host_check = check_lengths};
  static constexpr OperandSpec out{"out", Role::output, Kind::matrix, value_dtypes, "The outputs of the last layer, (time steps, sequences, output channels)."};
  static constexpr OperandSpec output_states{"recurrent_output_states", Role::output, Kind::matrix, DType::f32, "True: return (out, states).", Count::optional, "return_state"};
  static constexpr std::array operands{source, input_state, lengths, out, output_states};
  static constexpr std::array tolerances{
      Tolerance{DType::f16, 4e-6, 4.9e-4, "one rounding to half precision of a float32 result"},
      Tolerance{DType::f32, 4e-6, 4e-6, "float32 sums of some hundred products, neurons within a few units in the last place, once more for each step that hands its error on"}};

  // The descriptors of one direction, by index.
  std::vector<std::size_t> chain(SequenceDirection direction) const;
  bool is_bidirectional() const;
  std::int64_t number_of_layers() const { return static_cast<std::int64_t>(rnn_descriptors.size()); }
  std::int64_t input_feature_channels() const;
  std::int64_t output_feature_channels() const;  // columns of out
  std::size_t results() const { return is_bidirectional() && bidirectional_combine_mode == BidirectionalCombineMode::none ? 2 : 1; }
  std::vector<std::int64_t> state_columns() const;  // of each matrix of a state

  // What a call gave behind the source.
  std::size_t lengths_index() const { return 1 + state_columns().size(); }
  bool has_lengths(std::span<const Layout> in) const { return in.size() > lengths_index(); }
  std::span<const Layout> input_states(std::span<const Layout> in) const { return in.subspan(1, std::min(in.size(), lengths_index()) - 1); }
  bool has_input_state(std::span<const Layout> in) const {
    return std::ranges::any_of(input_states(in), [](const Layout& l) { return l != Layout{}; });
  }

  static constexpr std::array properties{
      Property<MatrixInferenceLayer>{"number_of_layers", &MatrixInferenceLayer::number_of_layers, "How many descriptors there are."},
      Property<MatrixInferenceLayer>{"input_feature_channels", &MatrixInferenceLayer::input_feature_channels, "Columns of the source."},
      Property<MatrixInferenceLayer>{"output_feature_channels", &MatrixInferenceLayer::output_feature_channels, "Columns of out."}};

  void validate() const;
  std::vector<OperandSpec> call_operands() const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const;
};

}  // namespace mpskit::rnn

MPSKIT_KERNEL(rnn, MatrixInferenceLayer)
