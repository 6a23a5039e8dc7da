#pragma once
#include "core/geometry.hpp"
#include "kernels/common/cnn_kernel.hpp"
#include "metal/kernel.hpp"
#include "metal/layer_weights.hpp"

namespace mpskit::metal {

// A kernel as a node of an MPSNNGraph. No filter: this one cannot be one.
struct GraphNode {
  retained<MPSNNFilterNode*> filter;
  std::shared_ptr<LayerWeights> weights;  // null: it has none
};

// The size of a node's result, and where its windows lie: what the kernel itself has worked out, in the place of MPS' policies.
retained<id<MPSNNPadding>> window_padding(const Layout& result, const Offset& centre, EdgeMode edge_mode);

// Nodes have no windows over channels or images.
inline bool is_whole(const cnn::UnaryKernel& k) {
  return k.clip_rect.is_everything() && k.destination_feature_channel_offset == 0 && k.source_feature_channel_offset == 0 &&
         !k.source_feature_channel_max_count && (!k.offset || k.offset->z == 0);
}

}  // namespace mpskit::metal
