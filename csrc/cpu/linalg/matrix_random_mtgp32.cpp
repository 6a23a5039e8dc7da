#include "cpu/linalg/random.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// MTGP32 of Saito and Matsumoto, "Variants of Mersenne Twister suitable for graphic processors" (2013), with the exponent 11213 and the first
// parameter set of their table. Its small matrices are linear: a row for each of four bits.
class Twister {
 public:
  static constexpr std::int64_t state = 351, pick = 84, most = 256;  // state - pick words depend on none of each other

  explicit Twister(std::int64_t seed) { philox::words(philox::Key(seed), 0, state, words_); }

  // The next words, at most so many; null: nobody wants them.
  void next(std::int64_t count, std::uint32_t* out) {
    std::int64_t i = 0;
    for (; i < count; i += lanes<std::uint32_t>) {  // whole registers: what is too much is not kept
      const std::uint32_t* x = words_ + i;
      Randoms far = (load<Randoms>(x) & 0xfff80000u) ^ load<Randoms>(x + 1);
      far ^= far << 12;
      const Randoms mixed = far ^ (load<Randoms>(x + pick) >> 4);
      store(words_ + state + i, mixed ^ chosen(mixed, 0x71588353, 0xdfa887c1, 0x4ba66c6e, 0xa53da0ae));
    }
    if (out) {
      Randoms some;
      for (i = 0; i < count; i += lanes<std::uint32_t>) {
        Randoms t = load<Randoms>(words_ + i + pick - 1);
        t ^= t >> 16;
        t ^= t >> 8;
        some = load<Randoms>(words_ + state + i) ^ chosen(t, 0x20004000, 0x1082c600, 0x10021c00, 0x0003f000);
        std::memcpy(out + i, &some, static_cast<std::size_t>(std::min<std::int64_t>(count - i, lanes<std::uint32_t>)) * 4);
      }
    }
    std::memmove(words_, words_ + count, state * sizeof(std::uint32_t));
  }

 private:
  // The sum of the rows whose bits are set in the low four of each lane.
  static Randoms chosen(Randoms bits, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
    const auto row = [&](int bit, std::uint32_t value) { return (Randoms{} - ((bits >> bit) & 1)) & value; };
    return row(0, a) ^ row(1, b) ^ row(2, c) ^ row(3, d);
  }

  std::uint32_t words_[state + most + 16] = {};
};

class MatrixRandomMTGP32Plan final : public CpuPlan {
 public:
  MatrixRandomMTGP32Plan(const linalg::MatrixRandomMTGP32& k, const Call& call)
      : seed_(k.seed), offset_(k.offset), mapping_(k.distribution.mapping()), runs_(call.outputs[0], k.matrices(k.info.name, call.outputs[0])) {}

  void run(std::span<const View> v) const override {
    Twister twister(seed_);
    for (std::int64_t left = offset_; left > 0; left -= Twister::most) twister.next(std::min(left, Twister::most), nullptr);
    for (std::int64_t r = 0; r < runs_.count(); ++r)
      for (std::int64_t begin = 0; begin < runs_.length(); begin += Twister::most) {
        const std::int64_t count = std::min(Twister::most, runs_.length() - begin);
        std::uint32_t* out = runs_.at(v[0], r) + begin;
        twister.next(count, out);
        distribution::apply(mapping_, out, count);
      }
  }

 private:
  std::int64_t seed_, offset_;
  linalg::RandomMapping mapping_;
  RandomRuns runs_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixRandomMTGP32, MatrixRandomMTGP32Plan)
