#pragma once
#include "mps_cnn.hpp"

// What nodes say about themselves when a graph is made.
@interface MPSNNFilterNode (StandinGraph)
- (instancetype)initStandinWithSources:(NSArray<MPSNNImageNode*>*)sources;
// The kernel that the node stands for; nil when its data source does not load. A concatenation has none.
- (MPSCNNKernel*)standinKernelForDevice:(id<MTLDevice>)device;
@end
