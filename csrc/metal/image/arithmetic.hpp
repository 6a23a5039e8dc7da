#pragma once
#include "kernels/common/arithmetic_kernel.hpp"
#include "metal/image/binary.hpp"

namespace mpskit::metal {

template <class Filter>  // a subclass of MPSImageArithmetic
class ArithmeticPlan : public BinaryPlan {
 public:
  template <class K>
  ArithmeticPlan(const K& k, const Call& call, const Context& context) : BinaryPlan(make(k, context), k, call.outputs[0]) {}

 private:
  template <class K>
  static retained<MPSBinaryImageKernel*> make(const K& k, const Context& context) {
    auto filter = made(adopt([[Filter alloc] initWithDevice:context.device()]), context, k);
    filter.get().primaryScale = k.primary_scale;
    filter.get().secondaryScale = k.secondary_scale;
    filter.get().bias = k.bias;
    filter.get().minimumValue = k.minimum_value;
    filter.get().maximumValue = k.maximum_value;
    filter.get().primaryStrideInPixels = to_stride(k.primary_stride_in_pixels);
    filter.get().secondaryStrideInPixels = to_stride(k.secondary_stride_in_pixels);
    return hold<MPSBinaryImageKernel*>(filter.get());
  }
  // Images of a batch are encoded one by one, so the third number is 1.
  static MTLSize to_stride(const Size& s) { return MTLSizeMake(static_cast<NSUInteger>(s.width), static_cast<NSUInteger>(s.height), 1); }
};

}  // namespace mpskit::metal
