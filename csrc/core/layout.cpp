#include "core/layout.hpp"

#include "core/text.hpp"

namespace mpskit {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::image: return "image";
    case Kind::matrix: return "matrix";
    case Kind::vector: return "vector";
  }
  return "";
}

Layout Layout::image(DType t, std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
  return Layout{Kind::image, t, {n, h, w, c}, {}}.packed();
}
Layout Layout::matrix(DType t, std::int64_t rows, std::int64_t columns, std::int64_t matrices) {
  return Layout{Kind::matrix, t, {matrices, rows, columns, 1}, {}}.packed();
}
Layout Layout::vector(DType t, std::int64_t length, std::int64_t vectors) {
  return Layout{Kind::vector, t, {vectors, length, 1, 1}, {}}.packed();
}

Layout Layout::packed() const {
  Layout out = *this;
  auto bytes = static_cast<std::uint64_t>(element_bytes());  // may wrap: whoever makes extents of numbers looks at them then
  for (int axis = 3; axis >= 0; --axis) {
    out.stride[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(bytes);
    bytes *= static_cast<std::uint64_t>(extent[static_cast<std::size_t>(axis)]);
  }
  return out;
}

std::int64_t Layout::span_bytes() const {
  if (is_empty()) return 0;
  std::int64_t last = element_bytes();
  for (std::size_t axis = 0; axis < 4; ++axis) last += (extent[axis] - 1) * stride[axis];
  return last;
}

std::string Layout::describe() const {
  const std::size_t rank = kind == Kind::image ? 4 : kind == Kind::matrix ? 3 : 2;
  std::span<const std::int64_t> shape(extent.data(), rank);
  if (extent[0] == 1) shape = shape.subspan(1);  // one image, one matrix: as its owner writes it
  return cat(to_text(shape), " ", name_of(dtype));
}

}  // namespace mpskit
