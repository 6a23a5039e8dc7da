#pragma once
#import <MetalPerformanceShaders/MPSImageKernel.h>

@interface MPSImageEuclideanDistanceTransform : MPSUnaryImageKernel {
 @package
  float _searchLimitRadius;
}
@property(nonatomic) float searchLimitRadius __attribute__((availability(macos, introduced = 11.0)));
@end
