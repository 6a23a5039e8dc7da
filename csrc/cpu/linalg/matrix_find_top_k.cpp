#include "cpu/linalg/window.inl"
#include "cpu/simd/any.inl"
#include "cpu/simd/math.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

constexpr std::int64_t scanned = lanes<float>;  // numbers at a time
constexpr float lowest = -std::numeric_limits<float>::infinity();

// The largest elements so far, from the largest down; of equal ones the first that came is the first.
class Best {
 public:
  explicit Best(std::int64_t k) : k_(k) {}
  bool is_full() const { return count_ == k_; }
  float last() const { return values_[static_cast<std::size_t>(count_ - 1)]; }
  std::int64_t count() const { return count_; }
  float value(std::int64_t i) const { return values_[static_cast<std::size_t>(i)]; }
  std::uint32_t index(std::int64_t i) const { return indices_[static_cast<std::size_t>(i)]; }

  void offer(float v, std::int64_t index) {  // a number
    if (is_full() && !(v > last())) return;
    auto at = static_cast<std::size_t>(is_full() ? k_ - 1 : count_++);
    for (; at > 0 && v > values_[at - 1]; --at) {
      values_[at] = values_[at - 1];
      indices_[at] = indices_[at - 1];
    }
    put(at, v, index);
  }
  void put(std::size_t at, float v, std::int64_t index) {
    values_[at] = v;
    indices_[at] = static_cast<std::uint32_t>(index);
  }

 private:
  std::int64_t k_, count_ = 0;
  std::array<float, 16> values_{};
  std::array<std::uint32_t, 16> indices_{};
};

// A number that at least k elements reach: the k-th largest of the largest elements of 64 interleaved parts of the row. One pass at
// the speed of memory, after which nearly every other element is dismissed by a comparison, in whatever order they come.
template <class T>
float bound(const T* x, std::int64_t n, std::int64_t k) {
  constexpr std::int64_t registers = 64 / scanned;
  if (n < 4 * 64) return lowest;
  Floats most[registers];
  for (Floats& m : most) m = all(lowest);
  for (std::int64_t i = 0; i + 64 <= n; i += 64)
    for (std::int64_t r = 0; r < registers; ++r) most[r] = maximum(load_pixels(x + i + r * scanned), most[r]);  // NaN is passed over
  float parts[64];
  for (std::int64_t r = 0; r < registers; ++r) store(parts + r * scanned, most[r]);
  Best best(k);
  for (int i = 0; i < 64; ++i) best.offer(parts[i], i);
  return best.last();
}

template <class T>
void find(const T* x, std::int64_t n, std::int64_t k, Best& best) {
  float least = bound(x, n, k);
  const auto offer_all = [&](Floats v, std::int64_t begin, std::int64_t count) {
    for (std::int64_t j = 0; j < count; ++j)
      if (v[j] >= least) best.offer(v[j], begin + j);  // NaN reaches nothing
    if (best.is_full()) least = std::max(least, best.last());
  };
  std::int64_t i = 0;
  for (; i + 4 * scanned <= n; i += 4 * scanned) {
    Floats v[4];
    Ints reaches{};
    for (int r = 0; r < 4; ++r) {
      v[r] = load_pixels(x + i + r * scanned);
      reaches |= v[r] >= least;
    }
    if (!any(reaches)) continue;
    for (int r = 0; r < 4; ++r) offer_all(v[r], i + r * scanned, scanned);
  }
  for (; i < n; i += scanned) offer_all(load_pixels(x + i, std::min(scanned, n - i)), i, std::min(scanned, n - i));
}

class MatrixFindTopKPlan final : public CpuPlan {
 public:
  MatrixFindTopKPlan(const linalg::MatrixFindTopK& k, const Call& call)
      : window_(k.window(call.inputs[0], &call.outputs[0], &call.outputs[1])),
        k_(k.number_of_top_k_values),
        index_offset_(static_cast<std::uint32_t>(k.index_offset)),
        source_(call.inputs[0], k.source_matrix_origin, window_.matrices),
        indices_(call.outputs[0], k.result_matrix_origin, window_.matrices),
        values_(call.outputs[1], k.result_matrix_origin, window_.matrices) {}

  void run(std::span<const View> v) const override {
    visit_floats(v[0].layout.dtype, [&](auto element) { run<decltype(element)>(v); });
  }

 private:
  template <class T>
  void run(std::span<const View> v) const {
    each_row(window_, [&](std::int64_t matrix, std::int64_t row) {
      const T* x = source_.row<const T>(v[0], matrix, row);
      Best best(k_);
      find(x, window_.columns, k_, best);
      auto* indices = indices_.row<std::uint32_t>(v[1], matrix, row);
      T* values = values_.row<T>(v[2], matrix, row);
      for (std::int64_t i = 0; i < best.count(); ++i) indices[i] = best.index(i);
      std::int64_t found = best.count();
      for (std::int64_t i = 0; found < k_; ++i)  // fewer numbers than k: NaN is what is left
        if (is_nan(x[i])) indices[found++] = static_cast<std::uint32_t>(i);
      for (std::int64_t i = 0; i < k_; ++i) {
        values[i] = x[indices[i]];
        indices[i] += index_offset_;
      }
    }, 65536);
  }
  static bool is_nan(float v) { return v != v; }
  static bool is_nan(Float16 v) { return (static_cast<std::uint16_t>(v) & 0x7fff) > 0x7c00; }

  linalg::Window window_;
  std::int64_t k_;
  std::uint32_t index_offset_;
  WindowPlace source_, indices_, values_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixFindTopK, MatrixFindTopKPlan)
