#pragma once
#include "kernels/common/image_kernel.hpp"

// Image kernels that make a few pixels of a part of the picture: statistics and reductions.
namespace mpskit::image {

struct Extent {
  std::int64_t width, height;
};

struct RegionKernel : AnyKernel {
  Region clip_rect_source;
  Region clip_rect;
  bool operator==(const RegionKernel&) const = default;

  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"clip_rect_source", &RegionKernel::clip_rect_source, Range{}, "px", "Part of the source that is read, (x, y, width, height), cut to the picture; None is all of it."},
                 Field{"clip_rect", &RegionKernel::clip_rect, Range{}, "px", "Its corner is where the result is written, with room for all of it, which is how Apple's text is read; None is (0, 0)."}},
      options_field);
  static constexpr std::array operands{source_image, destination_image};

  // The part that is read, not empty after check().
  Window source_window(const Layout& src) const { return clip_window(clip_rect_source, src); }
};

// What is a sum of the source's elements.
inline constexpr std::array tolerances_of_sums{
    Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
    Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
    Tolerance{DType::f16, 1e-7, 1e-3, "one rounding to half precision"},
    Tolerance{DType::f32, 1e-9, 1e-6, "double precision sums, one rounding"}};

// The pixels that are written.
inline Window results_window(const RegionKernel& k, const Layout& dst, Extent size) {
  const Window w = clip_window(k.clip_rect, dst);
  return {w.x, w.y, size.width, size.height};
}

// Shape rules, with the kernel's name for the message.
void check_region(std::string_view kernel, const RegionKernel& k, const Layout& src, const Layout& dst, Extent size);
// Results of one element type, or of float32 where the format does not hold them.
Layout elements_result(const Layout& src, const OutputHints& hints, Extent size);
Layout sums_result(std::string_view kernel, const Layout& src, const OutputHints& hints, Extent size);

// One value a row, or a column. Without a clip_rect they fill out.
struct ReduceKernel : RegionKernel {
  bool operator==(const ReduceKernel&) const = default;
  bool reads_outputs(std::span<const Layout>) const { return !clip_rect.is_everything(); }
};
struct RowReduceKernel : ReduceKernel {
  bool operator==(const RowReduceKernel&) const = default;
  Extent extent(const Layout& src) const { return {1, source_window(src).height}; }
};
struct ColumnReduceKernel : ReduceKernel {
  bool operator==(const ColumnReduceKernel&) const = default;
  Extent extent(const Layout& src) const { return {source_window(src).width, 1}; }
};
void check_reduction(std::string_view kernel, const ReduceKernel& k, const Layout& src, const Layout& dst, Extent size);

}  // namespace mpskit::image
