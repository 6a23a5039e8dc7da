#include "metal/sheet.hpp"

#include <algorithm>

namespace mpskit::metal {
namespace {

constexpr std::uint64_t most_idle_bytes = std::uint64_t{512} << 20;

retained<id<MTLTexture>> make(id<MTLDevice> device, MTLPixelFormat format, std::int64_t width, std::int64_t height, std::int64_t layers, std::int64_t levels) {
  auto d = adopt([[MTLTextureDescriptor alloc] init]);
  d.get().textureType = layers > 1 ? MTLTextureType2DArray : MTLTextureType2D;
  d.get().pixelFormat = format;
  d.get().width = static_cast<NSUInteger>(width);
  d.get().height = static_cast<NSUInteger>(height);
  d.get().arrayLength = static_cast<NSUInteger>(layers);
  d.get().storageMode = MTLStorageModePrivate;
  d.get().hazardTrackingMode = MTLHazardTrackingModeTracked;
  d.get().usage = MTLTextureUsageShaderRead | MTLTextureUsageShaderWrite;
  if (levels > 1) {  // MPS looks at the levels through views
    d.get().mipmapLevelCount = static_cast<NSUInteger>(levels);
    d.get().usage |= MTLTextureUsagePixelFormatView;
  }
  return adopt([device newTextureWithDescriptor:d.get()]);
}

}  // namespace

id<MTLTexture> Sheet::slice(std::int64_t layer) { return layers == 1 ? texture.get() : view(0, layer); }
id<MTLTexture> Sheet::level(std::int64_t level) { return levels == 1 ? texture.get() : view(level, 0); }

id<MTLTexture> Sheet::view(std::int64_t level, std::int64_t layer) {
  views.resize(static_cast<std::size_t>(layers * levels));
  retained<id<MTLTexture>>& view = views[static_cast<std::size_t>(level + layer)];  // one of them is 0
  if (!view)
    view = adopt([texture.get() newTextureViewWithPixelFormat:format
                                                  textureType:MTLTextureType2D
                                                       levels:NSMakeRange(static_cast<NSUInteger>(level), 1)
                                                       slices:NSMakeRange(static_cast<NSUInteger>(layer), 1)]);
  if (!view) throw DeviceError(cat("Metal made no view of slice ", layer, ", level ", level, " of a texture of ", layers, " slices and ", levels, " levels."));
  return view.get();
}

std::shared_ptr<Sheet> SheetPool::take(MTLPixelFormat format, std::int64_t width, std::int64_t height, std::int64_t layers, std::int64_t levels) {
  const auto fits = [&](const std::shared_ptr<Sheet>& s) {
    return s->format == format && s->width == width && s->height == height && s->layers == layers && s->levels == levels;
  };
  if (const auto found = std::find_if(idle_.rbegin(), idle_.rend(), fits); found != idle_.rend()) {
    std::shared_ptr<Sheet> sheet = std::move(*found);
    idle_.erase(std::next(found).base());
    idle_bytes_ -= [sheet->texture.get() allocatedSize];
    return sheet;
  }
  auto texture = make(context_.device(), format, width, height, layers, levels);
  if (!texture) {  // perhaps for want of the memory that the idle ones hold
    idle_.clear();
    idle_bytes_ = 0;
    texture = make(context_.device(), format, width, height, layers, levels);
  }
  if (!texture)
    throw DeviceError(cat(context_.info().name, " made no texture of ", width, " x ", height, " pixels and ", layers, " slices; it may be out "
                          "of memory. Free arrays, pass smaller batches, or pass device=\"cpu\"."));
  texture.get().label = @"mpskit picture";
  return share(std::unique_ptr<Sheet>(new Sheet{std::move(texture), format, width, height, layers, levels, {}}));
}

void SheetPool::give(std::shared_ptr<Sheet> sheet) {
  idle_bytes_ += [sheet->texture.get() allocatedSize];
  idle_.push_back(std::move(sheet));
  std::size_t dropped = 0;
  for (; idle_bytes_ > most_idle_bytes && dropped < idle_.size(); ++dropped) idle_bytes_ -= [idle_[dropped]->texture.get() allocatedSize];
  idle_.erase(idle_.begin(), idle_.begin() + static_cast<std::ptrdiff_t>(dropped));
}

}  // namespace mpskit::metal
