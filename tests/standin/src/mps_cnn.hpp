#pragma once
#include <functional>

#include "nn_math.hpp"
#include "standin.hpp"

namespace standin {

// Where an initialiser may raise: the object goes, as its caller never sees it.
class Unfinished {
 public:
  explicit Unfinished(id object) : object_(object) {}
  ~Unfinished() { [object_ release]; }
  Unfinished(const Unfinished&) = delete;
  void done() { object_ = nil; }

 private:
  id object_;
};
// A data source between load and purge.
class Loaded {
 public:
  explicit Loaded(id<MPSCNNConvolutionDataSource> source) : source_([source load] ? source : nil) {}
  ~Loaded() { [source_ purge]; }
  Loaded(const Loaded&) = delete;
  explicit operator bool() const { return source_ != nil; }

 private:
  id<MPSCNNConvolutionDataSource> source_;
};

// What a kernel does to one image: the window carries the offset and edge mode of the moment it was encoded.
using Operation = std::function<Tensor(const Tensor& src, const LayerWindow& window, Index height, Index width)>;

// Channels of one image of a view. Whole texels are written, as kernels do: lanes behind the last channel are spoilt.
Tensor read_channels(const ImageView& view, Index image, Index channel, Index channels);
void write_channels(const ImageView& view, Index image, Index x, Index y, Index channel, const Tensor& tensor);

// The weights of a data source as kernels hold them, between its load and purge; null when load says no. `who` is for messages.
std::shared_ptr<const ConvolutionWeights> read_weights(id<MPSCNNConvolutionDataSource> source, NSString* who);
std::vector<float> decode(const void* data, std::size_t count, MPSDataType type);
Neuron neuron_of(MPSNNNeuronDescriptor* descriptor, NSString* who);

}  // namespace standin

// What subclasses of MPSCNNKernel say about themselves.
@interface MPSCNNKernel (StandinCNN)
- (standin::Operation)standinOperation;
- (NSUInteger)standinInputChannels;                        // 0: any
- (NSUInteger)standinOutputChannelsFor:(NSUInteger)input;  // the same as the input's unless overridden
@end
