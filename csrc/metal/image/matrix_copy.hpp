#pragma once
#include "kernels/common/matrix_copy.hpp"
#include "metal/kernel.hpp"

// What the two copies between pictures and matrices share.
namespace mpskit::metal {

inline MPSDataLayout to_mps(DataLayout l) { return l == DataLayout::hwc ? MPSDataLayoutHeightxWidthxFeatureChannels : MPSDataLayoutFeatureChannelsxHeightxWidth; }

inline std::optional<std::string> refuses_matrix_of(DType t) {
  if (t == DType::u16) return std::string("MPS has no matrix of uint16 pictures; allowed there: uint8, float16, float32. Pass device=\"cpu\".");
  return std::nullopt;
}

// One matrix of a batch. Where pictures are uint8 its elements are unorm8: the types must be one.
inline MPSMatrix* matrix_of_pictures(Encoder& e, const Operand& o, std::int64_t index) {
  const Layout& l = o.layout;
  if (l.dtype != DType::u8) return e.matrix(o, index, 1);
  const Place p = e.place(o);
  MPSMatrixDescriptor* d = [MPSMatrixDescriptor matrixDescriptorWithRows:static_cast<NSUInteger>(l.rows())
                                                                 columns:static_cast<NSUInteger>(l.columns())
                                                                rowBytes:static_cast<NSUInteger>(l.row_bytes())
                                                                dataType:MPSDataTypeUnorm8];
  return e.keep(adopt([[MPSMatrix alloc] initWithBuffer:p.buffer offset:p.offset + static_cast<NSUInteger>(index * l.matrix_bytes()) descriptor:d]));
}

// encode(images, first row) for as many pictures as lie in textures at a time.
template <class F>
void each_part(Encoder& e, const Operand& pictures, const Origin& origin, const Written* written, F&& encode) {
  const std::int64_t images = pictures.layout.images(), step = Encoder::images_at_once(pictures.layout);
  for (std::int64_t first = 0; first < images; first += step) {
    encode(e.batch(pictures, {first, std::min(step, images - first)}, written), to_mtl(Origin{origin.x + first, origin.y, 0}));
    e.finish();
  }
}

}  // namespace mpskit::metal
