// The graph: order of handles, intermediates, concatenation, asynchronous execution.
#include <atomic>

#include "networks.hpp"

using namespace selftest;

@interface SelftestHandle : NSObject <MPSHandle> {
 @public
  NSString* _label;
}
@end
@implementation SelftestHandle
+ (BOOL)supportsSecureCoding {
  return YES;
}
- (void)encodeWithCoder:(NSCoder*)coder {
  (void)coder;
}
- (instancetype)initWithCoder:(NSCoder*)coder {
  (void)coder;
  return [super init];
}
- (NSString*)label {
  return _label;
}
@end
static SelftestHandle* handle(NSString* label) {
  SelftestHandle* h = [[[SelftestHandle alloc] init] autorelease];
  h->_label = label;
  return h;
}
static MPSNNImageNode* input(id<MPSHandle> h) {
  MPSNNImageNode* node = [MPSNNImageNode nodeWithHandle:(NSObject<MPSHandle>*)h];
  node.format = MPSImageFeatureChannelFormatFloat32;
  return node;
}

TEST(a_graph_runs_its_nodes) {
  MPSNNImageNode* in = input(handle(@"in"));
  SelftestWeights* w = weights_of(convolution(1, 1, 1, 2), {1, -1});
  MPSCNNConvolutionNode* conv = [MPSCNNConvolutionNode nodeWithSource:in weights:w];
  CHECK(w->_loads == 0 && conv.resultImage.format == MPSImageFeatureChannelFormatFloat32);
  MPSCNNPoolingMaxNode* pool =
      [[[MPSCNNPoolingMaxNode alloc] initWithSource:conv.resultImage kernelWidth:2 kernelHeight:1 strideInPixelsX:2 strideInPixelsY:1] autorelease];
  pool.paddingPolicy = [MPSNNDefaultPadding paddingWithMethod:MPSNNPaddingMethodSizeValidOnly];
  MPSCNNSoftMaxNode* soft = [MPSCNNSoftMaxNode nodeWithSource:pool.resultImage];
  conv.resultImage.exportFromGraph = YES;
  conv.resultImage.handle = handle(@"conv");
  conv.resultImage.synchronizeResource = YES;
  conv.resultImage.imageAllocator = [MPSImage defaultAllocator];
  MPSNNGraph* graph = [MPSNNGraph graphWithDevice:device() resultImage:soft.resultImage resultImageIsNeeded:YES];
  CHECK(w->_loads == 1 && graph.sourceImageHandles.count == 1 && graph.intermediateImageHandles.count == 1);
  graph.format = MPSImageFeatureChannelFormatFloat32;
  NSMutableArray<MPSImage*>* kept = [NSMutableArray array];
  __block MPSImage* result = nil;
  run(^(id<MTLCommandBuffer> cb) {
    result = [[graph encodeToCommandBuffer:cb sourceImages:@[ image_of(1, 4, 1, {1, 2, 3, 1}) ] sourceStates:nil intermediateImages:kept destinationStates:nil] retain];
    [result synchronizeOnCommandBuffer:cb];
  });
  CHECK(near(values_of([kept objectAtIndex:0]), {1, -1, 2, -2, 3, -3, 1, -1}));
  CHECK(near(values_of(result), {0.9525741268, 0.0474258732, 0.9820137900, 0.0179862100}, 1e-6));
  [result release];
  MPSNNGraph* copy = [[graph copyWithZone:nullptr device:nil] autorelease];
  CHECK([copy.resultHandle label] == nil && copy.format == graph.format);
}

TEST(inputs_come_in_the_order_of_their_handles) {
  SelftestHandle *first = handle(@"a"), *second = handle(@"b");
  MPSNNConcatenationNode* joined = [MPSNNConcatenationNode nodeWithSources:@[ input(first), input(second) ]];
  MPSNNGraph* graph = [MPSNNGraph graphWithDevice:device() resultImages:@[ joined.resultImage ] resultsAreNeeded:nullptr];
  NSMutableArray<MPSImage*>* sources = [NSMutableArray array];
  for (id<MPSHandle> h in graph.sourceImageHandles)
    [sources addObject:h == first ? image_of(1, 1, 3, {1, 2, 3}) : image_of(1, 1, 5, {4, 5, 6, 7, 8})];
  __block MPSImage* result = nil;
  run(^(id<MTLCommandBuffer> cb) {
    result = [[graph encodeToCommandBuffer:cb sourceImages:sources] retain];
    [result synchronizeOnCommandBuffer:cb];
  });
  CHECK(result.featureChannels == 12);  // each source takes whole slices
  const std::vector<float> v = values_of(result);
  CHECK(v[0] == 1 && v[2] == 3 && v[4] == 4 && v[8] == 8);
  CHECK([graph readCountForSourceImageAtIndex:0] == 1);
  [result release];
}

TEST(temporaries_of_a_graph_are_read_as_often_as_it_says) {
  MPSNNImageNode* in = input(handle(@"in"));
  MPSNNConcatenationNode* twice = [MPSNNConcatenationNode nodeWithSources:@[ in, in ]];
  MPSNNGraph* graph = [MPSNNGraph graphWithDevice:device() resultImage:twice.resultImage resultImageIsNeeded:YES];
  MPSImageDescriptor* d = [MPSImageDescriptor imageDescriptorWithChannelFormat:MPSImageFeatureChannelFormatFloat32 width:1 height:1 featureChannels:4];
  run(^(id<MTLCommandBuffer> cb) {
    MPSTemporaryImage* image = [MPSTemporaryImage temporaryImageWithCommandBuffer:cb imageDescriptor:d];
    CHECK([graph readCountForSourceImageAtIndex:0] == 2);
    CHECK_REFUSED(@"readCount", [graph encodeToCommandBuffer:cb sourceImages:@[ image ]]);
    image.readCount = 2;
    [graph encodeToCommandBuffer:cb sourceImages:@[ image ]];
    CHECK(image.readCount == 0);
  });
}

TEST(execution_calls_back) {
  MPSCNNSoftMaxNode* soft = [MPSCNNSoftMaxNode nodeWithSource:input(handle(@"in"))];
  MPSNNGraph* graph = [MPSNNGraph graphWithDevice:device() resultImage:soft.resultImage resultImageIsNeeded:YES];
  auto done = std::make_shared<std::atomic<bool>>(false);
  MPSImage* result = [[graph executeAsyncWithSourceImages:@[ image_of(1, 1, 2, {1, 2}) ]
                                        completionHandler:^(MPSImage* image, NSError* error) {
                                          CHECK(image != nil && error == nil);
                                          *done = true;
                                        }] retain];
  while (!*done) [NSThread sleepForTimeInterval:0.001];
  CHECK(near(values_of(result), {0.268941432, 0.731058598}, 1e-6));
  [result release];
}

TEST(a_graph_needs_handles_and_weights_that_load) {
  SelftestWeights* w = weights_of(convolution(1, 1, 1, 1), {1});
  w->_fails = true;
  MPSCNNConvolutionNode* conv = [MPSCNNConvolutionNode nodeWithSource:input(handle(@"in")) weights:w];
  CHECK([MPSNNGraph graphWithDevice:device() resultImage:conv.resultImage resultImageIsNeeded:YES] == nil);
  MPSCNNSoftMaxNode* soft = [MPSCNNSoftMaxNode nodeWithSource:input(nil)];
  CHECK_REFUSED(@"handle", [MPSNNGraph graphWithDevice:device() resultImage:soft.resultImage resultImageIsNeeded:YES]);
}
