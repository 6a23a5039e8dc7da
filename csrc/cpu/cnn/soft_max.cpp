#include "cpu/cnn/soft_max.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using namespace soft_max;

class SoftMaxPlan final : public CpuPlan {
 public:
  SoftMaxPlan(const cnn::SoftMax& k, const Call& call)
      : part_(cnn::part_of(k.info.name, k, call.inputs[0], call.outputs[0], cnn::channels_read(k.info.name, k, call.inputs[0]))),
        offset_(k.offset.value_or(Offset{})) {}

  void run(std::span<const View> v) const override {
    const View &src = v[0], &dst = v[1];
    const std::int64_t channels = part_.source_channels, rows = part_.images * part_.height, s_step = pixel_bytes(src), d_step = pixel_bytes(dst);
    const std::int64_t grain = std::max<std::int64_t>(1, 16384 / (channels * part_.width));
    const bool is_narrow = channels < 2 * step;
    parallel_for(rows, grain, [&](std::int64_t first, std::int64_t last) {
      const Scratch scratch(static_cast<std::size_t>(channels * (is_narrow ? step : 2)) * sizeof(float));
      for (std::int64_t r = first; r < last; ++r) {
        const std::int64_t y = r % part_.height;
        const std::byte* s = source_row(src, r / part_.height, y);
        std::byte* d = dst.row<std::byte>(part_.destination_image + r / part_.height, part_.y + y) + part_.x * d_step + part_.destination_channel * dst.layout.element_bytes();
        std::int64_t x = 0;
        if (is_narrow && s && offset_.x >= 0) {
          const std::int64_t inside = std::min(part_.width, src.layout.width() - offset_.x);
          for (; x + step <= inside; x += step) several_rows(src.layout.dtype, pixel(src, s, x), s_step, channels, dst.layout.dtype, d + x * d_step, d_step, scratch.as<float>());
        }
        for (; x < part_.width; ++x) one_row(src.layout.dtype, s ? pixel(src, s, x) : nullptr, channels, dst.layout.dtype, d + x * d_step, scratch.as<float>());
      }
    });
  }

 private:
  static std::int64_t pixel_bytes(const View& v) { return v.layout.channels() * v.layout.element_bytes(); }

  // Row y of the part; null beyond the border.
  const std::byte* source_row(const View& src, std::int64_t image, std::int64_t y) const {
    const std::int64_t row = offset_.y + y;
    return row < 0 || row >= src.layout.height() ? nullptr : src.row<const std::byte>(part_.source_image + image, row);
  }
  const std::byte* pixel(const View& src, const std::byte* row, std::int64_t x) const {
    const std::int64_t column = offset_.x + x;
    return column < 0 || column >= src.layout.width() ? nullptr : row + column * pixel_bytes(src) + part_.source_channel * src.layout.element_bytes();
  }

  cnn::Part part_;
  Offset offset_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(cnn::SoftMax, SoftMaxPlan)
