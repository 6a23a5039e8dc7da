#pragma once
#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/image_kernel.hpp"

namespace mpskit {

enum class AlphaType { non_premultiplied, alpha_is_one, premultiplied };  // with the numbers of MPSAlphaType
template <>
inline constexpr auto enum_names<AlphaType> = std::array<std::string_view, 3>{"non_premultiplied", "alpha_is_one", "premultiplied"};

enum class ColorSpace { none, srgb, linear_srgb, display_p3, linear_display_p3, gray_gamma_2_2, linear_gray };
template <>
inline constexpr auto enum_names<ColorSpace> = std::array<std::string_view, 7>{"none", "srgb", "linear_srgb", "display_p3", "linear_display_p3", "gray_gamma_2_2", "linear_gray"};
enum class ChannelOrder { rgba, bgra };
template <>
inline constexpr auto enum_names<ChannelOrder> = std::array<std::string_view, 2>{"rgba", "bgra"};
constexpr bool is_gray(ColorSpace s) { return s == ColorSpace::gray_gamma_2_2 || s == ColorSpace::linear_gray; }

namespace image {

struct Conversion : UnaryKernel {
  AlphaType source_alpha = AlphaType::alpha_is_one, destination_alpha = AlphaType::alpha_is_one;
  std::array<float, 3> background_color{0, 0, 0};
  ColorSpace source_color_space = ColorSpace::none, destination_color_space = ColorSpace::none;
  ChannelOrder source_channel_order = ChannelOrder::rgba;
  bool operator==(const Conversion&) const = default;

  static constexpr KernelInfo info{
      "Conversion", "Changes how alpha is meant, the colour space, and the order of colours.", "MPSImageConversion, in MPSImageConversion.h",
      "alpha_is_one means that alpha is 1 whatever is stored, so the default pair is no copy: it writes 1. From non_premultiplied to premultiplied colour is multiplied by "
      "alpha, the other way divided by it, and by 0 gives 0, of which Apple does not speak. To alpha_is_one colour c becomes c * alpha + background_color * (1 - alpha), a premultiplied one c + "
      "background_color * (1 - alpha), and alpha 1. A colour space is changed between: what is premultiplied is divided or laid over the background first, in the source's "
      "space, and multiplied again behind. Spaces of colour are decoded by their curve, taken through a matrix of linear light (both whites are D65) and encoded; gray ones by their "
      "curve alone, in which values below 0 count as 0. Gray of colours is ThresholdTruncate(threshold_value=1), by the weights that it is given: CoreGraphics does not tell its own. Apple takes a CGColorConversionInfo where these are two names. A picture of three channels has no alpha, so it is alpha_is_one; "
      "one of three may become one of four and the other way round. A source of which blue is the first channel, as OpenCV reads files, is bgra with three channels too; the result is "
      "always red first. To get blue first from red first call it bgra as well, if colours are not changed otherwise. Metal knows that order as a pixel format; a shader of "
      "ours does it there. One or two channels have none either and keep their values. Colours above 1 are kept by floats and "
      "clamped by codes. On a Mac the curves and matrices are CoreGraphics' own: its colours may differ by 2 codes of 8 bits or 2e-3, and by more beyond 0 ... 1."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"source_alpha", &Conversion::source_alpha, Range{}, "", "What alpha means in the source."},
                 Field{"destination_alpha", &Conversion::destination_alpha, Range{}, "", "What alpha is to mean."},
                 Field{"background_color", &Conversion::background_color, Range{}, "", "What lies behind a picture that is made opaque, in the source's colour space."},
                 Field{"source_color_space", &Conversion::source_color_space, Range{}, "", "Colour space of the source; none leaves colours as they are."},
                 Field{"destination_color_space", &Conversion::destination_color_space, Range{}, "", "Colour space of the result; none only where the source has none."},
                 Field{"source_channel_order", &Conversion::source_channel_order, Range{}, "", "Which channel of the source is red: the first, or the third."}},
      unary_fields);
  static constexpr std::array aliases{Alias{"src_alpha", {"source_alpha", ""}}, Alias{"dest_alpha", {"destination_alpha", ""}}};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 4e-6, 1.1e-3, "one rounding to half precision of float32 curves"},
      Tolerance{DType::f32, 2e-6, 1e-5, "float32 curves; more beyond 0 ... 1, where a matrix subtracts large numbers"}};

  // Alpha as it is: pictures without one are opaque.
  AlphaType alpha_of(const Layout& src) const { return src.channels() == 4 ? source_alpha : AlphaType::alpha_is_one; }
  bool changes_colors() const { return source_color_space != destination_color_space; }

  void validate() const {
    const bool has_source = source_color_space != ColorSpace::none, has_destination = destination_color_space != ColorSpace::none;
    if (has_source != has_destination || is_gray(source_color_space) != is_gray(destination_color_space))
      throw ValueError(cat(info.name, ": source_color_space is '", name_of_enum(source_color_space), "', destination_color_space '", name_of_enum(destination_color_space),
                           "'; allowed: both none, both of colour or both gray. Pass two of a kind."));
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_unary(info.name, *this, in[0], out[0]);
    const std::int64_t from = in[0].channels(), to = out[0].channels();
    if (from > 4 || (from != to && (from < 3 || to < 3 || to > 4)))
      throw ValueError(cat(info.name, ": image has ", counted(from, "channel"), ", out has ", to, "; allowed: the same number up to 4, or 3 and 4. Make out with ", counted(std::min<std::int64_t>(from, 4), "channel"), "."));
    if (source_channel_order == ChannelOrder::bgra && from < 3)
      throw ValueError(cat(info.name, ": image has ", counted(from, "channel"), " and source_channel_order is 'bgra'; allowed: 3 or 4 channels. Leave source_channel_order out."));
    if (source_color_space == ColorSpace::none) return;
    const bool fits = is_gray(source_color_space) ? from == 1 : from >= 3;
    if (!fits)
      throw ValueError(cat(info.name, ": image has ", counted(from, "channel"), " and source_color_space is '", name_of_enum(source_color_space), "'; allowed: ",
                           is_gray(source_color_space) ? "1 channel for gray spaces" : "3 or 4 channels for spaces of colour", ". Pass a space that fits."));
  }
};

}  // namespace image
}  // namespace mpskit

MPSKIT_KERNEL(image, Conversion)
