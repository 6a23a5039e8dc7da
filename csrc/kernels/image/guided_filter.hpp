#pragma once
#include <limits>
#include <vector>

#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

enum class GuidedOperation : std::uint8_t { regression, reconstruction };

struct GuidedFilter : AnyKernel {
  GuidedOperation operation = GuidedOperation::regression;
  bool independent_channels = false;
  std::int64_t kernel_diameter = 3;
  float epsilon = 0.001f;
  float reconstruct_scale = 1, reconstruct_offset = 0;
  bool operator==(const GuidedFilter&) const = default;

  static constexpr KernelInfo info{
      "GuidedFilter", "Smooths a picture along the edges of another one, in two steps: a linear model in every window, then its values.",
      "MPSImageGuidedFilter, in MPSImageGuidedFilter.h",
      "He and Sun, Fast Guided Filter, arXiv 1505.00996. 'regression' takes (image, guidance) or (image, guidance, weights). In each window it finds the a and b for which a . guidance + b is nearest to image, "
      "epsilon * a . a added, by weighted means: a = inverse(covariance(guidance) + epsilon) covariance(guidance, image), b = mean(image) - a . mean(guidance); then it takes the "
      "mean of a and b over the window, unweighted. image has one channel, guidance three, or four of which alpha is not read; the result is the picture (a red, a green, a blue, b). With independent_channels "
      "both have as many channels, each with a model of its own, and the results are two pictures, a and b. Windows are cut to the picture; one without any weight has a = b = 0. 'reconstruction' takes "
      "(guidance, coefficients), or with independent_channels (guidance, a, b): (a . guidance + b) * reconstruct_scale + reconstruct_offset at each of its pixels, where coefficients of another size are interpolated between their centres; it has the dtype of guidance "
      "unless dtype asks for another. Regression of small pictures and reconstruction with a large guidance is the fast way. Borders, interpolation and what weights act on are mpskit's "
      "definition: Apple's header states none of them, results on a GPU may differ. Sums are double precision on the CPU. NaN and infinity spoil the rest of the picture."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"operation", &GuidedFilter::operation, Range{}, "", "Which of the two steps."},
                 Field{"independent_channels", &GuidedFilter::independent_channels, Range{}, "", "A model for every channel, instead of one of all three for a picture of one channel."},
                 Field{"kernel_diameter", &GuidedFilter::kernel_diameter, Range{.min = 1, .max = 16383, .odd = true}, "px", "Side of the window of 'regression'."},
                 Field{"epsilon", &GuidedFilter::epsilon, Range{.min = 0, .max = std::numeric_limits<float>::max(), .open_min = true}, "",
                       "Variance of guidance, white being 1, below which 'regression' takes it for flat; Apple states no default."},
                 Field{"reconstruct_scale", &GuidedFilter::reconstruct_scale, Range{}, "", "Factor of the values of 'reconstruction'."},
                 Field{"reconstruct_offset", &GuidedFilter::reconstruct_offset, Range{}, "", "Added to the values of 'reconstruction'."}},
      options_field);
  static constexpr int positional = 1;

  static constexpr DTypes coefficient_dtypes{DType::f16, DType::f32};
  static constexpr OperandSpec guidance{"guidance", Role::input, Kind::image, image_dtypes, "The picture whose edges are kept."};
  static constexpr OperandSpec image{"image", Role::input, Kind::image, image_dtypes, "For 'regression': what is smoothed, as large as guidance.", Count::optional};
  static constexpr OperandSpec weights{"weights", Role::input, Kind::image, image_dtypes, "For 'regression': how much each pixel counts, one channel; all alike when omitted.", Count::optional};
  static constexpr OperandSpec coefficients{"coefficients", Role::input, Kind::image, coefficient_dtypes, "For 'reconstruction': what 'regression' made, a and b in one picture, or a.", Count::optional};
  static constexpr OperandSpec coefficients_b{"coefficients_b", Role::input, Kind::image, coefficient_dtypes, "For 'reconstruction' with independent_channels: b.", Count::optional};
  static constexpr OperandSpec made_coefficients{"out", Role::output, Kind::image, coefficient_dtypes, "Where the coefficients go; made when omitted, float32."};
  static constexpr OperandSpec made_b{"out_b", Role::output, Kind::image, coefficient_dtypes, "For 'regression' with independent_channels: where b goes; made when omitted, float32."};
  static constexpr std::array operands{guidance, image, weights, coefficients, coefficients_b, destination_image, made_b};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 1e-5, 1e-3, "one rounding to half precision; absolute for inputs within [-1, 1]"},
      Tolerance{DType::f32, 1e-5, 1e-5, "coefficients are rounded before they are averaged and interpolated; absolute for inputs within [-1, 1]"}};

  bool is_regression() const { return operation == GuidedOperation::regression; }
  std::vector<OperandSpec> call_operands() const;
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const;
  void check(std::span<const Layout> in, std::span<const Layout> out) const;
};

}  // namespace mpskit::image

template <>
inline constexpr auto mpskit::enum_names<mpskit::image::GuidedOperation> = std::array<std::string_view, 2>{"regression", "reconstruction"};

MPSKIT_KERNEL(image, GuidedFilter)
