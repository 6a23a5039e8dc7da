#pragma once
#include "kernels/common/histogram_kernel.hpp"
#include "metal/image/unary.hpp"

// What the files of histograms share.
namespace mpskit::metal {

// Alpha counts only where there is one: pictures of three channels lie in textures of four.
inline MPSImageHistogramInfo to_mps(const image::HistogramInfo& k, std::int64_t channels) {
  const auto four = [](const std::array<float, 4>& v) { return vector_float4{v[0], v[1], v[2], v[3]}; };
  return {.numberOfHistogramEntries = static_cast<NSUInteger>(k.number_of_histogram_entries),
          .histogramForAlpha = k.counted(channels) == 4 ? YES : NO,
          .minPixelValue = four(k.min_pixel_value),
          .maxPixelValue = four(k.max_pixel_value)};
}

// Counts as MPS takes them: bins of all channels on end, at its own alignment. Matrices may lie elsewhere, with gaps, so they are
// copied; a few kilobytes.
class PlanarCounts {
 public:
  PlanarCounts(Encoder& e, std::int64_t rows, std::int64_t bins, std::size_t bytes) : rows_(rows), row_bytes_(static_cast<NSUInteger>(bins) * 4) {
    const NSUInteger length = std::max<NSUInteger>(static_cast<NSUInteger>(rows) * row_bytes_, bytes);
    auto made = adopt([e.context().device() newBufferWithLength:length options:MTLResourceStorageModePrivate | MTLResourceHazardTrackingModeTracked]);
    if (!made) throw DeviceError(cat(e.context().info().name, " made no buffer for ", length, " bytes of counts. Free arrays, or pass device=\"cpu\"."));
    buffer_ = e.keep(std::move(made));
  }
  id<MTLBuffer> buffer() const { return buffer_; }

  void load(Encoder& e, const Operand& from, std::int64_t matrix) const { copy(e, from, matrix, false); }
  void store(Encoder& e, const Operand& to, std::int64_t matrix) const { copy(e, to, matrix, true); }

 private:
  void copy(Encoder& e, const Operand& operand, std::int64_t matrix, bool is_stored) const {
    const Layout& l = operand.layout;
    const Place p = e.place(operand);
    id<MTLBlitCommandEncoder> blit = [e.commands() blitCommandEncoder];
    if (!blit) throw DeviceError(cat(e.context().info().name, " made no encoder for counts."));
    for (std::int64_t row = 0; row < rows_; ++row) {
      const NSUInteger there = p.offset + static_cast<NSUInteger>(matrix * l.matrix_bytes() + row * l.row_bytes()), here = static_cast<NSUInteger>(row) * row_bytes_;
      if (is_stored) [blit copyFromBuffer:buffer_ sourceOffset:here toBuffer:p.buffer destinationOffset:there size:row_bytes_];
      else [blit copyFromBuffer:p.buffer sourceOffset:there toBuffer:buffer_ destinationOffset:here size:row_bytes_];
    }
    [blit endEncoding];
  }

  std::int64_t rows_;
  NSUInteger row_bytes_;
  id<MTLBuffer> buffer_;
};

// Counts a whole picture, every value of it, for kernels that were given no histogram.
class OwnCounts {
 public:
  template <class K>
  OwnCounts(const K& k, const Layout& src, const Context& context) : rows_(k.counted(src.channels())), bins_(k.number_of_histogram_entries) {
    const MPSImageHistogramInfo info = to_mps(k, src.channels());
    filter_ = made(adopt([[MPSImageHistogram alloc] initWithDevice:context.device() histogramInfo:&info]), context, k);
    filter_.get().zeroHistogram = YES;
    filter_.get().clipRectSource = MPSRectNoClip;
    constexpr float lowest = std::numeric_limits<float>::lowest();
    filter_.get().minPixelThresholdValue = vector_float4{lowest, lowest, lowest, lowest};
  }
  PlanarCounts count(Encoder& e, id<MTLTexture> source) const {
    const PlanarCounts counts(e, rows_, bins_, [filter_.get() histogramSizeForSourceFormat:source.pixelFormat]);
    [filter_.get() encodeToCommandBuffer:e.commands() sourceTexture:source histogram:counts.buffer() histogramOffset:0];
    return counts;
  }
  // Those of a matrix for this picture, or its own.
  PlanarCounts take(Encoder& e, const Operand* given, std::int64_t image, id<MTLTexture> source) const {
    if (!given) return count(e, source);
    const PlanarCounts counts(e, rows_, bins_, 0);
    counts.load(e, *given, given->layout.matrices() == 1 ? 0 : image);
    return counts;
  }

 private:
  std::int64_t rows_, bins_;
  retained<MPSImageHistogram*> filter_;
};

}  // namespace mpskit::metal
