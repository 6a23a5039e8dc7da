#pragma once
#include "cpu/image/scale_passes.inl"
#include "kernels/common/scale_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// Two passes, the cheaper order first, over pieces of the output: a band of rows by a strip of columns. A piece takes what it
// needs from the source, in floats, and keeps everything between source and destination in the cache.
template <class Taps>
class ScalePlan : public CpuPlan {
  using Range = Axis::Range;
  struct Part {
    Range out, source;
  };

 public:
  ScalePlan(const image::ScaleKernel& k, const Call& call)
      : channels_(call.inputs[0].channels()), window_(image::clip_window(k.clip_rect, call.outputs[0])) {
    const Layout &src = call.inputs[0], &dst = call.outputs[0];
    if (const auto& t = k.scale_transform) {
      x_ = moved_axis<Taps>(src.width(), t->scale_x, t->translate_x, window_.width);
      y_ = moved_axis<Taps>(src.height(), t->scale_y, t->translate_y, window_.height);
    } else {
      x_ = fitted_axis<Taps>(src.width(), dst.width(), window_.x, window_.width);
      y_ = fitted_axis<Taps>(src.height(), dst.height(), window_.y, window_.height);
    }
    factor_ = unit_of(dst.dtype) / unit_of(src.dtype);
    visit_pixels(src.dtype, [&]<class P>(P) { load_ = &load_rows<P>; });
    visit_pixels(dst.dtype, [&]<class P>(P) { store_ = &store_rows<P>; });

    const auto width = static_cast<double>(x_.size()), height = static_cast<double>(y_.size());
    const Range columns = x_.source({0, x_.size()}), rows = y_.source({0, y_.size()});
    const auto source_width = static_cast<double>(columns.size()), source_height = static_cast<double>(rows.size());
    const auto taps_x = static_cast<double>(x_.most_taps()), taps_y = static_cast<double>(y_.most_taps());
    // Multiply-adds; along a row one costs a third more than across rows, and a loaded element counts three.
    const double down_first = source_width * height * (taps_y + 4) + 1.3 * width * height * taps_x;
    const double along_first = 3 * source_width * source_height + 1.3 * source_height * width * taps_x + width * height * taps_y;
    skips_x_ = x_.is_shift();
    down_first_ = skips_x_ || down_first <= along_first;

    const double source_per_column = source_width / width, source_per_row = source_height / height;
    strips_ = parts(x_, static_cast<std::int64_t>(strip_elements / (static_cast<double>(channels_) * std::max(1.0, source_per_column))), 24);
    const double most_rows = down_first_ ? (256 - taps_y) / source_per_row : 48 / source_per_row;
    bands_ = parts(y_, std::min<std::int64_t>(down_first_ ? turned_rows : 1024, static_cast<std::int64_t>(most_rows)), 1);
    // 20 us are worth a thread; 15 multiply-adds a ns is what one core does.
    const double work = std::min(down_first, along_first) * static_cast<double>(channels_) / static_cast<double>(strips_.size() * bands_.size());
    grain_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(300e3 / work));

    std::int64_t widest = 0, widest_source = 0, tallest = 0, tallest_source = 0;
    for (const Part& s : strips_) {
      widest = std::max(widest, s.out.size());
      widest_source = std::max(widest_source, s.source.size());
    }
    for (const Part& b : bands_) {
      tallest = std::max(tallest, b.out.size());
      tallest_source = std::max(tallest_source, b.source.size());
    }
    source_stride_ = stride(widest_source * channels_);
    out_stride_ = stride(widest * channels_);
    const std::int64_t turned = channels_ <= 2 ? turned_rows * (source_stride_ + overrun) : channels_ == 3 ? 4 * quad_stride() : 0;
    if (down_first_) floats_ = {tallest_source * block, turned_rows * source_stride_, turned, turned_rows * out_stride_};
    else floats_ = {tallest * block, (tallest_source + turned_rows) * out_stride_, turned, turned_rows * source_stride_};
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const auto strips = static_cast<std::int64_t>(strips_.size()), bands = static_cast<std::int64_t>(bands_.size());
    parallel_for(src.layout.images() * bands * strips, grain_, [&](std::int64_t begin, std::int64_t end) {
      const Scratch scratch(static_cast<std::size_t>(std::accumulate(floats_.begin(), floats_.end(), std::int64_t{0})) * sizeof(float));
      Workspace w{scratch.as<float>(), nullptr, nullptr, nullptr};
      w.between = w.block + floats_[0];
      w.turned = w.between + floats_[1];
      w.rows = w.turned + floats_[2];
      for (std::int64_t i = begin; i < end; ++i) {
        const Part &band = bands_[static_cast<std::size_t>(i / strips % bands)], &strip = strips_[static_cast<std::size_t>(i % strips)];
        const std::int64_t image = i / strips / bands;
        const std::byte* from = src.row<const std::byte>(image, band.source.begin) + strip.source.begin * src.layout.stride[2];
        std::byte* to = dst.row<std::byte>(image, window_.y + band.out.begin) + (window_.x + strip.out.begin) * dst.layout.stride[2];
        if (down_first_) down_then_along(w, band, strip, from, src.layout, to, dst.layout);
        else along_then_down(w, band, strip, from, src.layout, to, dst.layout);
      }
    });
  }

 private:
  static constexpr std::int64_t block = 8 * lanes<float>;  // columns that are summed at once
  static constexpr double strip_elements = 2048;
  struct Workspace {
    float *block, *between, *turned, *rows;
  };

  // Rows of floats, a little apart: at a power of two they would share one set of the cache.
  static std::int64_t stride(std::int64_t floats) { return (floats + overrun + 31) / 32 * 32 + 16; }
  std::int64_t quad_stride() const { return stride(source_stride_ / 3 * 4); }

  static std::vector<Part> parts(const Axis& axis, std::int64_t most, std::int64_t least) {
    most = std::clamp<std::int64_t>(most, std::min(least, axis.size()), axis.size());
    const std::int64_t count = (axis.size() + most - 1) / most;
    std::vector<Part> out;
    for (std::int64_t i = 0; i < count; ++i) {
      const Range some{axis.size() * i / count, axis.size() * (i + 1) / count};
      out.push_back({some, axis.source(some)});
    }
    return out;
  }

  template <class P>
  static void load_rows(const std::byte* src, std::int64_t row_bytes, std::int64_t rows, std::int64_t width, float* dst, std::int64_t stride) {
    for (std::int64_t r = 0; r < rows; ++r) {
      to_float(std::span(reinterpret_cast<const P*>(src + r * row_bytes), static_cast<std::size_t>(width)), dst + r * stride);
    }
  }
  template <class P>
  static void store_rows(const float* src, std::int64_t stride, std::int64_t rows, std::int64_t width, float factor, std::byte* dst, std::int64_t row_bytes) {
    for (std::int64_t r = 0; r < rows; ++r)
      from_float(src + r * stride, std::span(reinterpret_cast<P*>(dst + r * row_bytes), static_cast<std::size_t>(width)), factor);
  }

  void down_then_along(const Workspace& w, const Part& band, const Part& strip, const std::byte* src, const Layout& from, std::byte* dst,
                       const Layout& to) const {
    const std::int64_t width = strip.source.size() * channels_, rows = band.out.size();
    for (std::int64_t x = 0; x < width; x += block) {
      const std::int64_t some = std::min(block, width - x);
      load_(src + x * from.element_bytes(), from.row_bytes(), band.source.size(), some, w.block, block);
      down(w.block, block, band, some, w.between + x, source_stride_);
    }
    if (skips_x_) return store_(w.between, source_stride_, rows, width, factor_, dst, to.row_bytes());
    along(w, {w.between, source_stride_, strip.source.begin, w.rows, out_stride_}, rows, strip);
    store_(w.rows, out_stride_, rows, strip.out.size() * channels_, factor_, dst, to.row_bytes());
  }

  void along_then_down(const Workspace& w, const Part& band, const Part& strip, const std::byte* src, const Layout& from, std::byte* dst,
                       const Layout& to) const {
    for (std::int64_t r = 0; r < band.source.size(); r += turned_rows) {
      const std::int64_t some = std::min(turned_rows, band.source.size() - r);
      load_(src + r * from.row_bytes(), from.row_bytes(), some, strip.source.size() * channels_, w.rows, source_stride_);
      along(w, {w.rows, source_stride_, strip.source.begin, w.between + r * out_stride_, out_stride_}, some, strip);
    }
    const std::int64_t width = strip.out.size() * channels_;
    for (std::int64_t x = 0; x < width; x += block) {
      const std::int64_t some = std::min(block, width - x);
      down(w.between + x, out_stride_, band, some, w.block, block);
      store_(w.block, block, band.out.size(), some, factor_, dst + x * to.element_bytes(), to.row_bytes());
    }
  }

  void down(const float* src, std::int64_t src_stride, const Part& band, std::int64_t width, float* dst, std::int64_t dst_stride) const {
    for (std::int64_t i = band.out.begin; i < band.out.end; ++i, dst += dst_stride) {
      const Axis::Taps& t = y_[i];
      weigh_rows(src + (t.first - band.source.begin) * src_stride, src_stride, y_.weights_of(t), t.count, dst, width);
    }
  }

  void along(const Workspace& w, Rows rows, std::int64_t count, const Part& strip) const {
    const std::int64_t pixels = strip.source.size();
    if (channels_ <= 2) {
      turn_rows(rows.src, rows.src_stride, pixels * channels_, w.turned);
      rows.src = w.turned;
      return channels_ == 1 ? weigh_turned<1>(rows, x_, strip.out) : weigh_turned<2>(rows, x_, strip.out);
    }
    if (channels_ > 4) return weigh_pixels(rows, count, channels_, x_, strip.out);
    if (channels_ == 4) return weigh_quads(rows, count, 4, x_, strip.out);
    for (std::int64_t r = 0; r < count; r += 4) {
      const std::int64_t some = std::min<std::int64_t>(4, count - r);
      for (std::int64_t i = 0; i < some; ++i) spread_to_quads(rows.src + (r + i) * rows.src_stride, pixels, w.turned + i * quad_stride());
      weigh_quads({w.turned, quad_stride(), rows.first, rows.dst + r * rows.dst_stride, rows.dst_stride}, some, 3, x_, strip.out);
    }
  }

  std::int64_t channels_;
  image::Window window_;
  Axis x_, y_;
  float factor_;
  void (*load_)(const std::byte*, std::int64_t, std::int64_t, std::int64_t, float*, std::int64_t) = nullptr;
  void (*store_)(const float*, std::int64_t, std::int64_t, std::int64_t, float, std::byte*, std::int64_t) = nullptr;
  bool skips_x_, down_first_;
  std::vector<Part> strips_, bands_;
  std::int64_t grain_, source_stride_, out_stride_;
  std::array<std::int64_t, 4> floats_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
