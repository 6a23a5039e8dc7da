// Random matrices. The sequence is that of another twister: Apple states neither parameters nor seeding of its own.
#include <algorithm>
#include <cmath>

#include "matrix_window.hpp"

using namespace standin;

@interface MPSMatrixRandom (StandinInit)
- (instancetype)initStandinWithDevice:(id<MTLDevice>)device;  // for its subclasses: its own initializer is unavailable
@end

@implementation MPSMatrixRandomDistributionDescriptor
@synthesize distributionType = _distributionType, maximum = _maximum, mean = _mean, minimum = _minimum, standardDeviation = _standardDeviation;
+ (MPSMatrixRandomDistributionDescriptor*)defaultDistributionDescriptor {
  MPSMatrixRandomDistributionDescriptor* d = [[[self alloc] init] autorelease];
  d.distributionType = MPSMatrixRandomDistributionDefault;
  return d;
}
+ (MPSMatrixRandomDistributionDescriptor*)uniformDistributionDescriptorWithMinimum:(float)minimum maximum:(float)maximum {
  MPSMatrixRandomDistributionDescriptor* d = [[[self alloc] init] autorelease];
  d.distributionType = MPSMatrixRandomDistributionUniform;
  d.minimum = minimum;
  d.maximum = maximum;
  return d;
}
+ (MPSMatrixRandomDistributionDescriptor*)normalDistributionDescriptorWithMean:(float)mean standardDeviation:(float)standardDeviation {
  return [self normalDistributionDescriptorWithMean:mean standardDeviation:standardDeviation minimum:-INFINITY maximum:INFINITY];
}
+ (MPSMatrixRandomDistributionDescriptor*)normalDistributionDescriptorWithMean:(float)mean
                                                             standardDeviation:(float)standardDeviation
                                                                       minimum:(float)minimum
                                                                       maximum:(float)maximum {
  MPSMatrixRandomDistributionDescriptor* d = [[[self alloc] init] autorelease];
  d.distributionType = MPSMatrixRandomDistributionNormal;
  d.mean = mean;
  d.standardDeviation = standardDeviation;
  d.minimum = minimum;
  d.maximum = maximum;
  return d;
}
- (id)copyWithZone:(NSZone*)zone {
  MPSMatrixRandomDistributionDescriptor* d = [[[self class] allocWithZone:zone] init];
  d.distributionType = _distributionType;
  d.mean = _mean;
  d.standardDeviation = _standardDeviation;
  d.minimum = _minimum;
  d.maximum = _maximum;
  return d;
}
@end

@implementation MPSMatrixRandom
@synthesize batchSize = _batchSize, batchStart = _batchStart, destinationDataType = _destinationDataType, distributionType = _distributionType;
- (instancetype)initStandinWithDevice:(id<MTLDevice>)device {
  return [super initWithDevice:device];
}
@end

@implementation MPSMatrixRandomMTGP32
- (instancetype)initWithDevice:(id<MTLDevice>)device
           destinationDataType:(MPSDataType)destinationDataType
                          seed:(NSUInteger)seed
        distributionDescriptor:(MPSMatrixRandomDistributionDescriptor*)distributionDescriptor {
  const bool is_raw = distributionDescriptor.distributionType == MPSMatrixRandomDistributionDefault;
  require(destinationDataType == (is_raw ? MPSDataTypeUInt32 : MPSDataTypeFloat32), @"MPSMatrixRandomMTGP32: data type 0x%x of distribution %lu",
          static_cast<unsigned>(destinationDataType), lu(distributionDescriptor.distributionType));
  if ((self = [super initStandinWithDevice:device])) {
    _destinationDataType = destinationDataType;
    _distributionType = distributionDescriptor.distributionType;
    _distribution = [distributionDescriptor copy];
    std::seed_seq words{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
    _state = std::make_shared<std::mt19937>(words);
  }
  return self;
}
- (void)dealloc {
  [_distribution release];
  [super dealloc];
}
- (void)encodeToCommandBuffer:(id<MTLCommandBuffer>)commandBuffer destinationMatrix:(MPSMatrix*)destinationMatrix {
  const MatrixView out = view(destinationMatrix, commandBuffer);
  require(out.type == _destinationDataType, @"MPSMatrixRandomMTGP32: a destination of data type 0x%x", static_cast<unsigned>(out.type));
  require(out.columns % 4 == 0 && out.matrices == 1, @"MPSMatrixRandomMTGP32: %lu columns, which are not known to be filled one by one", lu(out.columns));
  const std::shared_ptr<std::mt19937> state = _state;
  const MPSMatrixRandomDistribution type = _distributionType;
  const double mean = _distribution.mean, deviation = _distribution.standardDeviation, least = _distribution.minimum, most = _distribution.maximum;
  encode(commandBuffer, @"MPSMatrixRandomMTGP32", {writes(out)}, [=] {
    const auto fraction = [&] { return ((*state)() >> 9) * 0x1p-23; };
    for (NSUInteger i = 0; i < out.rows; ++i)
      for (NSUInteger j = 0; j < out.columns; ++j) {
        if (type == MPSMatrixRandomDistributionDefault) {
          const std::uint32_t word = (*state)();
          std::copy_n(reinterpret_cast<const std::byte*>(&word), 4, out.element(i, j, 0));
        } else if (type == MPSMatrixRandomDistributionUniform) {
          const float value = static_cast<float>(least + (most - least) * fraction());
          out.put(i, j, std::min(value, std::nextafter(static_cast<float>(most), static_cast<float>(least))));
        } else {
          double value;
          do value = mean + deviation * std::sqrt(-2 * std::log(1 - fraction())) * std::cos(6.283185307179586 * fraction());
          while (!(value >= least && value <= most));
          out.put(i, j, std::clamp(value, least, most));
        }
      }
  });
}
@end
