#include "kernels/linalg/matrix_batch_normalization_gradient.hpp"

namespace mpskit::linalg {

Window MatrixBatchNormalizationGradient::window(std::span<const Layout> in, std::span<const Layout> out) const {
  const Window w = window_of(info.name, *this, sizes(), {"gradient", "source", in[0], in[1]}, out.empty() ? nullptr : &out[0]);
  const std::int64_t matrices = in[0].matrices();
  const bool is_window = source_input_feature_channels.has_value();
  require_same_dtype(info.name, "gradient", in[0], "source", in[1]);
  require_vector(info.name, "mean", in[2], w.columns, is_window, matrices);
  require_vector(info.name, "variance", in[3], w.columns, is_window, matrices);
  require_vector(info.name, "gamma", input_at(in, 4), w.columns, is_window, matrices);
  require_vector(info.name, "beta", input_at(in, 5), w.columns, is_window, matrices);
  if (!out.empty()) {
    require_same_dtype(info.name, "gradient", in[0], "out", out[0]);
    require_own_vector(info.name, "gamma_gradient", out[1], w.columns, is_window, matrices);
    require_own_vector(info.name, "beta_gradient", out[2], w.columns, is_window, matrices);
  }
  return w;
}

Layouts MatrixBatchNormalizationGradient::infer(std::span<const Layout> in, const OutputHints& hints) const {
  require_hints(info.name, hints, in[0].dtype);
  const Window w = window(in, {});
  const Layout sums = Layout::vector(DType::f32, w.columns, in[0].matrices());
  return {result_of(w, result_matrix_origin, in[0].dtype, in[0].matrices()), sums, sums};
}

}  // namespace mpskit::linalg
