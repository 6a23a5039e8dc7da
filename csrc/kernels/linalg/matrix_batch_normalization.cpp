#include "kernels/linalg/matrix_batch_normalization.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::linalg {

std::vector<OperandSpec> MatrixBatchNormalization::call_operands() const {
  if (!compute_statistics) return {source_matrix, mean, variance, gamma, beta, result_matrix};
  OperandSpec computed_mean = mean, computed_variance = variance;
  computed_mean.role = computed_variance.role = Role::output;
  return {source_matrix, gamma, beta, result_matrix, computed_mean, computed_variance};
}

Window MatrixBatchNormalization::window(std::span<const Layout> in, std::span<const Layout> out) const {
  const Window w = window_of(info.name, *this, sizes(), in[0], out.empty() ? nullptr : &out[0]);
  const std::int64_t matrices = in[0].matrices();
  const bool is_window = source_input_feature_channels.has_value();
  if (!out.empty()) require_same_dtype(info.name, "source", in[0], "out", out[0]);
  if (!compute_statistics) {
    require_vector(info.name, "mean", in[1], w.columns, is_window, matrices);
    require_vector(info.name, "variance", in[2], w.columns, is_window, matrices);
  } else if (!out.empty()) {
    require_own_vector(info.name, "mean", out[1], w.columns, is_window, matrices);
    require_own_vector(info.name, "variance", out[2], w.columns, is_window, matrices);
  }
  if (compute_statistics && w.rows == 0 && w.columns > 0)
    throw ValueError(cat(info.name, ": source has no rows; allowed: one or more with compute_statistics. Pass mean and variance, without it."));
  require_vector(info.name, "gamma", input_at(in, gamma_index()), w.columns, is_window, matrices);
  require_vector(info.name, "beta", input_at(in, gamma_index() + 1), w.columns, is_window, matrices);
  return w;
}

Layouts MatrixBatchNormalization::infer(std::span<const Layout> in, const OutputHints& hints) const {
  require_hints(info.name, hints, in[0].dtype);
  const Window w = window(in, {});
  const Layout result = result_of(w, result_matrix_origin, in[0].dtype, in[0].matrices()), statistics = Layout::vector(DType::f32, w.columns, in[0].matrices());
  if (compute_statistics) return {result, statistics, statistics};
  return {result};
}

}  // namespace mpskit::linalg
