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
      // Rows change places in memory, where each is a run of numbers, not where they are spread over lanes.
      const std::int64_t columns = solve_.extent.columns;
      auto exchange = [&](const Matrices<float>& x, std::int64_t first, std::int64_t count) {
        for (std::int64_t l = 0; l < count; ++l) exchange_small({x.data + l * x.matrix, x.row, n, columns}, views[2].vector<const std::uint32_t>(first + l));
      };
      each_group(
          views, false, {},
          [&](const Matrices<const float>& b, const Matrices<float>& x, std::int64_t first, std::int64_t count) -> Matrices<const float> {
            if (transpose_) return b;
            for (std::int64_t l = 0; l < count; ++l)
              for (std::int64_t i = 0; i < n; ++i)
                for (std::int64_t j = 0; j < columns; ++j) x.data[l * x.matrix + i * x.row + j] = b.data[l * b.matrix + i * b.row + j];
            exchange(x, first, count);
            return {x.data, x.matrix, x.row};
          },
          [&](const Group& g) {
            const LaneWindow turned{g.factors.data, 1, n};
            solve_lanes(transpose_ ? turned : g.factors, true, !transpose_, n, g.x, g.columns);
            solve_lanes(transpose_ ? turned : g.factors, false, transpose_, n, g.x, g.columns);
          },
          [&](const Matrices<float>& x, std::int64_t first, std::int64_t count) {
            if (transpose_) exchange(x, first, count);
          });
      return;
    }
    each(
        views,
        [&](const Matrices<const float>& b, const Block& x, std::int64_t m) {
          if (transpose_) return copy_block(b.data, b.row, x);
          const Scratch scratch(static_cast<std::size_t>(n) * sizeof(std::int64_t));
          auto* rows = scratch.as<std::int64_t>();
          std::iota(rows, rows + n, std::int64_t{0});
          const auto* pivots = views[2].vector<const std::uint32_t>(m);
          for (std::int64_t i = 0; i < n; ++i) std::swap(rows[i], rows[pivots[i]]);
          parallel_for(n, std::max<std::int64_t>(1, 100000 / (x.columns + 1)), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) std::copy(b.data + rows[i] * b.row, b.data + rows[i] * b.row + x.columns, x.row(i));
          });
        },
        [&](const float* a, std::ptrdiff_t row, const Block& x, std::int64_t m) {
          const Triangle lower{a, row, 1, true, true}, upper{a, row, 1, false};
          if (!transpose_) {
            solve_left(lower, x);
            return solve_left(upper, x);
          }
          solve_left(upper.transposed(), x);
          solve_left(lower.transposed(), x);
          exchange_rows(x, views[2].vector<const std::uint32_t>(m), 0, n, true);
        });
  }

 private:
  void exchange_small(const Block& x, const std::uint32_t* pivots) const {
    for (std::int64_t step = 0; step < x.rows; ++step) {
      const std::int64_t i = transpose_ ? x.rows - 1 - step : step, k = pivots[i];
      float *a = x.row(i), *b = x.row(k);
      for (std::int64_t j = 0; j < x.columns; ++j) std::swap(a[j], b[j]);
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
