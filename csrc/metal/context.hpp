#pragma once
#import <MetalPerformanceShaders/MetalPerformanceShaders.h>

#include <map>
#include <mutex>
#include <string>

#include "core/engine.hpp"
#include "metal/device.hpp"
#include "metal/guard.hpp"
#include "metal/holder.hpp"

namespace mpskit::metal {

// A buffer over a storage's bytes. Memory of others seldom begins on a page, so the buffer begins `lead` bytes before it.
struct BufferView {
  retained<id<MTLBuffer>> buffer;
  std::size_t lead = 0;
};

// A device, what it can do, and what is made for it once. Used from many threads.
class Context {
 public:
  explicit Context(retained<id<MTLDevice>> device);

  id<MTLDevice> device() const { return device_.get(); }
  const DeviceInfo& info() const { return info_; }
  // Where a texture may lie on a buffer that the CPU shares: shared textures need an Apple GPU.
  bool has_linear_textures() const { return has_linear_textures_; }
  NSUInteger linear_alignment(MTLPixelFormat format) const {
    return [device_.get() minimumLinearTextureAlignmentForPixelFormat:format];
  }
  // The buffer over these bytes, made once. It is page-rounded: the first and last page of foreign memory hold bytes of others
  // too, which the device sees and, given right offsets, leaves alone; they stay mapped as long as ours do.
  BufferView view(Storage& storage) const;
  // A function of csrc/metal/shaders, compiled on first use.
  retained<id<MTLComputePipelineState>> pipeline(const char* function) const;

  static constexpr std::int64_t largest_side = 16384;  // of a texture, on every Mac family
  static constexpr std::int64_t most_layers = 2048;

 private:
  retained<id<MTLDevice>> device_;
  DeviceInfo info_;
  bool has_linear_textures_ = false;
  mutable std::mutex mutex_;
  mutable retained<id<MTLLibrary>> library_;
  mutable std::map<std::string, retained<id<MTLComputePipelineState>>, std::less<>> pipelines_;
};

// ---- MPS' words for ours
inline MPSImageFeatureChannelFormat channel_format(DType t) {
  switch (t) {
    case DType::u8: return MPSImageFeatureChannelFormatUnorm8;
    case DType::u16: return MPSImageFeatureChannelFormatUnorm16;
    case DType::f16: return MPSImageFeatureChannelFormatFloat16;
    default: return MPSImageFeatureChannelFormatFloat32;
  }
}
// One picture's channels, or four of many: R, RG or RGBA.
MTLPixelFormat pixel_format(DType t, std::int64_t channels);
MPSDataType data_type(DType t);  // integers are plain integers

}  // namespace mpskit::metal
