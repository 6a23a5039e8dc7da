// Recurrent layers on matrices: rows are sequences, columns features.
#include "mps_cnn.hpp"

using namespace standin;

@implementation MPSRNNDescriptor
@synthesize inputFeatureChannels = _inputFeatureChannels, layerSequenceDirection = _layerSequenceDirection,
            outputFeatureChannels = _outputFeatureChannels, useFloat32Weights = _useFloat32Weights,
            useLayerInputUnitTransformMode = _useLayerInputUnitTransformMode;
@end

@implementation MPSRNNSingleGateDescriptor
@synthesize inputWeights = _inputWeights, recurrentWeights = _recurrentWeights;
+ (instancetype)createRNNSingleGateDescriptorWithInputFeatureChannels:(NSUInteger)inputFeatureChannels
                                                outputFeatureChannels:(NSUInteger)outputFeatureChannels {
  MPSRNNSingleGateDescriptor* d = [[[self alloc] init] autorelease];
  d->_inputFeatureChannels = inputFeatureChannels;
  d->_outputFeatureChannels = outputFeatureChannels;
  return d;
}
- (void)dealloc {
  [_inputWeights release];
  [_recurrentWeights release];
  [super dealloc];
}
@end

@implementation MPSGRUDescriptor
@synthesize flipOutputGates = _flipOutputGates, gatePnormValue = _gatePnormValue, inputGateInputWeights = _inputGateInputWeights,
            inputGateRecurrentWeights = _inputGateRecurrentWeights, outputGateInputGateWeights = _outputGateInputGateWeights,
            outputGateInputWeights = _outputGateInputWeights, outputGateRecurrentWeights = _outputGateRecurrentWeights,
            recurrentGateInputWeights = _recurrentGateInputWeights, recurrentGateRecurrentWeights = _recurrentGateRecurrentWeights;
+ (instancetype)createGRUDescriptorWithInputFeatureChannels:(NSUInteger)inputFeatureChannels outputFeatureChannels:(NSUInteger)outputFeatureChannels {
  MPSGRUDescriptor* d = [[[self alloc] init] autorelease];
  d->_inputFeatureChannels = inputFeatureChannels;
  d->_outputFeatureChannels = outputFeatureChannels;
  d->_gatePnormValue = 1;
  return d;
}
- (void)dealloc {
  [_inputGateInputWeights release];
  [_inputGateRecurrentWeights release];
  [_outputGateInputGateWeights release];
  [_outputGateInputWeights release];
  [_outputGateRecurrentWeights release];
  [_recurrentGateInputWeights release];
  [_recurrentGateRecurrentWeights release];
  [super dealloc];
}
@end

@implementation MPSLSTMDescriptor
@synthesize cellGateInputWeights = _cellGateInputWeights, cellGateMemoryWeights = _cellGateMemoryWeights,
            cellGateRecurrentWeights = _cellGateRecurrentWeights, cellToOutputNeuronParamA = _cellToOutputNeuronParamA,
            cellToOutputNeuronParamB = _cellToOutputNeuronParamB, cellToOutputNeuronParamC = _cellToOutputNeuronParamC,
            cellToOutputNeuronType = _cellToOutputNeuronType, forgetGateInputWeights = _forgetGateInputWeights,
            forgetGateMemoryWeights = _forgetGateMemoryWeights, forgetGateRecurrentWeights = _forgetGateRecurrentWeights,
            inputGateInputWeights = _inputGateInputWeights, inputGateMemoryWeights = _inputGateMemoryWeights,
            inputGateRecurrentWeights = _inputGateRecurrentWeights, memoryWeightsAreDiagonal = _memoryWeightsAreDiagonal,
            outputGateInputWeights = _outputGateInputWeights, outputGateMemoryWeights = _outputGateMemoryWeights,
            outputGateRecurrentWeights = _outputGateRecurrentWeights;
+ (instancetype)createLSTMDescriptorWithInputFeatureChannels:(NSUInteger)inputFeatureChannels outputFeatureChannels:(NSUInteger)outputFeatureChannels {
  MPSLSTMDescriptor* d = [[[self alloc] init] autorelease];
  d->_inputFeatureChannels = inputFeatureChannels;
  d->_outputFeatureChannels = outputFeatureChannels;
  d->_cellToOutputNeuronType = MPSCNNNeuronTypeTanH;
  d->_cellToOutputNeuronParamA = d->_cellToOutputNeuronParamB = d->_cellToOutputNeuronParamC = 1;
  return d;
}
- (void)dealloc {
  [_cellGateInputWeights release];
  [_cellGateMemoryWeights release];
  [_cellGateRecurrentWeights release];
  [_forgetGateInputWeights release];
  [_forgetGateMemoryWeights release];
  [_forgetGateRecurrentWeights release];
  [_inputGateInputWeights release];
  [_inputGateMemoryWeights release];
  [_inputGateRecurrentWeights release];
  [_outputGateInputWeights release];
  [_outputGateMemoryWeights release];
  [_outputGateRecurrentWeights release];
  [super dealloc];
}
@end

namespace standin {

using Row = std::vector<float>;

struct RnnSource {  // one data source; absent: zero weights, no bias, no neuron
  bool is_there = false;
  Row weights, bias;
  Neuron neuron;
  bool is_diagonal = false;
};

// out += W x, with the rows of W one behind the other, or W's diagonal.
static void add_product(Row& out, const RnnSource& s, const Row& x) {
  if (!s.is_there) return;
  for (std::size_t o = 0; o < out.size(); ++o) {
    if (s.is_diagonal) {
      out[o] += s.weights[o] * x[o];
      continue;
    }
    float sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += s.weights[o * x.size() + i] * x[i];
    out[o] += sum;
  }
}

struct RecurrentLayer {
  enum class Cell { single, gru, lstm } cell = Cell::single;
  NSUInteger inputs = 0, outputs = 0;
  bool is_backward = false;
  bool passes_input = false;               // useLayerInputUnitTransformMode
  RnnSource input[4], recurrent[4], third[4]; // single: 0. GRU: z, r, candidate; third[2] acts on z * h. LSTM: i, f, candidate, o; peepholes
  float p = 1;
  bool flips = false;
  Neuron to_output;

  struct Gates {  // memory of a step, for the next one too
    Row one, two, three, four, reset, kept;
  };
  // The input's share of gate g: bias and neuron belong to the input source alone.
  void open(Row& out, std::size_t g, const Row& x) const {
    if (passes_input) {
      out = x;
    } else {
      out.assign(outputs, 0.0f);
      add_product(out, input[g], x);
    }
    for (std::size_t o = 0; o < input[g].bias.size(); ++o) out[o] += input[g].bias[o];
  }
  void close(std::size_t g, Row& out) const {
    for (float& v : out) v = input[g].neuron(v);
  }
  void gate(Row& out, std::size_t g, const Row& x, const Row& h) const {
    open(out, g, x);
    add_product(out, recurrent[g], h);
  }
  void step(const Row& x, Row& h, Row& c, Gates& gates) const {
    if (cell == Cell::single) {
      gate(gates.one, 0, x, h);
      close(0, gates.one);
      h = gates.one;
      return;
    }
    if (cell == Cell::gru) {
      Row &z = gates.one, &r = gates.two, &candidate = gates.three, &reset = gates.reset, &kept = gates.kept;
      gate(z, 0, x, h);
      gate(r, 1, x, h);
      open(candidate, 2, x);
      close(0, z);
      close(1, r);
      reset = kept = h;
      for (std::size_t o = 0; o < outputs; ++o) {
        reset[o] *= r[o];
        kept[o] *= z[o];
      }
      add_product(candidate, recurrent[2], reset);
      add_product(candidate, third[2], kept);
      close(2, candidate);
      for (std::size_t o = 0; o < outputs; ++o) {
        const float q = p == 1 ? 1 - z[o] : std::pow(1 - std::pow(z[o], p), 1 / p);
        h[o] = flips ? q * h[o] + z[o] * candidate[o] : q * candidate[o] + z[o] * h[o];
      }
      return;
    }
    Row &i = gates.one, &f = gates.two, &candidate = gates.three, &o = gates.four;
    gate(i, 0, x, h);
    gate(f, 1, x, h);
    gate(candidate, 2, x, h);
    gate(o, 3, x, h);
    add_product(i, third[0], c);
    add_product(f, third[1], c);
    add_product(candidate, third[2], c);
    close(0, i);
    close(1, f);
    close(2, candidate);
    for (std::size_t k = 0; k < outputs; ++k) c[k] = f[k] * c[k] + i[k] * candidate[k];
    add_product(o, third[3], c);  // the new cell
    close(3, o);
    for (std::size_t k = 0; k < outputs; ++k) h[k] = o[k] * to_output(c[k]);
  }
};

namespace {

RnnSource read_source(id<MPSCNNConvolutionDataSource> source, NSUInteger inputs, NSUInteger outputs, bool is_float, bool is_input, bool is_diagonal) {
  RnnSource out;
  if (!source) return out;
  NSString* who = @"MPSRNNMatrixInferenceLayer";
  const Loaded loaded(source);
  require(loaded, @"%@: a data source did not load", who);
  MPSCNNConvolutionDescriptor* d = [source descriptor];
  require(d.kernelWidth == 1 && d.kernelHeight == 1 && d.strideInPixelsX == 1 && d.strideInPixelsY == 1 && d.groups == 1 && d.dilationRateX == 1 &&
              d.dilationRateY == 1,
          @"%@: weights of a gate that are not those of a 1x1 convolution", who);
  require(d.inputFeatureChannels == inputs && d.outputFeatureChannels == outputs, @"%@: weights from %lu to %lu channels; it needs %lu to %lu", who,
          lu(d.inputFeatureChannels), lu(d.outputFeatureChannels), lu(inputs), lu(outputs));
  require(d->_scale.empty(), @"%@: what batch normalization does here is written nowhere", who);
  const MPSDataType type = [source dataType];
  require(type == MPSDataTypeFloat32, @"%@: weights of data type 0x%x; float32 is what is known to work", who, type);
  const void* weights = [source weights];
  require(weights != nullptr, @"%@: the data source has no weights", who);
  out.is_there = true;
  out.is_diagonal = is_diagonal;
  out.weights = decode(weights, is_diagonal ? outputs : inputs * outputs, type);
  if (!is_float)
    for (float& w : out.weights) w = half(w);
  const float* bias = [source biasTerms];
  out.neuron = neuron_of(d.fusedNeuronDescriptor, who);
  require(is_input || (!bias && out.neuron.type == NeuronType::none), @"%@: what the bias or neuron of recurrent or memory weights does is written nowhere", who);
  if (bias) out.bias.assign(bias, bias + outputs);
  return out;
}

std::shared_ptr<const RecurrentLayer> read_layer(const MPSRNNDescriptor* descriptor) {
  auto out = std::make_shared<RecurrentLayer>();
  MPSRNNDescriptor* d = const_cast<MPSRNNDescriptor*>(descriptor);
  const NSUInteger inputs = d.inputFeatureChannels, outputs = d.outputFeatureChannels;
  require(inputs > 0 && outputs > 0, @"a recurrent layer without channels");
  require(!d.useLayerInputUnitTransformMode || inputs == outputs, @"useLayerInputUnitTransformMode from %lu to %lu channels", lu(inputs), lu(outputs));
  out->inputs = inputs;
  out->outputs = outputs;
  out->is_backward = d.layerSequenceDirection == MPSRNNSequenceDirectionBackward;
  out->passes_input = d.useLayerInputUnitTransformMode;
  const bool is_float = d.useFloat32Weights;
  const auto set = [&](std::size_t g, id<MPSCNNConvolutionDataSource> input, id<MPSCNNConvolutionDataSource> recurrent) {
    out->input[g] = read_source(input, inputs, outputs, is_float, true, false);
    out->recurrent[g] = read_source(recurrent, outputs, outputs, is_float, false, false);
  };
  if ([d isKindOfClass:[MPSRNNSingleGateDescriptor class]]) {
    MPSRNNSingleGateDescriptor* s = (MPSRNNSingleGateDescriptor*)d;
    set(0, s.inputWeights, s.recurrentWeights);
  } else if ([d isKindOfClass:[MPSGRUDescriptor class]]) {
    MPSGRUDescriptor* g = (MPSGRUDescriptor*)d;
    require(g.gatePnormValue > 0, @"gatePnormValue is %g", static_cast<double>(g.gatePnormValue));
    out->cell = RecurrentLayer::Cell::gru;
    out->p = g.gatePnormValue;
    out->flips = g.flipOutputGates;
    set(0, g.inputGateInputWeights, g.inputGateRecurrentWeights);
    set(1, g.recurrentGateInputWeights, g.recurrentGateRecurrentWeights);
    set(2, g.outputGateInputWeights, g.outputGateRecurrentWeights);
    out->third[2] = read_source(g.outputGateInputGateWeights, outputs, outputs, is_float, false, false);
  } else {
    require([d isKindOfClass:[MPSLSTMDescriptor class]], @"%@ describes no layer", NSStringFromClass([d class]));
    MPSLSTMDescriptor* l = (MPSLSTMDescriptor*)d;
    out->cell = RecurrentLayer::Cell::lstm;
    set(0, l.inputGateInputWeights, l.inputGateRecurrentWeights);
    set(1, l.forgetGateInputWeights, l.forgetGateRecurrentWeights);
    set(2, l.cellGateInputWeights, l.cellGateRecurrentWeights);
    set(3, l.outputGateInputWeights, l.outputGateRecurrentWeights);
    id<MPSCNNConvolutionDataSource> const memory[4] = {l.inputGateMemoryWeights, l.forgetGateMemoryWeights, l.cellGateMemoryWeights, l.outputGateMemoryWeights};
    for (std::size_t g = 0; g < 4; ++g) out->third[g] = read_source(memory[g], outputs, outputs, is_float, false, l.memoryWeightsAreDiagonal);
    require(l.cellToOutputNeuronType != MPSCNNNeuronTypePReLU, @"PReLU has no place behind a cell");
    out->to_output = {static_cast<NeuronType>(l.cellToOutputNeuronType), l.cellToOutputNeuronParamA, l.cellToOutputNeuronParamB, l.cellToOutputNeuronParamC};
  }
  return out;
}

void read_row(Row& out, const MatrixView& m, std::size_t row) {
  out.resize(m.columns);
  for (std::size_t c = 0; c < m.columns; ++c) out[c] = static_cast<float>(m.get(row, c));
}
void write_row(const MatrixView& m, std::size_t row, std::size_t column, const Row& values) {
  for (std::size_t c = 0; c < values.size(); ++c) m.put(row, column + c, static_cast<double>(values[c]));
}

using Layers = std::vector<std::shared_ptr<const RecurrentLayer>>;
struct Chain {  // layers one behind the other, with what each remembers of each row
  Layers layers;
  std::vector<std::vector<Row>> h, c;
  Row x;
  RecurrentLayer::Gates gates;
  Chain(Layers l, std::size_t rows) : layers(std::move(l)) {
    for (const auto& layer : layers) {
      h.emplace_back(rows, Row(layer->outputs));
      c.emplace_back(rows, Row(layer->outputs));
    }
  }
  const Row& step(std::size_t row, const MatrixView& source) {
    read_row(x, source, row);
    for (std::size_t k = 0; k < layers.size(); ++k) layers[k]->step(k == 0 ? x : h[k - 1][row], h[k][row], c[k][row], gates);
    return h.back()[row];
  }
};

struct Sequence {
  std::vector<MatrixView> steps;
  std::vector<Use> uses;
};
Sequence sequence(id<MTLCommandBuffer> command_buffer, NSArray<MPSMatrix*>* matrices, const NSUInteger* offsets, NSUInteger columns, bool is_written,
                  const char* what) {
  Sequence out;
  for (NSUInteger t = 0; t < matrices.count; ++t) {
    MPSMatrix* m = [matrices objectAtIndex:t];
    require(m.dataType == MPSDataTypeFloat32, @"%s %lu is of data type 0x%x; float32 is what is known to work", what, lu(t), m.dataType);
    require(m.columns == columns && m.rows > 0 && m.matrices == 1, @"%s %lu is %lu x %lu; it needs %lu columns", what, lu(t), lu(m.rows), lu(m.columns), lu(columns));
    MatrixView v = view(m, command_buffer);
    if (offsets) {
      require(offsets[t] % sizeof(float) == 0 && v.offset + offsets[t] + (v.rows - 1) * v.row_bytes + columns * sizeof(float) <= v.memory->size(),
              @"%s %lu: offset %lu", what, lu(t), lu(offsets[t]));
      v.offset += offsets[t];
    }
    out.uses.push_back(is_written ? writes(v) : reads(v));
    out.steps.push_back(std::move(v));
  }
  return out;
}

}  // namespace
}  // namespace standin

@implementation MPSRNNRecurrentMatrixState
- (instancetype)initStandinFor:(id<MTLCommandBuffer>)commandBuffer layers:(const Layers&)layers rows:(NSUInteger)rows isTemporary:(BOOL)isTemporary {
  if ((self = [super initStandinForCommandBuffer:isTemporary ? commandBuffer : nil])) {
    _outputs = [[NSMutableArray alloc] init];
    _memoryCells = [[NSMutableArray alloc] init];
    const auto matrix = [&](NSUInteger columns) {
      MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:rows
                                                                     columns:columns
                                                                    rowBytes:[MPSMatrixDescriptor rowBytesForColumns:columns dataType:MPSDataTypeFloat32]
                                                                    dataType:MPSDataTypeFloat32];
      return [[[MPSMatrix alloc] initWithDevice:commandBuffer.device descriptor:d] autorelease];
    };
    for (const auto& layer : layers) {
      [_outputs addObject:matrix(layer->outputs)];
      [_memoryCells addObject:layer->cell == RecurrentLayer::Cell::lstm ? (id)matrix(layer->outputs) : (id)[NSNull null]];
    }
  }
  return self;
}
- (void)dealloc {
  [_outputs release];
  [_memoryCells release];
  [super dealloc];
}
- (MPSMatrix*)getRecurrentOutputMatrixForLayerIndex:(NSUInteger)layerIndex {
  return layerIndex < _outputs.count ? [_outputs objectAtIndex:layerIndex] : nil;
}
- (MPSMatrix*)getMemoryCellMatrixForLayerIndex:(NSUInteger)layerIndex {
  id cell = layerIndex < _memoryCells.count ? [_memoryCells objectAtIndex:layerIndex] : nil;
  return [cell isKindOfClass:[MPSMatrix class]] ? cell : nil;
}
- (NSUInteger)resourceCount {
  return 2 * _outputs.count;
}
- (NSUInteger)resourceSize {
  NSUInteger size = 0;
  for (NSUInteger k = 0; k < _outputs.count; ++k) size += [self getRecurrentOutputMatrixForLayerIndex:k].resourceSize + [self getMemoryCellMatrixForLayerIndex:k].resourceSize;
  return size;
}
- (void)synchronizeOnCommandBuffer:(id<MTLCommandBuffer>)commandBuffer {
  for (NSUInteger k = 0; k < _outputs.count; ++k) {
    [[self getRecurrentOutputMatrixForLayerIndex:k] synchronizeOnCommandBuffer:commandBuffer];
    [[self getMemoryCellMatrixForLayerIndex:k] synchronizeOnCommandBuffer:commandBuffer];
  }
}
@end

@implementation MPSRNNMatrixInferenceLayer
@synthesize bidirectionalCombineMode = _bidirectionalCombineMode, recurrentOutputIsTemporary = _recurrentOutputIsTemporary,
            storeAllIntermediateStates = _storeAllIntermediateStates;
- (instancetype)initWithDevice:(id<MTLDevice>)device rnnDescriptor:(const MPSRNNDescriptor*)rnnDescriptor {
  return [self initWithDevice:device rnnDescriptors:@[ const_cast<MPSRNNDescriptor*>(rnnDescriptor) ]];
}
- (instancetype)initWithDevice:(id<MTLDevice>)device rnnDescriptors:(NSArray<const MPSRNNDescriptor*>*)rnnDescriptors {
  require(rnnDescriptors.count > 0, @"a stack without layers");
  if ((self = [super initWithDevice:device])) {
    Unfinished made(self);
    for (NSUInteger k = 0; k < rnnDescriptors.count; ++k) _layers.push_back(read_layer([rnnDescriptors objectAtIndex:k]));
    made.done();
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSRNNMatrixInferenceLayer*)other {
  [super standinCopyStateFrom:other];
  _bidirectionalCombineMode = other->_bidirectionalCombineMode;
  _layers = other->_layers;
  _recurrentOutputIsTemporary = other->_recurrentOutputIsTemporary;
  _storeAllIntermediateStates = other->_storeAllIntermediateStates;
}
- (NSUInteger)inputFeatureChannels {
  return _layers.front()->inputs;
}
- (NSUInteger)outputFeatureChannels {
  return _layers.back()->outputs;
}
- (NSUInteger)numberOfLayers {
  return _layers.size();
}

- (void)encodeSequenceToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                       sourceMatrices:(NSArray<MPSMatrix*>*)sourceMatrices
                        sourceOffsets:(NSUInteger*)sourceOffsets
                  destinationMatrices:(NSArray<MPSMatrix*>*)destinationMatrices
                   destinationOffsets:(NSUInteger*)destinationOffsets
                  recurrentInputState:(MPSRNNRecurrentMatrixState*)recurrentInputState
                recurrentOutputStates:(NSMutableArray<MPSRNNRecurrentMatrixState*>*)recurrentOutputStates {
  require(sourceMatrices.count > 0 && sourceMatrices.count == destinationMatrices.count, @"%lu steps in, %lu out", lu(sourceMatrices.count),
          lu(destinationMatrices.count));
  [self standinRequireChain:_layers];
  const Sequence in = sequence(commandBuffer, sourceMatrices, sourceOffsets, self.inputFeatureChannels, false, "source matrix");
  const Sequence out = sequence(commandBuffer, destinationMatrices, destinationOffsets, self.outputFeatureChannels, true, "destination matrix");
  for (std::size_t t = 0; t < in.steps.size(); ++t) {
    require(in.steps[t].rows == out.steps[t].rows, @"step %lu: %lu rows in, %lu out", lu(t), lu(in.steps[t].rows), lu(out.steps[t].rows));
    require(t == 0 || in.steps[t].rows <= in.steps[t - 1].rows, @"step %lu has more rows than the one before it", lu(t));
  }
  const std::size_t rows = in.steps[0].rows;
  std::vector<Use> uses = in.uses;
  uses.insert(uses.end(), out.uses.begin(), out.uses.end());
  const auto views = [&](MPSRNNRecurrentMatrixState* state, bool is_written) {  // h and c of each layer; c empty where there is none
    std::vector<std::pair<MatrixView, MatrixView>> all;
    for (std::size_t k = 0; k < _layers.size(); ++k) {
      MPSMatrix *h = [state getRecurrentOutputMatrixForLayerIndex:k], *c = [state getMemoryCellMatrixForLayerIndex:k];
      require(h.rows == rows && h.columns == _layers[k]->outputs && (c != nil) == (_layers[k]->cell == RecurrentLayer::Cell::lstm),
              @"a recurrent state of another layer, or of %lu rows for %lu", lu(h.rows), lu(rows));
      all.push_back({view(h, commandBuffer), c ? view(c, commandBuffer) : MatrixView{}});
      uses.push_back(is_written ? writes(all.back().first) : reads(all.back().first));
      if (c) uses.push_back(is_written ? writes(all.back().second) : reads(all.back().second));
    }
    return all;
  };
  std::vector<std::pair<MatrixView, MatrixView>> begin;
  if (recurrentInputState) begin = views(recurrentInputState, false);
  std::vector<std::vector<std::pair<MatrixView, MatrixView>>> kept;  // of the last steps
  const std::size_t states = !recurrentOutputStates ? 0 : _storeAllIntermediateStates ? in.steps.size() : 1;
  for (std::size_t i = 0; i < states; ++i) {
    MPSRNNRecurrentMatrixState* state = [[[MPSRNNRecurrentMatrixState alloc] initStandinFor:commandBuffer
                                                                                      layers:_layers
                                                                                        rows:rows
                                                                                 isTemporary:_recurrentOutputIsTemporary] autorelease];
    kept.push_back(views(state, true));
    [recurrentOutputStates addObject:state];
  }
  encode(commandBuffer, @"MPSRNNMatrixInferenceLayer", uses, [layers = _layers, in = in.steps, out = out.steps, begin, kept, rows] {
    Chain chain(layers, rows);
    for (std::size_t k = 0; k < begin.size(); ++k)
      for (std::size_t row = 0; row < rows; ++row) {
        read_row(chain.h[k][row], begin[k].first, row);
        if (begin[k].second.memory) read_row(chain.c[k][row], begin[k].second, row);
      }
    for (std::size_t t = 0; t < in.size(); ++t) {
      for (std::size_t row = 0; row < in[t].rows; ++row) write_row(out[t], row, 0, chain.step(row, in[t]));
      if (t + kept.size() < in.size()) continue;
      const auto& state = kept[t + kept.size() - in.size()];  // rows that have ended keep what they had
      for (std::size_t k = 0; k < state.size(); ++k)
        for (std::size_t row = 0; row < rows; ++row) {
          write_row(state[k].first, row, 0, chain.h[k][row]);
          if (state[k].second.memory) write_row(state[k].second, row, 0, chain.c[k][row]);
        }
    }
  });
  for (MPSMatrix* m in sourceMatrices) consume(m);
  if (recurrentInputState) consume(recurrentInputState);
}
- (void)encodeSequenceToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                       sourceMatrices:(NSArray<MPSMatrix*>*)sourceMatrices
                  destinationMatrices:(NSArray<MPSMatrix*>*)destinationMatrices
                  recurrentInputState:(MPSRNNRecurrentMatrixState*)recurrentInputState
                recurrentOutputStates:(NSMutableArray<MPSRNNRecurrentMatrixState*>*)recurrentOutputStates {
  [self encodeSequenceToCommandBuffer:commandBuffer
                       sourceMatrices:sourceMatrices
                        sourceOffsets:nullptr
                  destinationMatrices:destinationMatrices
                   destinationOffsets:nullptr
                  recurrentInputState:recurrentInputState
                recurrentOutputStates:recurrentOutputStates];
}
- (void)standinRequireChain:(const Layers&)layers {
  require(!layers.empty(), @"no layer runs in this direction");
  for (std::size_t k = 1; k < layers.size(); ++k)
    require(layers[k]->inputs == layers[k - 1]->outputs, @"layer %lu takes %lu channels and is given %lu", lu(k), lu(layers[k]->inputs),
            lu(layers[k - 1]->outputs));
}

- (void)encodeBidirectionalSequenceToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                                    sourceSequence:(NSArray<MPSMatrix*>*)sourceSequence
                        destinationForwardMatrices:(NSArray<MPSMatrix*>*)destinationForwardMatrices
                       destinationBackwardMatrices:(NSArray<MPSMatrix*>*)destinationBackwardMatrices {
  Layers forward, backward;
  for (const auto& layer : _layers) (layer->is_backward ? backward : forward).push_back(layer);
  [self standinRequireChain:forward];
  [self standinRequireChain:backward];
  require(forward.front()->inputs == backward.front()->inputs, @"both directions read the same input");
  const NSUInteger f = forward.back()->outputs, b = backward.back()->outputs;
  const MPSRNNBidirectionalCombineMode mode = _bidirectionalCombineMode;
  const bool joins = mode == MPSRNNBidirectionalCombineModeConcatenate, adds = mode == MPSRNNBidirectionalCombineModeAdd;
  require(!adds || f == b, @"outputs of %lu and %lu channels cannot be added", lu(f), lu(b));
  require(sourceSequence.count > 0 && sourceSequence.count == destinationForwardMatrices.count, @"%lu steps in, %lu out", lu(sourceSequence.count),
          lu(destinationForwardMatrices.count));
  require(joins || adds || destinationBackwardMatrices.count == sourceSequence.count, @"without a combine mode the backward outputs need matrices");
  const Sequence in = sequence(commandBuffer, sourceSequence, nullptr, forward.front()->inputs, false, "source matrix");
  const Sequence to = sequence(commandBuffer, destinationForwardMatrices, nullptr, joins ? f + b : f, true, "forward destination");
  const Sequence back = joins || adds ? Sequence{} : sequence(commandBuffer, destinationBackwardMatrices, nullptr, b, true, "backward destination");
  const std::size_t rows = in.steps[0].rows;
  for (const Sequence* s : {&in, &to, &back})
    for (const MatrixView& m : s->steps) require(m.rows == rows, @"what different numbers of rows mean in both directions is written nowhere");
  std::vector<Use> uses = in.uses;
  uses.insert(uses.end(), to.uses.begin(), to.uses.end());
  uses.insert(uses.end(), back.uses.begin(), back.uses.end());
  encode(commandBuffer, @"MPSRNNMatrixInferenceLayer", uses, [=, in = in.steps, to = to.steps, back = back.steps] {
    for (std::size_t row = 0; row < rows; ++row) {
      Chain onward(forward, rows), returning(backward, rows);
      std::vector<Row> first(in.size()), second(in.size());
      for (std::size_t t = 0; t < in.size(); ++t) first[t] = onward.step(row, in[t]);
      for (std::size_t t = in.size(); t-- > 0;) second[t] = returning.step(row, in[t]);
      for (std::size_t t = 0; t < in.size(); ++t) {
        if (adds)
          for (std::size_t i = 0; i < f; ++i) first[t][i] += second[t][i];
        write_row(to[t], row, 0, first[t]);
        if (joins) write_row(to[t], row, f, second[t]);
        else if (!adds) write_row(back[t], row, 0, second[t]);
      }
    }
  });
  for (MPSMatrix* m in sourceSequence) consume(m);
}
@end
