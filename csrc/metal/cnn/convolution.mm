#include "kernels/cnn/convolution.hpp"

#include "metal/cnn/image_kernel.hpp"
#include "metal/cnn/node.hpp"
#include "metal/cnn/weights_source.hpp"

namespace mpskit::metal {
namespace {

std::shared_ptr<LayerWeights> weights_of(const cnn::Convolution& k) {
  const cnn::ConvolutionDescriptor d = k.descriptor();
  const bool is_half = k.accumulator_precision_option == cnn::AccumulatorPrecision::half;
  return std::make_shared<LayerWeights>(k.weights, d, k.bias, LayerWeights::Form{.groups = groups_for_mps(d), .is_float32 = false, .is_half = is_half});
}

MPSNNConvolutionAccumulatorPrecisionOption accumulator(const cnn::Convolution& k) {
  return k.accumulator_precision_option == cnn::AccumulatorPrecision::half ? MPSNNConvolutionAccumulatorPrecisionOptionHalf
                                                                           : MPSNNConvolutionAccumulatorPrecisionOptionFloat;
}

class Plan final : public MetalPlan {
 public:
  Plan(const cnn::Convolution& k, const Call& call, const Context& context)
      : descriptor_(k.descriptor()),
        part_(cnn::part_of(k.info.name, k, call.inputs[0], call.outputs[0], descriptor_.output_feature_channels)),
        written_(to_written(part_, descriptor_.output_feature_channels)) {
    const auto weights = weights_of(k);
    auto filter = adopt([[MPSCNNConvolution alloc] initWithDevice:context.device() weights:source_of(weights).get()]);
    weights->rethrow();
    convolution_ = made(std::move(filter), context, k);
    convolution_.get().accumulatorPrecisionOption = accumulator(k);
    const Offset centre = k.centre(call.inputs[0], k.taps_y(descriptor_), k.taps_x(descriptor_));
    const cnn::Neuron neuron = neuron_of(descriptor_);
    set_unary(convolution_.get(), part_, centre, k.edge_mode);
    if (neuron.type != cnn::NeuronType::prelu) return;
    // MPS fuses no PReLU: the sums go through temporaries in float32, and a neuron of its own writes the result.
    NSData* slopes = [NSData dataWithBytes:neuron.slopes.data() length:neuron.slopes.size_bytes()];
    prelu_ = made(adopt([[MPSCNNNeuron alloc] initWithDevice:context.device()
                                            neuronDescriptor:[MPSNNNeuronDescriptor cnnNeuronPReLUDescriptorWithData:slopes noCopy:false]]), context, k);
    cnn::Part sums = part_, result = part_;
    sums.x = sums.y = sums.destination_channel = 0;
    result.source_channel = 0;
    result.source_channels = descriptor_.output_feature_channels;
    set_unary(convolution_.get(), sums, centre, k.edge_mode);
    set_unary(prelu_.get(), result, {}, EdgeMode::zero);
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    e.each_batch(o[0], part_.source_image, o[1], part_.destination_image, part_.images, written_, [&](MPSImageBatch* sources, MPSImageBatch* targets) {
      if (!prelu_) {
        [convolution_.get() encodeBatchToCommandBuffer:e.commands() sourceImages:sources destinationImages:targets];
        return;
      }
      MPSImageDescriptor* d = [MPSImageDescriptor imageDescriptorWithChannelFormat:MPSImageFeatureChannelFormatFloat32
                                                                             width:static_cast<NSUInteger>(part_.width)
                                                                            height:static_cast<NSUInteger>(part_.height)
                                                                   featureChannels:static_cast<NSUInteger>(descriptor_.output_feature_channels)];
      NSMutableArray<MPSImage*>* sums = [NSMutableArray array];
      for (NSUInteger i = 0; i < sources.count; ++i) [sums addObject:[MPSTemporaryImage temporaryImageWithCommandBuffer:e.commands() imageDescriptor:d]];
      [convolution_.get() encodeBatchToCommandBuffer:e.commands() sourceImages:sources destinationImages:sums];
      [prelu_.get() encodeBatchToCommandBuffer:e.commands() sourceImages:sums destinationImages:targets];
    });
  }

  static GraphNode node(const cnn::Convolution& k, const Call& call, NSArray<MPSNNImageNode*>* sources) {
    const cnn::ConvolutionDescriptor d = k.descriptor();
    if (!is_whole(k) || neuron_of(d).type == cnn::NeuronType::prelu) return {};
    const auto weights = weights_of(k);
    MPSCNNConvolutionNode* node = [MPSCNNConvolutionNode nodeWithSource:[sources objectAtIndex:0] weights:source_of(weights).get()];
    node.accumulatorPrecision = accumulator(k);
    node.paddingPolicy = window_padding(call.outputs[0], k.centre(call.inputs[0], k.taps_y(d), k.taps_x(d)), k.edge_mode).get();
    return {hold<MPSNNFilterNode*>(node), weights};
  }

 private:
  cnn::ConvolutionDescriptor descriptor_;
  cnn::Part part_;
  Written written_;
  retained<MPSCNNConvolution*> convolution_;
  retained<MPSCNNNeuron*> prelu_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(cnn::Convolution, Plan)
