#pragma once
#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/matrix_copy.hpp"

namespace mpskit::linalg {

struct MatrixCopyToImage : PictureCopy {
  Origin source_matrix_origin;  // x is the row, y the column
  std::int64_t source_matrix_batch_index = 0;
  bool operator==(const MatrixCopyToImage&) const = default;

  static constexpr KernelInfo info{
      "MatrixCopyToImage", "Makes a picture of every row of a matrix.", "MPSMatrixCopyToImage, in MPSImageCopy.h",
      "The inverse of image.CopyToMatrix: picture n is read from row source_matrix_origin[0] + n, from column source_matrix_origin[1] on, in the order that "
      "data_layout says. A row does not tell its height and width, so out must be given. Elements are copied as they are stored, so both have one dtype. "
      "MPS has no matrices of uint16."};
  static constexpr auto fields = std::tuple_cat(
      layout_field,
      std::tuple{Field{"source_matrix_origin", &MatrixCopyToImage::source_matrix_origin, Range{}, "", "(row, column) where the first picture begins."},
                 Field{"source_matrix_batch_index", &MatrixCopyToImage::source_matrix_batch_index, matrix_index, "", "Which matrix of a batch is read."}},
      options_field);
  static constexpr std::array operands{
      OperandSpec{"matrix", Role::input, Kind::matrix, image_dtypes, "Rows of elements, shape (rows, columns) or (matrices, rows, columns)."},
      OperandSpec{"out", Role::output, Kind::image, image_dtypes, "The pictures, as many as rows are read; must be given."}};

  void validate() const { check_matrix_origin(info.name, "source", source_matrix_origin); }
  Layouts infer(std::span<const Layout> in, const OutputHints&) const {
    throw ValueError(cat(info.name, ": out is missing; allowed: an image or array of shape (height, width), (height, width, channels) or (images, height, width, channels). A row of ",
                         in[0].columns(), " elements does not tell its shape: pass out=."));
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_matrix_copy(info.name, "source", source_matrix_origin, source_matrix_batch_index, out[0], in[0]);
  }
};

}  // namespace mpskit::linalg

MPSKIT_KERNEL(linalg, MatrixCopyToImage)
