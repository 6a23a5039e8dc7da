#include "kernels/linalg/matrix_solve_lu.hpp"

namespace mpskit::linalg {

Solve MatrixSolveLU::problem(std::span<const Layout> in, const Layout* x) const {
  const Solve s = solve_problem(info.name, *this, {order, number_of_right_hand_sides}, false, in[0], in[1], x);
  const Placed source{"source", "", &in[0]}, pivots{"pivot_indices", "", &in[2]};
  batch_of(info.name, batch_start, batch_size, {source, pivots});
  require_extent(info.name, pivots, {s.order, 1}, order.has_value(), "order");
  return s;
}

}  // namespace mpskit::linalg
