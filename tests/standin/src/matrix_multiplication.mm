#include <cmath>

#include "matrix_window.hpp"

using namespace standin;

namespace {

// A scalar goes with the result's type.
double rounded(double value, const Format& result) {
  alignas(8) std::byte bytes[8];
  store(result, bytes, value);
  return load(result, bytes);
}

void check_types(MPSDataType left, MPSDataType right, MPSDataType result, NSString* name) {
  static constexpr MPSDataType known[][3] = {
      {MPSDataTypeFloat32, MPSDataTypeFloat32, MPSDataTypeFloat32}, {MPSDataTypeFloat16, MPSDataTypeFloat16, MPSDataTypeFloat16},
      {MPSDataTypeFloat16, MPSDataTypeFloat16, MPSDataTypeFloat32}, {MPSDataTypeInt8, MPSDataTypeInt8, MPSDataTypeFloat32},
      {MPSDataTypeInt16, MPSDataTypeInt16, MPSDataTypeFloat32},     {MPSDataTypeInt8, MPSDataTypeInt8, MPSDataTypeFloat16},
      {MPSDataTypeFloat32, MPSDataTypeFloat16, MPSDataTypeFloat32},
  };
  for (const auto& k : known)
    if (k[0] == left && k[1] == right && k[2] == result) return;
  misuse(@"%@: data types 0x%x, 0x%x and 0x%x", name, static_cast<unsigned>(left), static_cast<unsigned>(right), static_cast<unsigned>(result));
}

// op(X), row after row.
std::vector<double> window(const MatrixView& m, MTLOrigin o, bool is_transposed, NSUInteger rows, NSUInteger columns, NSUInteger matrix) {
  std::vector<double> values;
  values.reserve(rows * columns);
  for (NSUInteger i = 0; i < rows; ++i)
    for (NSUInteger j = 0; j < columns; ++j) values.push_back(m.get(o.x + (is_transposed ? j : i), o.y + (is_transposed ? i : j), matrix));
  return values;
}

}  // namespace

@implementation MPSMatrixMultiplication
@synthesize batchSize = _batchSize, batchStart = _batchStart, leftMatrixOrigin = _leftMatrixOrigin,
            resultMatrixOrigin = _resultMatrixOrigin, rightMatrixOrigin = _rightMatrixOrigin;
- (instancetype)initWithDevice:(id<MTLDevice>)device
                    resultRows:(NSUInteger)rows
                 resultColumns:(NSUInteger)columns
               interiorColumns:(NSUInteger)interior {
  return [self initWithDevice:device
                transposeLeft:NO
               transposeRight:NO
                   resultRows:rows
                resultColumns:columns
              interiorColumns:interior
                        alpha:1
                         beta:0];
}
- (instancetype)initWithDevice:(id<MTLDevice>)device
                 transposeLeft:(BOOL)transposeLeft
                transposeRight:(BOOL)transposeRight
                    resultRows:(NSUInteger)rows
                 resultColumns:(NSUInteger)columns
               interiorColumns:(NSUInteger)interior
                         alpha:(double)alpha
                          beta:(double)beta {
  require(rows && columns && interior, @"MPSMatrixMultiplication: %lu x %lu x %lu", lu(rows), lu(interior), lu(columns));
  if ((self = [super initWithDevice:device])) {
    _transposeLeft = transposeLeft;
    _transposeRight = transposeRight;
    _resultRows = rows;
    _resultColumns = columns;
    _interiorColumns = interior;
    _alpha = alpha;
    _beta = beta;
    _batchSize = NSUIntegerMax;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixMultiplication*)other {
  [super standinCopyStateFrom:other];
  _batchSize = other->_batchSize;
  _batchStart = other->_batchStart;
  _leftMatrixOrigin = other->_leftMatrixOrigin;
  _rightMatrixOrigin = other->_rightMatrixOrigin;
  _resultMatrixOrigin = other->_resultMatrixOrigin;
  _transposeLeft = other->_transposeLeft;
  _transposeRight = other->_transposeRight;
  _resultRows = other->_resultRows;
  _resultColumns = other->_resultColumns;
  _interiorColumns = other->_interiorColumns;
  _alpha = other->_alpha;
  _beta = other->_beta;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                   leftMatrix:(MPSMatrix*)leftMatrix
                  rightMatrix:(MPSMatrix*)rightMatrix
                 resultMatrix:(MPSMatrix*)resultMatrix {
  NSString* name = @"MPSMatrixMultiplication";
  const MatrixView left = view(leftMatrix, commandBuffer), right = view(rightMatrix, commandBuffer), result = view(resultMatrix, commandBuffer);
  const NSUInteger m = _resultRows, n = _resultColumns, k = _interiorColumns;
  const bool tl = _transposeLeft, tr = _transposeRight;
  const MTLOrigin lo = _leftMatrixOrigin, ro = _rightMatrixOrigin, co = _resultMatrixOrigin;
  check_types(left.type, right.type, result.type, name);
  check_window(left, lo, tl ? k : m, tl ? m : k, name);
  check_window(right, ro, tr ? n : k, tr ? k : n, name);
  check_window(result, co, m, n, name);
  require(_batchSize, @"MPSMatrixMultiplication: batchSize 0");
  const double alpha = rounded(_alpha, result.format), beta = rounded(_beta, result.format);
  const NSUInteger start = _batchStart, end = batch_end(start, _batchSize, {left.matrices, right.matrices, result.matrices});
  encode(commandBuffer, _label ? _label : name, {reads(left), reads(right), writes(result)}, [=] {
    for (NSUInteger b = start; b < end; ++b) {
      const std::vector<double> a = window(left, lo, tl, m, k, b), x = window(right, ro, tr, k, n, b);
      std::vector<double> row(n);
      for (NSUInteger i = 0; i < m; ++i) {
        std::fill(row.begin(), row.end(), 0.0);
        for (NSUInteger p = 0; p < k; ++p)
          for (NSUInteger j = 0; j < n; ++j) row[j] += a[i * k + p] * x[p * n + j];
        // Nothing says that a factor of zero keeps NaN away, so here it does not.
        for (NSUInteger j = 0; j < n; ++j)
          result.put(co.x + i, co.y + j, alpha * row[j] + beta * result.get(co.x + i, co.y + j, b), b);
      }
    }
  });
  consume(leftMatrix);
  consume(rightMatrix);
}
@end

@implementation MPSMatrixUnaryKernel
@synthesize batchSize = _batchSize, batchStart = _batchStart, resultMatrixOrigin = _resultMatrixOrigin, sourceMatrixOrigin = _sourceMatrixOrigin;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) _batchSize = NSUIntegerMax;
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixUnaryKernel*)other {
  [super standinCopyStateFrom:other];
  _batchSize = other->_batchSize;
  _batchStart = other->_batchStart;
  _resultMatrixOrigin = other->_resultMatrixOrigin;
  _sourceMatrixOrigin = other->_sourceMatrixOrigin;
}
@end

@implementation MPSMatrixBinaryKernel
@synthesize batchSize = _batchSize, batchStart = _batchStart, primarySourceMatrixOrigin = _primarySourceMatrixOrigin,
            resultMatrixOrigin = _resultMatrixOrigin, secondarySourceMatrixOrigin = _secondarySourceMatrixOrigin;
- (instancetype)initWithDevice:(id<MTLDevice>)device {
  if ((self = [super initWithDevice:device])) _batchSize = NSUIntegerMax;
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixBinaryKernel*)other {
  [super standinCopyStateFrom:other];
  _batchSize = other->_batchSize;
  _batchStart = other->_batchStart;
  _primarySourceMatrixOrigin = other->_primarySourceMatrixOrigin;
  _secondarySourceMatrixOrigin = other->_secondarySourceMatrixOrigin;
  _resultMatrixOrigin = other->_resultMatrixOrigin;
}
@end

@implementation MPSMatrixVectorMultiplication
- (instancetype)initWithDevice:(id<MTLDevice>)device rows:(NSUInteger)rows columns:(NSUInteger)columns {
  return [self initWithDevice:device transpose:NO rows:rows columns:columns alpha:1 beta:0];
}
- (instancetype)initWithDevice:(id<MTLDevice>)device
                     transpose:(BOOL)transpose
                          rows:(NSUInteger)rows
                       columns:(NSUInteger)columns
                         alpha:(double)alpha
                          beta:(double)beta {
  require(rows && columns, @"MPSMatrixVectorMultiplication: %lu x %lu", lu(rows), lu(columns));
  if ((self = [super initWithDevice:device])) {
    _transpose = transpose;
    _rows = rows;
    _columns = columns;
    _alpha = alpha;
    _beta = beta;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixVectorMultiplication*)other {
  [super standinCopyStateFrom:other];
  _transpose = other->_transpose;
  _rows = other->_rows;
  _columns = other->_columns;
  _alpha = other->_alpha;
  _beta = other->_beta;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                  inputMatrix:(MPSMatrix*)inputMatrix
                  inputVector:(MPSVector*)inputVector
                 resultVector:(MPSVector*)resultVector {
  NSString* name = @"MPSMatrixVectorMultiplication";
  const MatrixView matrix = view(inputMatrix, commandBuffer);
  const VectorView input = view(inputVector, commandBuffer), result = view(resultVector, commandBuffer);
  const NSUInteger rows = _rows, columns = _columns;
  const bool is_transposed = _transpose;
  const MTLOrigin po = _primarySourceMatrixOrigin, so = _secondarySourceMatrixOrigin, ro = _resultMatrixOrigin;
  check_types(matrix.type, input.type, result.type, name);
  require(matrix.type & MPSDataTypeFloatBit, @"%@: a matrix of integers", name);
  check_window(matrix, po, is_transposed ? columns : rows, is_transposed ? rows : columns, name);
  check_window(input, so, columns, name);
  check_window(result, ro, rows, name);
  require(_batchSize, @"%@: batchSize 0", name);
  const double alpha = rounded(_alpha, result.format), beta = rounded(_beta, result.format);
  const NSUInteger start = _batchStart, end = batch_end(start, _batchSize, {matrix.matrices, input.vectors, result.vectors});
  encode(commandBuffer, _label ? _label : name, {reads(matrix), reads(input), writes(result)}, [=] {
    for (NSUInteger b = start; b < end; ++b) {
      const std::vector<double> a = window(matrix, po, is_transposed, rows, columns, b);
      for (NSUInteger i = 0; i < rows; ++i) {
        double sum = 0;
        for (NSUInteger j = 0; j < columns; ++j) sum += a[i * columns + j] * input.get(so.x + j, b);
        result.put(ro.x + i, alpha * sum + beta * result.get(ro.x + i, b), b);
      }
    }
  });
  consume(inputMatrix);
  consume(inputVector);
}
@end
