#include "cpu/linalg/random.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixRandomPhiloxPlan final : public CpuPlan {
 public:
  MatrixRandomPhiloxPlan(const linalg::MatrixRandomPhilox& k, const Call& call)
      : key_(k.seed), offset_(static_cast<std::uint64_t>(k.offset)), mapping_(k.distribution.mapping()), runs_(call.outputs[0], k.matrices(k.info.name, call.outputs[0])) {}

  void run(std::span<const View> v) const override {
    constexpr std::int64_t piece = 16384;  // of a run: in the nearest cache between its words and its numbers
    const std::int64_t length = runs_.length(), pieces = (length + piece - 1) / piece;
    parallel_for(runs_.count() * pieces, std::max<std::int64_t>(1, 2 * piece / std::max<std::int64_t>(std::min(length, piece), 1)), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t begin = i % pieces * piece, count = std::min(piece, length - begin);
        std::uint32_t* out = runs_.at(v[0], i / pieces) + begin;
        philox::words(key_, offset_ + static_cast<std::uint64_t>(i / pieces * length + begin), count, out);
        distribution::apply(mapping_, out, count);
      }
    });
  }

 private:
  philox::Key key_;
  std::uint64_t offset_;
  linalg::RandomMapping mapping_;
  RandomRuns runs_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixRandomPhilox, MatrixRandomPhiloxPlan)
