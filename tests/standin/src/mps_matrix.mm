#include "command.hpp"
#include "resource.hpp"

using namespace standin;

namespace standin {

struct ArrayState {  // what matrices and vectors have in common
  Keep<id<MTLDevice>> device;
  NSUInteger offset;
  NSUInteger bytes;                   // from the first element to behind the last
  Keep<id<MTLBuffer>> buffer{nil};    // of an array that allocates: at first use
  bool is_own = true;                 // allocated its storage
  std::unique_ptr<ReadCount> reads{};  // of a temporary

  id<MTLBuffer> data() {
    require(!reads || reads->get(), @"a temporary's data after its last read");
    if (!buffer.get()) {
      const MTLResourceOptions mode = reads                    ? MTLResourceStorageModePrivate
                                      : settings().is_unified ? MTLResourceStorageModeShared
                                                               : MTLResourceStorageModeManaged;
      id<MTLBuffer> made = [device.get() newBufferWithLength:bytes options:mode];
      buffer = Keep(made);
      [made release];
      if (made && reads) reads->memory = memory_of(made);
    }
    return buffer.get();
  }
  NSUInteger resource_size() const { return is_own ? bytes : 0; }
  void synchronize(id<MTLCommandBuffer> command_buffer) const {
    if (!buffer.get() || buffer.get().storageMode != MTLStorageModeManaged) return;
    const auto memory = memory_of(buffer.get());
    encode(command_buffer, @"synchronize", {{memory, true}}, [memory] { memory->download(); });
  }
  std::shared_ptr<Memory> memory(id<MTLCommandBuffer> command_buffer) {
    if (reads) reads->check(command_buffer);
    require(data(), @"a matrix or vector without storage");
    return memory_of(data());
  }
  void consume() {
    if (reads) reads->set(reads->get() - 1);
  }
};

struct MatrixState : ArrayState {
  MPSDataType type;
  NSUInteger rows, columns, matrices, row_bytes, matrix_bytes;
};
struct VectorState : ArrayState {
  MPSDataType type;
  NSUInteger length, vectors, vector_bytes;
};

static MatrixState state(id<MTLDevice> device, MPSMatrixDescriptor* d, NSUInteger offset) {
  const NSUInteger element = format_of(d.dataType).bytes();
  require(d.rows && d.columns && d.matrices, @"a matrix of %lu x %lu x %lu", lu(d.matrices), lu(d.rows), lu(d.columns));
  require(d.rowBytes % element == 0 && d.rowBytes >= d.columns * element, @"rowBytes %lu for %lu columns of %lu bytes", lu(d.rowBytes),
          lu(d.columns), lu(element));
  require(d.matrices == 1 || (d.matrixBytes % d.rowBytes == 0 && d.matrixBytes >= d.rows * d.rowBytes),
          @"matrixBytes %lu for %lu rows of %lu bytes", lu(d.matrixBytes), lu(d.rows), lu(d.rowBytes));
  require(offset % element == 0, @"a matrix at offset %lu of %lu bytes an element", lu(offset), lu(element));
  const NSUInteger bytes = (d.matrices - 1) * d.matrixBytes + (d.rows - 1) * d.rowBytes + d.columns * element;
  return {{.device = Keep(device), .offset = offset, .bytes = bytes}, d.dataType, d.rows, d.columns, d.matrices, d.rowBytes, d.matrixBytes};
}
static VectorState state(id<MTLDevice> device, MPSVectorDescriptor* d, NSUInteger offset) {
  const NSUInteger element = format_of(d.dataType).bytes();
  require(d.length && d.vectors, @"%lu vectors of length %lu", lu(d.vectors), lu(d.length));
  require(d.vectors == 1 || (d.vectorBytes % element == 0 && d.vectorBytes >= d.length * element),
          @"vectorBytes %lu for %lu elements of %lu bytes", lu(d.vectorBytes), lu(d.length), lu(element));
  require(offset % element == 0, @"a vector at offset %lu of %lu bytes an element", lu(offset), lu(element));
  const NSUInteger bytes = (d.vectors - 1) * d.vectorBytes + d.length * element;
  return {{.device = Keep(device), .offset = offset, .bytes = bytes}, d.dataType, d.length, d.vectors, d.vectorBytes};
}
template <class State>
State* on_buffer(State state, id<MTLBuffer> buffer) {
  require(buffer, @"a matrix or vector of no buffer");
  require(state.offset + state.bytes <= buffer.length, @"%lu bytes from %lu end after the buffer's %lu", lu(state.bytes), lu(state.offset),
          lu(buffer.length));
  state.buffer = Keep(buffer);
  state.is_own = false;
  return new State(std::move(state));
}
template <class State>
State* temporary(State state, id<MTLCommandBuffer> command_buffer, const char* what) {
  require(root(command_buffer).status < MTLCommandBufferStatusCommitted, @"a temporary of a command buffer that was committed");
  state.reads = std::make_unique<ReadCount>(command_buffer, what);
  return new State(std::move(state));
}

void consume(MPSMatrix* matrix) { matrix->_state->consume(); }
void consume(MPSVector* vector) { vector->_state->consume(); }
MatrixView view(MPSMatrix* matrix, id<MTLCommandBuffer> command_buffer) {
  require(matrix, @"a matrix that is nil");
  MatrixState& s = *matrix->_state;
  return {s.memory(command_buffer), format_of(s.type), s.type, s.rows, s.columns, s.matrices, s.offset, s.row_bytes, s.matrix_bytes};
}
VectorView view(MPSVector* vector, id<MTLCommandBuffer> command_buffer) {
  require(vector, @"a vector that is nil");
  VectorState& s = *vector->_state;
  return {s.memory(command_buffer), format_of(s.type), s.type, s.length, s.vectors, s.offset, s.vector_bytes};
}

// The stride that the descriptors recommend: whole 16 bytes, but nothing for nothing and one element for one.
static std::size_t stride(NSUInteger count, MPSDataType type) {
  const std::size_t bytes = count * format_of(type).bytes();
  return count <= 1 ? bytes : (bytes + 15) / 16 * 16;
}

}  // namespace standin

@implementation MPSMatrixDescriptor
@synthesize columns = _columns, dataType = _dataType, matrices = _matrices, matrixBytes = _matrixBytes, rowBytes = _rowBytes, rows = _rows;
+ (instancetype)matrixDescriptorWithRows:(NSUInteger)rows columns:(NSUInteger)columns rowBytes:(NSUInteger)rowBytes dataType:(MPSDataType)type {
  return [self matrixDescriptorWithRows:rows columns:columns matrices:1 rowBytes:rowBytes matrixBytes:rows * rowBytes dataType:type];
}
+ (instancetype)matrixDescriptorWithRows:(NSUInteger)rows
                                 columns:(NSUInteger)columns
                                matrices:(NSUInteger)matrices
                                rowBytes:(NSUInteger)rowBytes
                             matrixBytes:(NSUInteger)matrixBytes
                                dataType:(MPSDataType)type {
  MPSMatrixDescriptor* d = [[[self alloc] init] autorelease];
  d->_rows = rows;
  d->_columns = columns;
  d->_matrices = matrices;
  d->_rowBytes = rowBytes;
  d->_matrixBytes = matrixBytes;
  d->_dataType = type;
  return d;
}
+ (size_t)rowBytesForColumns:(NSUInteger)columns dataType:(MPSDataType)type {
  return stride(columns, type);
}
@end

@implementation MPSMatrix
- (instancetype)initWithState:(MatrixState*)state {
  if ((self = [super init])) _state = state;
  return self;
}
- (instancetype)initWithBuffer:(id<MTLBuffer>)buffer descriptor:(MPSMatrixDescriptor*)descriptor {
  return [self initWithBuffer:buffer offset:0 descriptor:descriptor];
}
- (instancetype)initWithBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset descriptor:(MPSMatrixDescriptor*)descriptor {
  return [self initWithState:on_buffer(state(buffer.device, descriptor, offset), buffer)];
}
- (instancetype)initWithDevice:(id<MTLDevice>)device descriptor:(MPSMatrixDescriptor*)descriptor {
  return [self initWithState:new MatrixState(state(device, descriptor, 0))];
}
- (NSUInteger)columns {
  return _state->columns;
}
- (NSUInteger)rows {
  return _state->rows;
}
- (NSUInteger)matrices {
  return _state->matrices;
}
- (NSUInteger)rowBytes {
  return _state->row_bytes;
}
- (NSUInteger)matrixBytes {
  return _state->matrix_bytes;
}
- (NSUInteger)offset {
  return _state->offset;
}
- (MPSDataType)dataType {
  return _state->type;
}
- (id<MTLDevice>)device {
  return _state->device.get();
}
- (id<MTLBuffer>)data {
  return _state->data();
}
- (NSUInteger)resourceSize {
  return _state->resource_size();
}
- (void)synchronizeOnCommandBuffer:(id<MTLCommandBuffer>)commandBuffer {
  _state->synchronize(commandBuffer);
}
- (void)dealloc {
  delete _state;
  [super dealloc];
}
@end

@implementation MPSTemporaryMatrix
+ (void)prefetchStorageWithCommandBuffer:(id<MTLCommandBuffer>)commandBuffer matrixDescriptorList:(NSArray<MPSMatrixDescriptor*>*)list {
  (void)root(commandBuffer);
  (void)list;
}
+ (instancetype)temporaryMatrixWithCommandBuffer:(id<MTLCommandBuffer>)commandBuffer matrixDescriptor:(MPSMatrixDescriptor*)descriptor {
  return [[[self alloc] initWithState:temporary(state(commandBuffer.device, descriptor, 0), commandBuffer,
                                                "a temporary matrix with a readCount above 0")] autorelease];
}
- (NSUInteger)readCount {
  return _state->reads->get();
}
- (void)setReadCount:(NSUInteger)count {
  _state->reads->set(count);
}
@end

@implementation MPSVectorDescriptor
@synthesize dataType = _dataType, length = _length, vectorBytes = _vectorBytes, vectors = _vectors;
+ (instancetype)vectorDescriptorWithLength:(NSUInteger)length dataType:(MPSDataType)type {
  return [self vectorDescriptorWithLength:length vectors:1 vectorBytes:length * format_of(type).bytes() dataType:type];
}
+ (instancetype)vectorDescriptorWithLength:(NSUInteger)length
                                   vectors:(NSUInteger)vectors
                               vectorBytes:(NSUInteger)vectorBytes
                                  dataType:(MPSDataType)type {
  MPSVectorDescriptor* d = [[[self alloc] init] autorelease];
  d->_length = length;
  d->_vectors = vectors;
  d->_vectorBytes = vectorBytes;
  d->_dataType = type;
  return d;
}
+ (size_t)vectorBytesForLength:(NSUInteger)length dataType:(MPSDataType)type {
  return stride(length, type);
}
@end

@implementation MPSVector
- (instancetype)initWithState:(VectorState*)state {
  if ((self = [super init])) _state = state;
  return self;
}
- (instancetype)initWithBuffer:(id<MTLBuffer>)buffer descriptor:(MPSVectorDescriptor*)descriptor {
  return [self initWithBuffer:buffer offset:0 descriptor:descriptor];
}
- (instancetype)initWithBuffer:(id<MTLBuffer>)buffer offset:(NSUInteger)offset descriptor:(MPSVectorDescriptor*)descriptor {
  return [self initWithState:on_buffer(state(buffer.device, descriptor, offset), buffer)];
}
- (instancetype)initWithDevice:(id<MTLDevice>)device descriptor:(MPSVectorDescriptor*)descriptor {
  return [self initWithState:new VectorState(state(device, descriptor, 0))];
}
- (NSUInteger)length {
  return _state->length;
}
- (NSUInteger)vectors {
  return _state->vectors;
}
- (NSUInteger)vectorBytes {
  return _state->vector_bytes;
}
- (NSUInteger)offset {
  return _state->offset;
}
- (MPSDataType)dataType {
  return _state->type;
}
- (id<MTLDevice>)device {
  return _state->device.get();
}
- (id<MTLBuffer>)data {
  return _state->data();
}
- (NSUInteger)resourceSize {
  return _state->resource_size();
}
- (void)synchronizeOnCommandBuffer:(id<MTLCommandBuffer>)commandBuffer {
  _state->synchronize(commandBuffer);
}
- (void)dealloc {
  delete _state;
  [super dealloc];
}
@end

@implementation MPSTemporaryVector
+ (void)prefetchStorageWithCommandBuffer:(id<MTLCommandBuffer>)commandBuffer descriptorList:(NSArray<MPSVectorDescriptor*>*)list {
  (void)root(commandBuffer);
  (void)list;
}
+ (instancetype)temporaryVectorWithCommandBuffer:(id<MTLCommandBuffer>)commandBuffer descriptor:(MPSVectorDescriptor*)descriptor {
  return [[[self alloc] initWithState:temporary(state(commandBuffer.device, descriptor, 0), commandBuffer,
                                                "a temporary vector with a readCount above 0")] autorelease];
}
- (NSUInteger)readCount {
  return _state->reads->get();
}
- (void)setReadCount:(NSUInteger)count {
  _state->reads->set(count);
}
@end
