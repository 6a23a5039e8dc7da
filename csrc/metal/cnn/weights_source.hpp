#pragma once
#import <MetalPerformanceShaders/MetalPerformanceShaders.h>

#include "metal/holder.hpp"
#include "metal/layer_weights.hpp"

// A data source of ours as MPS asks for it.
@interface MPSKWeightsSource : NSObject <MPSCNNConvolutionDataSource> {
 @private
  std::shared_ptr<mpskit::metal::LayerWeights> _weights;
  mpskit::metal::retained<MPSCNNConvolutionDescriptor*> _descriptor;
}
- (instancetype)initWithWeights:(std::shared_ptr<mpskit::metal::LayerWeights>)weights;
@end

namespace mpskit::metal {

retained<MPSKWeightsSource*> source_of(std::shared_ptr<LayerWeights> weights);
inline cnn::Neuron neuron_of(const cnn::ConvolutionDescriptor& d) { return d.neuron ? d.neuron->resolved() : cnn::Neuron{}; }
// PReLU has no numbers here; its slopes go to a neuron of their own.
MPSNNNeuronDescriptor* neuron_descriptor(const cnn::Neuron& neuron);

}  // namespace mpskit::metal
