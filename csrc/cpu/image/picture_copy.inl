#pragma once
// Rows of pixels to and from planes.
#include "cpu/image/fetch.inl"
#include "cpu/simd/sixteens.inl"
#include "cpu/simd/streams.inl"
#include "kernels/common/matrix_copy.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

enum class Way { apart, together };

// The compiler turns these into shuffles, which it does badly for bytes.
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

// Bytes of three channels or four: a register takes four pixels a lane, whose channels are put side by side; of four such registers each
// channel is a column. Of the planes a lane is sixteen pixels on. A fourth channel that is none is any number. Pixels are read and written
// as whole lanes, four bytes past the last of three channels.
inline constexpr std::int64_t planar_step = 16 * sixteens;
template <int channels>
MPSKIT_INLINE void take_step_apart(const std::uint8_t* pixels, std::uint8_t* planes, std::int64_t plane) {
  constexpr std::make_index_sequence<MPSKIT_VECTOR_BYTES> bytes;
  Vec<std::uint32_t> v[4];
  for (int i = 0; i < 4; ++i)
    v[i] = (Vec<std::uint32_t>)reorder_sixteens(load_sixteens<std::uint8_t>(pixels + 4 * i * channels, 16 * channels), bytes,
                                                [](int b) constexpr { return b / 4 < channels ? b % 4 * channels + b / 4 : 15; });
  turn_sixteens<std::uint32_t>(v);
  for (int c = 0; c < channels; ++c) {
    ask_ahead(planes + c * plane);
    store(planes + c * plane, v[c]);
  }
}
template <int channels>
MPSKIT_INLINE void put_step_together(std::uint8_t* pixels, const std::uint8_t* planes, std::int64_t plane) {
  constexpr std::make_index_sequence<MPSKIT_VECTOR_BYTES> bytes;
  Vec<std::uint32_t> v[4] = {};
  for (int c = 0; c < channels; ++c) v[c] = load<Vec<std::uint32_t>>(planes + c * plane);
  turn_sixteens<std::uint32_t>(v);
#pragma GCC unroll 4
  for (auto& r : v)
    r = (Vec<std::uint32_t>)reorder_sixteens((Vec<std::uint8_t>)r, bytes, [](int b) constexpr { return b < 4 * channels ? b % channels * 4 + b / channels : 15; });
  for (std::int64_t i = 0; i < planar_step * channels; i += 64) ask_ahead(pixels + i);
  // In the order of their places: what a lane writes too much is the next one's.
#pragma GCC unroll 4
  for (int lane = 0; lane < sixteens; ++lane)
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      std::uint8_t* to = pixels + (16 * lane + 4 * i) * channels;
#if MPSKIT_VECTOR_BYTES == 32
      _mm_storeu_si128((__m128i*)to, lane ? _mm256_extracti128_si256((__m256i)v[i], 1) : _mm256_castsi256_si128((__m256i)v[i]));
#else
      std::memcpy(to, reinterpret_cast<const std::byte*>(&v[i]) + 16 * lane, 16);
#endif
    }
}
// Whole steps of a row; tells how many pixels they are. The last step of three channels goes by way of memory that has the four bytes.
template <int channels, Way way>
std::int64_t move_steps(std::uint8_t* pixels, std::uint8_t* planes, std::int64_t plane, std::int64_t count) {
  auto step = [&](std::uint8_t* at, std::int64_t x) {
    if constexpr (way == Way::apart) take_step_apart<channels>(at, planes + x, plane);
    else put_step_together<channels>(at, planes + x, plane);
  };
  std::int64_t x = 0;
  for (; x + planar_step + (channels == 3 ? 2 : 0) <= count; x += planar_step) step(pixels + x * channels, x);
  if (channels == 4 || x + planar_step > count) return x;
  constexpr std::int64_t bytes = planar_step * channels;
  std::uint8_t some[bytes + 4];
  if (way == Way::apart) std::memcpy(some, pixels + x * channels, bytes);
  step(some, x);
  if (way == Way::together) std::memcpy(pixels + x * channels, some, bytes);
  return x + planar_step;
}

// A row of pixels and the same row of the planes, `plane` elements apart; which ones are written is in the name of the way.
template <class T, Way way>
void move_row(std::byte* pixel_bytes, std::byte* plane_bytes, std::int64_t plane, std::int64_t channels, std::int64_t count) {
  T *pixels = reinterpret_cast<T*>(pixel_bytes), *p = reinterpret_cast<T*>(plane_bytes);
  auto move = [&]<int n>(std::integral_constant<int, n>) {
    std::int64_t done = 0;
    if constexpr (sizeof(T) == 1 && n > 2 && isa_shuffles_bytes) done = move_steps<n, way>(pixels, p, plane, count);
    T *rest = pixels + done * n, *a = p + done, *b = a + plane, *c = n > 2 ? b + plane : nullptr, *d = n > 3 ? c + plane : nullptr;
    if constexpr (way == Way::apart) take_apart<T, n>(rest, a, b, c, d, count - done);
    else put_together<T, n>(a, b, c, d, rest, count - done);
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

// Every row of every picture against its place in the matrix; rows that lie one behind the other are one.
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
    const std::int64_t pixel = l.stride[2], element = l.element_bytes(), plane = l.height() * l.width();
    const bool is_past = is_streamed(views[1].layout), is_dense = l.row_bytes() == l.width() * pixel;
    const std::int64_t width = is_dense ? plane : l.width(), height = is_dense ? 1 : l.height();
    const std::int64_t piece = rounded_up((256 << 10) / pixel + 1, 64), pieces = (width + piece - 1) / piece;
    parallel_for(l.images() * height * pieces, (256 << 10) / (std::min(width, piece) * pixel) + 1, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(is_past ? static_cast<std::size_t>(strip * pixel + 64) : 0);
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t n = task / pieces / height, y = task / pieces % height, p = task % pieces;
        std::byte *pixels = picture.row<std::byte>(n, y), *elements = matrix.row<std::byte>(batch_index_, origin_.x + n) + origin_.y * element;
        elements += y * width * (is_plain_ ? pixel : element);
        // Pieces begin where lines of the first plane do: NumPy's memory is no whole lines.
        const std::int64_t head = way == Way::apart && !is_plain_ ? lines_begin(elements, element) : 0;
        std::int64_t x = p == 0 ? 0 : std::min(p * piece + head, width);
        const std::int64_t beyond = p + 1 == pieces ? width : std::min((p + 1) * piece + head, width);
        if (is_plain_) {
          if (way == Way::apart) stream_bytes(is_past, pixels + x * pixel, elements + x * pixel, (beyond - x) * pixel);
          else stream_bytes(is_past, elements + x * pixel, pixels + x * pixel, (beyond - x) * pixel);
          continue;
        }
        for (std::int64_t some; x < beyond; x += some) {
          some = x < head ? std::min(head, beyond) - x : is_past ? std::min(strip, beyond - x) : beyond - x;
          move(pixels + x * pixel, elements + x * element, l, plane, some, is_past ? memory.as<std::byte>() : nullptr);
        }
      }
      if (is_past) end_stream();
    });
  }

 private:
  static constexpr std::int64_t strip = 512;  // pixels that are moved in the nearest cache, and from there past all of them

  // Elements before a line begins; none where that is between two.
  static std::int64_t lines_begin(const std::byte* p, std::int64_t element) {
    const auto behind = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(p) % 64);
    return behind % element ? 0 : (64 - behind) % 64 / element;
  }
  void move(std::byte* pixels, std::byte* elements, const Layout& l, std::int64_t plane, std::int64_t count, std::byte* memory) const {
    const std::int64_t c = l.channels(), element = l.element_bytes();
    if (!memory) {
      move_(pixels, elements, plane, c, count);
    } else if (way == Way::apart) {
      move_(pixels, memory, strip, c, count);
      for (std::int64_t i = 0; i < c; ++i) stream_bytes(true, memory + i * strip * element, elements + i * plane * element, count * element);
    } else {
      move_(memory, elements, plane, c, count);
      stream_bytes(true, memory, pixels, count * c * element);
    }
  }

  Origin origin_;
  std::int64_t batch_index_;
  bool is_plain_;
  void (*move_)(std::byte*, std::byte*, std::int64_t, std::int64_t, std::int64_t);
};

}  // namespace mpskit::cpu::MPSKIT_ISA
