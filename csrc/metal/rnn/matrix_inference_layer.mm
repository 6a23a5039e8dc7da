#include "kernels/rnn/matrix_inference_layer.hpp"

#include <algorithm>
#include <numeric>

#include "metal/cnn/weights_source.hpp"
#include "metal/kernel.hpp"
#include "metal/shaders/arguments.h"

namespace mpskit::metal {
namespace {

NSUInteger count(std::int64_t n) { return static_cast<NSUInteger>(n); }

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
  MPSRNNSingleGateDescriptor* d = [MPSRNNSingleGateDescriptor createRNNSingleGateDescriptorWithInputFeatureChannels:count(g.input_feature_channels)
                                                                                              outputFeatureChannels:count(g.output_feature_channels)];
  const auto s = g.sources();
  d.inputWeights = sources.add(s[0]);
  d.recurrentWeights = sources.add(s[1]);
  return d;
}
MPSRNNDescriptor* describe(const rnn::GRUDescriptor& g, Sources& sources) {
  MPSGRUDescriptor* d = [MPSGRUDescriptor createGRUDescriptorWithInputFeatureChannels:count(g.input_feature_channels)
                                                                outputFeatureChannels:count(g.output_feature_channels)];
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
  MPSLSTMDescriptor* d = [MPSLSTMDescriptor createLSTMDescriptorWithInputFeatureChannels:count(l.input_feature_channels)
                                                                   outputFeatureChannels:count(l.output_feature_channels)];
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

// A batch of matrices: those of an operand, of MPS, or of nobody else.
struct Rows {
  id<MTLBuffer> buffer;
  std::size_t offset;
  std::int64_t matrices, rows, columns, matrix_bytes, row_bytes;
  bool is_half;

  static Rows of(Encoder& e, const Operand& o) {
    const Layout& l = o.layout;
    const Place p = e.place(o);
    return {p.buffer, p.offset, l.matrices(), l.rows(), l.columns(), l.matrix_bytes(), l.row_bytes(), l.dtype == DType::f16};
  }
  static Rows of(MPSMatrix* m) {
    const auto number = [](NSUInteger n) { return static_cast<std::int64_t>(n); };
    return {m.data, m.offset, 1, number(m.rows), number(m.columns), number(m.matrixBytes), number(m.rowBytes), m.dataType == MPSDataTypeFloat16};
  }
  static Rows scratch(Encoder& e, std::int64_t matrices, std::int64_t rows, std::int64_t columns) {
    const auto row_bytes = static_cast<std::int64_t>([MPSMatrixDescriptor rowBytesForColumns:count(columns) dataType:MPSDataTypeFloat32]);
    auto buffer = adopt([e.context().device() newBufferWithLength:count(matrices * rows * row_bytes)
                                                          options:MTLResourceStorageModePrivate | MTLResourceHazardTrackingModeTracked]);
    if (!buffer) throw DeviceError(cat("MatrixInferenceLayer: ", e.context().info().name, " made no buffer for ", matrices, " time steps. Free arrays, or pass fewer."));
    return {e.keep(std::move(buffer)), 0, matrices, rows, columns, rows * row_bytes, row_bytes, false};
  }
  Rows matrix(std::int64_t i) const {
    Rows out = *this;
    out.offset += static_cast<std::size_t>(i * matrix_bytes);
    out.matrices = 1;
    return out;
  }
  Rows from_column(std::int64_t first, std::int64_t n) const {
    Rows out = *this;
    out.offset += static_cast<std::size_t>(first) * (is_half ? 2 : 4);
    out.columns = n;
    return out;
  }
  Matrices* steps(Encoder& e) const {
    MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:count(rows) columns:count(columns) rowBytes:count(row_bytes) dataType:MPSDataTypeFloat32];
    NSMutableArray<MPSMatrix*>* out = [NSMutableArray array];
    for (std::int64_t t = 0; t < matrices; ++t)
      [out addObject:e.keep(adopt([[MPSMatrix alloc] initWithBuffer:buffer offset:offset + count(t * matrix_bytes) descriptor:d]))];
    return out;
  }
};

void combine(Encoder::Pass& pass, const Rows& from, const Rows& to, bool adds = false) {
  const auto bytes = [](std::int64_t n) { return static_cast<unsigned long>(n); };
  const auto number = [](std::int64_t n) { return static_cast<unsigned int>(n); };
  const auto format = [](const Rows& r) { return static_cast<unsigned int>(r.is_half ? element_half : element_float); };
  const RowsArguments a{from.offset, bytes(from.matrix_bytes), bytes(from.row_bytes), to.offset, bytes(to.matrix_bytes), bytes(to.row_bytes), format(from), format(to),
                        number(to.rows), number(to.columns), number(to.matrices), adds};
  pass.add({from.buffer, to.buffer}, {}, a, MTLSizeMake(a.columns, a.rows, a.matrices));
}
void combine(Encoder& e, const Rows& from, const Rows& to, bool adds = false) {
  Encoder::Pass pass(e, "combine_rows");
  combine(pass, from, to, adds);
}

class Plan final : public MetalPlan {
 public:
  Plan(const rnn::MatrixInferenceLayer& k, const Call& call, const Context& context)
      : results_(k.results()), states_(k.state_columns().size()), has_input_state_(call.inputs.size() > 1), has_output_state_(call.outputs.size() > results_),
        adds_(k.is_bidirectional() && k.bidirectional_combine_mode == rnn::BidirectionalCombineMode::add) {
    std::size_t state = 0;
    for (const rnn::AnyDescriptor& d : k.rnn_descriptors) {
      first_state_.push_back(state);
      has_cell_.push_back(rnn::has_memory_cell(d));
      state += has_cell_.back() ? 2 : 1;
    }
    // MPS' call for both directions knows no states; with states each direction runs for itself.
    if (k.is_bidirectional() && !has_input_state_ && !has_output_state_) {
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
    const std::span<const Operand> outputs = o.subspan(has_input_state_ ? 1 + states_ : 1), begin = o.subspan(1, has_input_state_ ? states_ : 0);
    const std::span<const Operand> end = has_output_state_ ? outputs.subspan(results_) : std::span<const Operand>{};
    const Layout& x = o[0].layout;
    if (x.rows() == 0) return;
    if (x.matrices() == 0) return keep_states(e, begin, end);
    // MPS is known to take float32: others go through it, and so does the first part of a sum.
    Rows source = Rows::of(e, o[0]);
    if (source.is_half) {
      source = Rows::scratch(e, x.matrices(), x.rows(), x.columns());
      combine(e, Rows::of(e, o[0]), source);
    }
    std::vector<Rows> results;
    for (const Operand& out : outputs.first(results_)) {
      const Rows given = Rows::of(e, out);
      results.push_back(given.is_half ? Rows::scratch(e, given.matrices, given.rows, given.columns) : given);
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
      const Rows result = is_second_part     ? Rows::scratch(e, x.matrices(), x.rows(), columns)
                          : results_ == 2    ? results[c]
                                             : results[0].from_column(column, columns);
      run(e, chains_[c], source.steps(e), result.steps(e), begin, end);
      if (is_second_part) combine(e, result, results[0], true);
      if (!adds_) column += columns;
    }
    for (std::size_t r = 0; r < results_; ++r)
      if (outputs[r].layout.dtype == DType::f16) combine(e, results[r], Rows::of(e, outputs[r]));
  }

 private:
  void run(Encoder& e, const Layers& chain, Matrices* source, Matrices* result, std::span<const Operand> begin, std::span<const Operand> end) {
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
      each_matrix(chain, state, [&](std::size_t index, MPSMatrix* matrix) { combine(pass, Rows::of(e, begin[index]), Rows::of(matrix)); });
    }
    auto states = adopt([[NSMutableArray alloc] init]);
    [layer encodeSequenceToCommandBuffer:e.commands()
                          sourceMatrices:source
                     destinationMatrices:result
                     recurrentInputState:state
                   recurrentOutputStates:end.empty() ? nil : states.get()];
    if (end.empty()) return;
    Encoder::Pass pass(e, "combine_rows");
    for (NSUInteger i = 0; i < states.get().count; ++i) {
      const auto t = static_cast<std::int64_t>(chain.is_backward ? states.get().count - 1 - i : i);  // states are by time
      each_matrix(chain, [states.get() objectAtIndex:i], [&](std::size_t index, MPSMatrix* matrix) { combine(pass, Rows::of(matrix), Rows::of(e, end[index]).matrix(t)); });
    }
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

  // No time step at all: states stay as they are, zeros when there are none.
  void keep_states(Encoder& e, std::span<const Operand> begin, std::span<const Operand> end) const {
    for (std::size_t i = 0; i < end.size() && end[i].layout.matrices() > 0; ++i) {
      const Rows to = Rows::of(e, end[i]);
      if (!begin.empty()) {
        combine(e, Rows::of(e, begin[i]), to);
        continue;
      }
      ScaleArguments a{};
      a.offset = to.offset;
      a.row_bytes = static_cast<unsigned long>(to.row_bytes);
      a.format = element_float;
      a.rows = static_cast<unsigned int>(to.rows);
      a.columns = static_cast<unsigned int>(to.columns);
      a.matrices = 1;
      e.compute("scale_rows", to.buffer, {}, a, MTLSizeMake(a.columns, a.rows, 1));
    }
  }

  std::size_t results_, states_;
  bool has_input_state_, has_output_state_, adds_;
  std::vector<std::size_t> first_state_;  // of each descriptor, among the matrices of a state
  std::vector<bool> has_cell_;
  Layers both_;
  std::vector<Layers> chains_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(rnn::MatrixInferenceLayer, Plan)
