#include <cmath>
#include <cstring>
#include <limits>

#include "matrix_window.hpp"

using namespace standin;

namespace {

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

// Nobody states what these classes do with a batch: pivots, status and offsets of its matrices are open. So one matrix a call.
void check_operand(const MatrixView& m, MPSDataType type, NSString* name) {
  require(m.type == type, @"%@: data type 0x%x", name, static_cast<unsigned>(m.type));
  require(m.matrices == 1, @"%@: %lu matrices", name, lu(m.matrices));
}
void check_batch(NSUInteger start, NSUInteger size, NSString* name) { require(start == 0 && size, @"%@: batch from %lu of %lu", name, lu(start), lu(size)); }

struct Range {
  const std::byte *begin, *end;
};
Range range(const MatrixView& m) { return {m.element(0, 0, 0), m.element(m.rows - 1, m.columns - 1, 0) + m.format.bytes()}; }
bool overlap(const MatrixView& a, const MatrixView& b) {
  const Range x = range(a), y = range(b);
  return x.begin < y.end && y.begin < x.end;
}
void check_aliasing(const MatrixView& source, MTLOrigin so, const MatrixView& result, MTLOrigin ro, NSString* name) {
  const bool is_same = range(source).begin == range(result).begin && source.row_bytes == result.row_bytes && so.x == ro.x && so.y == ro.y;
  require(!overlap(source, result) || is_same, @"%@: source and result overlap in part", name);
}

// A window as numbers, row after row.
struct Square {
  std::size_t columns;
  std::vector<double> v;
  double& at(std::size_t i, std::size_t j) { return v[i * columns + j]; }
};
Square read(const MatrixView& m, MTLOrigin o, std::size_t rows, std::size_t columns) {
  Square out{columns, {}};
  out.v.reserve(rows * columns);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j) out.v.push_back(m.get(o.x + i, o.y + j));
  return out;
}
Square turned(Square& s, std::size_t rows) {
  Square out{rows, std::vector<double>(s.v.size())};
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < s.columns; ++j) out.at(j, i) = s.at(i, j);
  return out;
}
void write(const MatrixView& m, MTLOrigin o, Square& s) {
  for (std::size_t i = 0; i * s.columns < s.v.size(); ++i)
    for (std::size_t j = 0; j < s.columns; ++j) m.put(o.x + i, o.y + j, s.at(i, j));
}
// t x = x for a triangle of a square
void substitute(Square& t, std::size_t n, bool is_lower, bool is_unit, Square& x) {
  for (std::size_t step = 0; step < n; ++step) {
    const std::size_t i = is_lower ? step : n - 1 - step;
    for (std::size_t c = 0; c < x.columns; ++c) {
      double sum = x.at(i, c);
      for (std::size_t k = is_lower ? 0 : i + 1; k < (is_lower ? i : n); ++k) sum -= t.at(i, k) * x.at(k, c);
      x.at(i, c) = is_unit ? sum : sum / t.at(i, i);
    }
  }
}

// Success is not known to be written: a caller who did not prepare the buffer reads what was there.
void put_status(const std::shared_ptr<Memory>& status, int value) {
  if (status && value != MPSMatrixDecompositionStatusSuccess) std::memcpy(status->gpu(), &value, sizeof value);
}
std::shared_ptr<Memory> status_memory(id<MTLBuffer> status, NSString* name) {
  if (!status) return nullptr;
  require(status.length >= sizeof(int) && status.storageMode != MTLStorageModePrivate, @"%@: a status of %lu bytes, storage mode %lu", name, lu(status.length),
          lu(status.storageMode));
  return memory_of(status);
}
std::vector<Use> uses(std::vector<Use> some, const std::shared_ptr<Memory>& status) {
  if (status) some.push_back({status, true});
  return some;
}

}  // namespace

@implementation MPSMatrixDecompositionLU
- (instancetype)initWithDevice:(id<MTLDevice>)device rows:(NSUInteger)rows columns:(NSUInteger)columns {
  require(rows && columns, @"MPSMatrixDecompositionLU: %lu x %lu", lu(rows), lu(columns));
  if ((self = [super initWithDevice:device])) {
    _rows = rows;
    _columns = columns;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixDecompositionLU*)other {
  [super standinCopyStateFrom:other];
  _rows = other->_rows;
  _columns = other->_columns;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                 sourceMatrix:(MPSMatrix*)sourceMatrix
                 resultMatrix:(MPSMatrix*)resultMatrix
                 pivotIndices:(MPSMatrix*)pivotIndices
                       status:(id<MTLBuffer>)status {
  NSString* name = @"MPSMatrixDecompositionLU";
  const MatrixView source = view(sourceMatrix, commandBuffer), result = view(resultMatrix, commandBuffer), pivots = view(pivotIndices, commandBuffer);
  const NSUInteger rows = _rows, columns = _columns, count = std::min(rows, columns);
  const MTLOrigin so = _sourceMatrixOrigin, ro = _resultMatrixOrigin;
  check_operand(source, MPSDataTypeFloat32, name);
  check_operand(result, MPSDataTypeFloat32, name);
  check_operand(pivots, MPSDataTypeUInt32, name);
  check_window(source, so, rows, columns, name);
  check_window(result, ro, rows, columns, name);
  check_window(pivots, MTLOriginMake(0, 0, 0), 1, count, name);
  check_aliasing(source, so, result, ro, name);
  check_batch(_batchStart, _batchSize, name);
  const auto state = status_memory(status, name);
  encode(commandBuffer, _label ? _label : name, uses({reads(source), writes(result), writes(pivots)}, state), [=] {
    Square f = read(source, so, rows, columns);
    int ending = MPSMatrixDecompositionStatusSuccess;
    for (std::size_t j = 0; j < count; ++j) {
      std::size_t p = j;
      for (std::size_t i = j + 1; i < rows; ++i)
        if (std::fabs(f.at(i, j)) > std::fabs(f.at(p, j))) p = i;
      pivots.put(0, j, static_cast<double>(p));
      for (std::size_t c = 0; c < columns && p != j; ++c) std::swap(f.at(j, c), f.at(p, c));
      if (f.at(j, j) == 0) {
        ending = MPSMatrixDecompositionStatusSingular;
        continue;
      }
      for (std::size_t i = j + 1; i < rows; ++i) {
        const double l = f.at(i, j) /= f.at(j, j);
        for (std::size_t c = j + 1; c < columns; ++c) f.at(i, c) -= l * f.at(j, c);
      }
    }
    write(result, ro, f);
    put_status(state, ending);
  });
  consume(sourceMatrix);
}
@end

@implementation MPSMatrixDecompositionCholesky
- (instancetype)initWithDevice:(id<MTLDevice>)device lower:(BOOL)lower order:(NSUInteger)order {
  require(order, @"MPSMatrixDecompositionCholesky: order 0");
  if ((self = [super initWithDevice:device])) {
    _lower = lower;
    _order = order;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixDecompositionCholesky*)other {
  [super standinCopyStateFrom:other];
  _lower = other->_lower;
  _order = other->_order;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                 sourceMatrix:(MPSMatrix*)sourceMatrix
                 resultMatrix:(MPSMatrix*)resultMatrix
                       status:(id<MTLBuffer>)status {
  NSString* name = @"MPSMatrixDecompositionCholesky";
  const MatrixView source = view(sourceMatrix, commandBuffer), result = view(resultMatrix, commandBuffer);
  const NSUInteger n = _order;
  const bool is_lower = _lower;
  const MTLOrigin so = _sourceMatrixOrigin, ro = _resultMatrixOrigin;
  check_operand(source, MPSDataTypeFloat32, name);
  check_operand(result, MPSDataTypeFloat32, name);
  check_window(source, so, n, n, name);
  check_window(result, ro, n, n, name);
  check_aliasing(source, so, result, ro, name);
  check_batch(_batchStart, _batchSize, name);
  const auto state = status_memory(status, name);
  encode(commandBuffer, _label ? _label : name, uses({reads(source), writes(result)}, state), [=] {
    Square a = read(source, so, n, n);
    if (!is_lower) a = turned(a, n);
    int ending = MPSMatrixDecompositionStatusSuccess;
    for (std::size_t j = 0; j < n && ending == MPSMatrixDecompositionStatusSuccess; ++j) {
      double pivot = a.at(j, j);
      for (std::size_t k = 0; k < j; ++k) pivot -= a.at(j, k) * a.at(j, k);
      a.at(j, j) = pivot;
      if (!(pivot > 0)) {
        ending = MPSMatrixDecompositionStatusNonPositiveDefinite;
        break;
      }
      a.at(j, j) = std::sqrt(pivot);
      for (std::size_t i = j + 1; i < n; ++i) {
        for (std::size_t k = 0; k < j; ++k) a.at(i, j) -= a.at(i, k) * a.at(j, k);
        a.at(i, j) /= a.at(j, j);
      }
    }
    // Nothing is said about the other triangle.
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = i + 1; j < n; ++j) a.at(i, j) = no_number;
    if (!is_lower) a = turned(a, n);
    write(result, ro, a);
    put_status(state, ending);
  });
  consume(sourceMatrix);
}
@end

@implementation MPSMatrixSolveTriangular
- (instancetype)initWithDevice:(id<MTLDevice>)device
                         right:(BOOL)right
                         upper:(BOOL)upper
                     transpose:(BOOL)transpose
                          unit:(BOOL)unit
                         order:(NSUInteger)order
        numberOfRightHandSides:(NSUInteger)columns
                         alpha:(double)alpha {
  require(order && columns, @"MPSMatrixSolveTriangular: order %lu, %lu right-hand sides", lu(order), lu(columns));
  if ((self = [super initWithDevice:device])) {
    _right = right;
    _upper = upper;
    _transpose = transpose;
    _unit = unit;
    _order = order;
    _numberOfRightHandSides = columns;
    _alpha = alpha;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixSolveTriangular*)other {
  [super standinCopyStateFrom:other];
  _right = other->_right;
  _upper = other->_upper;
  _transpose = other->_transpose;
  _unit = other->_unit;
  _order = other->_order;
  _numberOfRightHandSides = other->_numberOfRightHandSides;
  _alpha = other->_alpha;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                 sourceMatrix:(MPSMatrix*)sourceMatrix
          rightHandSideMatrix:(MPSMatrix*)rightHandSideMatrix
               solutionMatrix:(MPSMatrix*)solutionMatrix {
  NSString* name = @"MPSMatrixSolveTriangular";
  const MatrixView a = view(sourceMatrix, commandBuffer), b = view(rightHandSideMatrix, commandBuffer), x = view(solutionMatrix, commandBuffer);
  const NSUInteger n = _order, rows = _right ? _numberOfRightHandSides : n, columns = _right ? n : _numberOfRightHandSides;
  const bool is_right = _right, is_turned = _right != _transpose, is_lower = _upper == is_turned, is_unit = _unit;
  const MTLOrigin po = _primarySourceMatrixOrigin, so = _secondarySourceMatrixOrigin, ro = _resultMatrixOrigin;
  const double alpha = _alpha;
  for (const MatrixView* m : {&a, &b, &x}) check_operand(*m, MPSDataTypeFloat32, name);
  check_window(a, po, n, n, name);
  check_window(b, so, rows, columns, name);
  check_window(x, ro, rows, columns, name);
  require(!overlap(b, x) && !overlap(a, x), @"%@: the solution overlaps an operand", name);
  check_batch(_batchStart, _batchSize, name);
  encode(commandBuffer, _label ? _label : name, {reads(a), reads(b), writes(x)}, [=] {
    Square t = read(a, po, n, n), s = read(b, so, rows, columns);
    if (is_turned) t = turned(t, n);
    if (is_right) s = turned(s, rows);
    for (double& v : s.v) v *= alpha;
    substitute(t, n, is_lower, is_unit, s);
    if (is_right) s = turned(s, n);
    write(x, ro, s);
  });
  consume(sourceMatrix);
  consume(rightHandSideMatrix);
}
@end

@implementation MPSMatrixSolveLU
- (instancetype)initWithDevice:(id<MTLDevice>)device transpose:(BOOL)transpose order:(NSUInteger)order numberOfRightHandSides:(NSUInteger)columns {
  require(order && columns, @"MPSMatrixSolveLU: order %lu, %lu right-hand sides", lu(order), lu(columns));
  if ((self = [super initWithDevice:device])) {
    _transpose = transpose;
    _order = order;
    _numberOfRightHandSides = columns;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixSolveLU*)other {
  [super standinCopyStateFrom:other];
  _transpose = other->_transpose;
  _order = other->_order;
  _numberOfRightHandSides = other->_numberOfRightHandSides;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                 sourceMatrix:(MPSMatrix*)sourceMatrix
          rightHandSideMatrix:(MPSMatrix*)rightHandSideMatrix
                 pivotIndices:(MPSMatrix*)pivotIndices
               solutionMatrix:(MPSMatrix*)solutionMatrix {
  NSString* name = @"MPSMatrixSolveLU";
  const MatrixView a = view(sourceMatrix, commandBuffer), b = view(rightHandSideMatrix, commandBuffer), x = view(solutionMatrix, commandBuffer);
  const MatrixView pivots = view(pivotIndices, commandBuffer);
  const NSUInteger n = _order, columns = _numberOfRightHandSides;
  const bool is_transposed = _transpose;
  const MTLOrigin po = _primarySourceMatrixOrigin, so = _secondarySourceMatrixOrigin, ro = _resultMatrixOrigin;
  for (const MatrixView* m : {&a, &b, &x}) check_operand(*m, MPSDataTypeFloat32, name);
  check_operand(pivots, MPSDataTypeUInt32, name);
  check_window(a, po, n, n, name);
  check_window(b, so, n, columns, name);
  check_window(x, ro, n, columns, name);
  check_window(pivots, MTLOriginMake(0, 0, 0), 1, n, name);
  require(!overlap(b, x) && !overlap(a, x), @"%@: the solution overlaps an operand", name);
  check_batch(_batchStart, _batchSize, name);
  encode(commandBuffer, _label ? _label : name, {reads(a), reads(b), reads(pivots), writes(x)}, [=] {
    Square f = read(a, po, n, n), s = read(b, so, n, columns);
    auto interchange = [&](bool backwards) {
      for (std::size_t step = 0; step < n; ++step) {
        const std::size_t i = backwards ? n - 1 - step : step;
        const auto p = static_cast<std::size_t>(pivots.get(0, i));
        for (std::size_t c = 0; c < columns; ++c) {
          if (p < n) std::swap(s.at(i, c), s.at(p, c));
          else s.at(i, c) = no_number;  // whatever lies there
        }
      }
    };
    if (is_transposed) {
      f = turned(f, n);
      substitute(f, n, true, false, s);
      substitute(f, n, false, true, s);
      interchange(true);
    } else {
      interchange(false);
      substitute(f, n, true, true, s);
      substitute(f, n, false, false, s);
    }
    write(x, ro, s);
  });
  consume(sourceMatrix);
  consume(rightHandSideMatrix);
  consume(pivotIndices);
}
@end

@implementation MPSMatrixSolveCholesky
- (instancetype)initWithDevice:(id<MTLDevice>)device upper:(BOOL)upper order:(NSUInteger)order numberOfRightHandSides:(NSUInteger)columns {
  require(order && columns, @"MPSMatrixSolveCholesky: order %lu, %lu right-hand sides", lu(order), lu(columns));
  if ((self = [super initWithDevice:device])) {
    _upper = upper;
    _order = order;
    _numberOfRightHandSides = columns;
  }
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixSolveCholesky*)other {
  [super standinCopyStateFrom:other];
  _upper = other->_upper;
  _order = other->_order;
  _numberOfRightHandSides = other->_numberOfRightHandSides;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                 sourceMatrix:(MPSMatrix*)sourceMatrix
          rightHandSideMatrix:(MPSMatrix*)rightHandSideMatrix
               solutionMatrix:(MPSMatrix*)solutionMatrix {
  NSString* name = @"MPSMatrixSolveCholesky";
  const MatrixView a = view(sourceMatrix, commandBuffer), b = view(rightHandSideMatrix, commandBuffer), x = view(solutionMatrix, commandBuffer);
  const NSUInteger n = _order, columns = _numberOfRightHandSides;
  const bool is_upper = _upper;
  const MTLOrigin po = _primarySourceMatrixOrigin, so = _secondarySourceMatrixOrigin, ro = _resultMatrixOrigin;
  for (const MatrixView* m : {&a, &b, &x}) check_operand(*m, MPSDataTypeFloat32, name);
  check_window(a, po, n, n, name);
  check_window(b, so, n, columns, name);
  check_window(x, ro, n, columns, name);
  require(!overlap(b, x) && !overlap(a, x), @"%@: the solution overlaps an operand", name);
  check_batch(_batchStart, _batchSize, name);
  encode(commandBuffer, _label ? _label : name, {reads(a), reads(b), writes(x)}, [=] {
    Square f = read(a, po, n, n), s = read(b, so, n, columns), other = turned(f, n);
    substitute(is_upper ? other : f, n, true, false, s);
    substitute(is_upper ? f : other, n, false, false, s);
    write(x, ro, s);
  });
  consume(sourceMatrix);
  consume(rightHandSideMatrix);
}
@end
