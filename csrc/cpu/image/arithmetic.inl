#pragma once
// Two pictures, element by element. As fast as memory: where both lie there as the result is stored, they are read and written without a
// detour; otherwise strips of them are brought into the cache as elements of one kind, repeated where a stride is 0.
#include "cpu/image/order.inl"
#include "cpu/image/tiles.inl"
#include "cpu/simd/streams.inl"
#include "kernels/common/arithmetic_kernel.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

// The scales, the bias and the limits for codes, whose units are in them.
struct Terms {
  float primary, secondary, bias, least, most;
  bool is_past;  // results go past the caches
};
using Combine = void (*)(const std::byte* a, const std::byte* b, std::byte* to, std::int64_t count, const Terms& terms);

template <class Op, class P>
void combine(const std::byte* a, const std::byte* b, std::byte* to, std::int64_t count, const Terms& terms) {
  using V = Vec<float>;
  const auto *x = reinterpret_cast<const P*>(a), *y = reinterpret_cast<const P*>(b);
  const V s = terms.primary - V{}, t = terms.secondary - V{}, bias = terms.bias - V{}, least = terms.least - V{}, most = terms.most - V{};
  auto value = [=](V p, V q) { return lower(most, upper(least, Op::of(p * s, q, t) + bias)); };  // the second operand stays when it is NaN
  stream_run(terms.is_past, reinterpret_cast<P*>(to), count, [=](std::int64_t i) { return value(load_pixels(x + i), load_pixels(y + i)); },
             [=](std::int64_t i, std::int64_t n) { return value(load_pixels(x + i, n), load_pixels(y + i, n)); });
}

// Codes without scales, bias and limits, in integers: exactly the rounded result.
template <class Op, class P>
void combine_codes(const std::byte* a, const std::byte* b, std::byte* to, std::int64_t count, const Terms& terms) {
  using V = Vec<P>;
  constexpr auto step = static_cast<std::int64_t>(sizeof(V));
  const std::int64_t bytes = count * static_cast<std::int64_t>(sizeof(P));
  auto some = [=](std::int64_t i, std::int64_t n) {
    const auto size = static_cast<std::size_t>(n);
    V x{}, y{};
    std::memcpy(&x, a + i, size);
    std::memcpy(&y, b + i, size);
    x = Op::template codes<P>(x, y);
    std::memcpy(to + i, &x, size);
  };
  std::int64_t i = 0;
  if (terms.is_past && bytes > 64) {
    for (const std::int64_t head = before_line(to, bytes); i < head; i += std::min(step, head - i)) some(i, std::min(step, head - i));
    for (; i + step <= bytes; i += step) stream(reinterpret_cast<P*>(to + i), Op::template codes<P>(load<V>(a + i), load<V>(b + i)));
  }
  for (; i + step <= bytes; i += step) {
    ask_ahead(to + i);
    store(to + i, Op::template codes<P>(load<V>(a + i), load<V>(b + i)));
  }
  if (i < bytes) some(i, bytes - i);
}

template <class Op>
class ArithmeticPlan : public CpuPlan {
 public:
  ArithmeticPlan(const image::ArithmeticKernel& k, const Call& call)
      : window_(image::clip_window(k.clip_rect, call.outputs[0])),
        sources_{Source{k.primary_edge_mode, bounded(k.primary_offset.x), bounded(k.primary_offset.y), k.primary_stride_in_pixels},
                 Source{k.secondary_edge_mode, bounded(k.secondary_offset.x), bounded(k.secondary_offset.y), k.secondary_stride_in_pixels}} {
    const Layout &a = call.inputs[0], &b = call.inputs[1], &dst = call.outputs[0];
    channels_ = dst.channels();
    is_alike_ = a.dtype == dst.dtype && b.dtype == dst.dtype;
    choose(k, a.dtype, b.dtype, dst.dtype);
    terms_.is_past = is_streamed(dst) && (is_alike_ || dst.dtype == DType::f32);
    is_flat_ = is_alike_ && sources_[0].is_plain() && sources_[1].is_plain();
    for (const Layout* l : {&a, &b, &dst})
      is_flat_ = is_flat_ && l->width() == window_.width && l->height() == window_.height && l->row_bytes() == window_.width * l->stride[2];
    if (is_flat_) window_ = {0, 0, window_.width * window_.height, 1};  // one long row
    segment_ = std::min(window_.width, std::max<std::int64_t>(1, (1 << 15) / channels_));
    strip_ = std::min(segment_, std::max<std::int64_t>(1, (1 << 11) / channels_));
    segments_ = (window_.width + segment_ - 1) / segment_;
    grain_ = (256 << 10) / (segment_ * (a.stride[2] + b.stride[2] + dst.stride[2])) + 1;
  }

  void run(std::span<const View> views) const override {
    parallel_for(views[2].layout.images() * window_.height * segments_, grain_, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t bytes = is_flat_ ? 0 : strip_ * channels_ * static_cast<std::int64_t>(sizeof(float)) + 256;
      const Scratch memory(static_cast<std::size_t>(3 * bytes));
      Lent lent[2] = {{memory.as<std::byte>()}, {memory.as<std::byte>(static_cast<std::size_t>(bytes))}};
      auto* floats = memory.as<float>(static_cast<std::size_t>(2 * bytes));
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t x = task % segments_ * segment_, y = task / segments_ % window_.height;
        run_segment(views, {task / segments_ / window_.height, x, y, std::min(segment_, window_.width - x), 1}, lent, floats);
      }
      if (terms_.is_past) end_stream();
    });
  }

 private:
  struct Source {
    EdgeMode edge;
    std::int64_t x, y;
    Size stride;
    bool is_plain() const { return x == 0 && y == 0 && stride.width == 1 && stride.height == 1; }
  };
  // A strip in the cache; a repeated one says which pixel it holds.
  struct Lent {
    std::byte* memory;
    std::int64_t image = -1, row = 0;
  };

  void choose(const image::ArithmeticKernel& k, DType a, DType b, DType dst) {
    const auto unit = [](DType t) { return static_cast<double>(unit_of(t)); };
    const double scale = static_cast<double>(k.primary_scale) * unit(dst) / unit(a);
    terms_.primary = static_cast<float>(scale);
    terms_.secondary = static_cast<float>(static_cast<double>(k.secondary_scale) * (Op::is_sum ? unit(dst) : 1) / unit(b));
    terms_.bias = static_cast<float>(static_cast<double>(k.bias) * unit(dst));
    constexpr float all = std::numeric_limits<float>::infinity();
    terms_.least = k.minimum_value == -k.unlimited ? -all : static_cast<float>(static_cast<double>(k.minimum_value) * unit(dst));
    terms_.most = k.maximum_value == k.unlimited ? all : static_cast<float>(static_cast<double>(k.maximum_value) * unit(dst));
    const bool is_bare = k.primary_scale == 1 && k.secondary_scale == 1 && k.bias == 0 && k.minimum_value <= 0 && k.maximum_value >= 1;
    combine_ = visit_pixels(is_alike_ ? dst : DType::f32, [&]<class P>(P) -> Combine {
      if constexpr (requires { Op::template codes<P>(Vec<P>{}, Vec<P>{}); })
        if (is_bare) return &combine_codes<Op, P>;
      return &combine<Op, P>;
    });
  }

  void run_segment(std::span<const View> views, const Tile& t, Lent* lent, float* floats) const {
    const View& dst = views[2];
    const std::int64_t dst_pixel = dst.layout.stride[2];
    std::byte* to = dst.row<std::byte>(t.image, window_.y + t.y) + (window_.x + t.x) * dst_pixel;
    const std::int64_t step = is_inside(0, views[0], t) && is_inside(1, views[1], t) ? t.width : strip_;
    for (std::int64_t x = 0; x < t.width; x += step, to += step * dst_pixel) {
      const Tile some{t.image, t.x + x, t.y, std::min(step, t.width - x), 1};
      const std::int64_t count = some.width * channels_;
      const std::byte *a = strip_of(0, views[0], some, lent[0]), *b = strip_of(1, views[1], some, lent[1]);
      if (is_alike_ || dst.layout.dtype == DType::f32) {
        combine_(a, b, to, count, terms_);
      } else {
        combine_(a, b, reinterpret_cast<std::byte*>(floats), count, terms_);
        from_float(floats, dst.layout.dtype, to, count);
      }
    }
  }

  // True when these pixels lie in memory as they are needed.
  bool is_inside(std::size_t which, const View& v, const Tile& t) const {
    const Source& s = sources_[which];
    return is_flat_ || (is_alike_ && s.stride.width == 1 && lie_inside(v.layout, s.y + s.stride.height * t.y, s.x + t.x, t.width));
  }

  const std::byte* strip_of(std::size_t which, const View& v, const Tile& t, Lent& lent) const {
    const Source& s = sources_[which];
    const std::int64_t image = v.layout.images() == 1 ? 0 : t.image, y = s.y + s.stride.height * t.y, x = s.x + s.stride.width * t.x;
    if (is_inside(which, v, t)) return v.row<const std::byte>(image, y) + x * v.layout.stride[2];
    if (s.stride.width != 0) {
      fetch(v, image, y, x, t.width, s.edge, lent.memory);
    } else if (lent.image != image || lent.row != y) {
      const std::int64_t pixel = channels_ * (is_alike_ ? v.layout.element_bytes() : static_cast<std::int64_t>(sizeof(float)));
      fetch(v, image, y, x, 1, s.edge, lent.memory);
      for (std::int64_t have = 1; have < strip_; have *= 2)
        std::memcpy(lent.memory + have * pixel, lent.memory, static_cast<std::size_t>(std::min(have, strip_ - have) * pixel));
      lent.image = image;
      lent.row = y;
    }
    return lent.memory;
  }
  // As they are stored, or as floats.
  void fetch(const View& v, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t pixels, EdgeMode edge, std::byte* to) const {
    auto stored = [&](auto* p) {
      using P = std::remove_pointer_t<decltype(p)>;
      stored_row<P, P>(v, image, y, x, pixels, edge, p);
    };
    if (!is_alike_) fetch_row(v, image, y, x, pixels, edge, reinterpret_cast<float*>(to));
    else if (v.layout.element_bytes() == 1) stored(reinterpret_cast<std::uint8_t*>(to));
    else if (v.layout.element_bytes() == 2) stored(reinterpret_cast<std::uint16_t*>(to));
    else stored(reinterpret_cast<std::uint32_t*>(to));
  }

  image::Window window_;
  std::array<Source, 2> sources_;
  std::int64_t channels_, segment_ = 0, strip_ = 0, segments_ = 0, grain_ = 0;
  bool is_alike_, is_flat_;
  Terms terms_{};
  Combine combine_ = nullptr;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
