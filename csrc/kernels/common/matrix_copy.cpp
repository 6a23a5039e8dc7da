#include "kernels/common/matrix_copy.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit {

void check_matrix_origin(std::string_view kernel, std::string_view side, const Origin& origin) {
  if (origin.z != 0)
    throw ValueError(cat(kernel, ": ", side, "_matrix_origin has a third number, ", origin.z, "; allowed: (row, column). Choose a matrix with ", side, "_matrix_batch_index."));
}

void check_matrix_copy(std::string_view kernel, std::string_view side, const Origin& origin, std::int64_t batch_index, const Layout& picture, const Layout& matrix) {
  const std::string_view image = side == "source" ? "out" : "image", other = side == "source" ? "matrix" : "out";
  if (picture.is_empty())
    throw ValueError(cat(kernel, ": ", image, " is ", picture.describe(), "; allowed: at least one pixel and one channel."));
  if (picture.dtype != matrix.dtype)
    throw TypeError(cat(kernel, ": image is ", name_of(picture.dtype), ", the matrix ", name_of(matrix.dtype), "; allowed: the same dtype, nothing is converted. Convert one with astype()."));
  if (batch_index >= matrix.matrices())
    throw ValueError(cat(kernel, ": ", side, "_matrix_batch_index is ", batch_index, ", ", other, " has ", matrix.matrices(), " matrices; allowed: 0 to ", matrix.matrices() - 1, ". Pass one of them, or more matrices."));
  const std::int64_t columns = PictureCopy::row_elements(picture);
  if (origin.x > matrix.rows() - picture.images() || origin.y > matrix.columns() - columns)
    throw ValueError(cat(kernel, ": ", other, " is ", matrix.describe(), ", the pictures take ", picture.images(), " rows of ", columns, " elements from (", origin.x, ", ", origin.y,
                         "); allowed: a matrix that holds them. Make it at least (", origin.x + picture.images(), ", ", origin.y + columns, ")."));
}

}  // namespace mpskit
