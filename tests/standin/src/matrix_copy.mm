// Copies of blocks between matrices.
#include "matrix_window.hpp"

using namespace standin;

@implementation MPSMatrixCopyDescriptor
+ (instancetype)descriptorWithSourceMatrix:(MPSMatrix*)sourceMatrix destinationMatrix:(MPSMatrix*)destinationMatrix offsets:(MPSMatrixCopyOffsets)offsets {
  MPSMatrixCopyDescriptor* d = [[[self alloc] initWithDevice:sourceMatrix.device count:1] autorelease];
  [d setCopyOperationAtIndex:0 sourceMatrix:sourceMatrix destinationMatrix:destinationMatrix offsets:offsets];
  return d;
}
- (instancetype)initWithDevice:(id<MTLDevice>)device count:(NSUInteger)count {
  require(count, @"MPSMatrixCopyDescriptor: no copies");
  if ((self = [super init])) {
    _device = [device retain];
    _sources = [[NSMutableArray alloc] init];
    _destinations = [[NSMutableArray alloc] init];
    _offsets = [[NSMutableData alloc] initWithLength:count * sizeof(MPSMatrixCopyOffsets)];
    for (NSUInteger i = 0; i < count; ++i) {  // not set yet
      [_sources addObject:static_cast<MPSMatrix*>(static_cast<id>([NSNull null]))];
      [_destinations addObject:static_cast<MPSMatrix*>(static_cast<id>([NSNull null]))];
    }
  }
  return self;
}
- (void)dealloc {
  [_device release];
  [_sources release];
  [_destinations release];
  [_offsets release];
  [super dealloc];
}
- (void)setCopyOperationAtIndex:(NSUInteger)index
                   sourceMatrix:(MPSMatrix*)sourceMatrix
              destinationMatrix:(MPSMatrix*)destinationMatrix
                        offsets:(MPSMatrixCopyOffsets)offsets {
  require(index < _sources.count, @"MPSMatrixCopyDescriptor: copy %lu of %lu", lu(index), lu(_sources.count));
  [_sources replaceObjectAtIndex:index withObject:sourceMatrix];
  [_destinations replaceObjectAtIndex:index withObject:destinationMatrix];
  static_cast<MPSMatrixCopyOffsets*>(_offsets.mutableBytes)[index] = offsets;
}
@end

@implementation MPSMatrixCopy
@synthesize copyColumns = _copyColumns, copyRows = _copyRows, destinationsAreTransposed = _destinationsAreTransposed,
            sourcesAreTransposed = _sourcesAreTransposed;
- (instancetype)initWithDevice:(id<MTLDevice>)device
                      copyRows:(NSUInteger)copyRows
                   copyColumns:(NSUInteger)copyColumns
          sourcesAreTransposed:(BOOL)sourcesAreTransposed
     destinationsAreTransposed:(BOOL)destinationsAreTransposed {
  require(copyRows && copyColumns, @"MPSMatrixCopy: %lu x %lu", lu(copyRows), lu(copyColumns));
  if ((self = [super initWithDevice:device])) {
    _copyRows = copyRows;
    _copyColumns = copyColumns;
    _sourcesAreTransposed = sourcesAreTransposed;
    _destinationsAreTransposed = destinationsAreTransposed;
  }
  return self;
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer copyDescriptor:(MPSMatrixCopyDescriptor*)copyDescriptor {
  [self encodeToCommandBuffer:commandBuffer
               copyDescriptor:copyDescriptor
            rowPermuteIndices:nil
             rowPermuteOffset:0
         columnPermuteIndices:nil
          columnPermuteOffset:0];
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
               copyDescriptor:(MPSMatrixCopyDescriptor*)copyDescriptor
            rowPermuteIndices:(MPSVector*)rowPermuteIndices
             rowPermuteOffset:(NSUInteger)rowPermuteOffset
         columnPermuteIndices:(MPSVector*)columnPermuteIndices
          columnPermuteOffset:(NSUInteger)columnPermuteOffset {
  NSString* name = @"MPSMatrixCopy";
  const NSUInteger rows = _copyRows, columns = _copyColumns;
  const bool st = _sourcesAreTransposed, dt = _destinationsAreTransposed;
  std::vector<Use> uses;
  struct Permutation {
    std::vector<VectorView> indices;
    NSUInteger offset;
    NSUInteger operator()(NSUInteger i) const { return indices.empty() ? i : static_cast<NSUInteger>(indices[0].get(offset + i)); }
  };
  const auto permutation = [&](MPSVector* v, NSUInteger offset, NSUInteger count) {
    Permutation p{{}, offset};
    if (!v) return p;
    p.indices.push_back(view(v, commandBuffer));
    require(p.indices[0].type == MPSDataTypeUInt32, @"%@: indices of data type 0x%x", name, static_cast<unsigned>(p.indices[0].type));
    check_window(p.indices[0], MTLOriginMake(offset, 0, 0), count, name);
    uses.push_back(reads(p.indices[0]));
    return p;
  };
  const Permutation rp = permutation(rowPermuteIndices, rowPermuteOffset, dt ? columns : rows);
  const Permutation cp = permutation(columnPermuteIndices, columnPermuteOffset, dt ? rows : columns);
  struct Copy {
    MatrixView from, to;
    MPSMatrixCopyOffsets at;
  };
  std::vector<Copy> copies;
  for (NSUInteger i = 0; i < copyDescriptor->_sources.count; ++i) {
    id source = [copyDescriptor->_sources objectAtIndex:i];
    require(source != [NSNull null], @"%@: copy %lu was not set", name, lu(i));
    const MPSMatrixCopyOffsets at = static_cast<const MPSMatrixCopyOffsets*>(copyDescriptor->_offsets.bytes)[i];
    const Copy c{view(static_cast<MPSMatrix*>(source), commandBuffer), view([copyDescriptor->_destinations objectAtIndex:i], commandBuffer), at};
    require(c.from.type == c.to.type, @"%@: data types 0x%x and 0x%x", name, static_cast<unsigned>(c.from.type), static_cast<unsigned>(c.to.type));
    require(c.from.matrices == 1 && c.to.matrices == 1, @"%@: a batch", name);
    require(!st || (at.sourceRowOffset == 0 && at.sourceColumnOffset == 0), @"%@: offsets of a transposed source, whose meaning is not stated", name);
    check_window(c.from, MTLOriginMake(at.sourceRowOffset, at.sourceColumnOffset, 0), st ? columns : rows, st ? rows : columns, name);
    uses.push_back(reads(c.from));
    uses.push_back(writes(c.to));
    copies.push_back(c);
  }
  encode(commandBuffer, name, uses, [=] {
    for (const Copy& c : copies)
      for (NSUInteger i = 0; i < rows; ++i)
        for (NSUInteger j = 0; j < columns; ++j) {
          const std::byte* from = c.from.element(c.at.sourceRowOffset + (st ? j : i), c.at.sourceColumnOffset + (st ? i : j), 0);
          const NSUInteger row = c.at.destinationRowOffset + rp(dt ? j : i), column = c.at.destinationColumnOffset + cp(dt ? i : j);
          require(row < c.to.rows && column < c.to.columns, @"%@: to (%lu, %lu) of %lu x %lu", name, lu(row), lu(column), lu(c.to.rows), lu(c.to.columns));
          std::copy_n(from, c.from.format.bytes(), c.to.element(row, column, 0));
        }
  });
  for (MPSMatrix* m in copyDescriptor->_sources) consume(m);
  if (rowPermuteIndices) consume(rowPermuteIndices);
  if (columnPermuteIndices) consume(columnPermuteIndices);
}
@end
