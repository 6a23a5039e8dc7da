#include "kernels/linalg/matrix_random_philox.hpp"

#include "metal/kernel.hpp"
#include "metal/shaders/arguments.h"

namespace mpskit::metal {
namespace {

// A shader of our own: what MPSMatrixRandomPhilox makes of seed, counter and padding is not stated, and numbers are to be the same
// on every engine.
class Plan final : public MetalPlan {
 public:
  Plan(const linalg::MatrixRandomPhilox& k, const Call& call, const Context&) : matrices_(k.matrices(k.info.name, call.outputs[0])) {
    const Layout& out = call.outputs[0];
    const auto number = [](std::int64_t n) { return static_cast<unsigned long>(n); };
    const linalg::RandomMapping m = k.distribution.mapping();
    arguments_.matrix_bytes = number(out.matrix_bytes());
    arguments_.row_bytes = number(out.row_bytes());
    arguments_.first = number(k.offset);
    arguments_.count = number(matrices_.count * out.rows() * out.columns());
    arguments_.blocks = (arguments_.first + arguments_.count + 3) / 4 - arguments_.first / 4;
    arguments_.rows = number(out.rows());
    arguments_.columns = number(out.columns());
    arguments_.width = static_cast<unsigned int>(std::min<unsigned long>(arguments_.blocks, 1 << 20));
    arguments_.kind = static_cast<unsigned int>(m.type);
    arguments_.key_low = static_cast<unsigned int>(k.seed);
    arguments_.key_high = static_cast<unsigned int>(k.seed >> 32);
    arguments_.range = m.range;
    arguments_.minimum = m.minimum;
    arguments_.first_part = m.first;
    arguments_.span = m.span;
    arguments_.sign = m.sign;
    arguments_.mean = m.mean;
    arguments_.deviation = m.deviation;
    arguments_.least = m.least;
    arguments_.most = m.most;
  }

  void encode(Encoder& e, std::span<const Operand> o) override {
    if (arguments_.count == 0) return;
    const Place p = e.place(o[0]);
    RandomArguments a = arguments_;
    a.offset = p.offset + static_cast<unsigned long>(matrices_.first * o[0].layout.matrix_bytes());
    e.compute("philox", p.buffer, {}, a, MTLSizeMake(a.width, static_cast<NSUInteger>((a.blocks + a.width - 1) / a.width), 1));
  }

 private:
  linalg::Batch matrices_;
  RandomArguments arguments_{};
};

}  // namespace
}  // namespace mpskit::metal

MPSKIT_METAL_KERNEL(linalg::MatrixRandomPhilox, Plan)
