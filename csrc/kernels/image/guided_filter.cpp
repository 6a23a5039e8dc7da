#include "kernels/image/guided_filter.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace mpskit::image {
namespace {

constexpr std::string_view name = GuidedFilter::info.name;

OperandSpec required(OperandSpec spec) {
  spec.count = Count::one;
  return spec;
}

void require_pixels(std::string_view operand, const Layout& l) {
  if (l.is_empty()) throw ValueError(cat(name, ": ", operand, " is ", l.describe(), "; allowed: at least one pixel and one channel."));
}
void require_same_size(std::string_view operand, const Layout& l, std::string_view other, const Layout& wanted) {
  if (l.images() != wanted.images() || l.height() != wanted.height() || l.width() != wanted.width())
    throw ValueError(cat(name, ": ", operand, " is ", l.describe(), ", ", other, " is ", wanted.describe(), "; allowed: the same images, height and width. Scale one of them."));
}
void require_channels(std::string_view operand, const Layout& l, std::int64_t channels, std::string_view why) {
  if (l.channels() != channels) throw ValueError(cat(name, ": ", operand, " has ", counted(l.channels(), "channel"), "; allowed: ", channels, ", ", why));
}
void require_colour(const Layout& guidance) {
  if (guidance.channels() != 3 && guidance.channels() != 4)
    throw ValueError(cat(name, ": guidance has ", counted(guidance.channels(), "channel"), "; allowed: 3, or 4 with alpha. Pass independent_channels=True for a model of each channel alone."));
}

}  // namespace

std::vector<OperandSpec> GuidedFilter::call_operands() const {
  std::vector<OperandSpec> all;
  if (is_regression()) {
    all = {required(image), guidance, weights, made_coefficients};
    if (independent_channels) all.push_back(made_b);
  } else {
    all = {guidance, required(coefficients)};
    if (independent_channels) all.push_back(required(coefficients_b));
    all.push_back(destination_image);
  }
  return all;
}

Layouts GuidedFilter::infer(std::span<const Layout> in, const OutputHints& hints) const {
  const auto like = [](const Layout& l, DType dtype, std::int64_t channels) { return Layout::image(dtype, l.images(), l.height(), l.width(), channels); };
  const std::int64_t channels = hints.channels.value_or(independent_channels ? in[0].channels() : is_regression() ? 4 : 1);
  if (!is_regression()) return {like(in[0], hints.dtype.value_or(in[0].dtype), channels)};
  return Layouts(independent_channels ? 2 : 1, like(in[0], hints.dtype.value_or(DType::f32), channels));
}

void GuidedFilter::check(std::span<const Layout> in, std::span<const Layout> out) const {
  const Layout& guidance = in[is_regression() ? 1 : 0];
  require_pixels("guidance", guidance);
  if (!independent_channels) require_colour(guidance);
  if (is_regression()) {
    require_same_size("image", in[0], "guidance", guidance);
    if (independent_channels) require_channels("image", in[0], guidance.channels(), "as guidance. Each channel has its own guide.");
    else require_channels("image", in[0], 1, "such as a mask. Pass independent_channels=True for a model of each channel alone.");
    if (in.size() > 2) {
      require_same_size("weights", in[2], "guidance", guidance);
      require_channels("weights", in[2], 1, "a number for each pixel.");
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::string_view operand = i == 0 ? "out" : "out_b";
      require_same_size(operand, out[i], "guidance", guidance);
      require_channels(operand, out[i], independent_channels ? guidance.channels() : 4, independent_channels ? "as guidance." : "a of red, green and blue, and b.");
    }
  } else {
    for (std::size_t i = 1; i < in.size(); ++i) {
      const std::string_view operand = i == 1 ? "coefficients" : "coefficients_b";
      require_pixels(operand, in[i]);
      if (in[i].images() != guidance.images())
        throw ValueError(cat(name, ": ", operand, " has ", counted(in[i].images(), "image"), ", guidance has ", guidance.images(), "; allowed: the same number. Take those of one regression."));
      require_channels(operand, in[i], independent_channels ? guidance.channels() : 4, independent_channels ? "as guidance." : "a of red, green and blue, and b.");
    }
    if (in.size() > 2) require_same_size("coefficients_b", in[2], "coefficients", in[1]);
    require_same_size("out", out[0], "guidance", guidance);
    require_channels("out", out[0], independent_channels ? guidance.channels() : 1, independent_channels ? "as guidance." : "the value of the model.");
  }
}

}  // namespace mpskit::image
