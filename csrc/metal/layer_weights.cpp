#include "metal/layer_weights.hpp"

#include <utility>

namespace mpskit::metal {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

// [output][tap][input / groups] to [output][tap][input], zeros between the groups.
std::vector<float> spread(const std::vector<float>& w, const cnn::ConvolutionDescriptor& d) {
  const std::int64_t taps = d.kernel_width * d.kernel_height, each = d.inputs_per_group(), all = d.input_feature_channels;
  std::vector<float> out(at(d.output_feature_channels * taps * all));
  for (std::int64_t o = 0; o < d.output_feature_channels; ++o)
    for (std::int64_t t = 0; t < taps; ++t)
      for (std::int64_t i = 0; i < each; ++i)
        out[at((o * taps + t) * all + o / d.outputs_per_group() * each + i)] = w[at((o * taps + t) * each + i)];
  return out;
}

}  // namespace

LayerWeights::Groups groups_for_mps(const cnn::ConvolutionDescriptor& d) {
  if (d.is_depthwise()) return LayerWeights::Groups::depthwise;
  const bool fits = d.groups == 1 || (d.inputs_per_group() % 4 == 0 && d.outputs_per_group() % 4 == 0);
  return fits ? LayerWeights::Groups::as_they_are : LayerWeights::Groups::dense;
}

LayerWeights::LayerWeights(cnn::Weights source, cnn::ConvolutionDescriptor d, std::optional<Array> bias, Form form)
    : source_(std::move(source)), given_(std::move(d)), descriptor_(given_), bias_(std::move(bias)), form_(std::move(form)) {
  if (form_.groups != Groups::as_they_are || form_.is_diagonal) descriptor_.groups = 1;
  if (form_.is_diagonal) descriptor_.input_feature_channels = descriptor_.output_feature_channels;
  descriptor_.batch_normalization = {};
}

bool LayerWeights::load() noexcept {
  if (loads_++ > 0) return true;  // MPS may look at the descriptor while it has the weights
  try {
    view_ = source_->load();
  } catch (...) {
    error_ = std::current_exception();
    loads_ = 0;
    return false;
  }
  try {
    convert();
    return true;
  } catch (...) {
    error_ = std::current_exception();
    purge();
    return false;
  }
}

void LayerWeights::purge() noexcept {
  if (--loads_ > 0) return;
  clear();
  try {
    source_->purge();
  } catch (...) {
    if (!error_) error_ = std::current_exception();
  }
}

void LayerWeights::rethrow() {
  if (const std::exception_ptr error = std::exchange(error_, nullptr)) std::rethrow_exception(error);
}

void LayerWeights::clear() {
  view_ = {};
  own_ = {};
  own_bias_ = {};
  own_ranges_ = {};
}

// Batch normalization is folded here, in float64: where MPS rounds to half, before or after its own folding, is written nowhere.
void LayerWeights::convert() {
  if (form_.check) form_.check(view_);
  const bool is_folded = given_.batch_normalization.has_value();
  keeps_float32_ = !form_.is_half && (view_.dtype == DType::f32 || form_.is_float32 || is_folded);
  if (bias_) view_.bias = bias_->floats();
  own_ranges_.assign(view_.ranges.begin(), view_.ranges.end());
  const bool is_aligned = reinterpret_cast<std::uintptr_t>(view_.weights) % size_of(view_.dtype) == 0;
  if (!is_folded && form_.groups != Groups::dense && is_aligned && !(form_.is_float32 && view_.dtype != DType::f32)) return;
  own_ = dequantized(view_, given_);
  if (is_folded) {
    const auto affine = given_.batch_normalization->affine();
    const std::size_t each = own_.size() / at(given_.output_feature_channels);
    own_bias_.resize(at(given_.output_feature_channels));
    for (std::size_t o = 0; o < own_bias_.size(); ++o) {
      for (std::size_t i = o * each; i < (o + 1) * each; ++i) own_[i] = static_cast<float>(own_[i] * affine.scale[o]);
      own_bias_[o] = static_cast<float>((view_.bias.empty() ? 0.0 : view_.bias[o]) * affine.scale[o] + affine.shift[o]);
    }
  }
  if (form_.groups == Groups::dense) own_ = spread(own_, given_);
}

}  // namespace mpskit::metal
