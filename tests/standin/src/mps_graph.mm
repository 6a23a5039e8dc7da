// The graph: its nodes in order, each a kernel, their images made by allocators.
#include "mps_graph.hpp"

using namespace standin;

namespace standin {

struct Stage {
  Keep<MPSCNNKernel*> kernel;  // nil: concatenation
  std::vector<std::size_t> sources;
  std::size_t result;
  Keep<NSString*> label;
};
struct GraphImage {
  Keep<MPSNNImageNode*> node;
  NSUInteger readers = 0;  // stages
};
struct GraphPlan {
  std::vector<GraphImage> images;
  std::vector<Stage> stages;
  std::vector<std::size_t> inputs;   // in the order of sourceImageHandles
  std::vector<std::size_t> results;  // those that are needed
  std::vector<std::size_t> exports;  // results behind the first, then exported images: what goes to intermediateImages
  bool first_is_needed = true;
};

namespace {

bool holds(const std::vector<std::size_t>& list, std::size_t i) { return std::find(list.begin(), list.end(), i) != list.end(); }

class Builder {
 public:
  explicit Builder(id<MTLDevice> device) : device_(device) {}
  std::shared_ptr<GraphPlan> build(NSArray<MPSNNImageNode*>* results, BOOL* needed) {
    for (NSUInteger r = 0; r < results.count; ++r) {
      if (needed && !needed[r]) {
        if (r == 0) plan_->first_is_needed = false;
        continue;
      }
      if (!visit([results objectAtIndex:r])) return nullptr;
      plan_->results.push_back(index_of([results objectAtIndex:r]));
    }
    // No rule says what order the handles have: not the one that a reader of the code would guess.
    std::reverse(plan_->inputs.begin(), plan_->inputs.end());
    const std::size_t first = plan_->first_is_needed ? 1 : 0;
    for (std::size_t r = first; r < plan_->results.size(); ++r) plan_->exports.push_back(plan_->results[r]);
    for (std::size_t i = plan_->images.size(); i-- > 0;)
      if (plan_->images[i].node.get().exportFromGraph && !holds(plan_->inputs, i) && !holds(plan_->exports, i)) plan_->exports.push_back(i);
    return plan_;
  }

 private:
  static constexpr std::size_t none = SIZE_MAX;
  std::size_t index_of(MPSNNImageNode* node) const {
    for (std::size_t i = 0; i < plan_->images.size(); ++i)
      if (plan_->images[i].node.get() == node) return i;
    return none;
  }
  std::size_t add(MPSNNImageNode* node) {
    plan_->images.push_back({Keep<MPSNNImageNode*>(node)});
    return plan_->images.size() - 1;
  }
  // Everything that an image needs, then its own stage; false when a data source does not load. Networks are deep: no recursion.
  bool visit(MPSNNImageNode* result) {
    std::vector<MPSNNImageNode*> waiting{result};
    while (!waiting.empty()) {
      MPSNNImageNode* node = waiting.back();
      MPSNNFilterNode* filter = node->_producer;
      if (index_of(node) != none) {
        waiting.pop_back();
      } else if (!filter) {
        require(node.handle != nil, @"an input of a graph has no handle, so nobody knows its place");
        plan_->inputs.push_back(add(node));
        waiting.pop_back();
      } else {
        const std::size_t before = waiting.size();
        for (MPSNNImageNode* source in filter->_sources)
          if (index_of(source) == none) waiting.push_back(source);
        if (waiting.size() > before) continue;
        if (!append(filter)) return false;
        waiting.pop_back();
      }
    }
    return true;
  }
  bool append(MPSNNFilterNode* filter) {
    MPSCNNKernel* kernel = [filter standinKernelForDevice:device_];
    if (!kernel && ![filter isKindOfClass:[MPSNNConcatenationNode class]]) return false;
    kernel.padding = filter.paddingPolicy;
    Stage stage{Keep<MPSCNNKernel*>(kernel), {}, add(filter.resultImage), Keep<NSString*>(filter.label)};
    for (MPSNNImageNode* source in filter->_sources) {
      stage.sources.push_back(index_of(source));
      ++plan_->images[stage.sources.back()].readers;
    }
    plan_->stages.push_back(std::move(stage));
    return true;
  }

  id<MTLDevice> device_;
  std::shared_ptr<GraphPlan> plan_ = std::make_shared<GraphPlan>();
};

NSUInteger slices_of_four(NSUInteger channels) { return (channels + 3) / 4 * 4; }

// Every source, the last too, takes up whole slices; lanes between them hold something.
MPSImageDescriptor* concatenation(NSArray<MPSImage*>* sources) {
  MPSImage* first = [sources objectAtIndex:0];
  NSUInteger channels = 0;
  for (MPSImage* s in sources) {
    require(s.width == first.width && s.height == first.height && s.numberOfImages == first.numberOfImages, @"a concatenation of images of different sizes");
    channels += slices_of_four(s.featureChannels);
  }
  MPSImageDescriptor* d = [MPSImageDescriptor imageDescriptorWithChannelFormat:first.featureChannelFormat
                                                                         width:first.width
                                                                        height:first.height
                                                               featureChannels:channels
                                                                numberOfImages:first.numberOfImages
                                                                         usage:MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite];
  return d;
}

void encode_concatenation(id<MTLCommandBuffer> command_buffer, NSArray<MPSImage*>* sources, MPSImage* destination) {
  const ImageView to = view(destination, MTLTextureUsageShaderWrite, command_buffer);
  Index channel = 0;
  for (MPSImage* source in sources) {
    const ImageView from = view(source, MTLTextureUsageShaderRead, command_buffer);
    const Index channels = static_cast<Index>(source.featureChannels);
    encode(command_buffer, @"MPSNNConcatenation", {reads(from), writes(to)}, [from, to, channel, channels] {
      for (std::size_t n = 0; n < from.images; ++n)
        write_channels(to, static_cast<Index>(n), 0, 0, channel, read_channels(from, static_cast<Index>(n), 0, channels));
    });
    consume(source);
    channel += static_cast<Index>(slices_of_four(source.featureChannels));
  }
}

void set_read_count(MPSImage* image, NSUInteger count) {
  if ([image isKindOfClass:[MPSTemporaryImage class]]) [(MPSTemporaryImage*)image setReadCount:count];
}

NSArray<id<MPSHandle>>* handles(const GraphPlan& plan, const std::vector<std::size_t>& images) {
  NSMutableArray<id<MPSHandle>>* out = [NSMutableArray array];
  for (const std::size_t i : images) {
    id<MPSHandle> handle = plan.images[i].node.get().handle;
    require(handle != nil, @"an exported image of a graph has no handle, so nobody knows its place");
    [out addObject:handle];
  }
  return out;
}

}  // namespace
}  // namespace standin

@implementation MPSNNGraph
@synthesize destinationImageAllocator = _destinationImageAllocator, format = _format;
+ (instancetype)graphWithDevice:(id<MTLDevice>)device resultImage:(MPSNNImageNode*)resultImage resultImageIsNeeded:(BOOL)resultImageIsNeeded {
  return [[[self alloc] initWithDevice:device resultImage:resultImage resultImageIsNeeded:resultImageIsNeeded] autorelease];
}
+ (instancetype)graphWithDevice:(id<MTLDevice>)device resultImages:(NSArray<MPSNNImageNode*>*)resultImages resultsAreNeeded:(BOOL*)resultsAreNeeded {
  return [[[self alloc] initWithDevice:device resultImages:resultImages resultsAreNeeded:resultsAreNeeded] autorelease];
}
- (instancetype)initWithDevice:(id<MTLDevice>)device resultImage:(MPSNNImageNode*)resultImage resultImageIsNeeded:(BOOL)resultImageIsNeeded {
  return [self initWithDevice:device resultImages:@[ resultImage ] resultsAreNeeded:&resultImageIsNeeded];
}
- (instancetype)initWithDevice:(id<MTLDevice>)device resultImages:(NSArray<MPSNNImageNode*>*)resultImages resultsAreNeeded:(BOOL*)resultsAreNeeded {
  require(resultImages.count > 0, @"a graph without results");
  if ((self = [super initWithDevice:device])) {
    _destinationImageAllocator = [[MPSImage defaultAllocator] retain];
    _format = MPSImageFeatureChannelFormatFloat16;
    Unfinished made(self);
    _plan = Builder(device).build(resultImages, resultsAreNeeded);
    if (!_plan) return nil;
    handles(*_plan, _plan->exports);  // refuses those without
    made.done();
  }
  return self;
}
- (void)dealloc {
  [_destinationImageAllocator release];
  [super dealloc];
}
- (void)standinCopyStateFrom:(MPSNNGraph*)other {
  [super standinCopyStateFrom:other];
  _format = other->_format;
  self.destinationImageAllocator = other->_destinationImageAllocator;
  auto plan = std::make_shared<GraphPlan>(*other->_plan);
  for (Stage& stage : plan->stages) {  // kernels have state
    MPSCNNKernel* copy = [stage.kernel.get() copyWithZone:nullptr device:_device];
    stage.kernel = Keep<MPSCNNKernel*>(copy);
    [copy release];
  }
  _plan = plan;
}
- (BOOL)resultImageIsNeeded {
  return _plan->first_is_needed ? YES : NO;
}
- (id<MPSHandle>)resultHandle {
  return _plan->first_is_needed ? _plan->images[_plan->results[0]].node.get().handle : nil;
}
- (NSArray<id<MPSHandle>>*)sourceImageHandles {
  return handles(*_plan, _plan->inputs);
}
- (NSArray<id<MPSHandle>>*)intermediateImageHandles {
  return handles(*_plan, _plan->exports);
}
- (NSUInteger)readCountForSourceImageAtIndex:(NSUInteger)index {
  require(index < _plan->inputs.size(), @"source image %lu of %lu", lu(index), lu(_plan->inputs.size()));
  return _plan->images[_plan->inputs[index]].readers;
}
- (void)reloadFromDataSources {
  for (const Stage& stage : _plan->stages)
    if ([stage.kernel.get() isKindOfClass:[MPSCNNConvolution class]]) [(MPSCNNConvolution*)stage.kernel.get() reloadWeightsAndBiasesFromDataSource];
}

- (MPSImage*)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                      sourceImages:(NSArray<MPSImage*>*)sourceImages
                      sourceStates:(NSArray<MPSState*>*)sourceStates
                intermediateImages:(NSMutableArray<MPSImage*>*)intermediateImages
                 destinationStates:(NSMutableArray<MPSState*>*)destinationStates {
  (void)destinationStates;
  const GraphPlan& plan = *_plan;
  require(sourceStates.count == 0, @"a graph without states is given %lu", lu(sourceStates.count));
  require(sourceImages.count == plan.inputs.size(), @"a graph of %lu inputs is given %lu images", lu(plan.inputs.size()), lu(sourceImages.count));
  std::vector<MPSImage*> images(plan.images.size());  // autoreleased, or the caller's
  for (NSUInteger i = 0; i < sourceImages.count; ++i) {
    images[plan.inputs[i]] = [sourceImages objectAtIndex:i];
    if ([images[plan.inputs[i]] isKindOfClass:[MPSTemporaryImage class]])
      require([(MPSTemporaryImage*)images[plan.inputs[i]] readCount] >= plan.images[plan.inputs[i]].readers, @"source image %lu: its readCount is below the graph's",
              lu(i));
  }
  for (const Stage& stage : plan.stages) {
    NSMutableArray<MPSImage*>* sources = [NSMutableArray array];
    for (const std::size_t s : stage.sources) [sources addObject:images[s]];
    MPSCNNKernel* kernel = stage.kernel.get();
    MPSNNImageNode* node = plan.images[stage.result].node.get();
    MPSImageDescriptor* descriptor = kernel ? [kernel destinationImageDescriptorForSourceImages:sources sourceStates:nil] : concatenation(sources);
    descriptor.channelFormat = node.format == MPSImageFeatureChannelFormatNone ? _format : node.format;
    const bool is_first = plan.first_is_needed && stage.result == plan.results[0];
    id<MPSImageAllocator> allocator = is_first ? _destinationImageAllocator : node.imageAllocator;
    MPSImage* result = [allocator imageForCommandBuffer:commandBuffer imageDescriptor:descriptor kernel:kernel ? kernel : self];
    require(result != nil && result.width == descriptor.width && result.height == descriptor.height && result.featureChannels == descriptor.featureChannels &&
                result.numberOfImages == descriptor.numberOfImages,
            @"an allocator made another image than it was asked for");
    // The caller reads what it gets back; an exported result comes back twice.
    const NSUInteger kept = (is_first ? 1 : 0) + (holds(plan.exports, stage.result) ? 1 : 0);
    set_read_count(result, plan.images[stage.result].readers + kept);
    if (kernel) [kernel encodeToCommandBuffer:commandBuffer sourceImage:[sources objectAtIndex:0] destinationImage:result];
    else encode_concatenation(commandBuffer, sources, result);
    if (node.synchronizeResource) [result synchronizeOnCommandBuffer:commandBuffer];
    images[stage.result] = result;
  }
  for (const std::size_t e : plan.exports) {
    if (intermediateImages) [intermediateImages addObject:images[e]];
    else if ([images[e] isKindOfClass:[MPSTemporaryImage class]]) [(MPSTemporaryImage*)images[e] setReadCount:[(MPSTemporaryImage*)images[e] readCount] - 1];
  }
  return plan.first_is_needed ? images[plan.results[0]] : nil;
}
- (MPSImage*)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer sourceImages:(NSArray<MPSImage*>*)sourceImages {
  return [self encodeToCommandBuffer:commandBuffer sourceImages:sourceImages sourceStates:nil intermediateImages:nil destinationStates:nil];
}

- (MPSImageBatch*)encodeBatchToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                                sourceImages:(NSArray<MPSImageBatch*>*)sourceImages
                                sourceStates:(NSArray<MPSStateBatch*>*)sourceStates
                          intermediateImages:(NSMutableArray<MPSImageBatch*>*)intermediateImages
                           destinationStates:(NSMutableArray<MPSStateBatch*>*)destinationStates {
  (void)destinationStates;
  require(sourceStates.count == 0, @"a graph without states is given %lu", lu(sourceStates.count));
  require(sourceImages.count > 0, @"a batch without images");
  NSMutableArray<MPSImage*>* results = [NSMutableArray array];
  NSMutableArray<NSMutableArray<MPSImage*>*>* kept = [NSMutableArray array];
  const NSUInteger count = [sourceImages objectAtIndex:0].count;
  for (NSUInteger i = 0; i < count; ++i) {
    NSMutableArray<MPSImage*>* sources = [NSMutableArray array];
    for (MPSImageBatch* batch in sourceImages) {
      require(batch.count == count && [batch objectAtIndex:i].numberOfImages == 1, @"batches of different lengths, or an image that holds several");
      [sources addObject:[batch objectAtIndex:i]];
    }
    NSMutableArray<MPSImage*>* exports = intermediateImages ? [NSMutableArray array] : nil;
    MPSImage* result = [self encodeToCommandBuffer:commandBuffer sourceImages:sources sourceStates:nil intermediateImages:exports destinationStates:nil];
    if (result) [results addObject:result];
    for (NSUInteger e = 0; e < exports.count; ++e) {
      if (kept.count == e) [kept addObject:[NSMutableArray array]];
      [[kept objectAtIndex:e] addObject:[exports objectAtIndex:e]];
    }
  }
  [intermediateImages addObjectsFromArray:kept];
  return results.count > 0 ? results : nil;
}
- (MPSImageBatch*)encodeBatchToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer
                                sourceImages:(NSArray<MPSImageBatch*>*)sourceImages
                                sourceStates:(NSArray<MPSStateBatch*>*)sourceStates {
  return [self encodeBatchToCommandBuffer:commandBuffer sourceImages:sourceImages sourceStates:sourceStates intermediateImages:nil destinationStates:nil];
}

- (MPSImage*)executeAsyncWithSourceImages:(NSArray<MPSImage*>*)sourceImages completionHandler:(MPSNNGraphCompletionHandler)completionHandler {
  require(sourceImages.count > 0, @"executeAsync without an image: nothing says on which device");
  id<MTLCommandQueue> queue = [[sourceImages objectAtIndex:0].device newCommandQueue];
  id<MTLCommandBuffer> commandBuffer = [queue commandBuffer];
  MPSImage* result = [self encodeToCommandBuffer:commandBuffer sourceImages:sourceImages];
  [result synchronizeOnCommandBuffer:commandBuffer];
  [commandBuffer addCompletedHandler:^(id<MTLCommandBuffer> done) {
    completionHandler(result, done.error);
  }];
  [commandBuffer commit];
  [queue release];
  return result;
}
@end
