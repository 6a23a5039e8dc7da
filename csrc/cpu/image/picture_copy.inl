#pragma once
// Rows of pixels to and from planes. The compiler turns these into shuffles.
#include "kernels/common/matrix_copy.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

template <class T, int channels>
void take_apart(const T* __restrict pixels, T* __restrict a, T* __restrict b, T* __restrict c, T* __restrict d, std::int64_t count) {
  for (std::int64_t x = 0; x < count; ++x) {
    a[x] = pixels[x * channels];
    b[x] = pixels[x * channels + 1];
    if constexpr (channels > 2) c[x] = pixels[x * channels + 2];
    if constexpr (channels > 3) d[x] = pixels[x * channels + 3];
  }
}
template <class T, int channels>
void put_together(const T* __restrict a, const T* __restrict b, const T* __restrict c, const T* __restrict d, T* __restrict pixels, std::int64_t count) {
  for (std::int64_t x = 0; x < count; ++x) {
    pixels[x * channels] = a[x];
    pixels[x * channels + 1] = b[x];
    if constexpr (channels > 2) pixels[x * channels + 2] = c[x];
    if constexpr (channels > 3) pixels[x * channels + 3] = d[x];
  }
}

// A row of pixels and the same row of the planes, `plane` elements apart; which one is written is in the name of the way.
enum class Way { apart, together };
template <class T, Way way>
void move_row(std::byte* pixel_bytes, std::byte* plane_bytes, std::int64_t plane, std::int64_t channels, std::int64_t count) {
  T *pixels = reinterpret_cast<T*>(pixel_bytes), *p = reinterpret_cast<T*>(plane_bytes);
  auto move = [&]<int n>(std::integral_constant<int, n>) {
    T *c = n > 2 ? p + 2 * plane : nullptr, *d = n > 3 ? p + 3 * plane : nullptr;
    if constexpr (way == Way::apart) take_apart<T, n>(pixels, p, p + plane, c, d, count);
    else put_together<T, n>(p, p + plane, c, d, pixels, count);
  };
  switch (channels) {
    case 2: return move(std::integral_constant<int, 2>{});
    case 3: return move(std::integral_constant<int, 3>{});
    case 4: return move(std::integral_constant<int, 4>{});
    default: break;
  }
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t x = 0; x < count; ++x) {
      T &one = pixels[x * channels + c], &other = p[c * plane + x];
      if constexpr (way == Way::apart) other = one;
      else one = other;
    }
}

// Every row of every picture against its place in the matrix.
template <Way way>
class PictureCopyPlan : public CpuPlan {
 public:
  PictureCopyPlan(const PictureCopy& k, const Origin& origin, std::int64_t batch_index, const Layout& picture) : origin_(origin), batch_index_(batch_index) {
    is_plain_ = k.data_layout == DataLayout::hwc || picture.channels() == 1;
    switch (picture.element_bytes()) {
      case 1: move_ = &move_row<std::uint8_t, way>; break;
      case 2: move_ = &move_row<std::uint16_t, way>; break;
      default: move_ = &move_row<std::uint32_t, way>;
    }
  }
  void run(std::span<const View> views) const override {
    const View &picture = views[way == Way::apart ? 0 : 1], &matrix = views[way == Way::apart ? 1 : 0];
    const Layout& l = picture.layout;
    const std::int64_t row = l.width() * l.stride[2], element = l.element_bytes();
    parallel_for(l.images() * l.height(), (256 << 10) / row + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t n = task / l.height(), y = task % l.height();
        std::byte *pixels = picture.row<std::byte>(n, y), *elements = matrix.row<std::byte>(batch_index_, origin_.x + n) + origin_.y * element;
        if (!is_plain_) move_(pixels, elements + y * l.width() * element, l.height() * l.width(), l.channels(), l.width());
        else if (way == Way::apart) std::memcpy(elements + y * row, pixels, static_cast<std::size_t>(row));
        else std::memcpy(pixels, elements + y * row, static_cast<std::size_t>(row));
      }
    });
  }

 private:
  Origin origin_;
  std::int64_t batch_index_;
  bool is_plain_;
  void (*move_)(std::byte*, std::byte*, std::int64_t, std::int64_t, std::int64_t);
};

}  // namespace mpskit::cpu::MPSKIT_ISA
