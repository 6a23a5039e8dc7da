#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "core/dtype.hpp"

namespace mpskit {

enum class Kind : std::uint8_t { image, matrix, vector };
std::string_view name_of(Kind kind);

// Where the elements of an image, matrix or vector lie, in bytes from its first element. Innermost elements are always
// contiguous (the channels and pixels of a row, the columns of a matrix row, the elements of a vector).
//   image   extent {images, height, width, channels}   stride {image_bytes, row_bytes, channels * e, e}
//   matrix  extent {matrices, rows, columns, 1}        stride {matrix_bytes, row_bytes, e, e}
//   vector  extent {vectors, length, 1, 1}             stride {vector_bytes, e, e, e}
struct Layout {
  Kind kind = Kind::image;
  DType dtype = DType::f32;
  std::array<std::int64_t, 4> extent{};
  std::array<std::int64_t, 4> stride{};
  bool operator==(const Layout&) const = default;

  static Layout image(DType, std::int64_t images, std::int64_t height, std::int64_t width, std::int64_t channels);
  static Layout matrix(DType, std::int64_t rows, std::int64_t columns, std::int64_t matrices = 1);
  static Layout vector(DType, std::int64_t length, std::int64_t vectors = 1);
  // The same extents and dtype without padding between rows.
  Layout packed() const;

  std::int64_t images() const { return extent[0]; }
  std::int64_t height() const { return extent[1]; }
  std::int64_t width() const { return extent[2]; }
  std::int64_t channels() const { return extent[3]; }
  std::int64_t image_bytes() const { return stride[0]; }
  std::int64_t row_bytes() const { return kind == Kind::vector ? stride[0] : stride[1]; }

  std::int64_t matrices() const { return extent[0]; }
  std::int64_t rows() const { return extent[1]; }
  std::int64_t columns() const { return extent[2]; }
  std::int64_t matrix_bytes() const { return stride[0]; }

  std::int64_t vectors() const { return extent[0]; }
  std::int64_t length() const { return extent[1]; }
  std::int64_t vector_bytes() const { return stride[0]; }

  std::int64_t batch() const { return extent[0]; }
  std::int64_t element_bytes() const { return static_cast<std::int64_t>(size_of(dtype)); }
  std::int64_t elements() const { return extent[0] * extent[1] * extent[2] * extent[3]; }
  bool is_empty() const { return elements() == 0; }
  bool is_packed() const { return *this == packed(); }
  // Bytes from the first element to behind the last; the padding behind the last row does not count.
  std::int64_t span_bytes() const;
  // Text for messages: "(2, 5, 7, 3) uint8".
  std::string describe() const;
};

}  // namespace mpskit
