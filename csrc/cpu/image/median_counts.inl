#pragma once
// Medians of bytes in constant time, whatever the window: each column of a tile counts what its part of the windows holds, and a window slides
// along the columns; after S. Perreault and P. Hebert, Median Filtering in Constant Time, 2007. Counts are kept as they add up, of the
// upper four bits and for each of these of the lower four, so a register of sixteen numbers answers in one comparison where the rank falls.
#include "cpu/image/median_networks.inl"

namespace mpskit::cpu::MPSKIT_ISA {

using Sixteen [[gnu::vector_size(32)]] = std::uint16_t;
using SixteenBytes [[gnu::vector_size(16)]] = std::uint8_t;

MPSKIT_INLINE Sixteen widened(const std::uint8_t* p) {
#if MPSKIT_VECTOR_BYTES >= 32
  return (Sixteen)_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i*)p));
#else
  return __builtin_convertvector(load<SixteenBytes>(p), Sixteen);
#endif
}
// So many of the numbers, which grow, do not exceed `rank`.
MPSKIT_INLINE int up_to(Sixteen v, std::uint16_t rank) {
#if MPSKIT_VECTOR_BYTES >= 32
  const __m256i more = _mm256_subs_epu16((__m256i)v, _mm256_set1_epi16(static_cast<short>(rank)));
  return std::countr_one(static_cast<unsigned>(_mm256_movemask_epi8(_mm256_cmpeq_epi16(more, _mm256_setzero_si256())))) / 2;
#elif defined(__x86_64__)
  __m128i halves[2];
  __builtin_memcpy(halves, &v, sizeof v);
  for (__m128i& h : halves) h = _mm_cmpeq_epi16(_mm_subs_epu16(h, _mm_set1_epi16(static_cast<short>(rank))), _mm_setzero_si128());
  return std::countr_one(static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(halves[0], halves[1]))));
#elif defined(__aarch64__)
  uint16x8_t halves[2];
  __builtin_memcpy(halves, &v, sizeof v);
  for (uint16x8_t& h : halves) h = vshrq_n_u16(vcleq_u16(h, vdupq_n_u16(rank)), 15);
  return vaddvq_u16(vaddq_u16(halves[0], halves[1]));
#else
  int count = 0;
  for (int i = 0; i < 16; ++i) count += v[i] <= rank;
  return count;
#endif
}

// Row v: one from place v on.
struct MedianSteps {
  alignas(16) std::uint8_t from[16][16]{};
  constexpr MedianSteps() {
    for (int v = 0; v < 16; ++v)
      for (int i = v; i < 16; ++i) from[v][i] = 1;
  }
};
inline constexpr MedianSteps median_steps;

class CountedMedian {
 public:
  static std::size_t bytes(std::int64_t columns) { return static_cast<std::size_t>(columns) * 17 * 16 + 64; }

  CountedMedian(const MedianRows<std::uint8_t>& rows, std::byte* workspace)
      : r_(rows), width_(rows.count / rows.channels), columns_(width_ + rows.diameter - 1), rank_(static_cast<std::uint16_t>(rows.diameter * rows.diameter / 2)),
        upper_(reinterpret_cast<std::uint8_t*>(workspace)), lower_(upper_ + columns_ * 16) {}

  void run(std::uint8_t* to, std::int64_t to_pitch) {
    const std::int64_t d = r_.diameter, c = r_.channels;
    for (std::int64_t channel = 0; channel < (c == 4 ? 3 : c); ++channel) {  // alpha passes
      std::memset(upper_, 0, static_cast<std::size_t>(columns_ * 17 * 16));
      const std::uint8_t* const data = r_.data + channel;
      for (std::int64_t y = 0; y < d; ++y) count_row<false>(nullptr, data + y * r_.pitch);
      for (std::int64_t y = 0; y < r_.height; ++y) {
        if (y > 0) count_row<true>(data + (y - 1) * r_.pitch, data + (y + d - 1) * r_.pitch);
        find_row(to + y * to_pitch + channel);
      }
    }
  }

 private:
  static MPSKIT_INLINE SixteenBytes step(unsigned v) { return load<SixteenBytes>(median_steps.from[v]); }

  // The columns lose an element each and gain another. Counts are of one column: at most 255.
  template <bool loses>
  void count_row(const std::uint8_t* old_row, const std::uint8_t* new_row) {
    const std::int64_t c = r_.channels, columns = columns_;
    std::uint8_t *const upper = upper_, *const lower = lower_;
    for (std::int64_t x = 0; x < columns; ++x) {
      std::uint8_t* const counts = upper + x * 16;
      SixteenBytes sum = load<SixteenBytes>(counts);
      if constexpr (loses) {
        const unsigned v = old_row[x * c];
        sum -= step(v >> 4);
        std::uint8_t* const bins = lower + ((v >> 4) * columns + x) * 16;
        store(bins, load<SixteenBytes>(bins) - step(v & 15));
      }
      const unsigned v = new_row[x * c];
      store(counts, sum + step(v >> 4));
      std::uint8_t* const bins = lower + ((v >> 4) * columns + x) * 16;
      store(bins, load<SixteenBytes>(bins) + step(v & 15));
    }
  }

  void find_row(std::uint8_t* to) const {
    const std::int64_t d = r_.diameter, c = r_.channels, columns = columns_, width = width_;
    const std::uint8_t *const upper = upper_, *const lower = lower_;
    const std::uint16_t rank = rank_;
    Sixteen bins[16];       // of the lower bits, for windows that begin at ...
    std::int64_t place[16];
    std::fill_n(place, 16, -d);
    std::uint16_t above[17]{};  // what lies up to each of the upper bits, behind a zero
    Sixteen sum{};
    for (std::int64_t x = 0; x < d - 1; ++x) sum += widened(upper + x * 16);
    for (std::int64_t x = 0; x < width; ++x) {
      sum += widened(upper + (x + d - 1) * 16);
      store(above + 1, sum);
      const int high = up_to(sum, rank);
      const std::uint8_t* const counts = lower + high * columns * 16;
      Sixteen some;
      std::int64_t at = place[high];
      if (2 * (x - at) < d) {
        some = bins[high];
        for (; at < x; ++at) some += widened(counts + (at + d) * 16) - widened(counts + at * 16);
      } else {
        some = Sixteen{};
        for (std::int64_t i = x; i < x + d; ++i) some += widened(counts + i * 16);
      }
      bins[high] = some;
      place[high] = x;
      to[x * c] = static_cast<std::uint8_t>(16 * high + up_to(some, static_cast<std::uint16_t>(rank - above[high])));
      sum -= widened(upper + x * 16);
    }
  }

  MedianRows<std::uint8_t> r_;
  std::int64_t width_, columns_;
  std::uint16_t rank_;
  std::uint8_t *upper_, *lower_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
