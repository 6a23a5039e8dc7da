#pragma once
// What the kernels that solve linear systems do alike.
#include "cpu/linalg/lanes.inl"
#include "cpu/linalg/triangular.hpp"
#include "kernels/common/matrix_solve.hpp"

namespace mpskit::cpu::MPSKIT_ISA {

class SolvePlan : public CpuPlan {
 public:
  SolvePlan(const linalg::BinaryKernel& k, const linalg::Solve& s) : origins_(k), solve_(s) {}

 protected:
  static constexpr std::int64_t lane_columns = 32;  // right-hand sides of a group at a time

  double work() const {
    const auto n = static_cast<double>(solve_.order);
    return n * n * static_cast<double>(solve_.right_hand_sides);
  }
  // body(factor, right-hand sides, solution, number) for every matrix.
  template <class Body>
  void each(std::span<const View> views, Body&& body) const {
    for_each_matrix(solve_.batch.count, work(), [&](std::int64_t m) {
      m += solve_.batch.first;
      const auto a = matrices_from<const float>(views[0], origins_.primary_source_matrix_origin, m);
      const auto b = matrices_from<const float>(views[1], origins_.secondary_source_matrix_origin, m);
      const auto x = matrices_from<float>(views.back(), origins_.result_matrix_origin, m);
      body(a, b, Block{x.data, x.row, solve_.extent.rows, solve_.extent.columns}, m);
    });
  }
  bool goes_by_lanes(std::span<const View> views) const {
    return fits_lanes(solve_.order, solve_.batch.count) && is_in_floats(views[0]) && is_in_floats(views[1]) && is_in_floats(views.back());
  }
  // A group of small systems: factors, n x n, and right-hand sides, n x columns, to be replaced by the solutions.
  struct Group {
    LaneWindow factors, x;
    std::int64_t columns, first, count;  // right-hand sides; matrices
  };
  // body(group), between begin(b, x, first matrix, count), which gives where right-hand sides are read, and end(x, first matrix, count).
  template <class Begin, class Body, class End>
  void each_group(std::span<const View> views, bool is_right, LaneTriangles which, Begin&& begin, Body&& body, End&& end) const {
    const std::int64_t n = solve_.order;
    for_each_group(solve_.batch.count, work(), n * (n + 2 * solve_.right_hand_sides), [&](std::int64_t g, std::int64_t count) {
      const std::int64_t m = g + solve_.batch.first;
      const auto a = matrices_from<const float>(views[0], origins_.primary_source_matrix_origin, m);
      auto b = matrices_from<const float>(views[1], origins_.secondary_source_matrix_origin, m);
      auto x = matrices_from<float>(views.back(), origins_.result_matrix_origin, m);
      b = begin(b, x, m, count);
      const auto whole = x;
      alignas(64) float factors[lane_order * lane_order * lanes<float>], columns[lane_order * lane_columns * lanes<float>];
      const LaneWindow t{factors, n, 1};
      interleave_all(a, count, n, n, t, which);
      for (std::int64_t c = 0; c < solve_.right_hand_sides; c += lane_columns) {
        const std::int64_t some = std::min(lane_columns, solve_.right_hand_sides - c);
        const std::int64_t rows = is_right ? some : n, length = is_right ? n : some;
        const LaneWindow stored = is_right ? LaneWindow{columns, 1, some} : LaneWindow{columns, some, 1};
        // A single column without gaps is read, and written, as a row.
        if (length == 1 && b.row == 1) interleave_all(b, count, 1, rows, {columns, 0, stored.row});
        else interleave_all(b, count, rows, length, stored);
        body(Group{t, {columns, some, 1}, some, m, count});
        if (length == 1 && x.row == 1) separate_all({columns, 0, stored.row}, 1, rows, x, count);
        else separate_all(stored, rows, length, x, count);
        b.data += is_right ? some * b.row : some;
        x.data += is_right ? some * x.row : some;
      }
      end(whole, m, count);
    });
  }
  template <class Body>
  void each_group(std::span<const View> views, bool is_right, LaneTriangles which, Body&& body) const {
    each_group(views, is_right, which, [](const Matrices<const float>& b, const Matrices<float>&, std::int64_t, std::int64_t) { return b; }, body,
               [](const Matrices<float>&, std::int64_t, std::int64_t) {});
  }

  linalg::BinaryKernel origins_;
  linalg::Solve solve_;
};

}  // namespace mpskit::cpu::MPSKIT_ISA
