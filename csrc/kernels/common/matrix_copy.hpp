#pragma once
#include "kernels/common/image_kernel.hpp"

// Pictures as rows of a matrix: every picture fills a part of one row.
namespace mpskit {

enum class DataLayout { hwc, chw };  // with the numbers of MPSDataLayout
template <>
inline constexpr auto enum_names<DataLayout> = std::array<std::string_view, 2>{"hwc", "chw"};

struct PictureCopy : image::AnyKernel {
  DataLayout data_layout = DataLayout::chw;
  bool operator==(const PictureCopy&) const = default;

  static constexpr std::tuple layout_field{
      Field{"data_layout", &PictureCopy::data_layout, Range{}, "", "Order of a picture's elements in its row: hwc is (height, width, channels), chw is (channels, height, width)."}};
  static constexpr int positional = 1;
  static constexpr std::array tolerances{Tolerance{DType::u8, 0, 0, "copied"}, Tolerance{DType::u16, 0, 0, "copied"}, Tolerance{DType::f16, 0, 0, "copied"},
                                         Tolerance{DType::f32, 0, 0, "copied"}};

  static std::int64_t row_elements(const Layout& picture) { return picture.height() * picture.width() * picture.channels(); }
};

inline constexpr Range matrix_index{.min = 0, .max = 2147483647};
// The pictures fit into the matrix from (origin.x, origin.y) on; `side` is "source" or "destination".
void check_matrix_copy(std::string_view kernel, std::string_view side, const Origin& origin, std::int64_t batch_index, const Layout& picture, const Layout& matrix);
void check_matrix_origin(std::string_view kernel, std::string_view side, const Origin& origin);

}  // namespace mpskit
