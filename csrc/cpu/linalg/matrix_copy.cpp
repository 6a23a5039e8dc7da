#include "cpu/linalg/window.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixCopyPlan final : public CpuPlan {
 public:
  MatrixCopyPlan(const linalg::MatrixCopy& k, const Call& call) : kernel_(k), block_(kernel_.block(call.inputs)), inputs_(call.inputs.size()), matrices_(call.inputs[0].matrices()) {
    for (std::size_t i = 0; i < k.offsets.size(); ++i) {
      const linalg::CopyOffsets& o = k.offsets[i];
      const Layout &source = call.inputs[k.source_of(i)], &destination = call.outputs[k.destination_of(i)];
      copies_.push_back({k.source_of(i), inputs_ + k.destination_of(i), {source, {o[0], o[1]}, {0, matrices_}}, {destination, {o[2], o[3]}, {0, matrices_}}});
    }
  }

  void run(std::span<const View> v) const override {
    switch (v[0].layout.element_bytes()) {
      case 1: return run<std::uint8_t>(v);
      case 2: return run<std::uint16_t>(v);
      case 4: return run<std::uint32_t>(v);
      default: return run<std::uint64_t>(v);
    }
  }

 private:
  struct Copy {
    std::size_t source, destination;
    WindowPlace from, to;
  };
  static constexpr std::int64_t tile = 16;  // rows that are turned together: whole cache lines of the source are used

  template <class T>
  void run(std::span<const View> v) const {
    const auto& b = block_;
    if (b.rows == 0 || b.columns == 0) return;
    const std::int64_t tiles = (b.rows + tile - 1) / tile, per_copy = tiles * matrices_;
    parallel_for(per_copy * static_cast<std::int64_t>(copies_.size()), rows_a_task(b.columns * tile), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t t = first; t < last; ++t) {
        const Copy& copy = copies_[static_cast<std::size_t>(t / per_copy)];
        const std::int64_t matrix = t % per_copy / tiles, row = t % tiles * tile, end = std::min(b.rows, row + tile);
        if (b.is_turned) turn<T>(copy, v, matrix, row, end);
        else
          for (std::int64_t r = row; r < end; ++r) copy_row(copy.from.template row<const T>(v[copy.source], matrix, r), target<T>(copy, v, matrix, r));
      }
    });
  }

  template <class T>
  T* target(const Copy& copy, std::span<const View> v, std::int64_t matrix, std::int64_t row) const {
    const auto r = static_cast<std::size_t>(row);
    return copy.to.template row<T>(v[copy.destination], matrix, block_.row_indices.empty() ? row : std::int64_t{block_.row_indices[r]});
  }
  template <class T>
  void copy_row(const T* from, T* to) const {
    const auto n = static_cast<std::size_t>(block_.columns);
    if (block_.column_indices.empty()) std::memcpy(to, from, n * sizeof(T));
    else
      for (std::size_t c = 0; c < n; ++c) to[block_.column_indices[c]] = from[c];
  }
  template <class T>
  void turn(const Copy& copy, std::span<const View> v, std::int64_t matrix, std::int64_t row, std::int64_t end) const {
    T* to[tile];
    for (std::int64_t r = row; r < end; ++r) to[r - row] = target<T>(copy, v, matrix, r);
    for (std::int64_t c = 0; c < block_.columns; ++c) {
      const T* from = copy.from.template row<const T>(v[copy.source], matrix, c) + row;
      const auto at = block_.column_indices.empty() ? static_cast<std::size_t>(c) : std::size_t{block_.column_indices[static_cast<std::size_t>(c)]};
      for (std::int64_t r = 0; r < end - row; ++r) to[r][at] = from[r];
    }
  }

  linalg::MatrixCopy kernel_;  // owns the indices
  linalg::MatrixCopy::Block block_;
  std::size_t inputs_;
  std::int64_t matrices_;
  std::vector<Copy> copies_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixCopy, MatrixCopyPlan)
