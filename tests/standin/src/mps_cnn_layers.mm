// Network kernels without weights.
#include "mps_cnn.hpp"

using namespace standin;

@implementation MPSCNNPooling
- (instancetype)initWithDevice:(id<MTLDevice>)device
                   kernelWidth:(NSUInteger)kernelWidth
                  kernelHeight:(NSUInteger)kernelHeight
               strideInPixelsX:(NSUInteger)strideInPixelsX
               strideInPixelsY:(NSUInteger)strideInPixelsY {
  require(kernelWidth > 0 && kernelHeight > 0 && strideInPixelsX > 0 && strideInPixelsY > 0, @"a pooling's size or stride is 0");
  if ((self = [super initWithDevice:device])) {
    _kernelWidth = kernelWidth;
    _kernelHeight = kernelHeight;
    _strideInPixelsX = strideInPixelsX;
    _strideInPixelsY = strideInPixelsY;
  }
  return self;
}
@end

@implementation MPSCNNPoolingMax
- (instancetype)initWithDevice:(id<MTLDevice>)device
                   kernelWidth:(NSUInteger)kernelWidth
                  kernelHeight:(NSUInteger)kernelHeight
               strideInPixelsX:(NSUInteger)strideInPixelsX
               strideInPixelsY:(NSUInteger)strideInPixelsY {
  return [super initWithDevice:device kernelWidth:kernelWidth kernelHeight:kernelHeight strideInPixelsX:strideInPixelsX strideInPixelsY:strideInPixelsY];
}
- (Operation)standinOperation {
  return pool_max;
}
@end

@implementation MPSCNNSoftMax
- (Operation)standinOperation {
  return soft_max;
}
@end
