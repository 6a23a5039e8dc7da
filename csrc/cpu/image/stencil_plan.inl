#pragma once
#include "cpu/image/stencil_pass.inl"
#include "cpu/image/stencil_passes.inl"
#include "cpu/image/tiles.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// A stencil over tiles. Floats are read where they lie, and written there; other elements become floats in a tile, and results go to
// storage some rows at a time. Results are sums of codes of the source; `add` goes to each in codes of the destination.
class StencilPlan : public CpuPlan {
 public:
  StencilPlan(const image::UnaryKernel& k, std::vector<StencilPass> passes, float factor, float add, const Call& call)
      : passes_(std::move(passes)), tiles_(k, call, reach(&Stencil::width), reach(&Stencil::height), sizeof(float), 192 << 10, 8 << 10, stencil_rows) {
    factor_ = factor * unit_of(call.outputs[0].dtype) / unit_of(call.inputs[0].dtype);
    add_ = add * unit_of(call.outputs[0].dtype);
  }

  void run(std::span<const View> views) const override {
    const View &src = views[0], &dst = views[1];
    const std::int64_t pitch = tiles_.pitch(), size = (tiles_.source_rows() + stencil_rows) * pitch + stencil_block;
    const bool is_float = src.layout.dtype == DType::f32;
    tiles_.run(dst.layout.images(), (2 * size + stencil_rows * pitch + stencil_block) * static_cast<std::int64_t>(sizeof(float)), [&](const Tile& t, const Scratch& memory) {
      if (is_float) tiles_.in_parts(src, t, [&](const Tile& part) { filter(src, dst, part, memory.as<float>(), size); });
      else filter(src, dst, t, memory.as<float>(), size);
    });
  }

 private:
  std::int64_t reach(std::int64_t Stencil::*side) const {
    std::int64_t reach = 1;
    for (const StencilPass& p : passes_) reach += p.window().*side - 1;
    return reach;
  }
  void filter(const View& src, const View& dst, const Tile& t, float* memory, std::int64_t size) const {
    const std::int64_t c = tiles_.channels(), count = t.width * c;
    float *copy = memory, *between = memory + size, *rows = between + size;
    const bool is_block = t.height >= stencil_rows && count >= stencil_block;
    std::int64_t pitch = src.layout.row_bytes() / static_cast<std::int64_t>(sizeof(float));
    const float* from = is_block && src.layout.dtype == DType::f32 ? tiles_.in_place<float>(src, t, 0) : nullptr;
    if (!from) {
      pitch = tiles_.pitch();
      tiles_.load(src, t, copy);
      from = copy;
    }
    if (passes_.size() == 2) {
      const Stencil& second = passes_[1].window();
      passes_[0].run(from, pitch, {between, tiles_.pitch(), t.height + second.height - 1, count + (second.width - 1) * c});
      pitch = tiles_.pitch();
      from = between;
    }
    const StencilPass& last = passes_.back();
    if (is_block && dst.layout.dtype == DType::f32 && dst.layout.row_bytes() % static_cast<std::int64_t>(sizeof(float)) == 0)
      return last.run(from, pitch,
                      {reinterpret_cast<float*>(tiles_.row(dst, t, 0)), dst.layout.row_bytes() / static_cast<std::int64_t>(sizeof(float)), t.height, count, factor_, add_});
    for (std::int64_t y = 0; y < t.height; y += stencil_rows) {
      const std::int64_t some = std::min<std::int64_t>(stencil_rows, t.height - y);
      last.run(from + y * pitch, pitch, {rows, tiles_.pitch(), some, count, factor_, add_});
      for (std::int64_t i = 0; i < some; ++i)
        from_float(rows + i * tiles_.pitch(), dst.layout.dtype, tiles_.row(dst, t, y + i), count);
    }
  }

  std::vector<StencilPass> passes_;
  Tiles tiles_;
  float factor_, add_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
