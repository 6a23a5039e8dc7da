#pragma once
// Counts of values. Bytes are counted as codes, which fall into bins afterwards; of other formats registers find the bins.
#include "cpu/image/tiles.inl"
#include "kernels/common/histogram_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// How the codes of one channel fall into bins. The default counts nothing.
struct Bins {
  double low = 0, scale = 0, least = std::numeric_limits<double>::infinity();  // least code that is counted
  static Bins of(double low, double high, double least, std::int64_t bins) { return {low, static_cast<double>(bins) / (high - low), least}; }
};
using BinsOfChannels = std::array<Bins, 4>;

// Those of the counted channels over the info's limits; thresholds are values, one a channel.
inline BinsOfChannels bins_of(const image::HistogramInfo& k, const Layout& src, const float* thresholds) {
  BinsOfChannels all{};
  const double unit = static_cast<double>(unit_of(src.dtype));
  for (std::int64_t c = 0; c < k.counted(src.channels()); ++c) {
    const auto i = static_cast<std::size_t>(c);
    all[i] = Bins::of(static_cast<double>(k.min_pixel_value[i]) * unit, static_cast<double>(k.max_pixel_value[i]) * unit, static_cast<double>(thresholds[i]) * unit,
                      k.number_of_histogram_entries);
  }
  return all;
}
// Every value counts, infinite ones too.
inline constexpr std::array<float, 4> no_thresholds{-std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                                                    -std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};

// Elements of one to four channels in a pattern that repeats after whole registers and whole pixels: what belongs to a channel lies
// in tables as long, so that registers need not know theirs.
constexpr std::int64_t pattern = 48;

// Where each element's bin lies in tables of `bins` + 1 counts; the last one takes what is not counted. Neighbouring pixels have
// tables of their own: a count that was just written cannot be read again at once.
class BinFinder {
 public:
  BinFinder(std::int64_t bins, std::int64_t channels, std::int64_t copies, const BinsOfChannels& all) : most_(static_cast<double>(bins - 1)), none_(static_cast<double>(bins)) {
    for (std::int64_t i = 0; i < pattern; ++i) {
      const Bins& b = all[static_cast<std::size_t>(i % channels)];
      low_[i] = b.low;
      scale_[i] = b.scale;
      least_[i] = b.least;
      base_[i] = static_cast<double>((i / channels % copies * channels + i % channels) * (bins + 1));
    }
  }
  // Of codes that begin with a pixel; reads and writes whole patterns.
  void find(const float* codes, std::int64_t count, std::int32_t* where) const {
    for (std::int64_t x = 0; x < count; x += pattern)
      for (std::int64_t i = 0; i < pattern; i += lanes<double>) {
        const auto v = __builtin_convertvector(load<HalfOf<float>>(codes + x + i), Vec<double>);
        const Vec<double> most = most_ - Vec<double>{}, none = none_ - Vec<double>{}, zero{};
        Vec<double> t = (v - load<Vec<double>>(low_ + i)) * load<Vec<double>>(scale_ + i);
        t = t > zero ? t : zero;
        t = t < most ? t : most;
        t = v >= load<Vec<double>>(least_ + i) ? t : none;  // NaN is not
        // The base is whole, so the sum ends with the same fraction.
        store(where + x + i, __builtin_convertvector(t + load<Vec<double>>(base_ + i), HalfOf<std::int32_t>));
      }
  }

 private:
  template <class T>
  using HalfOf [[gnu::vector_size(MPSKIT_VECTOR_BYTES / 2)]] = T;
  double most_, none_;
  double low_[pattern], scale_[pattern], least_[pattern], base_[pattern];
};

// Bytes in turn into as many tables: eight, which is whole pixels of one, two and four channels, or twelve.
template <int tables_in_turn>
void count_bytes(const std::uint8_t* p, std::int64_t count, std::uint32_t* tables) {
  constexpr int copies = tables_in_turn, words = copies % 8 == 0 ? 1 : 3;
  std::int64_t x = 0;
  std::uint64_t next[words] = {};
  if (count >= 16 * words) std::memcpy(next, p, sizeof next);
  for (; x + 16 * words <= count; x += 8 * words) {
    std::uint64_t w[words];
    std::memcpy(w, next, sizeof w);
    std::memcpy(next, p + x + 8 * words, sizeof next);  // before the counts are written: a load cannot pass stores whose places are not known
#pragma GCC unroll 24
    for (int i = 0; i < 8 * words; ++i) ++tables[i % copies * 256 + static_cast<int>(w[i / 8] >> (8 * (i % 8)) & 255)];
  }
  for (int i = 0; x < count; ++x, ++i) ++tables[i % copies * 256 + p[x]];
}

// The counted part of an image as runs of elements: its rows, or cut anew where they lie without gaps.
struct Runs {
  std::int64_t count, elements, last, first_byte, bytes;
  Runs(const Layout& src, const image::Window& w)
      : count(w.height), elements(w.width * src.channels()), last(elements), first_byte(w.y * src.row_bytes() + w.x * src.stride[2]), bytes(src.row_bytes()) {
    constexpr std::int64_t long_run = 8 * 960;
    if (elements * src.element_bytes() != src.row_bytes()) return;
    const std::int64_t all = count * elements;
    elements = std::min(all, long_run);
    count = (all + elements - 1) / elements;
    last = all - (count - 1) * elements;
    bytes = elements * src.element_bytes();
  }
};

class Counting {
 public:
  Counting(const image::HistogramInfo& k, const image::Window& window, const Layout& src)
      : runs_(src, window), dtype_(src.dtype), images_(src.images()), channels_(src.channels()), counted_(k.counted(src.channels())), bins_(k.number_of_histogram_entries) {
    // A piece is worth the clearing and joining of its tables. Sums of integers: pieces do not show.
    const std::int64_t image_bytes = runs_.count * runs_.elements * src.element_bytes();
    const std::int64_t least = std::max<std::int64_t>(128 << 10, width() * channels_ * 64);
    const std::int64_t pieces = std::clamp<std::int64_t>(image_bytes / least, 1, images_ > 2 * num_threads() ? 1 : 4 * num_threads());
    runs_per_piece_ = (runs_.count + pieces - 1) / pieces;
    pieces_ = (runs_.count + runs_per_piece_ - 1) / runs_per_piece_;
    grain_ = std::max<std::int64_t>(1, least / std::max<std::int64_t>(1, image_bytes / pieces_));
    if (is_bytes()) copies_ = channels_ == 3 ? 4 : 8 / channels_;
    else copies_ = bins_ > 1024 ? 1 : channels_ == 3 ? 2 : 8 / channels_;
  }

  bool is_bytes() const { return dtype_ == DType::u8; }
  std::int64_t width() const { return is_bytes() ? 256 : bins_; }  // counts of a channel
  std::int64_t counted() const { return counted_; }

  // Counts of every image and channel, width() each; bins_of(image) is not asked for bytes.
  template <class F>
  Scratch count(const View& src, F&& bins_of) const {
    const std::int64_t one = width() * channels_, stride = table_size() * copies_ * channels_;
    Scratch parts(static_cast<std::size_t>(images_ * pieces_ * one) * sizeof(std::uint32_t));
    parallel_for(images_ * pieces_, grain_, [&](std::int64_t begin, std::int64_t end) {
      const Scratch memory(static_cast<std::size_t>(stride) * sizeof(std::uint32_t) + 64);
      auto* tables = memory.as<std::uint32_t>();
      for (std::int64_t i = begin; i < end; ++i) {
        std::fill_n(tables, stride, 0u);
        if (is_bytes()) count_codes(src, i, tables);
        else count_bins(src, i, BinFinder(bins_, channels_, copies_, bins_of(i / pieces_)), tables);
        std::uint32_t* to = parts.as<std::uint32_t>() + i * one;
        for (std::int64_t c = 0; c < channels_; ++c)
          for (std::int64_t b = 0; b < width(); ++b) {
            std::uint32_t sum = 0;
            for (std::int64_t copy = 0; copy < copies_; ++copy) sum += tables[(copy * channels_ + c) * table_size() + b];
            to[c * width() + b] = sum;
          }
      }
    });
    for (std::int64_t i = 0; i < images_; ++i) {
      std::uint32_t* first = parts.as<std::uint32_t>() + i * pieces_ * one;
      for (std::int64_t piece = 1; piece < pieces_; ++piece)
        for (std::int64_t b = 0; b < counted_ * width(); ++b) first[b] += first[piece * one + b];
    }
    return parts;
  }
  const std::uint32_t* counts(const Scratch& parts, std::int64_t image, std::int64_t channel) const {
    return parts.as<std::uint32_t>() + (image * pieces_ * channels_ + channel) * width();
  }
  // Into the bins of one channel, which keep what they hold.
  void add(const std::uint32_t* counts, const Bins& b, std::uint32_t* to) const {
    if (!is_bytes()) {
      for (std::int64_t i = 0; i < bins_; ++i) to[i] += counts[i];
      return;
    }
    for (std::int64_t code = 0; code < 256; ++code) {
      const auto v = static_cast<double>(code);
      if (v >= b.least) to[static_cast<std::int64_t>(std::clamp((v - b.low) * b.scale, 0.0, static_cast<double>(bins_ - 1)))] += counts[code];
    }
  }

  // The least and the greatest code of every image and channel; infinity and minus infinity of a channel of nothing but NaN.
  struct Extremes {
    float least = std::numeric_limits<float>::infinity(), greatest = -std::numeric_limits<float>::infinity();
  };
  std::vector<Extremes> extremes(const View& src) const {
    std::vector<Extremes> parts(static_cast<std::size_t>(images_ * pieces_ * channels_));
    parallel_for(images_ * pieces_, grain_, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        constexpr Extremes none;
        float least[pattern], greatest[pattern];
        std::fill_n(least, pattern, none.least);
        std::fill_n(greatest, pattern, none.greatest);
        each_strip(src, i, std::numeric_limits<float>::quiet_NaN(), [&](const float* codes, std::int64_t count) {
          for (std::int64_t x = 0; x < count; x += pattern)
            for (std::int64_t r = 0; r < pattern; r += lanes<float>) {
              const auto v = load<Vec<float>>(codes + x + r), low = load<Vec<float>>(least + r), high = load<Vec<float>>(greatest + r);
              store(least + r, v < low ? v : low);
              store(greatest + r, v > high ? v : high);
            }
        });
        Extremes* to = &parts[static_cast<std::size_t>(i * channels_)];
        for (std::int64_t r = 0; r < pattern; ++r) {
          Extremes& e = to[r % channels_];
          e.least = std::min(e.least, least[r]);
          e.greatest = std::max(e.greatest, greatest[r]);
        }
      }
    });
    std::vector<Extremes> all(static_cast<std::size_t>(images_ * channels_));
    for (std::int64_t i = 0; i < images_ * pieces_ * channels_; ++i) {
      Extremes &e = all[static_cast<std::size_t>(i / (pieces_ * channels_) * channels_ + i % channels_)], &part = parts[static_cast<std::size_t>(i)];
      e.least = std::min(e.least, part.least);
      e.greatest = std::max(e.greatest, part.greatest);
    }
    return all;
  }

 private:
  static constexpr std::int64_t strip = 960;  // whole patterns

  std::int64_t table_size() const { return is_bytes() ? 256 : bins_ + 1; }

  template <class F>
  void each_run(const View& src, std::int64_t task, F&& body) const {  // body(first element, elements)
    const std::byte* image = src.data + task / pieces_ * src.layout.image_bytes() + runs_.first_byte;
    const std::int64_t begin = task % pieces_ * runs_per_piece_, end = std::min(begin + runs_per_piece_, runs_.count);
    for (std::int64_t run = begin; run < end; ++run) body(image + run * runs_.bytes, run == runs_.count - 1 ? runs_.last : runs_.elements);
  }
  // body(codes, count), count padded to whole patterns with `filling`.
  template <class F>
  void each_strip(const View& src, std::int64_t task, float filling, F&& body) const {
    alignas(64) float codes[strip + pattern];
    each_run(src, task, [&](const std::byte* p, std::int64_t elements) {
      for (std::int64_t x = 0; x < elements; x += strip) {
        const std::int64_t count = std::min(strip, elements - x);
        to_float(dtype_, p + x * static_cast<std::int64_t>(size_of(dtype_)), count, codes);
        std::fill_n(codes + count, rounded_up(count, pattern) - count, filling);
        body(codes, count);
      }
    });
  }

  void count_codes(const View& src, std::int64_t task, std::uint32_t* tables) const {
    each_run(src, task, [&](const std::byte* bytes, std::int64_t elements) {
      const auto* p = reinterpret_cast<const std::uint8_t*>(bytes);
      if (channels_ == 3) count_bytes<12>(p, elements, tables);
      else count_bytes<8>(p, elements, tables);
    });
  }
  void count_bins(const View& src, std::int64_t task, const BinFinder& finder, std::uint32_t* tables) const {
    alignas(64) std::int32_t where[strip + pattern];
    each_strip(src, task, 0, [&](const float* codes, std::int64_t count) {
      finder.find(codes, count, where);
      for (std::int64_t x = 0; x < count; ++x) ++tables[where[x]];
    });
  }

  Runs runs_;
  DType dtype_;
  std::int64_t images_, channels_, counted_, bins_;
  std::int64_t runs_per_piece_ = 1, pieces_ = 1, grain_ = 1, copies_ = 1;  // copies of a channel's table
};

}  // namespace mpskit::cpu::MPSKIT_ISA
