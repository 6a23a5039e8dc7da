#include "cpu/image/bilinear_codes.inl"
#include "cpu/image/fetch.inl"
#include "cpu/image/scale_axis.inl"
#include "cpu/simd/streams.inl"
#include "kernels/common/scale_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class BilinearTaps {
 public:
  BilinearTaps(std::int64_t length, double) : last_(length - 1) {}

  // The two pixels around u, a position in source pixels. Beyond the border the edge pixel answers for both.
  void find(double u) {
    const double p = std::clamp(u - 0.5, -1.0, static_cast<double>(last_) + 1), before = std::floor(p);
    first_ = std::clamp<std::int64_t>(static_cast<std::int64_t>(before), 0, last_);
    count_ = p > before && before >= 0 && first_ < last_ ? 2 : 1;  // a pixel of weight 0 is not read
    weight_ = count_ == 2 ? p - before : 0;
  }
  void append_to(Axis& axis) const {
    axis.taps.push_back({first_, count_, axis.weights.size()});
    axis.weights.push_back(static_cast<float>(1 - weight_));
    if (count_ == 2) axis.weights.push_back(static_cast<float>(weight_));
  }
  bool is_inside(double u) const { return u >= 0.5 && u + 0.5 <= static_cast<double>(last_); }

 private:
  std::int64_t last_, first_ = 0, count_ = 1;
  double weight_ = 0;
};

// A row of the output: its two source rows become one row of floats, the pairs of that its pixels. Where most columns are between
// the pairs, only the pairs are taken. A row is worked through in parts that stay in the nearest cache. Of floats that become more rows than they
// were the pairs come first: a row of them serves several rows of the output.
class BilinearScalePlan final : public CpuPlan {
  struct Part {
    Axis::Range out, source;
    bool are_all, are_halves;  // of pixels 0 and 1, 2 and 3, ..., and both count the same
    std::int64_t inner;        // so many outputs, from the first on, have a pixel and two bytes behind theirs
  };

 public:
  BilinearScalePlan(const image::ScaleKernel& k, const Call& call)
      : channels_(call.inputs[0].channels()), window_(image::clip_window(k.clip_rect, call.outputs[0])) {
    const Layout &src = call.inputs[0], &dst = call.outputs[0];
    Axis x;
    if (const auto& t = k.scale_transform) {
      x = moved_axis<BilinearTaps>(src.width(), t->scale_x, t->translate_x, window_.width);
      y_ = moved_axis<BilinearTaps>(src.height(), t->scale_y, t->translate_y, window_.height);
    } else {
      x = fitted_axis<BilinearTaps>(src.width(), dst.width(), window_.x, window_.width);
      y_ = fitted_axis<BilinearTaps>(src.height(), dst.height(), window_.y, window_.height);
    }
    factor_ = unit_of(dst.dtype) / unit_of(src.dtype);
    blend_ = visit_pixels(src.dtype, []<class P>(P) { return &blend_rows<P>; });
    element_bytes_ = src.element_bytes();
    is_past_ = is_streamed(dst);
    last_ = (src.width() - 1) * channels_ * element_bytes_;
    is_shift_ = x.is_shift();
    has_codes_ = !is_shift_ && src.dtype == DType::u8 && dst.dtype == DType::u8 && channels_ <= 4;
    is_sparse_ = !is_shift_ && x.source({0, x.size()}).size() > (has_codes_ && channels_ == 1 && MPSKIT_VECTOR_BYTES == 64 ? 12 : 3) * x.size();
    is_tall_ = !is_shift_ && !is_sparse_ && !has_codes_ && y_.source({0, y_.size()}).size() < y_.size();
    has_far_quads_ = is_sparse_ && channels_ == 4 && src.dtype == DType::f32;
    divide(x);
    widest_ = 0;
    for (const Part& p : parts_) widest_ = std::max(widest_, std::max(columns(p), p.out.size()) * channels_);
    const auto work = static_cast<double>(channels_ * std::accumulate(parts_.begin(), parts_.end(), std::int64_t{0},
                                                                    [&](std::int64_t n, const Part& p) { return n + columns(p) + 2 * p.out.size(); }));
    grain_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(60e3 / work));
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    // Neighbours share what they read, so a thread takes more of them where there are many.
    const std::int64_t rows = dst.layout.images() * window_.height;
    parallel_for(rows, std::max(grain_, std::min<std::int64_t>(32, rows / (4 * num_threads()))), [&](std::int64_t begin, std::int64_t end) {
      if (is_tall_) return write_tall(src, dst, begin, end);
      const std::int64_t floats = rounded_up(widest_ + beyond, 16);
      const Scratch scratch(static_cast<std::size_t>(2 * floats) * sizeof(float) + static_cast<std::size_t>(2 * widest_ * element_bytes_ + 64));
      auto* const row = scratch.as<float>();
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t image = i / window_.height, y = i % window_.height;
        const Axis::Taps& t = y_[y];
        const auto* a = src.row<const std::byte>(image, t.first);
        const auto* b = t.count == 2 ? src.row<const std::byte>(image, t.first + 1) : nullptr;
        auto* const to = dst.row<std::byte>(image, window_.y + y) + window_.x * dst.layout.stride[2];
        for (const Part& part : parts_)
          write(part, a, b, y_.weights_of(t), src.layout.dtype, row, row + floats, to + part.out.begin * dst.layout.stride[2], dst.layout.dtype, 2 * src.layout.row_bytes());
      }
      if (is_past_) end_stream();
    });
  }

 private:
  static constexpr std::int64_t most_floats = 4096;  // of a part: half of the nearest cache

  std::int64_t lanes_of_pixel() const { return channels_ == 3 ? 4 : channels_; }
  std::int64_t columns(const Part& p) const { return is_sparse_ ? 2 * p.out.size() : p.source.size(); }

  void divide(const Axis& x) {
    first_.reserve(static_cast<std::size_t>(x.size() + beyond));
    const std::int64_t wanted = is_sparse_ ? 2 * x.size() : std::max(x.size(), x.source({0, x.size()}).size());
    const std::int64_t count = std::clamp<std::int64_t>((wanted * channels_ + most_floats - 1) / most_floats, 1, x.size());
    for (std::int64_t n = 0; n < count; ++n) {
      const Axis::Range out{x.size() * n / count, x.size() * (n + 1) / count}, source = x.source(out);
      std::int64_t inner = 0;
      bool are_all = true, are_halves = has_codes_ && (channels_ != 3 || isa_shuffles_bytes);
      for (std::int64_t i = out.begin; i < out.end; ++i) {
        const Axis::Taps& t = x[i];
        first_.push_back((is_sparse_ ? 2 * (i - out.begin) : t.first - source.begin) * channels_);
        are_all = are_all && first_.back() == 2 * (i - out.begin) * channels_;
        if (is_sparse_) picks_.push_back(t.first * channels_ * element_bytes_);
        if (inner == i - out.begin && t.first * channels_ * element_bytes_ + channels_ * element_bytes_ + 2 <= last_) ++inner;
        const float* w = x.weights_of(t);
        const float weight_b = t.count == 2 ? w[1] : 0.0f;
        are_halves = are_halves && weight_b == 0.5f;
        if (has_codes_) {
          const auto part = static_cast<std::int32_t>(std::lround(weight_b * 16384));
          code_weights_.insert(code_weights_.end(), static_cast<std::size_t>(lanes_of_pixel()), part << 16 | (16384 - part));
        } else {
          weights_a_.insert(weights_a_.end(), static_cast<std::size_t>(channels_), w[0]);
          weights_b_.insert(weights_b_.end(), static_cast<std::size_t>(channels_), weight_b);
        }
      }
      parts_.push_back({out, source, are_all, are_all && are_halves && !is_sparse_, inner});
    }
    first_.resize(first_.size() + beyond);
    weights_a_.resize(weights_a_.size() + beyond);
    weights_b_.resize(weights_b_.size() + beyond);
    code_weights_.resize(code_weights_.size() + beyond);
  }

  void write(const Part& part, const std::byte* a, const std::byte* b, const float* weights, DType from, float* row, float* out, std::byte* to,
             DType to_type, std::int64_t ahead) const {
    const std::int64_t pixel = channels_ * element_bytes_;
    std::int64_t count = columns(part) * channels_, outputs = part.out.size(), done = 0;
    const auto first = static_cast<std::size_t>(part.out.begin), weight = first * static_cast<std::size_t>(has_codes_ ? lanes_of_pixel() : channels_);
    auto* const codes = reinterpret_cast<std::uint8_t*>(out);
    if (is_sparse_) {
      if (has_codes_ && channels_ > 2) {
        done = part.inner / far_block * far_block;
        write_far(reinterpret_cast<const std::uint8_t*>(a), reinterpret_cast<const std::uint8_t*>(b), b ? weights[1] : 0, first, done, codes);
      } else if (has_far_quads_) {
        done = part.inner / (lanes<float> / 4) * (lanes<float> / 4);
        weigh_far_quads(a, b, weights[0], b ? weights[1] : 0, &picks_[first], &weights_a_[weight], &weights_b_[weight], done, out);
      }
      outputs -= done;
      count -= 2 * done * channels_;
      auto* const picked = reinterpret_cast<std::byte*>(out + rounded_up(widest_ + beyond, 16));
      auto gathered = [&](const std::byte* source, std::byte* pairs) {
        pick_pairs<2, 4, 6, 8, 12, 16, 24, 32>(source, picks_.data() + part.out.begin + done, outputs, part.inner - done, last_, 2 * pixel, pairs);
        return pairs;
      };
      a = gathered(a, picked);
      if (b) b = gathered(b, picked + count * element_bytes_);
    } else {
      const std::int64_t skipped = part.source.begin * pixel;
      a += skipped;
      if (b) b += skipped;
    }
    if (part.are_halves && b && weights[1] == 0.5f)
      return halve_codes(reinterpret_cast<const std::uint8_t*>(a), reinterpret_cast<const std::uint8_t*>(b), ahead, outputs, channels_, reinterpret_cast<std::uint8_t*>(to));
    if (has_codes_) {
      auto* const words = reinterpret_cast<std::uint16_t*>(row);
      blend_bytes(reinterpret_cast<const std::uint8_t*>(a), reinterpret_cast<const std::uint8_t*>(b), b ? weights[1] : 0, count, words);
      weigh_codes({words, &first_[first], &code_weights_[weight + static_cast<std::size_t>(done * lanes_of_pixel())], codes + done * channels_, outputs, part.are_all}, channels_,
                  codes + widest_ + beyond);
      stream_bytes(is_past_, codes, to, (done + outputs) * channels_);
      return;
    }
    if (b) blend_(a, b, weights[0], weights[1], count, row);
    else to_float(from, a, count, row);
    if (is_shift_) return stream_floats(is_past_, row, to_type, to, count, factor_);
    const std::size_t rest = weight + static_cast<std::size_t>(done * channels_);
    weigh_pairs({row, &first_[first], &weights_a_[rest], &weights_b_[rest], out + done * channels_, outputs, part.are_all}, channels_);
    stream_floats(is_past_, out, to_type, to, (done + outputs) * channels_, factor_);
  }

  void write_tall(const View& src, const View& dst, std::int64_t begin, std::int64_t end) const {
    const std::int64_t count = window_.width * channels_, pitch = rounded_up(std::max(widest_, count) + beyond, 16);
    const Scratch scratch(static_cast<std::size_t>(3 * pitch) * sizeof(float));
    float *const row = scratch.as<float>(), *const rows[] = {row + pitch, row + 2 * pitch};
    std::int64_t held[] = {-1, -1};
    const auto across = [&](std::int64_t image, std::int64_t y) {
      const std::int64_t which = image * src.layout.height() + y, slot = y % 2;
      float* const to = rows[slot];
      if (std::exchange(held[slot], which) == which) return to;
      for (const Part& part : parts_) {
        const auto first = static_cast<std::size_t>(part.out.begin), weight = first * static_cast<std::size_t>(channels_);
        to_float(src.layout.dtype, src.row<const std::byte>(image, y) + part.source.begin * channels_ * element_bytes_, part.source.size() * channels_, row);
        weigh_pairs({row, &first_[first], &weights_a_[weight], &weights_b_[weight], to + weight, part.out.size(), part.are_all}, channels_);
      }
      return to;
    };
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t image = i / window_.height, y = i % window_.height;
      const Axis::Taps& t = y_[y];
      const float *const a = across(image, t.first), *const b = t.count == 2 ? across(image, t.first + 1) : a, *const weights = y_.weights_of(t);
      std::byte* const to = dst.row<std::byte>(image, window_.y + y) + window_.x * dst.layout.stride[2];
      const Vec<float> w = weights[0] - Vec<float>{}, v = (t.count == 2 ? weights[1] : 0) - Vec<float>{};
      const auto mixed = [=](std::int64_t x) __attribute__((always_inline)) {  // rows have a register behind them
        const auto one = load<Vec<float>>(a + x);
        return a == b ? one : multiply_add(load<Vec<float>>(b + x), v, one * w);
      };
      const auto mixed_some = [=](std::int64_t x, std::int64_t) __attribute__((always_inline)) { return mixed(x); };
      if (dst.layout.dtype == DType::f32 && factor_ == 1) {
        stream_run(is_past_, reinterpret_cast<float*>(to), count, mixed, mixed_some);
      } else {
        store_run(row, count, mixed);
        stream_floats(is_past_, row, dst.layout.dtype, to, count, factor_);
      }
    }
    if (is_past_) end_stream();
  }

  // Outputs from the first on, of three bytes or four, straight from two rows.
  void write_far(const std::uint8_t* a, const std::uint8_t* b, float weight_b, std::size_t first, std::int64_t outputs, std::uint8_t* codes) const {
    const std::int64_t* const at = picks_.data() + first;
    const std::int32_t* const weights = code_weights_.data() + 4 * first;
    if (channels_ == 4) return weigh_far_codes<4>(a, b, weight_b, at, weights, outputs, codes);
    std::uint8_t* const quads = codes + widest_ + beyond;
    weigh_far_codes<3>(a, b, weight_b, at, weights, outputs, quads);
    pack_triples(quads, outputs, codes);
  }

  std::int64_t channels_;
  image::Window window_;
  Axis y_;
  float factor_;
  void (*blend_)(const std::byte*, const std::byte*, float, float, std::int64_t, float*) = nullptr;
  std::int64_t element_bytes_, last_, widest_, grain_;
  bool is_shift_, is_sparse_, is_tall_, has_far_quads_, has_codes_, is_past_;
  std::vector<Part> parts_;
  std::vector<std::int64_t> first_, picks_;  // of each output: its first pixel in a part's row of floats, in elements; in a source row, in bytes
  std::vector<float> weights_a_, weights_b_;  // of each output's channels
  std::vector<std::int32_t> code_weights_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::BilinearScale, BilinearScalePlan)
