#include "cpu/linalg/solve.inl"

namespace mpskit::cpu::MPSKIT_ISA {
namespace {

class MatrixSolveLUPlan final : public SolvePlan {
 public:
  MatrixSolveLUPlan(const linalg::MatrixSolveLU& k, const Call& call) : SolvePlan(k, k.problem(call.inputs, &call.outputs[0])), transpose_(k.transpose) {}

  void run(std::span<const View> views) const override {
    const std::int64_t n = solve_.order;
    check_pivots(views[2]);
    if (goes_by_lanes(views)) {
      // Rows of a few right-hand sides change places in registers, others in memory, where each is a run of numbers.
      const bool in_registers = (n == 8 || n == 4) && is_in_floats(views[2]);
      const std::int64_t columns = solve_.extent.columns;
      auto exchange = [&](const Matrices<float>& x, std::int64_t first, std::int64_t count) {
        for (std::int64_t l = 0; l < count; ++l) exchange_rows({x.data + l * x.matrix, x.row, n, columns}, views[2].vector<const std::uint32_t>(first + l), 0, n, transpose_);
      };
      auto exchange_group = [&](const Group& g) {
        if (in_registers && n == 8) exchange_in_registers<8>(g, views[2]);
        else if (in_registers) exchange_in_registers<4>(g, views[2]);
      };
      each_group(
          views, false, {},
          [&](const Matrices<const float>& b, const Matrices<float>& x, std::int64_t first, std::int64_t count) -> Matrices<const float> {
            if (transpose_ || in_registers) return b;
            for (std::int64_t l = 0; l < count; ++l) copy_block(b.data + l * b.matrix, b.row, {x.data + l * x.matrix, x.row, n, columns});
            exchange(x, first, count);
            return {x.data, x.matrix, x.row};
          },
          [&](const Group& g) {
            const LaneWindow turned{g.factors.data, 1, n};
            if (!transpose_) exchange_group(g);
            solve_lanes(transpose_ ? turned : g.factors, true, !transpose_, n, g.x, g.columns);
            solve_lanes(transpose_ ? turned : g.factors, false, transpose_, n, g.x, g.columns);
            if (transpose_) exchange_group(g);
          },
          [&](const Matrices<float>& x, std::int64_t first, std::int64_t count) {
            if (transpose_ && !in_registers) exchange(x, first, count);
          });
      return;
    }
    each(views, [&](const Matrices<const float>& a, const Matrices<const float>& b, const Block& x, std::int64_t m) {
      const Triangle lower{a.data, a.row, 1, true, true}, upper{a.data, a.row, 1, false};
      const auto* pivots = views[2].vector<const std::uint32_t>(m);
      if (transpose_) {
        solve_left(upper.transposed(), x, b.data, b.row);
        solve_left(lower.transposed(), x);
        return exchange_rows(x, pivots, 0, n, true);
      }
      const Scratch scratch(static_cast<std::size_t>(n) * sizeof(std::int64_t));
      auto* rows = scratch.as<std::int64_t>();
      std::iota(rows, rows + n, std::int64_t{0});
      for (std::int64_t i = 0; i < n; ++i) std::swap(rows[i], rows[pivots[i]]);
      parallel_for(n, std::max<std::int64_t>(1, 100000 / (x.columns + 1)), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) std::copy(b.data + rows[i] * b.row, b.data + rows[i] * b.row + x.columns, x.row(i));
      });
      solve_left(lower, x);
      solve_left(upper, x);
    });
  }

 private:
  template <int n>
  void exchange_in_registers(const Group& g, const View& indices) const {
    using V = Vec<float>;
    alignas(64) float turned[n * lanes<float>];  // of whatever type: registers are moved
    const Matrices<const float> pivots{reinterpret_cast<const float*>(indices.vector<const std::uint32_t>(g.first)), vector_floats(indices), 0};
    interleave_all(pivots, g.count, 1, n, {turned, 0, 1});
    for (std::int64_t c = 0; c < g.columns; ++c) {
      V v[n];
#pragma GCC unroll 8
      for (int r = 0; r < n; ++r) v[r] = load<V>(g.x.at(r, c));
      auto exchange = [&](int i) __attribute__((always_inline)) { exchange_registers(v, i, load<Vec<std::int32_t>>(turned + i * lanes<float>), 0); };
      if (transpose_) {
#pragma GCC unroll 8
        for (int i = n - 1; i >= 0; --i) exchange(i);
      } else {
#pragma GCC unroll 8
        for (int i = 0; i < n; ++i) exchange(i);
      }
#pragma GCC unroll 8
      for (int r = 0; r < n; ++r) store(g.x.at(r, c), v[r]);
    }
  }
  // Indices come from the caller: nothing may be read or written outside the matrix because of them.
  void check_pivots(const View& v) const {
    for (std::int64_t m = solve_.batch.first; m < solve_.batch.first + solve_.batch.count; ++m) {
      const auto* pivots = v.vector<const std::uint32_t>(m);
      std::uint32_t most = 0;
      for (std::int64_t i = 0; i < solve_.order; ++i) most = std::max(most, pivots[i]);
      if (most < static_cast<std::uint64_t>(solve_.order)) continue;
      for (std::int64_t i = 0; i < solve_.order; ++i)
        if (pivots[i] >= static_cast<std::uint64_t>(solve_.order))
          throw ValueError(cat(linalg::MatrixSolveLU::info.name, ": pivot_indices holds ", pivots[i], " for row ", i, " of matrix ", m, "; allowed: rows 0 to ",
                               solve_.order - 1, ". Pass what MatrixDecompositionLU gave (LAPACK counts from 1)."));
    }
  }

  bool transpose_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA

MPSKIT_CPU_KERNEL(linalg::MatrixSolveLU, MatrixSolveLUPlan)
