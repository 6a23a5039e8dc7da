#include "metal/cnn/node.hpp"

// Sets absolute values: MPS keeps what a policy changed in a kernel for the next time.
@interface MPSKWindowPadding : NSObject <MPSNNPadding> {
 @private
  NSUInteger _width, _height;
  MPSOffset _offset;
  MPSImageEdgeMode _edgeMode;
}
- (instancetype)initWithWidth:(NSUInteger)width height:(NSUInteger)height offset:(MPSOffset)offset edgeMode:(MPSImageEdgeMode)edgeMode;
@end

@implementation MPSKWindowPadding
+ (BOOL)supportsSecureCoding {
  return YES;
}
- (instancetype)initWithWidth:(NSUInteger)width height:(NSUInteger)height offset:(MPSOffset)offset edgeMode:(MPSImageEdgeMode)edgeMode {
  if ((self = [super init])) {
    _width = width;
    _height = height;
    _offset = offset;
    _edgeMode = edgeMode;
  }
  return self;
}
- (MPSNNPaddingMethod)paddingMethod {
  return MPSNNPaddingMethodCustom | MPSNNPaddingMethodSizeSame;
}
- (NSString*)label {
  return [NSString stringWithFormat:@"%lu x %lu from %ld, %ld", static_cast<unsigned long>(_width), static_cast<unsigned long>(_height),
                                    static_cast<long>(_offset.x), static_cast<long>(_offset.y)];
}
- (MPSImageDescriptor*)destinationImageDescriptorForSourceImages:(NSArray<MPSImage*>*)sourceImages
                                                    sourceStates:(NSArray<MPSState*>*)sourceStates
                                                       forKernel:(MPSKernel*)kernel
                                             suggestedDescriptor:(MPSImageDescriptor*)suggestedDescriptor {
  (void)sourceImages;
  (void)sourceStates;
  MPSCNNKernel* filter = static_cast<MPSCNNKernel*>(kernel);
  filter.offset = _offset;
  filter.edgeMode = _edgeMode;
  suggestedDescriptor.width = _width;
  suggestedDescriptor.height = _height;
  return suggestedDescriptor;
}
// Graphs are saved by mpskit, not by archiving.
- (void)encodeWithCoder:(NSCoder*)coder {
  (void)coder;
}
- (instancetype)initWithCoder:(NSCoder*)coder {
  (void)coder;
  return [self initWithWidth:1 height:1 offset:{} edgeMode:MPSImageEdgeModeZero];
}
@end

namespace mpskit::metal {

retained<id<MPSNNPadding>> window_padding(const Layout& result, const Offset& centre, EdgeMode edge_mode) {
  return adopt<id<MPSNNPadding>>([[MPSKWindowPadding alloc] initWithWidth:static_cast<NSUInteger>(result.width())
                                                                   height:static_cast<NSUInteger>(result.height())
                                                                   offset:MPSOffset{centre.x, centre.y, 0}
                                                                 edgeMode:to_mps(edge_mode)]);
}

}  // namespace mpskit::metal
