#pragma once
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct EDLines : AnyKernel {
  float gaussian_sigma = 2.0f;
  std::int64_t min_line_length = 32, max_lines = 256, detail_ratio = 32;
  float gradient_threshold = 0.2f, line_error_threshold = 0.05f, merge_locality_threshold = 0.0025f;
  Region clip_rect_source;
  bool operator==(const EDLines&) const = default;

  static constexpr KernelInfo info{
      "EDLines", "Line segments along the edges of a picture.", "MPSImageEDLines, in MPSImageEDLines.h",
      "Returns (endpoints, counts): a row of endpoints is x and y of a segment's start, then of its end, in pixels of the picture; behind the first counts of them are zeros. "
      "With return_edges=True also the pixels that were drawn along edges, 1 on them. Edge drawing, as Apple's header sketches it: pixels of largest gradient on every "
      "detail_ratio-th row and column are followed along the edge both ways, while the gradient stays at gradient_threshold or above, and lines are fitted to "
      "the chains by least squares. Nearly every number in it is open, so results of MPS and of the CPU engine agree in what they find, not pixel by pixel. The CPU engine's "
      "definition: the Gaussian is GaussianBlur's with edge_mode 'clamp'; the gradient is Sobel's on pictures in [0, 1], not divided by anything, along an "
      "edge its largest of three next pixels is taken; a line takes in pixels while their root mean square distance from it stays within 20 px times line_error_threshold, "
      "and the last one's within twice that; two lines become one when ends of them lie within merge_locality_threshold times the picture's diagonal and all four "
      "ends within 20 px times line_error_threshold of the line between the outer two. Segments come longest first, each from its upper end; of more than max_lines the longest "
      "are kept. On Metal their order, and which of too many are kept, are MPS's. Chains shorter than min_line_length are not drawn."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"gaussian_sigma", &EDLines::gaussian_sigma, Range{.min = 0, .max = 64}, "px", "Standard deviation of the Gaussian; 0 leaves it out."},
                 Field{"min_line_length", &EDLines::min_line_length, Range{.min = 1, .max = 65535}, "px", "The shortest segment."},
                 Field{"max_lines", &EDLines::max_lines, Range{.min = 1, .max = 1 << 24}, "", "Room for so many segments."},
                 Field{"detail_ratio", &EDLines::detail_ratio, Range{.min = 1, .max = 65535}, "px", "Rows and columns between those on which edges are looked for; more find fewer."},
                 Field{"gradient_threshold", &EDLines::gradient_threshold, Range{.min = 0}, "", "The lowest gradient of an edge."},
                 Field{"line_error_threshold", &EDLines::line_error_threshold, Range{.min = 0}, "", "How far pixels may lie from their line."},
                 Field{"merge_locality_threshold", &EDLines::merge_locality_threshold, Range{.min = 0, .max = 1}, "", "How near ends of lines are that become one, as a part of the picture's diagonal."},
                 Field{"clip_rect_source", &EDLines::clip_rect_source, Range{}, "px", "Part of the source that is searched, (x, y, width, height), cut to the picture; None is all of it."}},
      options_field);
  static constexpr std::array operands{
      OperandSpec{"image", Role::input, Kind::image, image_dtypes, "The picture, of one channel, shape (height, width) or (images, height, width, 1)."},
      OperandSpec{"endpoints", Role::output, Kind::matrix, DType::u16, "The segments, (max_lines, 4) or (images, max_lines, 4)."},
      OperandSpec{.name = "counts", .role = Role::output, .kind = Kind::vector, .dtypes = DType::u32, .doc = "How many there are, (images,).", .is_single = true},
      OperandSpec{"edges", Role::output, Kind::image, image_dtypes, "The drawn pixels, 1 on them and 0 elsewhere, a picture like image.", Count::optional, "return_edges"}};
  static constexpr std::array tolerances{
      Tolerance{DType::u16, 2, 0, "pixels, of the ends of a segment along a straight edge"}, Tolerance{DType::u32, 0, 0, "exact on pictures of few straight edges"},
      Tolerance{DType::u8, 0, 0, "0 or 255"}, Tolerance{DType::f16, 0, 0, "0 or 1"}, Tolerance{DType::f32, 0, 0, "0 or 1"}};

  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const;
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, EDLines)
