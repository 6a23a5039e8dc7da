#pragma once
#include "kernels/common/cnn_kernel.hpp"
#include "metal/kernel.hpp"

// What the files of network kernels share.
namespace mpskit::metal {

// Sets what every MPSCNNKernel has; images are chosen by whoever encodes.
inline void set_unary(MPSCNNKernel* filter, const cnn::Part& part, const Offset& centre, EdgeMode edge_mode) {
  filter.offset = {centre.x, centre.y, 0};
  filter.clipRect = MTLRegionMake2D(static_cast<NSUInteger>(part.x), static_cast<NSUInteger>(part.y), static_cast<NSUInteger>(part.width),
                                    static_cast<NSUInteger>(part.height));
  filter.edgeMode = to_mps(edge_mode);
  filter.sourceFeatureChannelOffset = static_cast<NSUInteger>(part.source_channel);
  filter.sourceFeatureChannelMaxCount = static_cast<NSUInteger>(part.source_channels);
  filter.destinationFeatureChannelOffset = static_cast<NSUInteger>(part.destination_channel);
}

inline Written to_written(const cnn::Part& part, std::int64_t channels) {
  return {.x = part.x, .y = part.y, .width = part.width, .height = part.height, .first_channel = part.destination_channel, .channels = channels,
          .first_image = part.destination_image, .images = part.images};
}

// One filter over a batch. It writes as many channels as it reads, unless told otherwise.
class UnaryCnnPlan : public MetalPlan {
 public:
  UnaryCnnPlan(MPSCNNKernel* filter, const cnn::Part& part, const Offset& centre, EdgeMode edge_mode)
      : filter_(hold(filter)), part_(part), written_(to_written(part, part.source_channels)) {
    set_unary(filter_.get(), part, centre, edge_mode);
  }
  void encode(Encoder& e, std::span<const Operand> o) override {
    e.each_batch(o[0], part_.source_image, o[1], part_.destination_image, part_.images, written_, [&](MPSImageBatch* sources, MPSImageBatch* targets) {
      [filter_.get() encodeBatchToCommandBuffer:e.commands() sourceImages:sources destinationImages:targets];
    });
  }

 private:
  retained<MPSCNNKernel*> filter_;
  cnn::Part part_;
  Written written_;
};

}  // namespace mpskit::metal
