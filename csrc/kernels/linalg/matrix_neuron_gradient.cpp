#include "kernels/linalg/matrix_neuron_gradient.hpp"

namespace mpskit::linalg {

Window MatrixNeuronGradient::window(std::span<const Layout> in, std::span<const Layout> out) const {
  const Window w = window_of(info.name, *this, sizes(), {"gradient", "source", in[0], in[1]}, out.empty() ? nullptr : &out[0]);
  const bool is_window = source_input_feature_channels.has_value();
  require_same_dtype(info.name, "gradient", in[0], "source", in[1]);
  require_vector(info.name, "bias", input_at(in, 2), w.columns, is_window, in[0].matrices());
  neuron.require_channels(info.name, w.columns);
  if (!out.empty()) {
    require_same_dtype(info.name, "gradient", in[0], "out", out[0]);
    require_own_vector(info.name, "bias_gradient", out[1], w.columns, is_window, in[0].matrices());
  }
  return w;
}

Layouts MatrixNeuronGradient::infer(std::span<const Layout> in, const OutputHints& hints) const {
  require_hints(info.name, hints, in[0].dtype);
  const Window w = window(in, {});
  return {result_of(w, result_matrix_origin, in[0].dtype, in[0].matrices()), Layout::vector(DType::f32, w.columns, in[0].matrices())};
}

}  // namespace mpskit::linalg
