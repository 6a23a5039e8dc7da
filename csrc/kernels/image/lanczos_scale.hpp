#pragma once
#include <cstdint>
#include <optional>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/common/image_kernel.hpp"

namespace mpskit::image {

struct LanczosScale : UnaryKernel {
  std::optional<ScaleTransform> scale_transform;
  std::optional<std::int64_t> width, height;
  bool operator==(const LanczosScale&) const = default;

  // Below, an output pixel has more than 24576 taps an axis; a fit (scale_transform=None) has no such limit.
  static constexpr double least_scale = 1.0 / 4096;

  static constexpr KernelInfo info{
      "LanczosScale", "Resize with a Lanczos filter that widens when it reduces.", "MPSImageLanczosScale, in MPSImageResampling.h",
      "Lanczos-3 along each axis, L(t) = sinc(t) * sinc(t / 3) for |t| < 3, stretched by 1 / scale when it reduces, weights "
      "divided by their sum: flat areas stay flat. Beyond the border lies the nearest edge pixel. Overshoot is kept until the "
      "store, which clamps it for uint8 and uint16. clip_rect masks: without a scale_transform it does not move the picture, "
      "with one the picture's origin is the corner of clip_rect. Alpha is resized as colour is; premultiply it first. NaN and "
      "infinity spread as far as the filter. Apple states neither lobes nor normalization of its own kernel: results on a GPU "
      "may differ at edges."};
  static constexpr auto fields = std::tuple_cat(
      std::tuple{Field{"scale_transform", &LanczosScale::scale_transform, Range{}, "",
                       "(scale_x, scale_y, translate_x, translate_y), dest = source * scale + translate; None fits the source to the output."},
                 Field{"width", &LanczosScale::width, Range{.min = 1, .max = 1 << 20}, "px",
                       "Width of the output when out is omitted; None is the source's."},
                 Field{"height", &LanczosScale::height, Range{.min = 1, .max = 1 << 20}, "px",
                       "Height of the output when out is omitted; None is the source's."}},
      unary_fields);
  static constexpr std::array operands{source_image, destination_image};
  static constexpr std::array tolerances{
      Tolerance{DType::u8, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::u16, 1, 0, "one code of the rounded exact value"},
      Tolerance{DType::f16, 4e-6, 1e-3, "one rounding to half precision; absolute for inputs within [-1, 1]"},
      Tolerance{DType::f32, 4e-6, 4e-6, "float32 sums of weights of both signs, twice; absolute for inputs within [-1, 1]"}};

  void validate() const {
    if (edge_mode != EdgeMode::clamp)
      throw ValueError(cat(info.name, ": edge_mode is 'zero'; allowed: 'clamp'. Apple does not say what its scale kernels read "
                                      "beyond the border with 'zero'. Pad the picture with zeros and scale that."));
    if (offset != Offset{})
      throw ValueError(cat(info.name, ": offset is (", offset.x, ", ", offset.y, "); allowed: (0, 0). Move the picture with the "
                                      "translation of scale_transform."));
    if (!scale_transform) return;
    for (const auto& [axis, scale] : {std::pair{"scale_x", scale_transform->scale_x}, std::pair{"scale_y", scale_transform->scale_y}})
      if (!(scale >= least_scale))
        throw ValueError(cat(info.name, ": scale_transform has ", axis, " ", scale, "; allowed: ", axis, " >= 1/4096. Scale in two "
                                        "steps, or pass None to fit the source to the output."));
  }
  Layouts infer(std::span<const Layout> in, const OutputHints& hints) const {
    Layout out = like_source(in[0], hints);
    return {Layout::image(out.dtype, out.images(), height.value_or(out.height()), width.value_or(out.width()), out.channels())};
  }
  void check(std::span<const Layout> in, std::span<const Layout> out) const {
    check_unary(info.name, *this, in[0], out[0]);
    check_same_channels(info.name, in[0], out[0]);
    if (width.value_or(out[0].width()) != out[0].width() || height.value_or(out[0].height()) != out[0].height())
      throw ValueError(cat(info.name, ": out is ", out[0].width(), " x ", out[0].height(), ", the kernel says ",
                           width ? cat("width ", *width) : std::string(), width && height ? ", " : "",
                           height ? cat("height ", *height) : std::string(),
                           "; allowed: the same size. Omit width and height: out decides the size."));
  }
};

}  // namespace mpskit::image

MPSKIT_KERNEL(image, LanczosScale)
