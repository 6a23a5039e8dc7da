#pragma once
#include "cpu/image/stencil.inl"
#include "cpu/image/tiles.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// A stencil over tiles: source to floats, results to storage. Results are sums of codes of the source; `add` goes to each in codes of the
// destination.
class StencilPlan : public CpuPlan {
 public:
  struct Pass {
    Stencil window;
    std::vector<float> weights;  // row by row
  };
  StencilPlan(const image::UnaryKernel& k, std::vector<Pass> passes, float add, const Call& call)
      : passes_(std::move(passes)), tiles_(k, call, reach(&Stencil::width), reach(&Stencil::height), sizeof(float)) {
    factor_ = unit_of(call.outputs[0].dtype) / unit_of(call.inputs[0].dtype);
    add_ = add * unit_of(call.outputs[0].dtype);
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t pitch = tiles_.pitch(), c = tiles_.channels(), size = (tiles_.source_rows() + 4) * pitch + 4 * lanes<float>;
    tiles_.run(dst.layout.images(), 2 * size * static_cast<std::int64_t>(sizeof(float)), [&](const Tile& t, const Scratch& memory) {
      float *from = memory.as<float>(), *to = from + size;
      tiles_.load(src, t, from);
      std::int64_t more_rows = 0, more_columns = 0;  // that later passes want
      for (const Pass& p : passes_) {
        more_rows += p.window.height - 1;
        more_columns += p.window.width - 1;
      }
      for (const Pass& p : passes_) {
        more_rows -= p.window.height - 1;
        more_columns -= p.window.width - 1;
        stencil(from, pitch, p.window, p.weights.data(), t.height + more_rows, (t.width + more_columns) * c, to, pitch);
        std::swap(from, to);
      }
      visit_pixels(dst.layout.dtype, [&](auto p) {
        for (std::int64_t y = 0; y < t.height; ++y) finish(from + y * pitch, reinterpret_cast<decltype(p)*>(tiles_.row(dst, t, y)), t.width * c);
      });
    });
  }

 private:
  std::int64_t reach(std::int64_t Stencil::*side) const {
    std::int64_t reach = 1;
    for (const Pass& p : passes_) reach += p.window.*side - 1;
    return reach;
  }
  template <class P>
  void finish(const float* from, P* to, std::int64_t count) const {
    const Vec<float> factor = factor_ - Vec<float>{}, add = add_ - Vec<float>{};
    store_run(to, count, [=](std::int64_t x) { return multiply_add(load<Vec<float>>(from + x), factor, add); });
  }

  std::vector<Pass> passes_;
  Tiles tiles_;
  float factor_, add_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
