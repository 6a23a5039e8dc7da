// One value a row, or a column.
#pragma once
#import <MetalPerformanceShaders/MPSImageKernel.h>

@interface MPSImageReduceUnary : MPSUnaryImageKernel {
 @package
  MTLRegion _clipRectSource;
}
@property(nonatomic) MTLRegion clipRectSource;
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_UNAVAILABLE;
@end

@interface MPSImageReduceRowMin : MPSImageReduceUnary
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageReduceRowMax : MPSImageReduceUnary
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageReduceRowSum : MPSImageReduceUnary
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageReduceRowMean : MPSImageReduceUnary
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageReduceColumnMin : MPSImageReduceUnary
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageReduceColumnMax : MPSImageReduceUnary
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageReduceColumnSum : MPSImageReduceUnary
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end

@interface MPSImageReduceColumnMean : MPSImageReduceUnary
- (instancetype _Nonnull)initWithDevice:(id<MTLDevice> _Nonnull)device NS_DESIGNATED_INITIALIZER;
@end
