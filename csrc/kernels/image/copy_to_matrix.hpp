#pragma once
#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/matrix_copy.hpp"

namespace mpskit::image {

struct CopyToMatrix : PictureCopy {
  Origin destination_matrix_origin;  // x is the row, y the column
  std::int64_t destination_matrix_batch_index = 0;
  bool operator==(const CopyToMatrix&) const = default;

  static constexpr KernelInfo info{
      "CopyToMatrix", "Writes every picture into a row of a matrix.", "MPSImageCopyToMatrix, in MPSImageCopy.h",
      "Picture n goes to row destination_matrix_origin[0] + n, from column destination_matrix_origin[1] on: chw puts channel c of pixel (x, y) into column "
      "(c * height + y) * width + x of that, hwc into (y * width + x) * channels + c. Elements are copied as they are stored, so the matrix has the image's dtype. "
      "Others of the matrix keep their values; a new one has zeros there. Apple says of the origin that x is the row; that y is the column it says of other matrix kernels. MPS has no matrices of uint16."};
  static constexpr auto fields = std::tuple_cat(
      layout_field,
      std::tuple{Field{"destination_matrix_origin", &CopyToMatrix::destination_matrix_origin, Range{}, "", "(row, column) where the first picture begins."},
                 Field{"destination_matrix_batch_index", &CopyToMatrix::destination_matrix_batch_index, matrix_index, "", "Which matrix of a batch is written."}},
      options_field);
  static constexpr std::array operands{
      source_image, OperandSpec{.name = "out", .role = Role::output, .kind = Kind::matrix, .dtypes = image_dtypes,
                                .doc = "Where the rows go, (rows, columns) or (matrices, rows, columns); made when omitted, a row for each picture.", .is_single = true}};

  void validate() const { check_matrix_origin(info.name, "destination", destination_matrix_origin); }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    if (hints.channels)
      throw ValueError(cat(info.name, ": channels is ", *hints.channels, "; allowed: none, a matrix has no channels. Leave it out."));
    return {Layout::matrix(hints.dtype.value_or(in[0].dtype), destination_matrix_origin.x + in[0].images(), destination_matrix_origin.y + row_elements(in[0]),
                           destination_matrix_batch_index + 1)};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_matrix_copy(info.name, "destination", destination_matrix_origin, destination_matrix_batch_index, in[0], out[0]);
  }
  // The picture is not known here; without an offset a matrix may still be larger than what is written.
  bool reads_outputs(std::span<const Layout>) const { return destination_matrix_origin != Origin{} || destination_matrix_batch_index != 0; }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, CopyToMatrix)
