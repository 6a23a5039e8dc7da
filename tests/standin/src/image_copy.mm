// Pictures as rows of a matrix: elements are copied, never converted.
#include "standin.hpp"

using namespace standin;

namespace {

struct Copy {
  bool is_planar;
  MTLOrigin origin;
  NSUInteger index;
  NSString* name;

  void check(const ImageView& image, const MatrixView& m, NSUInteger rows) const {
    const MPSDataType type = image.format.kind == Kind::unorm && image.format.channel_bytes == 1  ? MPSDataTypeUnorm8
                             : image.format.kind == Kind::real && image.format.channel_bytes == 2 ? MPSDataTypeFloat16
                             : image.format.kind == Kind::real && image.format.channel_bytes == 4 ? MPSDataTypeFloat32
                                                                                                   : MPSDataTypeInvalid;
    require(type != MPSDataTypeInvalid && m.type == type, @"%@: a matrix of 0x%x for such an image; allowed: 0x%x", name, static_cast<unsigned>(m.type),
            static_cast<unsigned>(type));
    require(origin.z == 0 && index < m.matrices, @"%@: origin.z %lu, matrix %lu of %lu", name, lu(origin.z), lu(index), lu(m.matrices));
    const NSUInteger columns = image.width * image.height * image.channels;
    require(origin.x + rows <= m.rows && origin.y + columns <= m.columns, @"%@: %lu x %lu at (%lu, %lu) of a matrix of %lu x %lu", name, lu(rows), lu(columns),
            lu(origin.x), lu(origin.y), lu(m.rows), lu(m.columns));
  }
  std::size_t column(const ImageView& image, std::size_t x, std::size_t y, std::size_t c) const {
    return origin.y + (is_planar ? (c * image.height + y) * image.width + x : (y * image.width + x) * image.channels + c);
  }
  template <class F>
  void each(const ImageView& image, F body) const {  // body(x, y, channel, image)
    for (std::size_t n = 0; n < image.images; ++n)
      for (std::size_t y = 0; y < image.height; ++y)
        for (std::size_t x = 0; x < image.width; ++x)
          for (std::size_t c = 0; c < image.channels; ++c) body(x, y, c, n);
  }
};

// encode(image, first row) for each of a batch of equals.
template <class F>
void each_of(MPSImageBatch* images, NSString* name, F encode) {
  require([images count] > 0, @"%@: an empty batch", name);
  MPSImage* first = [images objectAtIndex:0];
  NSUInteger row = 0;
  for (MPSImage* image in images) {
    require(image.numberOfImages == 1 && image.width == first.width && image.height == first.height && image.featureChannels == first.featureChannels,
            @"%@: images of a batch that differ", name);
    encode(image, row++);
  }
}

}  // namespace

@implementation MPSImageCopyToMatrix
@synthesize dataLayout = _dataLayout, destinationMatrixBatchIndex = _destinationMatrixBatchIndex, destinationMatrixOrigin = _destinationMatrixOrigin;
- (instancetype)initWithDevice:(id<MTLDevice>)device dataLayout:(MPSDataLayout)layout {
  if ((self = [super initWithDevice:device])) _dataLayout = layout;
  return self;
}
- (void)standinCopyStateFrom:(MPSImageCopyToMatrix*)other {
  [super standinCopyStateFrom:other];
  _dataLayout = other->_dataLayout;
  _destinationMatrixBatchIndex = other->_destinationMatrixBatchIndex;
  _destinationMatrixOrigin = other->_destinationMatrixOrigin;
}
- (void)standinEncode:(id<MTLCommandBuffer>)commandBuffer image:(MPSImage*)source matrix:(MPSMatrix*)destination row:(NSUInteger)row {
  Copy copy = {_dataLayout == MPSDataLayoutFeatureChannelsxHeightxWidth, _destinationMatrixOrigin, _destinationMatrixBatchIndex, @"MPSImageCopyToMatrix"};
  copy.origin.x += row;
  const ImageView image = view(source, MTLTextureUsageShaderRead, commandBuffer);
  const MatrixView matrix = view(destination, commandBuffer);
  copy.check(image, matrix, image.images);
  encode(commandBuffer, copy.name, {reads(image), writes(matrix)}, [=] {
    copy.each(image, [&](std::size_t x, std::size_t y, std::size_t c, std::size_t n) {
      matrix.put(copy.origin.x + n, copy.column(image, x, y, c), image.at(x, y, c, n), copy.index);
    });
  });
  consume(source);
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer sourceImage:(MPSImage*)source destinationMatrix:(MPSMatrix*)destination {
  [self standinEncode:commandBuffer image:source matrix:destination row:0];
}
- (void)encodeBatchToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer sourceImages:(MPSImageBatch*)sources destinationMatrix:(MPSMatrix*)destination {
  each_of(sources, @"MPSImageCopyToMatrix", [&](MPSImage* image, NSUInteger row) { [self standinEncode:commandBuffer image:image matrix:destination row:row]; });
}
@end

@implementation MPSMatrixCopyToImage
@synthesize dataLayout = _dataLayout, sourceMatrixBatchIndex = _sourceMatrixBatchIndex, sourceMatrixOrigin = _sourceMatrixOrigin;
- (instancetype)initWithDevice:(id<MTLDevice>)device dataLayout:(MPSDataLayout)layout {
  if ((self = [super initWithDevice:device])) _dataLayout = layout;
  return self;
}
- (void)standinCopyStateFrom:(MPSMatrixCopyToImage*)other {
  [super standinCopyStateFrom:other];
  _dataLayout = other->_dataLayout;
  _sourceMatrixBatchIndex = other->_sourceMatrixBatchIndex;
  _sourceMatrixOrigin = other->_sourceMatrixOrigin;
}
- (void)standinEncode:(id<MTLCommandBuffer>)commandBuffer matrix:(MPSMatrix*)source image:(MPSImage*)destination row:(NSUInteger)row {
  Copy copy = {_dataLayout == MPSDataLayoutFeatureChannelsxHeightxWidth, _sourceMatrixOrigin, _sourceMatrixBatchIndex, @"MPSMatrixCopyToImage"};
  copy.origin.x += row;
  const ImageView image = view(destination, MTLTextureUsageShaderWrite, commandBuffer);
  const MatrixView matrix = view(source, commandBuffer);
  copy.check(image, matrix, image.images);
  encode(commandBuffer, copy.name, {reads(matrix), writes(image)}, [=] {
    copy.each(image, [&](std::size_t x, std::size_t y, std::size_t c, std::size_t n) {
      image.set(x, y, c, matrix.get(copy.origin.x + n, copy.column(image, x, y, c), copy.index), n);
    });
  });
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer sourceMatrix:(MPSMatrix*)source destinationImage:(MPSImage*)destination {
  [self standinEncode:commandBuffer matrix:source image:destination row:0];
  consume(source);
}
- (void)encodeBatchToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer sourceMatrix:(MPSMatrix*)source destinationImages:(MPSImageBatch*)destinations {
  each_of(destinations, @"MPSMatrixCopyToImage", [&](MPSImage* image, NSUInteger row) { [self standinEncode:commandBuffer matrix:source image:image row:row]; });
  consume(source);
}
@end
