#include "kernels/linalg/matrix_neuron.hpp"

namespace mpskit::linalg {

Window MatrixNeuron::window(std::span<const Layout> in, const Layout* out) const {
  const Window w = window_of(info.name, *this, sizes(), in[0], out);
  require_vector(info.name, "bias", input_at(in, 1), w.columns, source_input_feature_channels.has_value(), in[0].matrices());
  neuron.require_channels(info.name, w.columns);
  return w;
}

}  // namespace mpskit::linalg
