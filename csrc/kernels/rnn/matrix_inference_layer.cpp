#include "kernels/rnn/matrix_inference_layer.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::rnn {
namespace {

constexpr std::string_view name = MatrixInferenceLayer::info.name;

void require_chain(const std::vector<AnyDescriptor>& all, const std::vector<std::size_t>& chain, std::int64_t inputs) {
  for (const std::size_t i : chain) {
    const Descriptor& d = base_of(all[i]);
    if (d.input_feature_channels != inputs)
      throw ValueError(cat(name, ": rnn_descriptors[", i, "] has ", d.input_feature_channels, " input channels, what it is fed has ", inputs,
                           "; allowed: equal channels. Layers of one direction feed each other, in order; the first of each sees the source."));
    inputs = d.output_feature_channels;
  }
}

std::int64_t outputs_of(const std::vector<AnyDescriptor>& all, const std::vector<std::size_t>& chain) {
  return chain.empty() ? 0 : base_of(all[chain.back()]).output_feature_channels;
}

void require_layout(std::string_view what, const Layout& given, std::int64_t matrices, std::int64_t rows, std::int64_t columns, std::string_view remedy) {
  if (given.matrices() == matrices && given.rows() == rows && given.columns() == columns) return;
  throw ValueError(cat(name, ": ", what, " is ", given.describe(), "; allowed: (", matrices == 1 ? std::string() : cat(matrices, ", "), rows, ", ", columns, "). ", remedy));
}

}  // namespace

void MatrixInferenceLayer::check_lengths(std::span<const Layout> in, std::span<const std::int32_t> lengths) {
  for (std::size_t i = 0; i < lengths.size(); ++i)
    if (lengths[i] < 0 || lengths[i] > in[0].matrices())
      throw ValueError(cat(name, ": sequence_lengths[", i, "] is ", lengths[i], "; allowed: 0 <= sequence_lengths <= ", in[0].matrices(),
                           ", the time steps of the source. Pass how many of them the sequence has."));
}

std::vector<std::size_t> MatrixInferenceLayer::chain(SequenceDirection direction) const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < rnn_descriptors.size(); ++i)
    if (base_of(rnn_descriptors[i]).layer_sequence_direction == direction) out.push_back(i);
  return out;
}

bool MatrixInferenceLayer::is_bidirectional() const {
  return !chain(SequenceDirection::forward).empty() && !chain(SequenceDirection::backward).empty();
}

std::int64_t MatrixInferenceLayer::input_feature_channels() const {
  return rnn_descriptors.empty() ? 0 : base_of(rnn_descriptors.front()).input_feature_channels;
}

std::int64_t MatrixInferenceLayer::output_feature_channels() const {
  const std::int64_t forward = outputs_of(rnn_descriptors, chain(SequenceDirection::forward)),
                     backward = outputs_of(rnn_descriptors, chain(SequenceDirection::backward));
  if (forward == 0 || backward == 0) return forward + backward;
  return bidirectional_combine_mode == BidirectionalCombineMode::concatenate ? forward + backward : forward;
}

std::vector<std::int64_t> MatrixInferenceLayer::state_columns() const {
  std::vector<std::int64_t> out;
  for (const AnyDescriptor& d : rnn_descriptors) out.insert(out.end(), has_memory_cell(d) ? 2 : 1, base_of(d).output_feature_channels);
  return out;
}

void MatrixInferenceLayer::validate() const {
  if (rnn_descriptors.empty())
    throw ValueError(cat(name, ": rnn_descriptors is (); allowed: one or more. Pass an LSTMDescriptor, a GRUDescriptor or a SingleGateDescriptor."));
  const auto forward = chain(SequenceDirection::forward), backward = chain(SequenceDirection::backward);
  require_chain(rnn_descriptors, forward, input_feature_channels());
  require_chain(rnn_descriptors, backward, input_feature_channels());
  if (bidirectional_combine_mode != BidirectionalCombineMode::none && !is_bidirectional())
    throw ValueError(cat(name, ": bidirectional_combine_mode is '", name_of_enum(bidirectional_combine_mode), "' and all descriptors run ",
                         forward.empty() ? "backward" : "forward", "; allowed: 'none'. Pass descriptors of both directions to combine them."));
  const std::int64_t a = outputs_of(rnn_descriptors, forward), b = outputs_of(rnn_descriptors, backward);
  if (bidirectional_combine_mode == BidirectionalCombineMode::add && a != b)
    throw ValueError(cat(name, ": bidirectional_combine_mode is 'add', the directions have ", a, " and ", b, " output channels; allowed: equal channels. Pass 'concatenate'."));
}

std::vector<OperandSpec> MatrixInferenceLayer::call_operands() const {
  const std::size_t states = state_columns().size();
  std::vector<OperandSpec> all{source};
  all.insert(all.end(), states, input_state);
  all.push_back(lengths);
  all.push_back(out);
  if (results() == 2) {
    all.back().name = "forward";
    all.push_back(out);
    all.back().name = "backward";
  }
  OperandSpec state = output_states;
  state.is_lasting = !recurrent_output_is_temporary;
  state.is_single = !store_all_intermediate_states;
  all.insert(all.end(), states, state);
  return all;
}

Layouts MatrixInferenceLayer::infer(std::span<const Layout> in, const OutputHints& hints) const {
  if (hints.channels) throw ValueError(cat(name, ": channels is ", *hints.channels, "; allowed: none, the last descriptor decides. Leave it out."));
  const DType result = hints.dtype.value_or(in[0].dtype);
  if (!value_dtypes.contains(result)) throw TypeError(cat(name, ": dtype is ", name_of(result), "; allowed: float32, float16. Convert the result with astype()."));
  const std::int64_t steps = in[0].matrices(), rows = in[0].rows();
  Layouts all;
  if (results() == 2) {
    for (const SequenceDirection direction : {SequenceDirection::forward, SequenceDirection::backward})
      all.push_back(Layout::matrix(result, rows, outputs_of(rnn_descriptors, chain(direction)), steps));
  } else {
    all.push_back(Layout::matrix(result, rows, output_feature_channels(), steps));
  }
  for (const std::int64_t columns : state_columns()) all.push_back(Layout::matrix(DType::f32, rows, columns, store_all_intermediate_states ? steps : 1));
  return all;
}

void MatrixInferenceLayer::check(std::span<const Layout> in, std::span<const Layout> outputs) const {
  const Layout& x = in[0];
  const std::vector<std::int64_t> states = state_columns();
  if (x.columns() != input_feature_channels())
    throw ValueError(cat(name, ": source is ", x.describe(), "; allowed: ", input_feature_channels(),
                         " columns, the input channels of the first descriptor. Rows are sequences, columns are features, matrices are time steps."));
  const auto require_count = [&](std::string_view what, std::size_t given) {
    if (given != 0 && given != states.size())
      throw ValueError(cat(name, ": ", what, " has ", given, " matrices; allowed: ", states.size(), ", or none. Pass for each descriptor its recurrent output, and behind it the memory cell of an LSTM."));
  };
  const auto matrix_of = [&](std::string_view what, std::size_t i) { return states.size() == 1 ? std::string(what) : cat(what, "[", i, "]"); };
  const std::span<const Layout> begin = input_states(in);
  require_count("recurrent_input_state", static_cast<std::size_t>(std::ranges::count_if(begin, [](const Layout& l) { return l != Layout{}; })));
  for (std::size_t i = 0; has_input_state(in) && i < begin.size(); ++i)
    require_layout(matrix_of("recurrent_input_state", i), begin[i], 1, x.rows(), states[i], "A state has a row for each sequence of the source.");
  if (has_lengths(in) && (in[lengths_index()].length() != x.rows() || in[lengths_index()].vectors() != 1))
    throw ValueError(cat(name, ": sequence_lengths has ", in[lengths_index()].length(), " numbers; allowed: ", x.rows(), ", the rows of the source. Pass one for each sequence."));

  const Layouts wanted = infer(in, {});
  require_count("recurrent_output_states", outputs.size() - results());
  for (std::size_t i = 0; i < outputs.size(); ++i)
    require_layout(i >= results() ? matrix_of("recurrent_output_states", i - results()) : results() == 1 ? std::string("out") : cat("out[", i, "]"), outputs[i],
                   wanted[i].matrices(), wanted[i].rows(), wanted[i].columns(), "Make it with that shape, or omit it.");
}

}  // namespace mpskit::rnn
