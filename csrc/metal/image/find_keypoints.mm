#include "kernels/image/find_keypoints.hpp"

#include "metal/image/found.hpp"
#include "metal/shaders/arguments.h"

namespace mpskit::metal {
namespace {

class FindKeypointsPlan final : public MetalPlan {
 public:
  FindKeypointsPlan(const image::FindKeypoints& k, const Call& call, const Context& context) : maximum_(static_cast<NSUInteger>(k.maximum_keypoints)) {
    for (const image::Window& w : k.windows(call.inputs[0])) regions_.push_back(to_mtl(w));
    const MPSImageKeypointRangeInfo range{.maximumKeypoints = maximum_, .minimumThresholdValue = k.minimum_threshold_value};
    filter_ = made(adopt([[MPSImageFindKeypoints alloc] initWithDevice:context.device() info:&range]), context, k);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    // MPS wants whole regions side by side at its own alignment; results may lie elsewhere, with gaps.
    const NSUInteger regions = regions_.size();
    const auto buffer = [&](NSUInteger bytes) { return found_buffer(e, "FindKeypoints", bytes, "keypoints", "maximum_keypoints"); };
    id<MTLBuffer> found = buffer(regions * 4), data = buffer(regions * maximum_ * 8);
    const Place keypoints = e.place(o[1]), counts = e.place(o[2]);
    e.each_source(o[0], [&](id<MTLTexture> source, std::int64_t image, std::int64_t) {
      [filter_.get() encodeToCommandBuffer:e.commands()
                             sourceTexture:source
                                   regions:regions_.data()
                           numberOfRegions:regions
                       keypointCountBuffer:found
                 keypointCountBufferOffset:0
                        keypointDataBuffer:data
                  keypointDataBufferOffset:0];
      KeypointsArguments a{};
      a.dst_offset = keypoints.offset + static_cast<std::size_t>(image * o[1].layout.matrix_bytes());
      a.dst_row_bytes = static_cast<unsigned long>(o[1].layout.row_bytes());
      a.counts_offset = counts.offset + static_cast<std::size_t>(image * o[2].layout.vector_bytes());
      a.regions = static_cast<unsigned int>(regions);
      a.maximum = static_cast<unsigned int>(maximum_);
      Encoder::Pass(e, "copy_keypoints").add({found, data, keypoints.buffer, counts.buffer}, {}, a, MTLSizeMake(maximum_, regions, 1));
    });
  }

 private:
  NSUInteger maximum_;
  std::vector<MTLRegion> regions_;
  retained<MPSImageFindKeypoints*> filter_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::FindKeypoints, FindKeypointsPlan)
