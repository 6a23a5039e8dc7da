#pragma once
// The sum that both passes of a Gaussian are made of, for floats and for 16-bit words alike.
#include "cpu/image/fetch.inl"

namespace mpskit::cpu::MPSKIT_ISA {

// Adds to four registers, each a pitch behind the one before it, their pairs of mirrored neighbours. Pairs are added before they are
// weighted, and a neighbour is loaded once for all four: two loads for eight additions and multiplications. The farthest and lightest
// neighbours go first: `before` and `behind` are those of the first register, `farthest` is their number in the filter and `apart`
// how much nearer the next pair's is, a pitch nearer. Four terms make a sum of their own: no long chain of additions has to wait for
// itself, or to round. F::weight(k) is the register of neighbour k's weight, F::add(w, pair, sum) the sum and w * pair.
template <class F>
MPSKIT_INLINE void add_pairs(const F& filter, const typename F::Element* before, const typename F::Element* behind, std::int64_t pitch,
                             std::int64_t farthest, std::int64_t apart, std::int64_t pairs, typename F::Register (&out)[4]) {
  using V = typename F::Register;
  auto row = [pitch](const auto* p, int i) { return load<V>(p + i * pitch); };
  // In step s slot s + j (mod 4) of `low` holds row j - k, slot s - j of `high` row j + k.
  V low[4] = {row(before, 0), row(before, 1), row(before, 2), V{}}, high[4] = {V{}, row(behind, 3), row(behind, 2), row(behind, 1)}, sum[4];
  auto step = [&]<int s>(std::integral_constant<int, s>) {
    low[(s + 3) & 3] = row(before, s + 3);
    high[s] = row(behind, -s);
    const V w = filter.weight(farthest - s * apart);
    for (int j = 0; j < 4; ++j) sum[j] = F::add(w, low[(s + j) & 3] + high[(s - j) & 3], s == 0 ? V{} : sum[j]);
  };
  constexpr std::integral_constant<int, 0> zeroth;
  constexpr std::integral_constant<int, 1> first;
  constexpr std::integral_constant<int, 2> second;
  constexpr std::integral_constant<int, 3> third;
  for (; pairs >= 4; pairs -= 4) {
    step(zeroth), step(first), step(second), step(third);
    for (int j = 0; j < 4; ++j) out[j] += sum[j];
    before += 4 * pitch;
    behind -= 4 * pitch;
    farthest -= 4 * apart;
  }
  if (pairs == 0) return;
  step(zeroth);
  if (pairs > 1) step(first);
  if (pairs > 2) step(second);
  for (int j = 0; j < 4; ++j) out[j] += sum[j];
}

// Filters the registers at centre and one, two, three pitches behind it. F::first is the centre's term.
template <class F>
MPSKIT_INLINE void blur_four(const F& filter, const typename F::Element* centre, std::int64_t pitch, typename F::Register (&out)[4]) {
  for (int j = 0; j < 4; ++j) out[j] = filter.first(load<typename F::Register>(centre + j * pitch));
  const std::int64_t k = filter.radius();
  add_pairs(filter, centre - k * pitch, centre + k * pitch, pitch, k, 1, k, out);
}

// Columns of a filter's input along a row: `count` source pixels from `source` on, then the last of them again until there
// are `pixels`. Zeros when count is 0.
struct GaussianPiece {
  std::int64_t source, count, pixels;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
