// Images, matrices and weights for tests of networks.
#pragma once
#include <initializer_list>

#include "test.hpp"

@interface SelftestWeights : NSObject <MPSCNNConvolutionDataSource> {
 @public
  MPSCNNConvolutionDescriptor* _descriptor;
  std::vector<float> _weights, _bias;
  bool _is_float;  // kept as float32 in the kernel
  bool _fails;
  int _loaded, _loads;
}
@end
// Weights that count their loads; a [out][kh][kw][in / groups] array.
SelftestWeights* weights_of(MPSCNNConvolutionDescriptor* descriptor, std::vector<float> weights, std::vector<float> bias = {});
MPSCNNConvolutionDescriptor* convolution(NSUInteger width, NSUInteger height, NSUInteger in, NSUInteger out);
MPSNNNeuronDescriptor* neuron(MPSCNNNeuronType type, float a = 1, float b = 1, float c = 1);

// Autoreleased, float32, one image.
MPSImage* image_of(NSUInteger height, NSUInteger width, NSUInteger channels, std::vector<float> values = {});
std::vector<float> values_of(MPSImage* image);
MPSMatrix* matrix_of(NSUInteger rows, NSUInteger columns, std::vector<float> values = {});
std::vector<float> values_of(MPSMatrix* matrix);

bool near(const std::vector<float>& got, const std::vector<double>& wanted, double tolerance = 1e-6);
void run(void (^encode)(id<MTLCommandBuffer>));  // on a command buffer of its own, and waits
