#include "cpu/image/stencil_plan.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class LaplacianPlan final : public CpuPlan {
 public:
  LaplacianPlan(const image::Laplacian& k, const Call& call) : tiles_(k, call, 3, 3, sizeof(float)) {
    factor_ = unit_of(call.outputs[0].dtype) / unit_of(call.inputs[0].dtype);
    bias_ = k.bias * unit_of(call.outputs[0].dtype);
  }
  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t pitch = tiles_.pitch(), bytes = static_cast<std::int64_t>(sizeof(float)) * (tiles_.source_rows() * pitch + 4 * lanes<float>);
    tiles_.run(dst.layout.images(), bytes, [&](const Tile& t, const Scratch& memory) {
      tiles_.load(src, t, memory.as<float>());
      visit_pixels(dst.layout.dtype, [&](auto p) {
        for (std::int64_t y = 0; y < t.height; ++y)
          filter_row(memory.as<float>() + y * pitch, pitch, reinterpret_cast<decltype(p)*>(tiles_.row(dst, t, y)), t.width * tiles_.channels());
      });
    });
  }

 private:
  template <class P>
  void filter_row(const float* above, std::int64_t pitch, P* to, std::int64_t count) const {
    using V = Vec<float>;
    const std::int64_t c = tiles_.channels();
    const V factor = factor_ - V{}, bias = bias_ - V{}, minus_four = -4.0f - V{};
    auto at = [=](std::int64_t x) {
      const float* p = above + pitch + x;
      const V sum = (load<V>(p - pitch + c) + load<V>(p + pitch + c)) + (load<V>(p) + load<V>(p + 2 * c));
      return multiply_add(multiply_add(minus_four, load<V>(p + c), sum), factor, bias);
    };
    store_run(to, count, at);
  }

  Tiles tiles_;
  float factor_, bias_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(image::Laplacian, LaplacianPlan)
