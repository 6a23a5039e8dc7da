// Layers on matrices: neurons, fully connected layers, sums, batch normalization, and their gradients. A row is a sample.
#include <cmath>
#include <numbers>

#include "matrix_window.hpp"
#include "nn_math.hpp"

using namespace standin;

namespace {

void check_float32(std::initializer_list<MPSDataType> types, NSString* name) {
  for (const MPSDataType t : types) require(t == MPSDataTypeFloat32, @"%@: data type 0x%x; only float32 is known to work", name, static_cast<unsigned>(t));
}
void check_single(std::initializer_list<std::size_t> counts, NSString* name) {
  for (const std::size_t n : counts) require(n == 1, @"%@: a batch of %lu, of which the headers say nothing", name, static_cast<unsigned long>(n));
}

struct Function {  // a neuron with slopes for each channel when it is a PReLU
  Neuron neuron;
  std::vector<float> slopes;

  double operator()(double x, NSUInteger channel) const {
    if (neuron.type == NeuronType::prelu) return x >= 0 ? x : slopes[channel] * x;
    return neuron.type == NeuronType::none ? x : neuron(static_cast<float>(x));
  }
  double derivative(double x, NSUInteger channel) const {
    const double a = neuron.a, b = neuron.b, c = neuron.c, u = a * x + b;
    switch (neuron.type) {
      case NeuronType::none: return 1;
      case NeuronType::relu: return x >= 0 ? 1 : a;
      case NeuronType::prelu: return x >= 0 ? 1 : slopes[channel];
      case NeuronType::linear: return a;
      case NeuronType::sigmoid: return 1 / (2 + std::exp(x) + std::exp(-x));
      case NeuronType::hard_sigmoid: return u >= 0 && u <= 1 ? a : 0;
      case NeuronType::tanh: return a * b * (1 - std::tanh(b * x) * std::tanh(b * x));
      case NeuronType::absolute: return x > 0 ? 1 : x < 0 ? -1 : x;
      case NeuronType::soft_plus: return a * b / (1 + std::exp(-b * x));
      case NeuronType::soft_sign: return 1 / ((1 + std::fabs(x)) * (1 + std::fabs(x)));
      case NeuronType::elu: return x >= 0 ? 1 : a * std::exp(x);
      case NeuronType::relun: return x >= b ? 0 : x >= 0 ? 1 : a;
      case NeuronType::power: return a * c * std::pow(u, c - 1);
      case NeuronType::exponential: return c == -1 ? a * std::exp(u) : a * std::log(c) * std::pow(c, u);
      case NeuronType::logarithm: return a / ((c == -1 ? 1 : std::log(c)) * u);
      case NeuronType::gelu: return 0.5 * (1 + std::erf(x * std::numbers::sqrt2 / 2)) + x * std::exp(-x * x / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    }
    return NAN;
  }
};
Function function_of(MPSCNNNeuronType type, float a, float b, float c, NSData* slopes = nil) {
  Function f{{static_cast<NeuronType>(type), a, b, c}, {}};
  if (slopes) {
    const auto* first = static_cast<const float*>(slopes.bytes);
    f.slopes.assign(first, first + slopes.length / sizeof(float));
  }
  return f;
}
void check_neuron(MPSCNNNeuronType type, NSString* name) {
  require(type != MPSCNNNeuronTypePReLU && type < MPSCNNNeuronTypeCount, @"%@: neuron type %d", name, static_cast<int>(type));
}
void check_slopes(const Function& f, NSUInteger channels, NSString* name) {
  require(f.neuron.type != NeuronType::prelu || f.slopes.size() == channels, @"%@: %lu slopes for %lu channels", name, lu(f.slopes.size()), lu(channels));
}

// An optional vector: a number for each channel.
struct Numbers {
  std::vector<VectorView> given;
  double otherwise;
  Numbers(MPSVector* vector, id<MTLCommandBuffer> commands, NSUInteger least, double otherwise, NSString* name) : otherwise(otherwise) {
    if (!vector) return;
    given.push_back(view(vector, commands));
    check_float32({given[0].type}, name);
    check_single({given[0].vectors}, name);
    require(given[0].length >= least, @"%@: a vector of %lu for %lu channels", name, lu(given[0].length), lu(least));
  }
  double operator[](NSUInteger i) const { return given.empty() ? otherwise : given[0].get(i); }
  void put(NSUInteger i, double v) const {
    if (!given.empty()) given[0].put(i, v);
  }
};
using Uses = std::vector<Use>;
void add_reads(Uses& uses, std::initializer_list<const Numbers*> all) {
  for (const Numbers* n : all)
    if (!n->given.empty()) uses.push_back(reads(n->given[0]));
}
void add_writes(Uses& uses, std::initializer_list<const Numbers*> all) {
  for (const Numbers* n : all)
    if (!n->given.empty()) uses.push_back(writes(n->given[0]));
}

}  // namespace

@implementation MPSMatrixNeuron
@synthesize alpha = _alpha, sourceInputFeatureChannels = _sourceInputFeatureChannels, sourceNumberOfFeatureVectors = _sourceNumberOfFeatureVectors;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) {
    _alpha = 1;
    _sourceInputFeatureChannels = _sourceNumberOfFeatureVectors = NSUIntegerMax;
  }
  return self;
}
- (void)dealloc {
  [_slopes release];
  [super dealloc];
}
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC {
  check_neuron(neuronType, @"MPSMatrixNeuron");
  _neuronType = neuronType;
  _neuronParameterA = parameterA;
  _neuronParameterB = parameterB;
  _neuronParameterC = parameterC;
}
- (void)setNeuronToPReLUWithParametersA:(NSData*)A {
  _neuronType = MPSCNNNeuronTypePReLU;
  [_slopes release];
  _slopes = [A copy];
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                  inputMatrix:(MPSMatrix*)inputMatrix
                   biasVector:(MPSVector*)biasVector
                 resultMatrix:(MPSMatrix*)resultMatrix {
  NSString* name = @"MPSMatrixNeuron";
  const MatrixView x = view(inputMatrix, commandBuffer), y = view(resultMatrix, commandBuffer);
  const MTLOrigin so = _sourceMatrixOrigin, ro = _resultMatrixOrigin;
  const NSUInteger rows = clipped(_sourceNumberOfFeatureVectors, x.rows, so.x, name), channels = clipped(_sourceInputFeatureChannels, x.columns, so.y, name);
  const Numbers bias(biasVector, commandBuffer, channels, 0, name);
  const Function f = function_of(_neuronType, _neuronParameterA, _neuronParameterB, _neuronParameterC, _slopes);
  check_float32({x.type, y.type}, name);
  check_single({x.matrices, y.matrices}, name);
  check_slopes(f, channels, name);
  check_window(x, so, rows, channels, name);
  check_window(y, ro, rows, channels, name);
  const double alpha = _alpha;
  Uses uses{reads(x), writes(y)};
  add_reads(uses, {&bias});
  encode(commandBuffer, name, uses, [=] {
    for (NSUInteger i = 0; i < rows; ++i)
      for (NSUInteger j = 0; j < channels; ++j) y.put(ro.x + i, ro.y + j, f(alpha * x.get(so.x + i, so.y + j) + bias[j], j));
  });
  consume(inputMatrix);
  if (biasVector) consume(biasVector);
}
@end

@implementation MPSMatrixNeuronGradient
@synthesize alpha = _alpha, sourceInputFeatureChannels = _sourceInputFeatureChannels, sourceNumberOfFeatureVectors = _sourceNumberOfFeatureVectors;
- (void)dealloc {
  [_slopes release];
  [super dealloc];
}
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC {
  check_neuron(neuronType, @"MPSMatrixNeuronGradient");
  _neuronType = neuronType;
  _neuronParameterA = parameterA;
  _neuronParameterB = parameterB;
  _neuronParameterC = parameterC;
}
- (void)setNeuronToPReLUWithParametersA:(NSData*)A {
  _neuronType = MPSCNNNeuronTypePReLU;
  [_slopes release];
  _slopes = [A copy];
}
// The sizes and alpha begin as 0: their defaults are not stated, so they must be set.
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
               gradientMatrix:(MPSMatrix*)gradientMatrix
                  inputMatrix:(MPSMatrix*)inputMatrix
                   biasVector:(MPSVector*)biasVector
  resultGradientForDataMatrix:(MPSMatrix*)resultGradientForDataMatrix
  resultGradientForBiasVector:(MPSVector*)resultGradientForBiasVector {
  NSString* name = @"MPSMatrixNeuronGradient";
  const MatrixView dy = view(gradientMatrix, commandBuffer), x = view(inputMatrix, commandBuffer), dx = view(resultGradientForDataMatrix, commandBuffer);
  const MTLOrigin po = _primarySourceMatrixOrigin, so = _secondarySourceMatrixOrigin, ro = _resultMatrixOrigin;
  const NSUInteger rows = _sourceNumberOfFeatureVectors, channels = _sourceInputFeatureChannels;
  require(rows && channels, @"%@: %lu x %lu", name, lu(rows), lu(channels));
  const Numbers bias(biasVector, commandBuffer, channels, 0, name), db(resultGradientForBiasVector, commandBuffer, channels, 0, name);
  const Function f = function_of(_neuronType, _neuronParameterA, _neuronParameterB, _neuronParameterC, _slopes);
  check_float32({dy.type, x.type, dx.type}, name);
  check_single({dy.matrices, x.matrices, dx.matrices}, name);
  check_slopes(f, channels, name);
  check_window(dy, po, rows, channels, name);
  check_window(x, so, rows, channels, name);
  check_window(dx, ro, rows, channels, name);
  const double alpha = _alpha;
  Uses uses{reads(dy), reads(x), writes(dx)};
  add_reads(uses, {&bias});
  add_writes(uses, {&db});
  encode(commandBuffer, name, uses, [=] {
    for (NSUInteger j = 0; j < channels; ++j) {
      double sum = 0;
      for (NSUInteger i = 0; i < rows; ++i) {
        const double g = dy.get(po.x + i, po.y + j) * f.derivative(alpha * x.get(so.x + i, so.y + j) + bias[j], j);
        dx.put(ro.x + i, ro.y + j, alpha * g);
        sum += g;
      }
      db.put(j, sum);
    }
  });
  consume(gradientMatrix);
  consume(inputMatrix);
  if (biasVector) consume(biasVector);
}
@end

@implementation MPSMatrixFullyConnected
@synthesize alpha = _alpha, sourceInputFeatureChannels = _sourceInputFeatureChannels, sourceNumberOfFeatureVectors = _sourceNumberOfFeatureVectors,
            sourceOutputFeatureChannels = _sourceOutputFeatureChannels;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) {
    _alpha = 1;
    _sourceInputFeatureChannels = _sourceNumberOfFeatureVectors = _sourceOutputFeatureChannels = NSUIntegerMax;
  }
  return self;
}
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC {
  check_neuron(neuronType, @"MPSMatrixFullyConnected");
  _neuronType = neuronType;
  _neuronParameterA = parameterA;
  _neuronParameterB = parameterB;
  _neuronParameterC = parameterC;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                  inputMatrix:(MPSMatrix*)inputMatrix
                 weightMatrix:(MPSMatrix*)weightMatrix
                   biasVector:(MPSVector*)biasVector
                 resultMatrix:(MPSMatrix*)resultMatrix {
  NSString* name = @"MPSMatrixFullyConnected";
  const MatrixView x = view(inputMatrix, commandBuffer), w = view(weightMatrix, commandBuffer), y = view(resultMatrix, commandBuffer);
  const MTLOrigin po = _primarySourceMatrixOrigin, so = _secondarySourceMatrixOrigin, ro = _resultMatrixOrigin;
  const NSUInteger rows = clipped(_sourceNumberOfFeatureVectors, x.rows, po.x, name);
  const NSUInteger in = std::min(clipped(_sourceInputFeatureChannels, x.columns, po.y, name), clipped(_sourceInputFeatureChannels, w.rows, so.x, name));
  const NSUInteger out = clipped(_sourceOutputFeatureChannels, w.columns, so.y, name);
  const Numbers bias(biasVector, commandBuffer, out, 0, name);
  const Function f = function_of(_neuronType, _neuronParameterA, _neuronParameterB, _neuronParameterC);
  check_float32({x.type, w.type, y.type}, name);
  check_single({x.matrices, w.matrices, y.matrices}, name);
  check_window(x, po, rows, in, name);
  check_window(w, so, in, out, name);
  check_window(y, ro, rows, out, name);
  const double alpha = _alpha;
  Uses uses{reads(x), reads(w), writes(y)};
  add_reads(uses, {&bias});
  encode(commandBuffer, name, uses, [=] {
    for (NSUInteger i = 0; i < rows; ++i)
      for (NSUInteger j = 0; j < out; ++j) {
        double sum = 0;
        for (NSUInteger k = 0; k < in; ++k) sum += x.get(po.x + i, po.y + k) * w.get(so.x + k, so.y + j);
        y.put(ro.x + i, ro.y + j, f(alpha * sum + bias[j], j));
      }
  });
  consume(inputMatrix);
  consume(weightMatrix);
  if (biasVector) consume(biasVector);
}
@end

@implementation MPSMatrixFullyConnectedGradient
@synthesize alpha = _alpha, sourceInputFeatureChannels = _sourceInputFeatureChannels, sourceNumberOfFeatureVectors = _sourceNumberOfFeatureVectors,
            sourceOutputFeatureChannels = _sourceOutputFeatureChannels;
- (void)encodeGradientForDataToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                              gradientMatrix:(const MPSMatrix*)gradientMatrix
                                weightMatrix:(const MPSMatrix*)weightMatrix
                 resultGradientForDataMatrix:(MPSMatrix*)resultGradientForDataMatrix {
  NSString* name = @"MPSMatrixFullyConnectedGradient";
  MPSMatrix *gradient = const_cast<MPSMatrix*>(gradientMatrix), *weight = const_cast<MPSMatrix*>(weightMatrix);
  const MatrixView dy = view(gradient, commandBuffer), w = view(weight, commandBuffer), dx = view(resultGradientForDataMatrix, commandBuffer);
  const MTLOrigin po = _primarySourceMatrixOrigin, so = _secondarySourceMatrixOrigin, ro = _resultMatrixOrigin;
  const NSUInteger rows = _sourceNumberOfFeatureVectors, in = _sourceInputFeatureChannels, out = _sourceOutputFeatureChannels;
  require(rows && in && out, @"%@: %lu x %lu x %lu", name, lu(rows), lu(in), lu(out));
  check_float32({dy.type, w.type, dx.type}, name);
  check_single({dy.matrices, w.matrices, dx.matrices}, name);
  check_window(dy, po, rows, out, name);
  check_window(w, so, in, out, name);
  check_window(dx, ro, rows, in, name);
  const double alpha = _alpha;
  encode(commandBuffer, name, {reads(dy), reads(w), writes(dx)}, [=] {
    for (NSUInteger i = 0; i < rows; ++i)
      for (NSUInteger k = 0; k < in; ++k) {
        double sum = 0;
        for (NSUInteger j = 0; j < out; ++j) sum += dy.get(po.x + i, po.y + j) * w.get(so.x + k, so.y + j);
        dx.put(ro.x + i, ro.y + k, alpha * sum);
      }
  });
  consume(gradient);
  consume(weight);
}
- (void)encodeGradientForWeightsAndBiasToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                                        gradientMatrix:(const MPSMatrix*)gradientMatrix
                                           inputMatrix:(const MPSMatrix*)inputMatrix
                         resultGradientForWeightMatrix:(MPSMatrix*)resultGradientForWeightMatrix
                           resultGradientForBiasVector:(MPSVector*)resultGradientForBiasVector {
  NSString* name = @"MPSMatrixFullyConnectedGradient";
  MPSMatrix *gradient = const_cast<MPSMatrix*>(gradientMatrix), *input = const_cast<MPSMatrix*>(inputMatrix);
  const MatrixView dy = view(gradient, commandBuffer), x = view(input, commandBuffer), dw = view(resultGradientForWeightMatrix, commandBuffer);
  const MTLOrigin po = _primarySourceMatrixOrigin, so = _secondarySourceMatrixOrigin, ro = _resultMatrixOrigin;
  const NSUInteger rows = _sourceNumberOfFeatureVectors, in = _sourceInputFeatureChannels, out = _sourceOutputFeatureChannels;
  require(rows && in && out, @"%@: %lu x %lu x %lu", name, lu(rows), lu(in), lu(out));
  const Numbers db(resultGradientForBiasVector, commandBuffer, out, 0, name);
  check_float32({dy.type, x.type, dw.type}, name);
  check_single({dy.matrices, x.matrices, dw.matrices}, name);
  check_window(dy, po, rows, out, name);
  check_window(x, so, rows, in, name);
  check_window(dw, ro, in, out, name);
  const double alpha = _alpha;
  Uses uses{reads(dy), reads(x), writes(dw)};
  add_writes(uses, {&db});
  encode(commandBuffer, name, uses, [=] {
    for (NSUInteger j = 0; j < out; ++j) {
      double total = 0;
      for (NSUInteger i = 0; i < rows; ++i) total += dy.get(po.x + i, po.y + j);
      db.put(j, total);
      for (NSUInteger k = 0; k < in; ++k) {
        double sum = 0;
        for (NSUInteger i = 0; i < rows; ++i) sum += x.get(so.x + i, so.y + k) * dy.get(po.x + i, po.y + j);
        dw.put(ro.x + k, ro.y + j, alpha * sum);
      }
    }
  });
  consume(gradient);
  consume(input);
}
@end

@implementation MPSMatrixSum
@synthesize columns = _columns, count = _count, neuronParameterA = _neuronParameterA, neuronParameterB = _neuronParameterB,
            neuronParameterC = _neuronParameterC, resultMatrixOrigin = _resultMatrixOrigin, rows = _rows, transpose = _transpose;
- (instancetype)initWithDevice:(id<MTLDevice>)device count:(NSUInteger)count rows:(NSUInteger)rows columns:(NSUInteger)columns transpose:(BOOL)transpose {
  require(count >= 2 && rows && columns, @"MPSMatrixSum: %lu matrices of %lu x %lu", lu(count), lu(rows), lu(columns));
  if ((self = [super initWithDevice:device])) {
    _count = count;
    _rows = rows;
    _columns = columns;
    _transpose = transpose;
  }
  return self;
}
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC {
  check_neuron(neuronType, @"MPSMatrixSum");
  _neuronType = neuronType;
  _neuronParameterA = parameterA;
  _neuronParameterB = parameterB;
  _neuronParameterC = parameterC;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
               sourceMatrices:(NSArray<MPSMatrix*>*)sourceMatrices
                 resultMatrix:(MPSMatrix*)resultMatrix
                  scaleVector:(MPSVector*)scaleVector
                 offsetVector:(MPSVector*)offsetVector
                   biasVector:(MPSVector*)biasVector
                   startIndex:(NSUInteger)startIndex {
  NSString* name = @"MPSMatrixSum";
  const NSUInteger rows = _rows, columns = _columns;
  const MTLOrigin ro = _resultMatrixOrigin;
  const bool is_transposed = _transpose;
  require(sourceMatrices.count == _count, @"%@: %lu matrices for a count of %lu", name, lu(sourceMatrices.count), lu(_count));
  require(startIndex == 0, @"%@: startIndex %lu, whose unit for the offsets is not stated", name, lu(startIndex));
  require(!(biasVector && is_transposed), @"%@: a bias of a transposed sum, whose order is not stated", name);
  const MatrixView y = view(resultMatrix, commandBuffer);
  const Function f = function_of(_neuronType, _neuronParameterA, _neuronParameterB, _neuronParameterC);
  const Numbers scale(scaleVector, commandBuffer, _count, 1, name), bias(biasVector, commandBuffer, is_transposed ? rows : columns, 0, name);
  std::vector<VectorView> offsets;
  Uses uses{writes(y)};
  add_reads(uses, {&scale, &bias});
  if (offsetVector) {
    offsets.push_back(view(offsetVector, commandBuffer));
    require(offsets[0].type == MPSDataTypeUInt32 && offsets[0].length >= 2 * _count, @"%@: %lu offsets of type 0x%x", name, lu(offsets[0].length),
            static_cast<unsigned>(offsets[0].type));
    uses.push_back(reads(offsets[0]));
  }
  std::vector<MatrixView> sources;
  for (NSUInteger i = 0; i < _count; ++i) {
    sources.push_back(view([sourceMatrices objectAtIndex:i], commandBuffer));
    uses.push_back(reads(sources[i]));
    check_float32({sources[i].type}, name);
    check_single({sources[i].matrices}, name);
  }
  check_float32({y.type}, name);
  check_single({y.matrices}, name);
  check_window(y, ro, is_transposed ? columns : rows, is_transposed ? rows : columns, name);
  encode(commandBuffer, name, uses, [=] {
    for (NSUInteger i = 0; i < rows; ++i)
      for (NSUInteger j = 0; j < columns; ++j) {
        double sum = 0;
        for (NSUInteger s = 0; s < sources.size(); ++s) {
          const auto row = offsets.empty() ? i : i + static_cast<NSUInteger>(offsets[0].get(2 * s));
          const auto column = offsets.empty() ? j : j + static_cast<NSUInteger>(offsets[0].get(2 * s + 1));
          require(row < sources[s].rows && column < sources[s].columns, @"%@: (%lu, %lu) of a source of %lu x %lu", name, lu(row), lu(column),
                  lu(sources[s].rows), lu(sources[s].columns));
          sum += scale[s] * sources[s].get(row, column);
        }
        y.put(ro.x + (is_transposed ? j : i), ro.y + (is_transposed ? i : j), f(sum + bias[is_transposed ? i : j], 0));
      }
  });
  for (NSUInteger i = 0; i < _count; ++i) consume([sourceMatrices objectAtIndex:i]);
  for (MPSVector* v : {scaleVector, offsetVector, biasVector})
    if (v) consume(v);
}
@end

@implementation MPSMatrixBatchNormalization
@synthesize computeStatistics = _computeStatistics, epsilon = _epsilon, sourceInputFeatureChannels = _sourceInputFeatureChannels,
            sourceNumberOfFeatureVectors = _sourceNumberOfFeatureVectors;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) {
    _epsilon = 1.17549435e-38f;
    _sourceInputFeatureChannels = _sourceNumberOfFeatureVectors = NSUIntegerMax;
  }
  return self;
}
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC {
  check_neuron(neuronType, @"MPSMatrixBatchNormalization");
  _neuronType = neuronType;
  _neuronParameterA = parameterA;
  _neuronParameterB = parameterB;
  _neuronParameterC = parameterC;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                  inputMatrix:(MPSMatrix*)inputMatrix
                   meanVector:(MPSVector*)meanVector
               varianceVector:(MPSVector*)varianceVector
                  gammaVector:(MPSVector*)gammaVector
                   betaVector:(MPSVector*)betaVector
                 resultMatrix:(MPSMatrix*)resultMatrix {
  NSString* name = @"MPSMatrixBatchNormalization";
  const MatrixView x = view(inputMatrix, commandBuffer), y = view(resultMatrix, commandBuffer);
  const MTLOrigin so = _sourceMatrixOrigin, ro = _resultMatrixOrigin;
  const NSUInteger rows = clipped(_sourceNumberOfFeatureVectors, x.rows, so.x, name), channels = clipped(_sourceInputFeatureChannels, x.columns, so.y, name);
  require(meanVector && varianceVector, @"%@: no mean or variance", name);
  const Numbers mean(meanVector, commandBuffer, channels, 0, name), variance(varianceVector, commandBuffer, channels, 0, name),
      gamma(gammaVector, commandBuffer, channels, 1, name), beta(betaVector, commandBuffer, channels, 0, name);
  const Function f = function_of(_neuronType, _neuronParameterA, _neuronParameterB, _neuronParameterC);
  check_float32({x.type, y.type}, name);
  check_single({x.matrices, y.matrices}, name);
  check_window(x, so, rows, channels, name);
  check_window(y, ro, rows, channels, name);
  const bool computes = _computeStatistics;
  const double epsilon = _epsilon;
  Uses uses{reads(x), writes(y)};
  add_reads(uses, {&gamma, &beta});
  if (computes) add_writes(uses, {&mean, &variance});
  else add_reads(uses, {&mean, &variance});
  encode(commandBuffer, name, uses, [=] {
    for (NSUInteger j = 0; j < channels; ++j) {
      double m = mean[j], v = variance[j];
      if (computes) {
        m = v = 0;
        for (NSUInteger i = 0; i < rows; ++i) m += x.get(so.x + i, so.y + j) / static_cast<double>(rows);
        for (NSUInteger i = 0; i < rows; ++i) v += (x.get(so.x + i, so.y + j) - m) * (x.get(so.x + i, so.y + j) - m) / static_cast<double>(rows);
        mean.put(j, m);
        variance.put(j, v);
      }
      for (NSUInteger i = 0; i < rows; ++i) y.put(ro.x + i, ro.y + j, f((x.get(so.x + i, so.y + j) - m) / std::sqrt(v + epsilon) * gamma[j] + beta[j], j));
    }
  });
  consume(inputMatrix);
  for (MPSVector* v : {gammaVector, betaVector})
    if (v) consume(v);
  if (computes) return;
  consume(meanVector);
  consume(varianceVector);
}
@end

@implementation MPSMatrixBatchNormalizationGradient
@synthesize epsilon = _epsilon, sourceInputFeatureChannels = _sourceInputFeatureChannels, sourceNumberOfFeatureVectors = _sourceNumberOfFeatureVectors;
- (void)setNeuronType:(MPSCNNNeuronType)neuronType parameterA:(float)parameterA parameterB:(float)parameterB parameterC:(float)parameterC {
  check_neuron(neuronType, @"MPSMatrixBatchNormalizationGradient");
  _neuronType = neuronType;
  _neuronParameterA = parameterA;
  _neuronParameterB = parameterB;
  _neuronParameterC = parameterC;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
               gradientMatrix:(MPSMatrix*)gradientMatrix
                  inputMatrix:(MPSMatrix*)inputMatrix
                   meanVector:(MPSVector*)meanVector
               varianceVector:(MPSVector*)varianceVector
                  gammaVector:(MPSVector*)gammaVector
                   betaVector:(MPSVector*)betaVector
  resultGradientForDataMatrix:(MPSMatrix*)resultGradientForDataMatrix
 resultGradientForGammaVector:(MPSVector*)resultGradientForGammaVector
  resultGradientForBetaVector:(MPSVector*)resultGradientForBetaVector {
  NSString* name = @"MPSMatrixBatchNormalizationGradient";
  const MatrixView dy = view(gradientMatrix, commandBuffer), x = view(inputMatrix, commandBuffer), dx = view(resultGradientForDataMatrix, commandBuffer);
  const MTLOrigin po = _primarySourceMatrixOrigin, so = _secondarySourceMatrixOrigin, ro = _resultMatrixOrigin;
  const NSUInteger rows = _sourceNumberOfFeatureVectors, channels = _sourceInputFeatureChannels;
  require(rows && channels, @"%@: %lu x %lu", name, lu(rows), lu(channels));
  require(meanVector && varianceVector, @"%@: no mean or variance", name);
  const Numbers mean(meanVector, commandBuffer, channels, 0, name), variance(varianceVector, commandBuffer, channels, 0, name),
      gamma(gammaVector, commandBuffer, channels, 1, name), beta(betaVector, commandBuffer, channels, 0, name),
      dgamma(resultGradientForGammaVector, commandBuffer, channels, 0, name), dbeta(resultGradientForBetaVector, commandBuffer, channels, 0, name);
  const Function f = function_of(_neuronType, _neuronParameterA, _neuronParameterB, _neuronParameterC);
  check_float32({dy.type, x.type, dx.type}, name);
  check_single({dy.matrices, x.matrices, dx.matrices}, name);
  check_window(dy, po, rows, channels, name);
  check_window(x, so, rows, channels, name);
  check_window(dx, ro, rows, channels, name);
  const double epsilon = _epsilon, n = static_cast<double>(rows);
  Uses uses{reads(dy), reads(x), writes(dx)};
  add_reads(uses, {&mean, &variance, &gamma, &beta});
  add_writes(uses, {&dgamma, &dbeta});
  encode(commandBuffer, name, uses, [=] {
    for (NSUInteger j = 0; j < channels; ++j) {
      const double s = 1 / std::sqrt(variance[j] + epsilon), m = mean[j];
      const auto normal = [&](NSUInteger i) { return (x.get(so.x + i, so.y + j) - m) * s; };
      std::vector<double> g(rows);
      double for_gamma = 0, for_beta = 0;
      for (NSUInteger i = 0; i < rows; ++i) {
        g[i] = dy.get(po.x + i, po.y + j) * f.derivative(normal(i) * gamma[j] + beta[j], j);
        for_gamma += g[i] * normal(i);
        for_beta += g[i];
      }
      // Mean and variance are those of x, so they move with it.
      for (NSUInteger i = 0; i < rows; ++i) dx.put(ro.x + i, ro.y + j, gamma[j] * s * (g[i] - for_beta / n - normal(i) * for_gamma / n));
      dgamma.put(j, for_gamma);
      dbeta.put(j, for_beta);
    }
  });
  consume(gradientMatrix);
  consume(inputMatrix);
  for (MPSVector* v : {meanVector, varianceVector, gammaVector, betaVector})
    if (v) consume(v);
}
@end
