#include "kernels/rnn/matrix_inference_layer.hpp"

#include <algorithm>
#include <numeric>

#include "metal/cnn/weights_source.hpp"
#include "metal/rows.hpp"

namespace mpskit::metal {
namespace {

// The data sources of a stack. They are loaded before MPS asks, as a layer has no words for one that fails.
class Sources {
 public:
  ~Sources() {
    for (std::size_t i = 0; i < loaded_; ++i) weights_[i]->purge();
  }
  id<MPSCNNConvolutionDataSource> add(const rnn::SourceOf& s) {
    if (!s.weights) return nil;
    LayerWeights::Form form{.is_float32 = true, .is_diagonal = s.role == rnn::SourceOf::Role::diagonal};
    if (s.role != rnn::SourceOf::Role::input) form.check = [s](const cnn::WeightsView& view) { rnn::require_no_bias(s, view); };
    weights_.push_back(std::make_shared<LayerWeights>(*s.weights, (*s.weights)->descriptor(), std::nullopt, std::move(form)));
    objects_.push_back(source_of(weights_.back()));
    return objects_.back().get();
  }
  void load() {
    for (; loaded_ < weights_.size(); ++loaded_)
      if (!weights_[loaded_]->load()) weights_[loaded_]->rethrow();
  }

 private:
  std::vector<std::shared_ptr<LayerWeights>> weights_;
  std::vector<retained<MPSKWeightsSource*>> objects_;
  std::size_t loaded_ = 0;
};

MPSRNNDescriptor* describe(const rnn::SingleGateDescriptor& g, Sources& sources) {
  MPSRNNSingleGateDescriptor* d = [MPSRNNSingleGateDescriptor createRNNSingleGateDescriptorWithInputFeatureChannels:count_of(g.input_feature_channels)
                                                                                              outputFeatureChannels:count_of(g.output_feature_channels)];
  const auto s = g.sources();
  d.inputWeights = sources.add(s[0]);
  d.recurrentWeights = sources.add(s[1]);
  return d;
}
MPSRNNDescriptor* describe(const rnn::GRUDescriptor& g, Sources& sources) {
  MPSGRUDescriptor* d = [MPSGRUDescriptor createGRUDescriptorWithInputFeatureChannels:count_of(g.input_feature_channels)
                                                                outputFeatureChannels:count_of(g.output_feature_channels)];
  const auto s = g.sources();
  d.inputGateInputWeights = sources.add(s[0]);
  d.inputGateRecurrentWeights = sources.add(s[1]);
  d.recurrentGateInputWeights = sources.add(s[2]);
  d.recurrentGateRecurrentWeights = sources.add(s[3]);
  d.outputGateInputWeights = sources.add(s[4]);
  d.outputGateRecurrentWeights = sources.add(s[5]);
  d.outputGateInputGateWeights = sources.add(s[6]);
  d.gatePnormValue = g.gate_pnorm_value;
  d.flipOutputGates = g.flip_output_gates ? YES : NO;
  return d;
}
MPSRNNDescriptor* describe(const rnn::LSTMDescriptor& l, Sources& sources) {
  MPSLSTMDescriptor* d = [MPSLSTMDescriptor createLSTMDescriptorWithInputFeatureChannels:count_of(l.input_feature_channels)
                                                                   outputFeatureChannels:count_of(l.output_feature_channels)];
  const auto s = l.sources();
  d.inputGateInputWeights = sources.add(s[0]);
  d.inputGateRecurrentWeights = sources.add(s[1]);
  d.inputGateMemoryWeights = sources.add(s[2]);
  d.forgetGateInputWeights = sources.add(s[3]);
  d.forgetGateRecurrentWeights = sources.add(s[4]);
  d.forgetGateMemoryWeights = sources.add(s[5]);
  d.outputGateInputWeights = sources.add(s[6]);
  d.outputGateRecurrentWeights = sources.add(s[7]);
  d.outputGateMemoryWeights = sources.add(s[8]);
  d.cellGateInputWeights = sources.add(s[9]);
  d.cellGateRecurrentWeights = sources.add(s[10]);
  d.cellGateMemoryWeights = sources.add(s[11]);
  d.memoryWeightsAreDiagonal = l.memory_weights_are_diagonal ? YES : NO;
  d.cellToOutputNeuronType = static_cast<MPSCNNNeuronType>(l.cell_to_output_neuron_type);
  d.cellToOutputNeuronParamA = l.cell_to_output_neuron_param_a;
  d.cellToOutputNeuronParamB = l.cell_to_output_neuron_param_b;
  d.cellToOutputNeuronParamC = l.cell_to_output_neuron_param_c;
  return d;
}

// Layers of one direction, or of both: MPS' call for both has no states.
struct Layers {
  retained<MPSRNNMatrixInferenceLayer*> layer;
  std::vector<std::size_t> descriptors;
  bool is_backward = false;
};

Layers make_layers(const rnn::MatrixInferenceLayer& k, std::vector<std::size_t> descriptors, const Context& context) {
  Sources sources;
  NSMutableArray<const MPSRNNDescriptor*>* all = [NSMutableArray array];
  for (const std::size_t i : descriptors) {
    MPSRNNDescriptor* d = std::visit([&](const auto& any) { return describe(any, sources); }, k.rnn_descriptors[i]);
    const rnn::Descriptor& base = rnn::base_of(k.rnn_descriptors[i]);
    d.useFloat32Weights = base.use_float32_weights ? YES : NO;
    d.useLayerInputUnitTransformMode = base.use_layer_input_unit_transform_mode ? YES : NO;
    d.layerSequenceDirection = base.layer_sequence_direction == rnn::SequenceDirection::backward ? MPSRNNSequenceDirectionBackward : MPSRNNSequenceDirectionForward;
    [all addObject:d];
  }
  sources.load();
  Layers out{made(adopt([[MPSRNNMatrixInferenceLayer alloc] initWithDevice:context.device() rnnDescriptors:all]), context, k), std::move(descriptors), false};
  out.layer.get().recurrentOutputIsTemporary = NO;
  out.layer.get().storeAllIntermediateStates = k.store_all_intermediate_states ? YES : NO;
  out.layer.get().bidirectionalCombineMode = static_cast<MPSRNNBidirectionalCombineMode>(k.bidirectional_combine_mode);
  return out;
}

using Matrices = NSArray<MPSMatrix*>;

Matrices* reversed(Matrices* matrices) { return [[matrices reverseObjectEnumerator] allObjects]; }

class Plan final : public MetalPlan {
 public:
  Plan(const rnn::MatrixInferenceLayer& k, const Call& call, const Context& context)
      : inputs_(call.inputs.size()), results_(k.results()), states_(k.state_columns().size()), lengths_at_(k.has_lengths(call.inputs) ? k.lengths_index() : 0),
        has_input_state_(k.has_input_state(call.inputs)), has_output_state_(call.outputs.size() > results_),
        adds_(k.is_bidirectional() && k.bidirectional_combine_mode == rnn::BidirectionalCombineMode::add) {
    std::size_t state = 0;
    for (const rnn::AnyDescriptor& d : k.rnn_descriptors) {
      first_state_.push_back(state);
      has_cell_.push_back(rnn::has_memory_cell(d));
      state += has_cell_.back() ? 2 : 1;
    }
    // MPS' call for both directions knows no states, and does not say what it does with fewer rows; then each direction runs for itself.
    if (k.is_bidirectional() && !has_input_state_ && !has_output_state_ && lengths_at_ == 0) {
      std::vector<std::size_t> all(k.rnn_descriptors.size());
      std::iota(all.begin(), all.end(), std::size_t{0});
      both_ = make_layers(k, std::move(all), context);
      return;
    }
    for (const auto direction : {rnn::SequenceDirection::forward, rnn::SequenceDirection::backward}) {
      if (k.chain(direction).empty()) continue;
      chains_.push_back(make_layers(k, k.chain(direction), context));
      chains_.back().is_backward = direction == rnn::SequenceDirection::backward;
    }
  }

  static std::optional<std::string> refuses(const rnn::MatrixInferenceLayer& k, const Call&, const Context&) {
    for (const rnn::AnyDescriptor& d : k.rnn_descriptors) {
      const auto has_slopes = [](const rnn::SourceOf& s) { return s.weights && neuron_of((*s.weights)->descriptor()).type == cnn::NeuronType::prelu; };
      if (std::visit([&](const auto& any) { return std::ranges::any_of(any.sources(), has_slopes); }, d))
        return std::string("a gate has the neuron 'prelu'; allowed: neurons without slopes on Metal. Pass 'relu' with one slope, or device=\"cpu\".");
    }
    return std::nullopt;
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    const std::span<const Operand> outputs = o.subspan(inputs_), begin = o.subspan(1, has_input_state_ ? states_ : 0);
    const std::span<const Operand> end = has_output_state_ ? outputs.subspan(results_) : std::span<const Operand>{};
    const Layout& x = o[0].layout;
    if (x.rows() == 0) return;
    std::optional<rnn::Lengths> lengths;  // none when no sequence ends before the others
    if (lengths_at_ > 0) {
      const std::span given(reinterpret_cast<const std::int32_t*>(o[lengths_at_].data()), static_cast<std::size_t>(x.rows()));
      if (std::ranges::any_of(given, [&](std::int32_t n) { return n < x.matrices(); })) lengths.emplace(given);
    }
    if (lengths || x.matrices() == 0) keep_states(e, begin, end);
    if (x.matrices() == 0) return;
    // MPS is known to take float32: others go through it, and so does the first part of a sum.
    Rows source = Rows::of(e, o[0]);
    if (source.is_half && !lengths) {
      source = Rows::scratch(e, x.matrices(), x.rows(), x.columns());
      combine(e, Rows::of(e, o[0]), source);
    }
    std::vector<Rows> results;
    for (const Operand& out : outputs.first(results_)) {
      const Rows given = Rows::of(e, out);
      results.push_back(given.is_half ? Rows::scratch(e, given.matrices, given.rows, given.columns) : given);
      if (lengths) clear(e, results.back());
    }
    if (both_.layer) {
      [both_.layer.get() encodeBidirectionalSequenceToCommandBuffer:e.commands()
                                                     sourceSequence:source.steps(e)
                                         destinationForwardMatrices:results[0].steps(e)
                                        destinationBackwardMatrices:results_ == 2 ? results[1].steps(e) : nil];
    }
    std::int64_t column = 0;
    for (std::size_t c = 0; c < chains_.size(); ++c) {
      const auto columns = static_cast<std::int64_t>(chains_[c].layer.get().outputFeatureChannels);
      const bool is_second_part = adds_ && c == 1;
      const Rows result = results_ == 2 ? results[c] : results[0].from_column(column, columns);
      if (lengths) {
        run_sorted(e, chains_[c], *lengths, source, result, is_second_part, begin, end);
      } else {
        const Rows to = is_second_part ? Rows::scratch(e, x.matrices(), x.rows(), columns) : result;
        run(e, chains_[c], nullptr, source.steps(e), to.steps(e), begin, end);
        if (is_second_part) combine(e, to, result, true);
      }
      if (!adds_) column += columns;
    }
    for (std::size_t r = 0; r < results_; ++r)
      if (outputs[r].layout.dtype == DType::f16) combine(e, results[r], Rows::of(e, outputs[r]));
  }

 private:
  // MPS wants the rows of a step to be no more than those of the step before: sequences go in the longest first, and each direction sees
  // those that it begins with at its first step. Going backward they end together, as reversed they begin together.
  void run_sorted(Encoder& e, const Layers& chain, const rnn::Lengths& lengths, const Rows& source, const Rows& result, bool adds, std::span<const Operand> begin,
                  std::span<const Operand> end) {
    const std::int64_t turns = lengths.turns();
    if (turns == 0) return;
    const std::int64_t rows = lengths.rows_of(0);
    const Rows x = Rows::scratch(e, turns, rows, source.columns), y = Rows::scratch(e, turns, rows, result.columns);
    const auto each_sequence = [&](auto&& f) {  // f(its steps among all, among the sorted)
      Encoder::Pass pass(e, "combine_rows");
      for (std::int64_t r = 0; r < rows; ++r) {
        const std::int64_t count = lengths.length(r), first = chain.is_backward ? turns - count : 0;
        f(pass, [&, r, count](const Rows& all) { return all.row(lengths.sequence(r), 0, count); }, [r, first, count](const Rows& sorted) { return sorted.row(r, first, count); });
      }
    };
    const auto rows_of = [&](std::int64_t t) { return lengths.rows_of(chain.is_backward ? turns - 1 - t : t); };
    each_sequence([&](Encoder::Pass& pass, auto given, auto sorted) { combine(pass, given(source), sorted(x)); });
    run(e, chain, &lengths, x.steps(e, rows_of), y.steps(e, rows_of), begin, end);
    each_sequence([&](Encoder::Pass& pass, auto given, auto sorted) { combine(pass, sorted(y), given(result), adds); });
  }

  void run(Encoder& e, const Layers& chain, const rnn::Lengths* lengths, Matrices* source, Matrices* result, std::span<const Operand> begin, std::span<const Operand> end) {
    MPSRNNMatrixInferenceLayer* layer = chain.layer.get();
    if (chain.is_backward) {
      source = reversed(source);
      result = reversed(result);
    }
    MPSRNNRecurrentMatrixState* state = nil;
    if (!begin.empty()) {
      // States come from MPS alone: one of a step that is thrown away is filled with the caller's.
      auto first = adopt([[NSMutableArray alloc] init]);
      MPSMatrix* step = [source objectAtIndex:0];
      const Rows unused = Rows::scratch(e, 1, static_cast<std::int64_t>(step.rows), static_cast<std::int64_t>(layer.outputFeatureChannels));
      [layer encodeSequenceToCommandBuffer:e.commands()
                            sourceMatrices:@[ step ]
                       destinationMatrices:unused.steps(e)
                       recurrentInputState:nil
                     recurrentOutputStates:first.get()];
      state = e.keep(hold<MPSRNNRecurrentMatrixState*>([first.get() objectAtIndex:0]));
      Encoder::Pass pass(e, "combine_rows");
      each_matrix(chain, state, [&](std::size_t index, MPSMatrix* matrix) {
        const Rows from = Rows::of(e, begin[index]), to = Rows::of(matrix);
        if (!lengths) combine(pass, from, to);
        for (std::int64_t r = 0; lengths && r < to.rows; ++r) combine(pass, from.row(lengths->sequence(r), 0, 1), to.row(r, 0, 1));
      });
    }
    auto states = adopt([[NSMutableArray alloc] init]);
    [layer encodeSequenceToCommandBuffer:e.commands()
                          sourceMatrices:source
                     destinationMatrices:result
                     recurrentInputState:state
                   recurrentOutputStates:end.empty() ? nil : states.get()];
    if (end.empty()) return;
    Encoder::Pass pass(e, "combine_rows");
    const auto count = static_cast<std::int64_t>(states.get().count);
    for (std::int64_t i = 0; i < count; ++i)
      each_matrix(chain, [states.get() objectAtIndex:count_of(i)], [&](std::size_t index, MPSMatrix* matrix) {
        const Rows from = Rows::of(matrix), to = Rows::of(e, end[index]);
        if (!lengths) return combine(pass, from, to.matrix(chain.is_backward ? count - 1 - i : i));  // states are by time
        const bool is_last = end[index].layout.matrices() == 1;
        for (std::int64_t r = 0; r < from.rows; ++r) {
          const std::int64_t length = lengths->length(r), t = chain.is_backward ? length - 1 - i : i;
          if (!is_last && i >= length) return;
          // MPS keeps the rows of sequences that have ended; behind its end a sequence has what it ended with.
          const bool is_end = !chain.is_backward && i == length - 1;
          combine(pass, from.row(r, 0, 1).repeated(), is_last ? to.row(lengths->sequence(r), 0, 1) : to.row(lengths->sequence(r), t, is_end ? to.matrices - t : 1));
        }
      });
    e.keep(std::move(states));
  }

  // f(which operand of a state, the matrix of MPS' state)
  template <class F>
  void each_matrix(const Layers& chain, MPSRNNRecurrentMatrixState* state, F&& f) const {
    for (std::size_t l = 0; l < chain.descriptors.size(); ++l) {
      const std::size_t i = chain.descriptors[l];
      f(first_state_[i], [state getRecurrentOutputMatrixForLayerIndex:l]);
      if (has_cell_[i]) f(first_state_[i] + 1, [state getMemoryCellMatrixForLayerIndex:l]);
    }
  }

  // Where no step was, states are what they were before, zeros when there are none.
  void keep_states(Encoder& e, std::span<const Operand> begin, std::span<const Operand> end) const {
    for (std::size_t i = 0; i < end.size() && end[i].layout.matrices() > 0; ++i) {
      if (begin.empty()) clear(e, Rows::of(e, end[i]));
      else combine(e, Rows::of(e, begin[i]).repeated(), Rows::of(e, end[i]));
    }
  }

  std::size_t inputs_, results_, states_, lengths_at_;  // which input are the lengths; 0: none is
  bool has_input_state_, has_output_state_, adds_;
  std::vector<std::size_t> first_state_;  // of each descriptor, among the matrices of a state
  std::vector<bool> has_cell_;
  Layers both_;
  std::vector<Layers> chains_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(rnn::MatrixInferenceLayer, Plan)
