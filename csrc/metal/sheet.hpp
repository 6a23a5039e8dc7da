#pragma once
#include <memory>
#include <vector>

#include "metal/context.hpp"

namespace mpskit::metal {

// A texture of ours, on the device only: one picture of up to four channels, or an array of slices, or a picture with its mipmaps.
struct Sheet {
  retained<id<MTLTexture>> texture;
  MTLPixelFormat format;
  std::int64_t width, height, layers, levels;
  std::vector<retained<id<MTLTexture>>> views;  // 2-D ones of an array's layers or a picture's mipmaps, made on first use
  id<MTLTexture> slice(std::int64_t layer);
  id<MTLTexture> level(std::int64_t level);

 private:
  id<MTLTexture> view(std::int64_t level, std::int64_t layer);
};

// Keeps sheets: making a texture can take a millisecond. Belongs to one stream and is used by whoever encodes there. A sheet may
// come back as soon as its uses are encoded, as Metal orders later uses on the same queue behind them.
class SheetPool {
 public:
  explicit SheetPool(const Context& context) : context_(context) {}
  std::shared_ptr<Sheet> take(MTLPixelFormat format, std::int64_t width, std::int64_t height, std::int64_t layers, std::int64_t levels = 1);
  void give(std::shared_ptr<Sheet> sheet);

 private:
  const Context& context_;
  std::vector<std::shared_ptr<Sheet>> idle_;  // the longest unused first
  std::uint64_t idle_bytes_ = 0;
};

}  // namespace mpskit::metal
