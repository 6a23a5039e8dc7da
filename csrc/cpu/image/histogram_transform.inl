#pragma once
// New values by the bins of old ones: tables made from histograms, then looked up.
#include "cpu/image/histogram.inl"
#include "cpu/simd/byte_table.inl"

namespace mpskit::cpu::MPSKIT_ISA {

class HistogramTransformPlan : public CpuPlan {
 public:
  // A picture without a histogram of its own is counted: `source_input` is where that would be among the inputs.
  HistogramTransformPlan(const image::HistogramTransform& k, const Call& call, std::size_t source_input)
      : info_(k), edge_(k.edge_mode), window_(image::clip_window(k.clip_rect, call.outputs[0])), shift_x_(bounded(k.offset.x)), shift_y_(bounded(k.offset.y)),
        inputs_(call.inputs.size()), counting_(k, {0, 0, call.inputs[0].width(), call.inputs[0].height()}, call.inputs[0]),
        bins_(bins_of(k, call.inputs[0], no_thresholds.data())), source_input_(source_input) {}

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[inputs_];
    const std::int64_t images = src.layout.images(), channels = src.layout.channels(), bins = info_.number_of_histogram_entries;
    const bool counts = source_input_ >= inputs_;
    const Scratch parts = counts ? counting_.count(src, [&](std::int64_t) -> const BinsOfChannels& { return bins_; }) : Scratch(0);
    bool is_shared = !counts;
    for (std::size_t i = 1; i < inputs_; ++i) is_shared = is_shared && views[i].layout.matrices() == 1;

    Tables tables(is_shared ? 1 : images, channels, bins);
    std::vector<std::uint32_t> own(static_cast<std::size_t>(counts ? bins : 0));
    std::vector<double> values(static_cast<std::size_t>(bins));
    for (std::int64_t n = 0; n < (is_shared ? 1 : images); ++n)
      for (std::int64_t c = 0; c < counting_.counted(); ++c) {
        const auto i = static_cast<std::size_t>(c);
        if (counts) {
          std::fill(own.begin(), own.end(), 0u);
          counting_.add(counting_.counts(parts, n, c), bins_[i], own.data());
        }
        const std::uint32_t* source = counts ? own.data() : row(views[source_input_], n, c);
        if (!make_table({source, static_cast<std::size_t>(bins)}, views, n, c, values)) continue;
        tables.set(n, c, values, static_cast<double>(unit_of(dst.layout.dtype)));
      }
    apply(src, dst, tables, is_shared);
  }

 protected:
  static const std::uint32_t* row(const View& histogram, std::int64_t image, std::int64_t channel) {
    return histogram.row<const std::uint32_t>(histogram.layout.matrices() == 1 ? 0 : image, channel);
  }
  // The new value of each bin; false leaves the channel as it is.
  virtual bool make_table(std::span<const std::uint32_t> source, std::span<const View> views, std::int64_t image, std::int64_t channel, std::span<double> values) const = 0;

  image::HistogramInfo info_;

 private:
  // Codes of the destination, one for each bin of each channel of each image, and NaN behind them.
  class Tables {
   public:
    Tables(std::int64_t images, std::int64_t channels, std::int64_t bins)
        : channels_(channels), bins_(bins), codes_(static_cast<std::size_t>(images * channels * (bins + 1)), std::numeric_limits<float>::quiet_NaN()),
          has_(static_cast<std::size_t>(images * channels)) {}
    void set(std::int64_t image, std::int64_t channel, std::span<const double> values, double unit) {
      has_[static_cast<std::size_t>(image * channels_ + channel)] = true;
      float* to = codes_.data() + (image * channels_ + channel) * (bins_ + 1);
      for (std::size_t b = 0; b < values.size(); ++b) to[b] = static_cast<float>(values[b] * unit);
    }
    bool has(std::int64_t image, std::int64_t channel) const { return has_[static_cast<std::size_t>(image * channels_ + channel)]; }
    const float* of(std::int64_t image) const { return codes_.data() + image * channels_ * (bins_ + 1); }
    std::int64_t bins() const { return bins_; }

   private:
    std::int64_t channels_, bins_;
    std::vector<float> codes_;
    std::vector<bool> has_;
  };

  static constexpr std::int64_t strip = 960;  // elements, whole patterns

  void apply(const View& src, const View& dst, const Tables& tables, bool is_shared) const {
    const std::int64_t images = dst.layout.images(), channels = dst.layout.channels();
    const bool has_bytes = src.layout.dtype == DType::u8 && dst.layout.dtype == DType::u8;
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(has_bytes ? (is_shared ? 1 : images) * channels * 256 : 0));
    if (has_bytes)
      for (std::int64_t n = 0; n < (is_shared ? 1 : images); ++n) fill_bytes(tables, n, channels, bytes.data() + n * channels * 256);
    const BinFinder finder(tables.bins(), channels, 1, bins_);
    parallel_for(images * window_.height, (128 << 10) / (window_.width * channels * src.layout.element_bytes()) + 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t n = task / window_.height, y = task % window_.height, table = is_shared ? 0 : n;
        std::byte* to = dst.row<std::byte>(n, window_.y + y) + window_.x * channels * dst.layout.element_bytes();
        if (has_bytes) look_up_bytes(src, n, y, bytes.data() + table * channels * 256, reinterpret_cast<std::uint8_t*>(to));
        else look_up(src, n, y, tables, table, finder, dst.layout.dtype, to);
      }
    });
  }

  void fill_bytes(const Tables& tables, std::int64_t image, std::int64_t channels, std::uint8_t* to) const {
    for (std::int64_t c = 0; c < channels; ++c, to += 256) {
      float codes[256];
      const Bins& b = bins_[static_cast<std::size_t>(c)];
      const float* table = tables.of(image) + c * (tables.bins() + 1);
      for (std::int64_t code = 0; code < 256; ++code) {
        const double t = std::clamp((static_cast<double>(code) - b.low) * b.scale, 0.0, static_cast<double>(tables.bins() - 1));
        codes[code] = tables.has(image, c) ? table[static_cast<std::int64_t>(t)] : static_cast<float>(code);
      }
      from_float(codes, std::span(to, 256));
    }
  }

  // A strip of the source, beyond the border what the edge mode says.
  void look_up_bytes(const View& src, std::int64_t image, std::int64_t y, const std::uint8_t* tables, std::uint8_t* to) const {
    const std::int64_t channels = src.layout.channels(), from_y = y + shift_y_;
    const bool is_inside = lie_inside(src.layout, from_y, shift_x_, window_.width);
    const std::uint8_t* from = is_inside ? src.row<const std::uint8_t>(image, from_y) + shift_x_ * channels : nullptr;
    std::uint8_t memory[strip];
    for (std::int64_t x = 0; x < window_.width; x += strip / channels) {
      const std::int64_t pixels = std::min(strip / channels, window_.width - x);
      if (!is_inside) stored_row<std::uint8_t, std::uint8_t>(src, image, from_y, shift_x_ + x, pixels, edge_, memory);
      const std::uint8_t* p = is_inside ? from + x * channels : memory;
      switch (channels) {
        case 1: bytes_by_table(p, pixels, tables, to + x); break;
        case 2: bytes_by_table<2>(p, 2 * pixels, tables, to + 2 * x); break;
        case 3: bytes_by_table<3>(p, 3 * pixels, tables, to + 3 * x); break;
        default: bytes_by_table<4>(p, 4 * pixels, tables, to + 4 * x);
      }
    }
  }
  void look_up(const View& src, std::int64_t image, std::int64_t y, const Tables& tables, std::int64_t table, const BinFinder& finder, DType target, std::byte* to) const {
    const std::int64_t channels = src.layout.channels(), bytes = static_cast<std::int64_t>(size_of(target));
    const float factor = unit_of(target) / unit_of(src.layout.dtype);
    bool changes[4] = {};
    for (std::int64_t c = 0; c < channels; ++c) changes[c] = tables.has(table, c);
    const float* codes = tables.of(table);
    alignas(64) float old[strip], fresh[strip];
    alignas(64) std::int32_t where[strip];
    for (std::int64_t x = 0; x < window_.width; x += strip / channels) {
      const std::int64_t pixels = std::min(strip / channels, window_.width - x), count = pixels * channels;
      fetch_row(src, image, y + shift_y_, shift_x_ + x, pixels, edge_, old);
      std::fill_n(old + count, rounded_up(count, pattern) - count, 0.0f);
      finder.find(old, count, where);
      for (std::int64_t i = 0; i < count; ++i) fresh[i] = codes[where[i]];
      for (std::int64_t c = 0; c < channels; ++c)
        if (!changes[c])
          for (std::int64_t i = c; i < count; i += channels) fresh[i] = old[i] * factor;
      from_float(fresh, target, to + x * channels * bytes, count);
    }
  }

  EdgeMode edge_;
  image::Window window_;
  std::int64_t shift_x_, shift_y_;
  std::size_t inputs_;
  Counting counting_;
  BinsOfChannels bins_;
  std::size_t source_input_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
