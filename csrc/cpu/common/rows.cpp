// Runs of elements of any format: compiled once for each instruction set, not in every kernel.
#include "cpu/image/fetch.inl"

namespace mpskit::cpu::MPSKIT_ISA {

void to_float(DType t, const std::byte* src, std::int64_t count, float* dst, float factor) {
  visit_pixels(t, [&](auto p) { to_float(std::span(reinterpret_cast<const decltype(p)*>(src), static_cast<std::size_t>(count)), dst, factor); });
}
void from_float(const float* src, DType t, std::byte* dst, std::int64_t count, float factor) {
  visit_pixels(t, [&](auto p) { from_float(src, std::span(reinterpret_cast<decltype(p)*>(dst), static_cast<std::size_t>(count)), factor); });
}

void fetch_row(const View& src, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t pixels, EdgeMode edge, float* to, float factor) {
  const Layout& l = src.layout;
  const std::int64_t c = l.channels(), row = std::clamp<std::int64_t>(y, 0, l.height() - 1);
  if (edge == EdgeMode::zero && row != y) {
    std::fill_n(to, pixels * c, 0.0f);
    return;
  }
  auto read = [&](std::int64_t from, std::int64_t count, float* target) {
    to_float(l.dtype, src.row<const std::byte>(image, row) + from * c * l.element_bytes(), count * c, target, factor);
  };
  const std::int64_t begin = std::clamp<std::int64_t>(x, 0, l.width()), inside = std::clamp<std::int64_t>(x + pixels, 0, l.width()) - begin;
  const std::int64_t left = std::clamp<std::int64_t>(-x, 0, pixels);
  if (inside > 0) read(begin, inside, to + left * c);
  if (edge == EdgeMode::zero) {
    std::fill_n(to, left * c, 0.0f);
    std::fill_n(to + (left + inside) * c, (pixels - left - inside) * c, 0.0f);
  } else if (inside > 0) {
    for (std::int64_t p = 0; p < left; ++p) std::copy_n(to + left * c, c, to + p * c);
    for (std::int64_t p = left + inside; p < pixels; ++p) std::copy_n(to + (p - 1) * c, c, to + p * c);
  } else {
    read(left > 0 ? 0 : l.width() - 1, 1, to);
    for (std::int64_t p = 1; p < pixels; ++p) std::copy_n(to, c, to + p * c);
  }
}

}  // namespace mpskit::cpu::MPSKIT_ISA
