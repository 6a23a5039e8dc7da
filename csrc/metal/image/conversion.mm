#include "kernels/image/conversion.hpp"

#import <CoreGraphics/CoreGraphics.h>

#include <memory>

#include "metal/image/unary.hpp"

namespace mpskit::metal {
namespace {

MPSAlphaType to_mps(AlphaType a) {
  return a == AlphaType::non_premultiplied ? MPSAlphaTypeNonPremultiplied : a == AlphaType::premultiplied ? MPSAlphaTypePremultiplied : MPSAlphaTypeAlphaIsOne;
}

struct Releases {
  void operator()(CFTypeRef object) const { CFRelease(object); }
};
template <class Ref>
using Owned = std::unique_ptr<std::remove_pointer_t<Ref>, Releases>;  // of what a Create function of CoreGraphics gave
using OwnedSpace = Owned<CGColorSpaceRef>;
using OwnedConversion = Owned<CGColorConversionInfoRef>;

OwnedSpace space_of(ColorSpace s) {
  const std::array names{  // of all but none, in order
      kCGColorSpaceSRGB, kCGColorSpaceLinearSRGB, kCGColorSpaceDisplayP3, kCGColorSpaceLinearDisplayP3, kCGColorSpaceGenericGrayGamma2_2, kCGColorSpaceLinearGray};
  OwnedSpace space(CGColorSpaceCreateWithName(names[static_cast<std::size_t>(s) - 1]));
  if (!space) throw DeviceError(cat(image::Conversion::info.name, ": CoreGraphics made no colour space ", name_of_enum(s), ". Pass device=\"cpu\"."));
  return space;
}

// Null only where colours stay as they are: a null that CoreGraphics gave would mean the same to MPS.
OwnedConversion conversion_of(const image::Conversion& k) {
  if (!k.changes_colors()) return nullptr;
  const OwnedSpace source = space_of(k.source_color_space), destination = space_of(k.destination_color_space);
  OwnedConversion conversion(CGColorConversionInfoCreate(source.get(), destination.get()));
  if (!conversion)
    throw DeviceError(cat(k.info.name, ": CoreGraphics made no conversion from ", name_of_enum(k.source_color_space), " to ", name_of_enum(k.destination_color_space), ". Pass device=\"cpu\"."));
  return conversion;
}

// A base that goes after the filter: it is not told whether that retains the conversion.
struct HasConversion {
  OwnedConversion conversion;
};

class Plan final : private HasConversion, public UnaryPlan {
 public:
  Plan(const image::Conversion& k, const Call& call, const Context& context)
      : HasConversion{conversion_of(k)}, UnaryPlan(make(k, call.inputs[0], conversion.get(), context), k, call.outputs[0]),
        reverses_(k.source_channel_order == ChannelOrder::bgra) {}
  void encode(Encoder& e, std::span<const Operand> o) override {
    if (!reverses_) return UnaryPlan::encode(e, o);
    e.each_slice(o[0], o[1], written(), [&](id<MTLTexture> source, id<MTLTexture> target) {
      const Encoder::Scratch red_first = e.scratch(source.pixelFormat, static_cast<std::int64_t>(source.width), static_cast<std::int64_t>(source.height));
      e.reverse_colors(source, red_first.texture());
      encode_slice(e, red_first.texture(), target);
    });
  }

 private:
  static retained<MPSUnaryImageKernel*> make(const image::Conversion& k, const Layout& source, CGColorConversionInfoRef conversion, const Context& context) {
    CGFloat background[3] = {static_cast<CGFloat>(k.background_color[0]), static_cast<CGFloat>(k.background_color[1]), static_cast<CGFloat>(k.background_color[2])};
    return made(adopt<MPSUnaryImageKernel*>([[MPSImageConversion alloc] initWithDevice:context.device()
                                                                             srcAlpha:to_mps(k.alpha_of(source))
                                                                            destAlpha:to_mps(k.destination_alpha)
                                                                      backgroundColor:background
                                                                       conversionInfo:conversion]), context, k);
  }

  bool reverses_;
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(image::Conversion, Plan)
