// Kernels that go through the rows of matrices: softmax, its logarithm, their gradients, the largest elements.
#include <cmath>
#include <numeric>

#include "matrix_window.hpp"

using namespace standin;

namespace {

void check_floats(std::initializer_list<MPSDataType> types, NSString* name) {
  for (const MPSDataType t : types) {
    require(t == *types.begin(), @"%@: data types 0x%x and 0x%x", name, static_cast<unsigned>(*types.begin()), static_cast<unsigned>(t));
    require(t == MPSDataTypeFloat32 || t == MPSDataTypeFloat16, @"%@: data type 0x%x", name, static_cast<unsigned>(t));
  }
}
std::vector<double> row_of(const MatrixView& m, MTLOrigin o, NSUInteger row, NSUInteger columns, NSUInteger matrix) {
  std::vector<double> values;
  for (NSUInteger j = 0; j < columns; ++j) values.push_back(m.get(o.x + row, o.y + j, matrix));
  return values;
}

void soft_max(MPSMatrixSoftMax* k, bool is_log, id<MTLCommandBuffer> commands, MPSMatrix* input, MPSMatrix* output, NSString* name) {
  const MatrixView source = view(input, commands), result = view(output, commands);
  const MTLOrigin so = k.sourceMatrixOrigin, ro = k.resultMatrixOrigin;
  check_floats({source.type, result.type}, name);
  const NSUInteger rows = clipped(k.sourceRows, source.rows, so.x, name), columns = clipped(k.sourceColumns, source.columns, so.y, name);
  check_window(source, so, rows, columns, name);
  check_window(result, ro, rows, columns, name);
  const NSUInteger start = k.batchStart, end = batch_end(start, k.batchSize, {source.matrices, result.matrices});
  encode(commands, name, {reads(source), writes(result)}, [=] {
    for (NSUInteger b = start; b < end; ++b)
      for (NSUInteger i = 0; i < rows; ++i) {
        const std::vector<double> x = row_of(source, so, i, columns, b);
        double most = x[0], sum = 0;
        for (const double v : x) most = std::fmax(most, v);
        for (const double v : x) sum += std::exp(v - most);
        for (NSUInteger j = 0; j < columns; ++j)
          result.put(ro.x + i, ro.y + j, is_log ? x[j] - most - std::log(sum) : std::exp(x[j] - most) / sum, b);
      }
  });
  consume(input);
}

void soft_max_gradient(MPSMatrixSoftMaxGradient* k, bool is_log, id<MTLCommandBuffer> commands, MPSMatrix* gradient, MPSMatrix* forward, MPSMatrix* output,
                       NSString* name) {
  const MatrixView dy = view(gradient, commands), y = view(forward, commands), result = view(output, commands);
  const MTLOrigin po = k.primarySourceMatrixOrigin, so = k.secondarySourceMatrixOrigin, ro = k.resultMatrixOrigin;
  check_floats({dy.type, y.type, result.type}, name);
  const NSUInteger rows = clipped(k.sourceRows, dy.rows, po.x, name), columns = clipped(k.sourceColumns, dy.columns, po.y, name);
  check_window(dy, po, rows, columns, name);
  check_window(y, so, rows, columns, name);
  check_window(result, ro, rows, columns, name);
  require(dy.matrices == 1 && y.matrices == 1 && result.matrices == 1, @"%@: a batch", name);
  encode(commands, name, {reads(dy), reads(y), writes(result)}, [=] {
    for (NSUInteger i = 0; i < rows; ++i) {
      const std::vector<double> g = row_of(dy, po, i, columns, 0), f = row_of(y, so, i, columns, 0);
      double sum = 0;
      for (NSUInteger j = 0; j < columns; ++j) sum += is_log ? g[j] : g[j] * f[j];
      for (NSUInteger j = 0; j < columns; ++j) result.put(ro.x + i, ro.y + j, is_log ? g[j] - std::exp(f[j]) * sum : f[j] * (g[j] - sum));
    }
  });
  consume(gradient);
  consume(forward);
}

}  // namespace

@implementation MPSMatrixSoftMax
@synthesize sourceColumns = _sourceColumns, sourceRows = _sourceRows;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) _sourceColumns = _sourceRows = NSUIntegerMax;
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixSoftMax*)other {
  [super standinCopyStateFrom:other];
  _sourceColumns = other->_sourceColumns;
  _sourceRows = other->_sourceRows;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer inputMatrix:(MPSMatrix*)inputMatrix resultMatrix:(MPSMatrix*)resultMatrix {
  soft_max(self, false, commandBuffer, inputMatrix, resultMatrix, @"MPSMatrixSoftMax");
}
@end

@implementation MPSMatrixLogSoftMax
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer inputMatrix:(MPSMatrix*)inputMatrix resultMatrix:(MPSMatrix*)resultMatrix {
  soft_max(self, true, commandBuffer, inputMatrix, resultMatrix, @"MPSMatrixLogSoftMax");
}
@end

@implementation MPSMatrixSoftMaxGradient
@synthesize sourceColumns = _sourceColumns, sourceRows = _sourceRows;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) _sourceColumns = _sourceRows = NSUIntegerMax;
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixSoftMaxGradient*)other {
  [super standinCopyStateFrom:other];
  _sourceColumns = other->_sourceColumns;
  _sourceRows = other->_sourceRows;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
               gradientMatrix:(MPSMatrix*)gradientMatrix
          forwardOutputMatrix:(MPSMatrix*)forwardOutputMatrix
                 resultMatrix:(MPSMatrix*)resultMatrix {
  soft_max_gradient(self, false, commandBuffer, gradientMatrix, forwardOutputMatrix, resultMatrix, @"MPSMatrixSoftMaxGradient");
}
@end

@implementation MPSMatrixLogSoftMaxGradient
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
               gradientMatrix:(MPSMatrix*)gradientMatrix
          forwardOutputMatrix:(MPSMatrix*)forwardOutputMatrix
                 resultMatrix:(MPSMatrix*)resultMatrix {
  soft_max_gradient(self, true, commandBuffer, gradientMatrix, forwardOutputMatrix, resultMatrix, @"MPSMatrixLogSoftMaxGradient");
}
@end

@implementation MPSMatrixFindTopK
@synthesize indexOffset = _indexOffset, numberOfTopKValues = _numberOfTopKValues, sourceColumns = _sourceColumns, sourceRows = _sourceRows;
- (instancetype)initWithDevice:(id<MTLDevice>)device numberOfTopKValues:(NSUInteger)numberOfTopKValues {
  if ((self = [super initWithDevice:device])) {
    _numberOfTopKValues = numberOfTopKValues;
    _sourceColumns = _sourceRows = NSUIntegerMax;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixFindTopK*)other {
  [super standinCopyStateFrom:other];
  _indexOffset = other->_indexOffset;
  _numberOfTopKValues = other->_numberOfTopKValues;
  _sourceColumns = other->_sourceColumns;
  _sourceRows = other->_sourceRows;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                  inputMatrix:(MPSMatrix*)inputMatrix
            resultIndexMatrix:(MPSMatrix*)resultIndexMatrix
            resultValueMatrix:(MPSMatrix*)resultValueMatrix {
  NSString* name = @"MPSMatrixFindTopK";
  const MatrixView source = view(inputMatrix, commandBuffer), index = view(resultIndexMatrix, commandBuffer), value = view(resultValueMatrix, commandBuffer);
  const MTLOrigin so = _sourceMatrixOrigin, ro = _resultMatrixOrigin;
  const NSUInteger k = _numberOfTopKValues, offset = _indexOffset;
  check_floats({source.type, value.type}, name);
  require(index.type == MPSDataTypeUInt32, @"%@: indices of data type 0x%x", name, static_cast<unsigned>(index.type));
  const NSUInteger rows = clipped(_sourceRows, source.rows, so.x, name), columns = clipped(_sourceColumns, source.columns, so.y, name);
  require(k >= 1 && k <= 16 && k <= columns, @"%@: %lu values of %lu", name, lu(k), lu(columns));
  check_window(source, so, rows, columns, name);
  check_window(index, ro, rows, k, name);
  check_window(value, ro, rows, k, name);
  const NSUInteger start = _batchStart, end = batch_end(start, _batchSize, {source.matrices, index.matrices, value.matrices});
  encode(commandBuffer, name, {reads(source), writes(index), writes(value)}, [=] {
    for (NSUInteger b = start; b < end; ++b)
      for (NSUInteger i = 0; i < rows; ++i) {
        const std::vector<double> x = row_of(source, so, i, columns, b);
        std::vector<NSUInteger> order(columns);
        std::iota(order.begin(), order.end(), NSUInteger{0});
        // Descending, the first of equals first, NaN behind everything.
        std::sort(order.begin(), order.end(), [&](NSUInteger p, NSUInteger q) {
          if (std::isnan(x[p]) != std::isnan(x[q])) return std::isnan(x[q]);
          return x[p] > x[q] || (!(x[p] < x[q]) && p < q);
        });
        for (NSUInteger j = 0; j < k; ++j) {
          index.put(ro.x + i, ro.y + j, static_cast<double>(order[j] + offset), b);
          value.put(ro.x + i, ro.y + j, x[order[j]], b);
        }
      }
  });
  consume(inputMatrix);
}
@end
