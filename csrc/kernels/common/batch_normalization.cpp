#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/cnn/values/batch_normalization_parameters.hpp"

namespace mpskit::cnn {

void BatchNormalizationParameters::validate() const {
  if (!mean || !variance)
    throw ValueError(cat(info.name, ": ", mean ? "variance" : "mean", " is None; allowed: float32, one a channel. Pass both mean and variance."));
  const std::pair<std::string_view, const std::optional<Array>*> all[]{{"mean", &mean}, {"variance", &variance}, {"gamma", &gamma}, {"beta", &beta}};
  for (const auto& [name, array] : all) {
    if (!*array) continue;
    const Array& a = **array;
    if (a.dtype != DType::f32) throw TypeError(cat(info.name, ": ", name, " is ", a.describe(), "; allowed: float32. Convert it with astype()."));
    if (a.shape.size() != 1 || a.elements() != mean->elements())
      throw ValueError(cat(info.name, ": ", name, " is ", a.describe(), ", mean is ", mean->describe(),
                           "; allowed: one axis of the same length, a number for each channel. Reshape it."));
  }
}

void BatchNormalizationParameters::require_channels(std::string_view who, std::int64_t channels) const {
  if (mean && mean->elements() != channels)
    throw ValueError(cat(who, ": batch_normalization has ", counted(mean->elements(), "channel"), "; allowed: ", channels,
                         ", those of the result. Pass as many numbers."));
}

BatchNormalizationParameters::Affine BatchNormalizationParameters::affine() const {
  Affine out;
  for (std::size_t i = 0; i < static_cast<std::size_t>(mean->elements()); ++i) {
    const double scale = (gamma ? double{gamma->floats()[i]} : 1.0) / std::sqrt(double{variance->floats()[i]} + double{epsilon});
    out.scale.push_back(scale);
    out.shift.push_back((beta ? double{beta->floats()[i]} : 0.0) - scale * double{mean->floats()[i]});
  }
  return out;
}

}  // namespace mpskit::cnn
