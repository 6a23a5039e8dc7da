#include "cpu/simd/halves.inl"
#include "cpu/simd/pixels.inl"
#include "cpu/simd/words.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// Sums of one channel over one piece of an image: of (x - pivot) and of its square, x a code. Codes of unorm formats have
// pivot 0, and a piece is small enough for their sums to be exact.
struct Sums {
  double pivot = 0, sum = 0, squares = 0;
};
constexpr std::int64_t piece_bytes = 1 << 18;

// A piece: rows of whole pixels, taken as rows of elements.
struct Piece {
  const std::byte* src;
  std::int64_t row_bytes, rows, elements, channels;
  template <class P>
  const P* row(std::int64_t y) const {
    return reinterpret_cast<const P*>(src + y * row_bytes);
  }
};

// The body gets blocks of `size` elements, a multiple of the channels, so that a lane meets one channel only. The last block of
// a row is filled up with `filling`, of which it takes what it needs from the same place.
template <class P, class F>
MPSKIT_INLINE void for_each_block(const Piece& piece, std::int64_t size, P* filling, F&& body) {
  std::vector<P> whole;
  for (std::int64_t y = 0; y < piece.rows; ++y) {
    const P* p = piece.row<P>(y);
    const std::int64_t blocks = piece.elements / size, rest = piece.elements % size;
    body(p, blocks);
    if (rest == 0) continue;
    if (whole.empty()) whole.assign(filling, filling + size);
    std::copy(p + blocks * size, p + piece.elements, whole.begin());
    body(whole.data(), 1);
  }
}

// In double precision. `fixed` registers a block when not 0.
template <class P, int fixed>
void add_doubles(const Piece& piece, std::span<Sums> out) {
  constexpr bool has_codes = unit<P> != 1;
  const std::int64_t channels = piece.channels;
  const std::int64_t registers = fixed ? fixed : channels / std::gcd<std::int64_t>(channels, lanes<float>);
  const std::int64_t size = registers * lanes<float>;
  std::vector<P> filling(static_cast<std::size_t>(size));
  std::vector<double> memory(static_cast<std::size_t>(3 * size));
  double *pivots = memory.data(), *sums = pivots + size, *squares = sums + size;
  if (!has_codes)
    for (std::int64_t i = 0; i < size; ++i) {
      const P first = piece.row<P>(0)[i % channels];
      if (const float value = load_pixels(&first, 1)[0]; std::isfinite(value)) {
        filling[static_cast<std::size_t>(i)] = first;
        pivots[i] = value;
      }
    }
  auto add = [&](Vec<float> v, const double* pivot, Vec<double>& sum0, Vec<double>& sum1, Vec<double>& square0, Vec<double>& square1) {
    Vec<double> a = half_of<0>(v), b = half_of<1>(v);
    if constexpr (!has_codes) {
      a -= load<Vec<double>>(pivot);
      b -= load<Vec<double>>(pivot + lanes<double>);
    }
    sum0 += a;
    sum1 += b;
    square0 += a * a;
    square1 += b * b;
  };
  if constexpr (fixed != 0) {
    for_each_block<P>(piece, size, filling.data(), [&](const P* p, std::int64_t blocks) {
      Vec<double> sum[2 * fixed], square[2 * fixed];  // in registers: local, not captured
#pragma GCC unroll 6
      for (int r = 0; r < 2 * fixed; ++r) {
        sum[r] = load<Vec<double>>(sums + r * lanes<double>);
        square[r] = load<Vec<double>>(squares + r * lanes<double>);
      }
      for (; blocks > 0; --blocks, p += size)
#pragma GCC unroll 4
        for (int r = 0; r < fixed; ++r)
          add(load_pixels(p + r * lanes<float>), pivots + r * lanes<float>, sum[2 * r], sum[2 * r + 1], square[2 * r], square[2 * r + 1]);
#pragma GCC unroll 6
      for (int r = 0; r < 2 * fixed; ++r) {
        store(sums + r * lanes<double>, sum[r]);
        store(squares + r * lanes<double>, square[r]);
      }
    });
  } else {
    for_each_block<P>(piece, size, filling.data(), [&](const P* p, std::int64_t blocks) {
      for (; blocks > 0; --blocks, p += size)
        for (std::int64_t i = 0; i < size; i += lanes<float>) {
          constexpr int n = lanes<double>;
          Vec<double> s0 = load<Vec<double>>(sums + i), s1 = load<Vec<double>>(sums + i + n);
          Vec<double> q0 = load<Vec<double>>(squares + i), q1 = load<Vec<double>>(squares + i + n);
          add(load_pixels(p + i), pivots + i, s0, s1, q0, q1);
          store(sums + i, s0);
          store(sums + i + n, s1);
          store(squares + i, q0);
          store(squares + i + n, q1);
        }
    });
  }
  for (std::int64_t i = 0; i < size; ++i) {
    Sums& s = out[static_cast<std::size_t>(i % channels)];
    s.pivot = pivots[i];
    s.sum += sums[i];
    s.squares += squares[i];
  }
}

using Longs = Vec<std::uint32_t>;

// Words 0, 2, 1, 3 of every four: two pixels of four bytes channel by channel.
MPSKIT_INLINE Words pair_pixels(Words v) {
#if MPSKIT_VECTOR_BYTES == 64
  return (Words)_mm512_shufflehi_epi16(_mm512_shufflelo_epi16((__m512i)v, 0b11011000), 0b11011000);
#elif MPSKIT_VECTOR_BYTES == 32
  const __m256i order = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15));
  return (Words)_mm256_shuffle_epi8((__m256i)v, order);
#elif defined(__x86_64__)
  return (Words)_mm_shufflehi_epi16(_mm_shufflelo_epi16((__m128i)v, 0b11011000), 0b11011000);
#else
  return v;
#endif
}
#if defined(__x86_64__)
inline constexpr bool isa_adds_pairs = true;
#else
inline constexpr bool isa_adds_pairs = false;
#endif

// Bytes, in integers: even and odd ones are words, a word's square fits into it, and where two neighbours are of one channel
// an instruction adds their squares.
template <int channels>
void add_bytes(const Piece& piece, std::span<Sums> out) {
  constexpr bool has_pairs = isa_adds_pairs && channels != 3, moves_pixels = has_pairs && channels == 4;
  constexpr int registers = channels == 3 ? 3 : 1, parts = has_pairs ? 2 : 4;
  constexpr std::int64_t step = MPSKIT_VECTOR_BYTES, size = registers * step;
  Longs long_sum[4 * registers] = {}, long_square[parts * registers] = {};  // of even, odd bytes; of those with even, with odd words
  std::uint8_t filling[size] = {};
  for_each_block<std::uint8_t>(piece, size, filling, [&](const std::uint8_t* p, std::int64_t blocks) {
    while (blocks > 0) {
      const std::int64_t some = std::min<std::int64_t>(blocks, 257);  // 257 * 255 is the largest word
      blocks -= some;
      Words sum[2 * registers] = {};  // in registers: local, not captured
      Longs square[parts * registers] = {};
      for (std::int64_t i = 0; i < some; ++i, p += size)
#pragma GCC unroll 3
        for (int r = 0; r < registers; ++r) {
          Words v = load<Words>(p + r * step);
          if constexpr (moves_pixels) v = pair_pixels(v);
          const Words even = v & 0xff, odd = v >> 8;
          sum[2 * r] += even;
          sum[2 * r + 1] += odd;
          if constexpr (has_pairs) {
            auto squares = [](Words w) { return (Longs)multiply_add((Vec<std::int32_t>)w, (Vec<std::int32_t>)w, Vec<std::int32_t>{}); };
            square[2 * r] += squares(even);
            square[2 * r + 1] += squares(odd);
          } else {
            const Longs e = (Longs)(even * even), o = (Longs)(odd * odd);
            square[4 * r] += e & 0xffff;
            square[4 * r + 1] += o & 0xffff;
            square[4 * r + 2] += e >> 16;
            square[4 * r + 3] += o >> 16;
          }
        }
#pragma GCC unroll 12
      for (int i = 0; i < parts * registers; ++i) long_square[i] += square[i];
#pragma GCC unroll 3
      for (int r = 0; r < registers; ++r)
#pragma GCC unroll 2
        for (int odd = 0; odd < 2; ++odd) {
          const Longs words = (Longs)sum[2 * r + odd];
          long_sum[4 * r + odd] += words & 0xffff;
          long_sum[4 * r + 2 + odd] += words >> 16;
        }
    }
  });
  for (int r = 0; r < registers; ++r)
    for (int part = 0; part < 4; ++part)
      for (int lane = 0; lane < lanes<std::uint32_t>; ++lane) {
        int word = 2 * lane + part / 2;
        if (moves_pixels) word = (word & ~3) | std::array{0, 2, 1, 3}[static_cast<std::size_t>(word & 3)];
        Sums& s = out[static_cast<std::size_t>((r * step + 2 * word + part % 2) % channels)];
        s.sum += long_sum[4 * r + part][lane];
        if (part < parts) s.squares += long_square[parts * r + part][lane];
      }
}

template <class P>
void add_piece(const Piece& piece, std::span<Sums> out) {
  if constexpr (std::is_same_v<P, std::uint8_t>) switch (piece.channels) {
      case 1: return add_bytes<1>(piece, out);
      case 2: return add_bytes<2>(piece, out);
      case 3: return add_bytes<3>(piece, out);
      case 4: return add_bytes<4>(piece, out);
    }
  switch (piece.channels) {
    case 1:
    case 2:
    case 4: return add_doubles<P, 2>(piece, out);
    case 3: return add_doubles<P, 3>(piece, out);
    default: return add_doubles<P, 0>(piece, out);
  }
}

// Pieces depend on the layout alone, and their sums are joined in order: threads do not show.
class StatisticsMeanAndVariancePlan final : public CpuPlan {
 public:
  StatisticsMeanAndVariancePlan(const image::StatisticsMeanAndVariance& k, const Call& call) : window_(k.source_window(call.inputs[0])) {
    const Layout &src = call.inputs[0], &dst = call.outputs[0];
    const image::Window corner = image::clip_window(k.clip_rect, dst);
    out_begin_ = corner.y * dst.row_bytes() + corner.x * dst.stride[2];
    pixels_ = window_.width * window_.height;
    const std::int64_t pixel_bytes = src.stride[2];
    if (window_.width * pixel_bytes == src.row_bytes()) window_ = {window_.x, window_.y, pixels_, 1};  // one long row
    // A row is cut where it is long. Rows of a piece are few enough for sums in 32 bits.
    piece_width_ = std::min(window_.width, std::max<std::int64_t>(1, piece_bytes / pixel_bytes));
    piece_height_ = std::clamp<std::int64_t>(piece_bytes / (piece_width_ * pixel_bytes), 1, std::min<std::int64_t>(window_.height, 4096));
    across_ = (window_.width + piece_width_ - 1) / piece_width_;
    pieces_ = across_ * ((window_.height + piece_height_ - 1) / piece_height_);
    grain_ = std::max<std::int64_t>(1, piece_bytes / (piece_width_ * piece_height_ * pixel_bytes));
    add_ = visit_pixels(src.dtype, []<class P>(P) { return &add_piece<P>; });
    is_codes_ = unit_of(src.dtype) != 1;
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t images = src.layout.images(), channels = src.layout.channels();
    std::vector<Sums> sums(static_cast<std::size_t>(images * pieces_ * channels));
    auto sums_of = [&](std::int64_t piece) { return std::span(sums).subspan(static_cast<std::size_t>(piece * channels), static_cast<std::size_t>(channels)); };
    parallel_for(images * pieces_, grain_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const Box b = box(i % pieces_);
        const std::byte* p = src.row<const std::byte>(i / pieces_, window_.y + b.y) + (window_.x + b.x) * src.layout.stride[2];
        add_({p, src.layout.row_bytes(), b.height, b.width * channels, channels}, sums_of(i));
      }
    });
    std::vector<float> result(static_cast<std::size_t>(2 * channels));
    for (std::int64_t n = 0; n < images; ++n) {
      for (std::int64_t c = 0; c < channels; ++c) {
        auto of_piece = [&](std::int64_t i) -> const Sums& { return sums_of(n * pieces_ + i)[static_cast<std::size_t>(c)]; };
        const auto [mean, variance] = is_codes_ ? join_codes(of_piece) : join_floats(of_piece);
        const double one = unit_of(src.layout.dtype);
        result[static_cast<std::size_t>(c)] = static_cast<float>(mean / one);
        result[static_cast<std::size_t>(channels + c)] = static_cast<float>(variance / (one * one));
      }
      visit_pixels(dst.layout.dtype, [&]<class P>(P) {
        auto* to = reinterpret_cast<P*>(dst.data + n * dst.layout.image_bytes() + out_begin_);
        from_float(result.data(), std::span(to, result.size()), unit<P>);
      });
    }
  }

 private:
  struct Box {
    std::int64_t x, y, width, height;
  };
  struct Result {
    double mean, variance;
  };
  Box box(std::int64_t piece) const {
    const std::int64_t x = piece % across_ * piece_width_, y = piece / across_ * piece_height_;
    return {x, y, std::min(piece_width_, window_.width - x), std::min(piece_height_, window_.height - y)};
  }

  template <class F>
  Result join_codes(F&& of_piece) const {
    __extension__ using Wide = unsigned __int128;
    Wide sum = 0, squares = 0;
    for (std::int64_t i = 0; i < pieces_; ++i) {
      sum += static_cast<std::uint64_t>(of_piece(i).sum);
      squares += static_cast<std::uint64_t>(of_piece(i).squares);
    }
    const auto n = static_cast<double>(pixels_);
    return {static_cast<double>(sum) / n, static_cast<double>(static_cast<Wide>(pixels_) * squares - sum * sum) / n / n};
  }
  template <class F>
  Result join_floats(F&& of_piece) const {
    auto pixels = [&](std::int64_t i) {
      const Box b = box(i);
      return static_cast<double>(b.width * b.height);
    };
    double mean = 0, squares = 0;
    for (std::int64_t i = 0; i < pieces_; ++i) mean += of_piece(i).pivot * pixels(i) + of_piece(i).sum;
    mean /= static_cast<double>(pixels_);
    for (std::int64_t i = 0; i < pieces_; ++i) {
      const Sums& s = of_piece(i);
      const double n = pixels(i), shift = s.sum / n, away = s.pivot + shift - mean;
      squares += std::max(0.0, s.squares - s.sum * shift) + n * away * away;
    }
    return {mean, squares / static_cast<double>(pixels_)};
  }

  image::Window window_;
  std::int64_t out_begin_, pixels_, piece_width_, piece_height_, across_, pieces_, grain_;
  void (*add_)(const Piece&, std::span<Sums>) = nullptr;
  bool is_codes_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::StatisticsMeanAndVariance, StatisticsMeanAndVariancePlan)
